"""The fault engine of both emulators: which requests go wrong, and how (docs/facts/reliability.md 1.4).

A rule is `{"match": {"method"?, "path_regex"?, "page_above"?, "nth"?}, "kind", "times"?, ...}`: from the `nth` request on
that the rest of the match selects (1 unless said), `times` times (1 unless said; 0 or null: for good). `page_above` selects
requests for more rows than that. With `probability` it strikes at random, for good unless `times` says how often; `seed`
says which of the requests, always the same ones. Other keys are settings of the kind: `retry_after`, `form`, `seconds`,
`delay`, `ahead`, `reason`.

Here are the kinds that any HTTP service has; each emulator adds its own errors and shapes. `act` is no fault of an answer:
the control action `action` with its `payload` is done right before the request is answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from rayline_sandbox.arguments import CENTURY, MOST
from rayline_sandbox.wire import Request, Response

Json = Mapping[str, Any]
HTML = {"content-type": "text/html"}
JSON = {"content-type": "application/json; charset=utf-8"}


def _page(title: str) -> Response:
    """Return a page for people, as what stands before a server answers."""
    status = title[:3]
    text = f"<html><head><title>{title}</title></head><body>{status}</body></html>"
    return Response(int(status), HTML, text.encode())


BEFORE: Mapping[str, Response] = {
    "502_html": _page("502 Bad Gateway"),
    "503_html": _page("503 Service Unavailable"),
    "504_html": _page("504 Gateway Timeout"),
    "reset_before": Response(0, fault="reset"),
    "hang_before": Response(0, fault="hang"),
    "empty_200": Response(200, JSON),
    "wrong_type": Response(200, HTML, b"<html><body>Just a moment...</body></html>"),
}
"""Answers given instead of doing the work."""
ACT = "act"
"""What is done outside the API right before a request is answered: an edit, a permission lost, a clock set."""
HOUR = 3600.0


@dataclass(slots=True)
class Rule:
    """One planned fault and how often it matched and fired; `times` 0 is for good, `chance` draws at random."""

    kind: str
    settings: Json = field(default_factory=dict)
    method: str | None = None
    path: re.Pattern[str] | None = None
    page_above: int | None = None
    nth: int = 1
    times: int = 1
    probability: float = 1.0
    chance: Random = field(default_factory=Random)
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
        strikes = self.chance.random() < self.probability
        self.fired += strikes
        return strikes

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a setting as a number."""
        return float(self.settings.get(name, default))


ON_THE_WIRE: Mapping[str, str] = {
    "reset_after": "reset",
    "hang_after": "hang",
    "truncate": "truncate",
    "drip": "drip",
}
"""How a finished answer is spoilt on the connection, as `Response.fault`."""
INSTEAD: Mapping[str, Response] = {
    "502_after": BEFORE["502_html"],
    "504_after": BEFORE["504_html"],
    "empty_object": Response(200, JSON, b"{}"),
    "null": Response(200, JSON, b"null"),
}
"""What is answered though the work is done."""
CUT, SKEW = "cut_json", "skew"
AFTER = frozenset({*ON_THE_WIRE, *INSTEAD, CUT, SKEW})
"""How an answer is spoilt once the work is done."""

PAGE_SIZES = ("page_size", "maxResults")
"""What requests call the number of rows they ask for."""
LISTS = ("ids", "issueIdsOrKeys")
"""Lists in requests, each entry of which asks for a row."""


Whole = Annotated[int, Meta(ge=1, le=MOST)]
Seconds = Annotated[float, Meta(ge=0, le=CENTURY)]


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests a rule is for."""

    method: str | None = None
    path_regex: str | None = None
    page_above: Whole | None = None
    nth: Whole | None = None


class _Given(msgspec.Struct, frozen=True):
    """A rule as it is told. `form` is how a wait is named: a number, the instant when it is over, or not at all."""

    match: _Match | None = None
    times: Annotated[int, Meta(ge=0, le=MOST)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    probability: Annotated[float, Meta(ge=0, le=1)] = 1
    seed: int | str = ""
    form: Literal["seconds", "date", "none"] = "seconds"
    retry_after: Seconds | None = None
    seconds: Seconds | None = None
    delay: Seconds | None = None
    ahead: Annotated[float, Meta(ge=-CENTURY, le=CENTURY)] = 0
    action: str = ""
    payload: dict[str, Any] = {}


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
    if kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise ValueError(f"unknown fault kind {kind!r}; known: {known}")
    try:
        given = msgspec.convert(raw, _Given, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if kind == ACT and not given.action:
        raise ValueError("action is the name of a control action")
    match = given.match or _Match()
    usual = 1 if given.probability == 1 else 0
    return Rule(
        kind,
        raw,
        match.method.upper() if match.method else None,
        _pattern(match.path_regex),
        match.page_above,
        match.nth or 1,
        usual if given.times is msgspec.UNSET else given.times or 0,
        given.probability,
        Random(given.seed),
    )


def wait_header(rule: Rule, seconds: float, now: datetime) -> dict[str, str]:
    """Return the header that asks to wait so long, in the form that the rule says; `now` is the server's clock."""
    named = f"{seconds:g}"
    match rule.settings.get("form"):
        case "none":
            return {}
        case "date":
            over = now + timedelta(seconds=seconds)
            named = format_datetime(over, usegmt=True)
    return {"Retry-After": named}


def _pattern(path: str | None) -> re.Pattern[str] | None:
    if not path:
        return None
    try:
        return re.compile(path)
    except re.error as error:
        raise ValueError(f"path_regex is no regular expression: {error}") from None


class FaultPlan:
    """The rules in force: of `kinds` at most one strikes a request, of `shapes` every one that matches; `act` does what
    the rules of `ACT` say."""

    def __init__(
        self,
        kinds: Iterable[str],
        *,
        shapes: Collection[str],
        act: Callable[[str, dict[str, Any]], object],
    ) -> None:
        self.kinds = frozenset({*kinds, *BEFORE, *AFTER})
        self.shapes = frozenset(shapes)
        self.rules: list[Rule] = []
        self._act = act

    def add(self, raws: Iterable[Json]) -> int:
        """Add rules and return how many are in force."""
        known = self.kinds | self.shapes | {ACT}
        self.rules.extend([read_rule(raw, known) for raw in raws])
        return len(self.rules)

    def clear(self) -> None:
        """Drop all rules."""
        self.rules.clear()

    def strike(self, request: Request) -> Rule | None:
        """Return the first rule that strikes this request, shapes left out; do first what is to be done."""
        self._act_before(request)
        for rule in self.rules:
            if rule.kind in self.kinds and rule.take(request):
                return rule
        return None

    def _act_before(self, request: Request) -> None:
        for rule in list(self.rules):
            if rule.kind == ACT and rule.take(request):
                payload = rule.settings.get("payload", {})
                self._act(rule.settings["action"], payload)

    def shaping(self, request: Request) -> dict[str, Json]:
        """Return the settings of the shapes that apply to this request, by kind."""
        return {
            rule.kind: rule.settings
            for rule in self.rules
            if rule.kind in self.shapes and rule.take(request)
        }


def spoil(rule: Rule, answer: Response, *, now: datetime) -> Response:
    """Return a finished answer as the client gets it when a rule of `AFTER` strikes; `now` is the server's clock."""
    kind = rule.kind
    if kind in ON_THE_WIRE:
        delay = rule.number("delay", answer.delay)
        return replace(answer, fault=ON_THE_WIRE[kind], delay=delay)
    if kind in INSTEAD:
        return INSTEAD[kind]
    if kind == CUT:
        half = len(answer.body) // 2
        return replace(answer, body=answer.body[:half])
    ahead = timedelta(seconds=rule.number("ahead", HOUR))
    date = format_datetime(now + ahead, usegmt=True)
    return replace(answer, headers={**answer.headers, "date": date})
