"""Replay of recorded exchanges into an emulator: the ids of the recording are mapped to the emulator's as they appear.

An answer matches when its status is the same and its JSON has the same shape: key sets all the way down, kinds of
scalars, the values of `object`, `type`, `code` and `status`; the elements of a list are united by their kind first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import yaml

from rayline_sandbox.wire import Request, Response, from_parts

UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
LITERAL_KEYS = ("object", "type", "code", "status")
HOST = "api.notion.com"
ID_KEY = re.compile(r"(^|_)ids?$|_cursor$")
"""Keys whose values are ids that need not be UUIDs."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and its answer (`answer` is None when the body was no JSON object)."""

    method: str
    url: str
    body: str
    content_type: str
    version: str
    status: int
    answer: dict[str, Any] | None

    @property
    def host(self) -> str:
        """Return the host the request was sent to."""
        return urlsplit(self.url).hostname or ""

    def title(self) -> str:
        """Return the request line without ids, for tables."""
        return f"{self.method} {UUID.sub('{id}', urlsplit(self.url).path)}"


@dataclass(frozen=True, slots=True)
class Cassette:
    """A recorded conversation."""

    name: str
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of replaying one exchange; `reason` is empty when the shapes agree."""

    cassette: str
    exchange: Exchange
    reason: str


def load_cassettes(folder: Path) -> list[Cassette]:
    """Read every cassette below a folder."""
    return [_cassette(path) for path in sorted(folder.rglob("*.yaml"))]


def _cassette(path: Path) -> Cassette:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return Cassette(path.stem, tuple(_exchange(one) for one in data["interactions"]))


def _exchange(recorded: Mapping[str, Any]) -> Exchange:
    request, response = recorded["request"], recorded["response"]
    headers = {name.lower(): values[0] for name, values in request["headers"].items()}
    status = response.get("status_code") or response["status"]["code"]
    text = response.get("content") or response.get("body", {}).get("string", "")
    return Exchange(
        request["method"],
        request["uri"],
        request.get("body") or "",
        headers.get("content-type", ""),
        headers.get("notion-version", ""),
        int(status),
        _object(text),
    )


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@dataclass(slots=True)
class IdMap:
    """Recorded id to emulator id: UUIDs in either spelling, and other ids (cursors, property ids) as whole words."""

    uuids: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def learn(self, recorded: Any, actual: Any, key: str = "") -> None:
        """Pair two answers and take over the ids that stand in the same places."""
        if isinstance(recorded, dict) and isinstance(actual, dict):
            for name in recorded.keys() & actual.keys():
                self.learn(recorded[name], actual[name], name)
        elif (
            isinstance(recorded, list)
            and isinstance(actual, list)
            and len(recorded) == len(actual)
        ):
            for left, right in zip(recorded, actual, strict=True):
                self.learn(left, right, key)
        elif (
            isinstance(recorded, str)
            and isinstance(actual, str)
            and (UUID.fullmatch(recorded) or ID_KEY.search(key))
        ):
            self.pair(recorded, actual)

    def pair(self, recorded: str, actual: str) -> None:
        """Map one id to another if both look like ids; the first pairing holds."""
        if UUID.fullmatch(recorded) and UUID.fullmatch(actual):
            self.uuids.setdefault(_bare(recorded), actual)
        elif recorded != actual and len(recorded) < 64 and " " not in recorded:
            self.words.setdefault(recorded, actual)

    def knows(self, uuid: str) -> bool:
        """Return whether a recorded UUID has its counterpart."""
        return _bare(uuid) in self.uuids

    def translate(self, text: str) -> str:
        """Return a text with every known recorded UUID replaced."""
        return UUID.sub(lambda match: self._uuid(match[0]), text)

    def _uuid(self, found: str) -> str:
        known = self.uuids.get(_bare(found))
        return found if known is None else known if "-" in found else _bare(known)

    def segment(self, text: str) -> str:
        """Return a path segment or query value translated: a whole word if known, else by its UUIDs."""
        word = self.words.get(text) or self.words.get(unquote(text))
        return word if word is not None else self.translate(text)


def _bare(uuid: str) -> str:
    return uuid.replace("-", "")


# Shapes.

Shape = Any
ANY_ITEMS: Shape = ("list", None)


def shape_of(value: Any, key: str = "") -> Shape:
    """Return the shape of a JSON value: nested dicts, `("list", shape by kind)`, or a frozenset of scalar kinds."""
    match value:
        case dict():
            return {
                name: shape_of(inner, name)
                for name, inner in value.items()
                if name != "request_id"
            }
        case list():
            return ("list", _united(value)) if value else ANY_ITEMS
        case str() if key in LITERAL_KEYS:
            return frozenset({f"={value}"})
        case bool():
            return frozenset({"boolean"})
        case None:
            return frozenset({"null"})
        case int() | float():
            return frozenset({"number"})
        case _:
            return frozenset({"string"})


def _united(items: list[Any]) -> dict[str, Shape]:
    groups: dict[str, list[Shape]] = {}
    for item in items:
        groups.setdefault(_kind(item), []).append(shape_of(item))
    return {kind: reduce(_union, shapes) for kind, shapes in groups.items()}


def _kind(item: Any) -> str:
    if not isinstance(item, dict):
        return type(item).__name__
    return f"{item.get('object', '')}:{item.get('type', '')}"


def _union(left: Shape, right: Shape) -> Shape:
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return left | right
    if isinstance(left, dict) and isinstance(right, dict):
        return {
            key: _union(left[key], right[key])
            if key in left and key in right
            else left.get(key, right.get(key))
            for key in (*left, *(name for name in right if name not in left))
        }
    if isinstance(left, tuple) and isinstance(right, tuple):
        return (
            right
            if left[1] is None
            else left
            if right[1] is None
            else ("list", _union(left[1], right[1]))
        )
    return left if not isinstance(left, frozenset) else right


def difference(recorded: Shape, actual: Shape, path: str = "") -> str:
    """Return where two shapes part, or an empty text; an empty list has the shape of any list, but not `results`."""
    match recorded, actual:
        case dict(), dict():
            return _keys_differ(recorded, actual, path) or next(
                (
                    found
                    for key in recorded
                    if (
                        found := difference(recorded[key], actual[key], f"{path}.{key}")
                    )
                ),
                "",
            )
        case (str(), items), (str(), others):
            if items is None or others is None:
                unequal = items is not others and path == ".results"
                return f"{path}: one list is empty" if unequal else ""
            return difference(items, others, f"{path}[]")
    return (
        ""
        if recorded == actual
        else f"{path}: {_shown(recorded)} recorded, {_shown(actual)} answered"
    )


def _keys_differ(
    recorded: dict[str, Shape], actual: dict[str, Shape], path: str
) -> str:
    lost, added = (
        sorted(recorded.keys() - actual.keys()),
        sorted(actual.keys() - recorded.keys()),
    )
    parts = [f"lacks {', '.join(lost)}"] * bool(lost) + [
        f"adds {', '.join(added)}"
    ] * bool(added)
    return f"{path or '.'}: {'; '.join(parts)}" if parts else ""


def _shown(shape: Shape) -> str:
    return (
        "|".join(sorted(shape))
        if isinstance(shape, frozenset)
        else type(shape).__name__
    )


# Replaying.

Comparison = Callable[[Any, Any, IdMap], Iterator[str]]
"""`compare(recorded, actual, ids)` yields where two answers of one shape differ."""


def alike(_recorded: Any, _actual: Any, _ids: IdMap) -> Iterator[str]:
    """Find no difference: shapes are all that is compared."""
    return iter(())


def replay(
    cassette: Cassette,
    handle: Callable[[Request], Response],
    token: str,
    ids: IdMap,
    *,
    compare: Comparison = alike,
) -> Iterator[Outcome]:
    """Send every exchange of a cassette in order and compare the answers: their shapes, then what `compare` says."""
    for exchange in cassette.exchanges:
        reason = _replay_one(exchange, handle, token, ids, compare)
        yield Outcome(cassette.name, exchange, reason)


def _replay_one(
    exchange: Exchange,
    handle: Callable[[Request], Response],
    token: str,
    ids: IdMap,
    compare: Comparison,
) -> str:
    if exchange.host != HOST:
        return f"sent to {exchange.host}"
    response = handle(translated(exchange, token, ids))
    actual = _object(response.body.decode("utf-8", "replace"))
    if response.status != exchange.status:
        return f"status {exchange.status} recorded, {response.status} answered: {(actual or {}).get('message', '')}"
    if exchange.answer is None or actual is None:
        return "no JSON object"
    ids.learn(exchange.answer, actual)
    return difference(shape_of(exchange.answer), shape_of(actual)) or next(
        compare(exchange.answer, actual, ids), ""
    )


def translated(exchange: Exchange, token: str, ids: IdMap) -> Request:
    """Return the recorded request with the emulator's ids; a recorded 401 is sent with a wrong token."""
    parts = urlsplit(exchange.url)
    path = "/".join(
        quote(unquote(ids.segment(part)), safe="") for part in parts.path.split("/")
    )
    query = re.sub(
        r"(?<==)[^&]*",
        lambda match: quote(ids.segment(unquote(match[0])), safe=""),
        parts.query,
    )
    headers = {
        "host": HOST,
        "authorization": f"Bearer {'wrong' if exchange.status == 401 else token}",
        "notion-version": exchange.version,
        "content-type": exchange.content_type,
    }
    body = ids.translate(exchange.body)
    if "multipart" in exchange.content_type:
        body = exchange.body.replace("\r\n", "\n").replace("\n", "\r\n")
    return from_parts(exchange.method, f"{path}?{query}", headers, body.encode())
