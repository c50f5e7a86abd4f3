"""Injected faults: rules that match requests and make the site misbehave, deterministically.

A rule is `{"match": {"method"?, "path_regex"?, "nth"?}, "kind", "times"?, ...}`. `nth` (from 1) counts the requests the
rest of the match selects; `times` bounds how often the rule fires (1 unless said, 0 for always).
Kinds that replace an answer: 429, 500, 502_html, 503, 504, 401, reset_before, hang_before. Kinds that act after the
work is done: reset_after, hang_after, truncate, drip. Kinds that shape it: repeat_token, empty_page_with_token,
short_pages, warnings, unloaded_field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from rayline_sandbox.jira.limits import refusal_headers
from rayline_sandbox.jira.model import Json
from rayline_sandbox.wire import Request, Response, json_response

SHAPES = frozenset(
    {
        "repeat_token",
        "empty_page_with_token",
        "short_pages",
        "warnings",
        "unloaded_field",
    }
)
REPLACING = frozenset(
    {"429", "500", "502_html", "503", "504", "401", "reset_before", "hang_before"}
)
AFTER = frozenset({"reset_after", "hang_after", "truncate", "drip"})
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(slots=True)
class Rule:
    """One fault rule and how often it matched and fired."""

    kind: str
    settings: Json
    method: str | None = None
    pattern: re.Pattern[str] | None = None
    nth: int | None = None
    times: int = 1
    matched: int = 0
    fired: int = 0

    def fires(self, request: Request) -> bool:
        """Tell whether the rule acts on this request, and count it."""
        if self.times and self.fired >= self.times:
            return False
        if self.method not in (None, request.method) or (
            self.pattern and not self.pattern.search(request.path)
        ):
            return False
        self.matched += 1
        if self.nth is not None and self.matched != self.nth:
            return False
        self.fired += 1
        return True


def read_rule(raw: Json) -> Rule:
    """Return a rule from its JSON; raises `ValueError` for a kind or key that does not exist."""
    match, kind = raw.get("match") or {}, str(raw.get("kind"))
    if kind not in SHAPES | REPLACING | AFTER:
        raise ValueError(f"unknown fault kind: {kind}")
    if strange := set(match) - {"method", "path_regex", "nth"}:
        raise ValueError(f"unknown match keys: {sorted(strange)}")
    method = str(match["method"]).upper() if match.get("method") else None
    pattern = re.compile(match["path_regex"]) if match.get("path_regex") else None
    nth = int(match["nth"]) if match.get("nth") is not None else None
    return Rule(kind, raw, method, pattern, nth, int(raw.get("times", 1)))


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def set(self, raws: Iterable[Json]) -> int:
        """Add rules and return how many are in force."""
        self.rules.extend([read_rule(raw) for raw in raws])
        return len(self.rules)

    def clear(self) -> None:
        """Drop all rules."""
        self.rules.clear()

    def firing(self, request: Request) -> list[Rule]:
        """Return the rules that act on this request."""
        return [rule for rule in self.rules if rule.fires(request)]


def replace_answer(rule: Rule, now: datetime) -> Response:
    """Return the answer a replacing fault gives instead of doing the work."""
    seconds = float(rule.settings.get("retry_after", 1))
    match rule.kind:
        case "429":
            reason = str(rule.settings.get("reason", "jira-burst-based"))
            return _failed(
                429, "Rate limit exceeded.", refusal_headers(now, seconds, reason)
            )
        case "401":
            return _failed(401, "Client must be authenticated to access this resource.")
        case "502_html":
            return Response(502, {"content-type": "text/html"}, _HTML)
        case "503":
            patience = (
                {"Retry-After": f"{seconds:g}"}
                if "retry_after" in rule.settings
                else {}
            )
            return _failed(503, "Service unavailable.", patience)
        case "reset_before":
            return Response(500, fault="reset")
        case "hang_before":
            return Response(
                500, fault="hang", delay=float(rule.settings.get("delay", 0))
            )
        case _:
            return _failed(int(rule.kind), "Internal server error.")


def spoil(rule: Rule, response: Response) -> Response:
    """Return the answer as a fault after the work leaves it."""
    fault = rule.kind.removesuffix("_after")
    return replace(response, fault=fault, delay=float(rule.settings.get("delay", 0)))


def _failed(
    status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    return json_response(status, {"errorMessages": [message], "errors": {}}, headers)
