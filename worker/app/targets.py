"""The targets of alerts: addresses that are secrets, each with a name that is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from worker.config import Alerts

EVERYBODY = "*"
"""The unit of a target that gets the pages of all."""
LINE = re.compile(r"(?:(?P<unit>[^=/]+?)\s*=\s*)?(?P<url>(?P<scheme>[\w+.-]+)://\S+)")
PIECES = re.compile(r"[/?&=:@;,\s]+")
SHORTEST = 6
"""Signs below which a piece of an address is a word that may stand anywhere."""


class Target(msgspec.Struct, frozen=True, gc=False):
    """One target: `name` tells it without its secrets (`slack-1`), `unit` whose pages it gets, empty: it gets alerts."""

    name: str
    url: str
    unit: str = ""

    def __repr__(self) -> str:
        """Return its name alone: its address is a secret."""
        return f"Target({self.name})"

    def gets(self, unit: str) -> bool:
        """Tell whether it gets the pages of a unit."""
        return self.unit == EVERYBODY or self.unit.casefold() == unit.casefold()


def targets_of(alerts: Alerts | None) -> tuple[Target, ...]:
    """Return the targets of a table, in their order."""
    return tuple(_targets(alerts)) if alerts is not None else ()


def _targets(alerts: Alerts) -> Iterator[Target]:
    counts: Counter[str] = Counter()
    for line in alerts.targets.get_secret_value().splitlines():
        match = LINE.fullmatch(line.strip())
        if match is None or line.lstrip().startswith("#"):
            continue
        scheme = match["scheme"].casefold()
        counts[scheme] += 1
        name = f"{scheme}-{counts[scheme]}"
        yield Target(name, match["url"], (match["unit"] or "").strip())


def secrets_of_alerts(alerts: Alerts | None) -> list[str]:
    """Return what of a table must not be shown: whole addresses, and the pieces of which they are made."""
    if alerts is None:
        return []
    secrets: list[str] = []
    for address in addresses_of(alerts):
        secrets += secrets_in(address)
    return secrets


def addresses_of(alerts: Alerts) -> list[str]:
    """Return every secret address of a table."""
    heartbeat = alerts.heartbeat_url.get_secret_value()
    own = [heartbeat] if heartbeat else []
    return [*own, *(target.url for target in targets_of(alerts))]


def secrets_in(url: str) -> list[str]:
    """Return an address and those of its pieces that may be secrets, as typed and as meant."""
    _, _, rest = url.partition("://")
    host, _, _ = rest.rpartition("@")[2].partition("/")
    words = {host, host.partition(":")[0]} if _is_host(host) else set()
    pieces = [
        piece
        for piece in PIECES.split(rest)
        if len(piece) >= SHORTEST and piece not in words
    ]
    meant = [unquote(piece) for piece in pieces]
    return list(dict.fromkeys([url, *pieces, *meant]))


def _is_host(text: str) -> bool:
    """Tell whether the first part of an address is a host, and not an account or a token as in `slack://T0/B0/C0`."""
    return "." in text or text.partition(":")[0] == "localhost"
