"""The fault plan: which requests go wrong, and how (facts/reliability.md 1.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from rayline_sandbox.notion.errors import NotionError
from rayline_sandbox.notion.limiter import SPACE, overloaded, rate_limited
from rayline_sandbox.wire import Request, Response

HTML = {"content-type": "text/html"}
RETRY_GUIDANCE = (
    "The write was committed. Read the resource instead of repeating the request."
)


@dataclass(slots=True)
class Rule:
    """One planned fault: from the `nth` matching request on, `times` times (None: for good)."""

    kind: str
    method: str | None = None
    path: re.Pattern[str] | None = None
    nth: int = 1
    times: int | None = 1
    retry_after: float = 1.0
    seconds: float = 0.0
    seen: int = 0
    fired: int = 0

    def take(self, request: Request) -> bool:
        """Count a request and return whether this rule strikes it."""
        if (self.method and self.method != request.method) or (
            self.path and not self.path.search(request.path)
        ):
            return False
        self.seen += 1
        if self.seen < self.nth or (
            self.times is not None and self.fired >= self.times
        ):
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class FaultPlan:
    """The rules in force and the writes that will commit later."""

    rules: list[Rule] = field(default_factory=list)
    pending: list[tuple[datetime, Request]] = field(default_factory=list)

    def strike(self, request: Request) -> Rule | None:
        """Return the first rule that strikes this request."""
        return next((rule for rule in self.rules if rule.take(request)), None)

    def postpone(self, request: Request, due: datetime) -> None:
        """Have a request committed once the clock has reached `due`."""
        self.pending.append((due, request))

    def due(self, now: datetime) -> list[Request]:
        """Take out the postponed requests whose time has come, oldest first."""
        ready = sorted(
            (item for item in self.pending if item[0] <= now), key=lambda item: item[0]
        )
        self.pending = [item for item in self.pending if item[0] > now]
        return [request for _, request in ready]


def rule_from(payload: dict[str, Any]) -> Rule:
    """Return the rule a control payload describes, or raise ValueError."""
    kind = str(payload.get("kind", ""))
    if kind not in KINDS:
        raise ValueError(
            f"unknown fault kind {kind!r}; known: {', '.join(sorted(KINDS))}"
        )
    match = payload.get("match") or {}
    path = match.get("path_regex")
    return Rule(
        kind,
        match.get("method"),
        re.compile(path) if path else None,
        int(match.get("nth") or 1),
        payload.get("times", 1),
        float(payload.get("retry_after", 1)),
        float(payload.get("seconds", 0)),
    )


def _error(status: int, code: str, message: str) -> Callable[[Rule], NotionError]:
    def build(_: Rule) -> NotionError:
        return NotionError(status, code, message)

    return build


ERRORS: dict[str, Callable[[Rule], NotionError]] = {
    "401": _error(401, "unauthorized", "API token is invalid."),
    "409": _error(
        409, "conflict_error", "Conflict occurred while saving. Please try again."
    ),
    "429": lambda rule: rate_limited(rule.retry_after),
    "429_workspace": lambda rule: rate_limited(rule.retry_after, SPACE),
    "500": _error(500, "internal_server_error", "Unexpected error occurred."),
    "503": _error(
        503,
        "service_unavailable",
        "Public API service is temporarily unavailable, please try again later.",
    ),
    "504": _error(
        504,
        "gateway_timeout",
        "The request timed out and may still be working. Read before you retry.",
    ),
    "529": lambda rule: overloaded(rule.retry_after),
}
BEFORE: dict[str, Response] = {
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
LATE = "late_commit"


def committed_503(answer: Response, subject: str) -> NotionError:
    """Return the 503 of a write to (or of) `subject` that was saved all the same (facts/notion-api.md 5.5)."""
    body = msgspec.json.decode(answer.body)
    additional: dict[str, Any] = {
        "retry_guidance": RETRY_GUIDANCE,
        "committed_resource_id": body.get("id", subject),
    }
    if body.get("object") == "list":
        additional["committed_child_ids"] = [
            one["id"] for one in body.get("results", ())
        ]
    return NotionError(
        503,
        "service_unavailable",
        "The write was saved but its response could not be built in time.",
        additional=additional,
    )


def spoiled(kind: str, answer: Response) -> Response:
    """Return a finished answer as the client gets it when the fault strikes after the commit."""
    match kind:
        case "reset_after":
            return Response(0, fault="reset")
        case "hang_after":
            return Response(0, fault="hang")
        case "502_after":
            return BEFORE["502_html"]
        case _:
            return Response(
                answer.status,
                answer.headers,
                answer.body,
                fault=kind,
                delay=answer.delay,
            )


AFTER = frozenset(
    {"reset_after", "hang_after", "502_after", "truncate", "drip", "503_committed"}
)
KINDS = frozenset(ERRORS) | frozenset(BEFORE) | AFTER | {LATE}


def late_due(rule: Rule, now: datetime) -> datetime:
    """Return when a postponed write is to be committed."""
    return now + timedelta(seconds=rule.seconds or 30)
