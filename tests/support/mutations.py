"""Answers of Notion in which one part is replaced by something of another kind, chosen by a seed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

Path = tuple[str | int, ...]
DEEP, WRONG_BYTE, GONE, UNTOUCHED = "@deep@", "@byte@", "@gone@", "@untouched@"
REPLACEMENTS: tuple[Any, ...] = (
    None,
    {},
    [],
    "",
    0,
    True,
    [[]],
    [{"id": 7}],
    {"id": None},
    10**40,
    "half \ud83d",
    DEEP,
    WRONG_BYTE,
    GONE,
)
_RAW = {
    json.dumps(DEEP).encode(): b"[" * 30_000 + b"]" * 30_000,
    json.dumps(WRONG_BYTE).encode(): b'"wrong \xff byte"',
}
NULLABLE = ("number", "select", "status", "date", "url", "email", "phone_number", "end")
"""Places where null is what Notion says of an empty value."""


@dataclass(frozen=True)
class Exchange:
    """One answer of the undisturbed cycle, by what was asked."""

    key: tuple[str, str, bytes]
    body: Any


@dataclass(frozen=True)
class Mutant:
    """What stands where in the answers to one request; `once`: only in the first of them."""

    key: tuple[str, str, bytes]
    path: Path
    value: Any
    once: bool

    def __str__(self) -> str:
        where = ".".join(map(str, self.path))
        how = "once" if self.once else "always"
        return f"{self.key[0]} {self.key[1]} {where} = {str(self.value)[:20]!r} {how}"


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every part of an answer, the whole first."""
    yield path
    if isinstance(value, dict):
        parts: Iterator[tuple[str | int, Any]] = iter(value.items())
    else:
        parts = enumerate(value) if isinstance(value, list) else iter(())
    for name, part in parts:
        yield from places(part, (*path, name))


def part_at(value: Any, path: Path) -> Any:
    """Return a part of an answer."""
    for name in path:
        value = value[name]
    return value


def shape(exchange: Exchange, path: Path) -> tuple[str, ...]:
    """Return what places have in common that differ only in the row they stand in."""
    kind = exchange.key[1].rpartition("/")[2][:8]
    return exchange.key[0], kind, *("*" if isinstance(p, int) else p for p in path)


def choose(exchanges: list[Exchange], random: Random) -> Mutant:
    """Return one mutant: every shape of place is as likely as any other, however often it occurs."""
    shapes: dict[tuple[str, ...], list[tuple[Exchange, Path]]] = {}
    for exchange in exchanges:
        for path in places(exchange.body):
            shapes.setdefault(shape(exchange, path), []).append((exchange, path))
    while True:
        exchange, path = random.choice(shapes[random.choice(sorted(shapes))])
        value = random.choice(REPLACEMENTS)
        if _is_of_another_kind(part_at(exchange.body, path), value, path):
            return Mutant(exchange.key, path, value, once=random.random() < 0.3)


def _is_of_another_kind(before: Any, after: Any, path: Path) -> bool:
    if after in (DEEP, WRONG_BYTE) or after == "half \ud83d":
        return True
    if after == GONE:
        return bool(path)
    if after is None and path and path[-1] in NULLABLE:
        return False
    return type(before) is not type(after)


def replaced(body: Any, mutant: Mutant) -> bytes:
    """Return an answer with its part replaced, as bytes on the wire."""
    found = copy.deepcopy(body)
    if not mutant.path:
        found = mutant.value
    else:
        around, name = part_at(found, mutant.path[:-1]), mutant.path[-1]
        if mutant.value == GONE:
            del around[name]
        else:
            around[name] = mutant.value
    sent = json.dumps(found).encode()
    for marker, raw in _RAW.items():
        sent = sent.replace(marker, raw)
    return sent


@dataclass
class Mutating(httpx.BaseTransport):
    """A transport that notes what was answered, and answers the mutant's request with its part replaced.

    An `ambush` makes the mutant itself: of the answer to the write of that number, counted from 0. `answer_creates` is
    said of every page that was created.
    """

    inner: httpx.BaseTransport
    seen: list[Exchange] = field(default_factory=list)
    mutant: Mutant | None = None
    struck: int = 0
    ambush: tuple[int, Random] | None = None
    answer_creates: Any = UNTOUCHED

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        key = (request.method, request.url.path, request.read())
        answer = self.inner.handle_request(request)
        if answer.status_code != 200:
            return answer
        body = json.loads(answer.read())
        self.seen.append(Exchange(key, body))
        self._lie_in_wait(self.seen[-1])
        if self.answer_creates != UNTOUCHED and key[:2] == ("POST", "/v1/pages"):
            return httpx.Response(200, json=self.answer_creates)
        mutant = self.mutant
        if mutant is None or mutant.key != key or (mutant.once and self.struck):
            return answer
        try:
            part_at(body, mutant.path)
        except (KeyError, IndexError, TypeError):
            return answer
        self.struck += 1
        return httpx.Response(200, content=replaced(body, mutant))

    def _lie_in_wait(self, exchange: Exchange) -> None:
        if self.ambush is None or not is_write(exchange):
            return
        number, random = self.ambush
        self.ambush = (number - 1, random) if number else None
        if self.ambush is None:
            self.mutant = choose([exchange], random)


def is_write(exchange: Exchange) -> bool:
    """Tell whether a request changes something."""
    method, path, _ = exchange.key
    return method != "GET" and not path.endswith(("/query", "/search"))
