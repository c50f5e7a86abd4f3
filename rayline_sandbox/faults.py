"""The fault engine of both emulators: which requests go wrong, and how (docs/facts/reliability.md 1.4).

A rule is `{"match": {"method"?, "path_regex"?, "page_above"?, "nth"?}, "kind", "times"?, ...}`: from the `nth` request on
that the rest of the match selects (1 unless said), `times` times (1 unless said; 0 or null: for good). `page_above` selects
requests for more rows than that. Other keys are settings of the kind: `retry_after`, `seconds`, `delay`, `reason`.

Here are the kinds that any HTTP service has; each emulator adds its own errors and shapes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from rayline_sandbox.arguments import count_of, seconds_of
from rayline_sandbox.wire import Request, Response

Json = Mapping[str, Any]
HTML = {"content-type": "text/html"}
BEFORE: Mapping[str, Response] = {
    "502_html": Response(
        502,
        HTML,
        b"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>",
    ),
    "reset_before": Response(0, fault="reset"),
    "hang_before": Response(0, fault="hang"),
    "empty_200": Response(200, {"content-type": "application/json; charset=utf-8"}),
    "wrong_type": Response(200, HTML, b"<html><body>Just a moment...</body></html>"),
}
"""Answers given instead of doing the work."""

AFTER: Mapping[str, str] = {
    "reset_after": "reset",
    "hang_after": "hang",
    "502_after": "",
    "truncate": "truncate",
    "drip": "drip",
}
"""How an answer is spoilt once the work is done, as `Response.fault`."""

MATCH_KEYS = frozenset({"method", "path_regex", "page_above", "nth"})
PAGE_SIZES = ("page_size", "maxResults")
"""What requests call the number of rows they ask for."""
LISTS = ("ids", "issueIdsOrKeys")
"""Lists in requests, each entry of which asks for a row."""
SETTINGS = frozenset({"retry_after", "seconds", "delay"})
"""Settings of the kinds that are times in seconds."""


@dataclass(slots=True)
class Rule:
    """One planned fault and how often it matched and fired; `times` 0 is for good."""

    kind: str
    settings: Json = field(default_factory=dict)
    method: str | None = None
    path: re.Pattern[str] | None = None
    page_above: int | None = None
    nth: int = 1
    times: int = 1
    seen: int = 0
    fired: int = 0

    def take(self, request: Request) -> bool:
        """Count a request and tell whether this rule strikes it."""
        if self.method not in (None, request.method):
            return False
        if self.path is not None and not self.path.search(request.path):
            return False
        if self.page_above is not None and _rows_asked(request) <= self.page_above:
            return False
        self.seen += 1
        is_spent = self.times and self.fired >= self.times
        if self.seen < self.nth or is_spent:
            return False
        self.fired += 1
        return True

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a setting as a number."""
        return float(self.settings.get(name, default))


def _rows_asked(request: Request) -> int:
    """Return how many rows a request asks for; 0 when it does not say."""
    sizes = [request.first(name) for name in PAGE_SIZES]
    body = _object(request.body)
    sizes += [body.get(name) for name in PAGE_SIZES]
    for name in LISTS:
        listed = body.get(name)
        if isinstance(listed, list):
            return len(listed)
    told = (str(size) for size in sizes if size is not None)
    return max((int(size) for size in told if size.isdigit()), default=0)


def _object(body: bytes) -> Json:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def read_rule(raw: Json, kinds: Collection[str]) -> Rule:
    """Return the rule a control payload describes; raises `ValueError` with a clear text."""
    kind = str(raw.get("kind", ""))
    match = raw.get("match") or {}
    if not isinstance(match, Mapping):
        raise ValueError("match is an object")
    if kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise ValueError(f"unknown fault kind {kind!r}; known: {known}")
    if strange := set(match) - MATCH_KEYS:
        raise ValueError(f"unknown match keys: {sorted(strange)}")
    method = match.get("method")
    path = match.get("path_regex")
    for name in SETTINGS & raw.keys():
        if raw[name] is not None:
            seconds_of(raw, name)
    return Rule(
        kind,
        raw,
        str(method).upper() if method else None,
        _pattern(path),
        count_of(match, "page_above"),
        count_of(match, "nth") or 1,
        count_of({"times": 1, **raw}, "times", least=0) or 0,
    )


def _pattern(path: object) -> re.Pattern[str] | None:
    if not path:
        return None
    if not isinstance(path, str):
        raise ValueError("path_regex is a text")
    try:
        return re.compile(path)
    except re.error as error:
        raise ValueError(f"path_regex is no regular expression: {error}") from None


class FaultPlan:
    """The rules in force: of `kinds` at most one strikes a request, of `shapes` every one that matches."""

    def __init__(
        self, kinds: Iterable[str], *, shapes: Collection[str] = frozenset()
    ) -> None:
        self.kinds = frozenset(kinds) | BEFORE.keys() | AFTER.keys()
        self.shapes = frozenset(shapes)
        self.rules: list[Rule] = []

    def add(self, raws: Iterable[Json]) -> int:
        """Add rules and return how many are in force."""
        known = self.kinds | self.shapes
        self.rules.extend([read_rule(raw, known) for raw in raws])
        return len(self.rules)

    def clear(self) -> None:
        """Drop all rules."""
        self.rules.clear()

    def strike(self, request: Request) -> Rule | None:
        """Return the first rule that strikes this request, shapes left out."""
        for rule in self.rules:
            if rule.kind in self.kinds and rule.take(request):
                return rule
        return None

    def shaping(self, request: Request) -> dict[str, Json]:
        """Return the settings of the shapes that apply to this request, by kind."""
        return {
            rule.kind: rule.settings
            for rule in self.rules
            if rule.kind in self.shapes and rule.take(request)
        }


def spoil(rule: Rule, answer: Response) -> Response:
    """Return a finished answer as the client gets it when a rule of `AFTER` strikes."""
    fault = AFTER[rule.kind]
    if not fault:
        return BEFORE["502_html"]
    return replace(answer, fault=fault, delay=rule.number("delay", answer.delay))
