"""The request budget of a connection, shared by all processes that use it through one database, and its pauses.

Each reserves its requests in blocks and says with each block what it spent within the window, so that a request costs no
write. What a process reserved counts for the others until its block has lapsed and the window after it: of one that was
killed nobody knows what it still sent (docs/facts/notion-api.md 2.1, 2.5; docs/facts/reliability.md 1.3).

Instants are the store's. What was noted later than now was noted by a clock that was wrong, and is not believed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b

import msgspec

from worker.state.settings import Setting
from worker.state.store import Store, to_micros

BLOCKS = 12
"""Into how many blocks a budget is divided, and its window."""
LONGEST_BLOCK = 5.0
"""Seconds after which a block has lapsed, at the most."""
SLACK = timedelta(minutes=1)
"""By how much the clocks of two servers may differ."""
SHORTEST_WAIT = 0.05
_SECOND = 1_000_000
_KEY = Setting("connections_key", str, str)
_NOBODY = ""


class Share(msgspec.Struct, frozen=True, gc=False):
    """What one holder has of a budget, noted `at` an instant: requests answered at instants, and those that may still
    leave or be answered, which count `until` another (microseconds)."""

    at: int
    answered: tuple[tuple[int, int], ...]
    open: int
    until: int


class Pause(msgspec.Struct, frozen=True, gc=False):
    """A wait that a service asked for, noted `at` an instant, `until` another."""

    at: int
    until: int


class Ledger(msgspec.Struct, frozen=True, gc=False):
    """What is known of one connection: the shares by holder, the pauses by the part of the service they concern."""

    shares: dict[str, Share] = msgspec.field(default_factory=dict)
    pauses: dict[str, Pause] = msgspec.field(default_factory=dict)


_LEDGER = Setting("ledger", Ledger, Ledger)


class ConnectionBudget:
    """`worker.http.budget.SharedBudget` in a database, which is not asked before it is used. `secret` tells connections
    apart, `holder` names who reserves: a process and its workspace."""

    def __init__(
        self,
        store: Store,
        secret: str,
        holder: str,
        *,
        limit: int,
        window: float,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store.unguarded()
        self._secret = secret
        self._holder = holder
        self._limit = limit
        self._window = window
        self._clock = now or self._store.now

    def take(
        self, answered: Sequence[tuple[float, int]], under_way: int
    ) -> tuple[int, float]:
        """Reserve a block; see the protocol."""
        lapse = min(LONGEST_BLOCK, self._window / BLOCKS)
        with self._store.transaction(self._connection) as tx:
            ledger = _LEDGER.hold(tx)
            now = self._now()
            wait = _longest(ledger.pauses, "", now)
            if wait > 0:
                return 0, wait
            others = _standing(ledger.shares, now, self._window)
            others.pop(self._holder, None)
            times = tuple((now - _micros(age), count) for age, count in answered)
            spent = sum(count for _, count in times) + under_way
            free = self._limit - spent - sum(map(_size, others.values()))
            granted = max(0, min(self._limit // BLOCKS or 1, free))
            until = now + _micros(lapse + self._window)
            own = Share(now, times, under_way + granted, until)
            shares = {**others, self._holder: own}
            _LEDGER.save(tx, Ledger(shares, ledger.pauses))
        if granted:
            return granted, lapse
        ends = _ends(shares.values(), self._window)
        first = min((end for end in ends if end > now), default=now)
        return 0, max(SHORTEST_WAIT, (first - now) / _SECOND)

    def pause(self, seconds: float, part: str = "") -> None:
        """Have nobody ask a part of the service for so long; a longer pause that stands, stays."""
        with self._store.transaction(self._connection) as tx:
            ledger = _LEDGER.hold(tx)
            now = self._now()
            pauses = {
                name: pause
                for name, pause in ledger.pauses.items()
                if _left(pause, now) > 0
            }
            asked = Pause(now, now + _micros(seconds))
            standing = pauses.get(part, asked)
            pauses[part] = max(asked, standing, key=lambda pause: pause.until)
            _LEDGER.save(tx, Ledger(ledger.shares, pauses))

    def paused(self, part: str = "") -> float:
        """Return for how many seconds a part of the service is not to be asked, 0 when it may be."""
        with self._store.reading(self._connection) as tx:
            pauses = _LEDGER.load(tx).pauses
        if not pauses:
            return 0.0
        return _longest(pauses, part, self._now())

    def _now(self) -> int:
        return to_micros(self._clock())

    @cached_property
    def _connection(self) -> str:
        """The name under which the budget is kept: it tells nothing to whom the secret is not known."""
        with self._store.reading(_NOBODY) as tx:
            key = _KEY.load(tx)
        if not key:
            with self._store.transaction(_NOBODY) as tx:
                key = _KEY.hold(tx) or secrets.token_hex(16)
                _KEY.save(tx, key)
        said = self._secret.encode("utf-8", "surrogatepass")
        mark = blake2b(said, digest_size=16, key=key.encode())
        return f"connection {mark.hexdigest()}"


def _standing(shares: dict[str, Share], now: int, window: float) -> dict[str, Share]:
    """Return the shares as far as they still count."""
    standing = {}
    for holder, share in shares.items():
        if share.at > now + _micros(SLACK.total_seconds()):
            continue
        start = now - _micros(window)
        answered = tuple(one for one in share.answered if one[0] > start)
        held = 0
        if share.until > now:
            held = share.open
        if answered or held:
            standing[holder] = Share(share.at, answered, held, share.until)
    return standing


def _size(share: Share) -> int:
    return share.open + sum(count for _, count in share.answered)


def _ends(shares: Iterable[Share], window: float) -> list[int]:
    """Return the instants at which something of the shares ceases to count."""
    ends = []
    for share in shares:
        ends += [at + _micros(window) for at, _ in share.answered]
        ends.append(share.until)
    return ends


def _longest(pauses: dict[str, Pause], part: str, now: int) -> float:
    """Return the seconds for which a part of the service is not to be asked, by the pauses of it and of everything."""
    concerned = (pauses[name] for name in {"", part} & pauses.keys())
    return max((_left(pause, now) for pause in concerned), default=0.0)


def _left(pause: Pause, now: int) -> float:
    """Return the seconds that are left of a pause."""
    if pause.at > now + _micros(SLACK.total_seconds()):
        return 0.0
    return max(0.0, (pause.until - now) / _SECOND)


def _micros(seconds: float) -> int:
    return int(seconds * _SECOND)
