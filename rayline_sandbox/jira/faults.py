"""The errors Jira answers by fault rule, and the shapes its answers can take.

Shapes: `repeat_token`, `empty_page_with_token`, `short_pages`, `warnings` (of `rows` issues only, when it says so),
`unloaded_field`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from rayline_sandbox.faults import Rule, wait_header
from rayline_sandbox.jira.limits import refusal_headers
from rayline_sandbox.wire import Response, json_response

SHAPES = frozenset(
    {
        "repeat_token",
        "empty_page_with_token",
        "short_pages",
        "warnings",
        "unloaded_field",
    }
)


Refuse = Callable[[Rule, datetime, datetime], Response]
"""Builds the answer to a rule, by the site's clock and by the one that the Date header tells."""


def _limited(rule: Rule, now: datetime, date: datetime) -> Response:
    reason = str(rule.settings.get("reason", "jira-burst-based"))
    seconds = rule.number("retry_after", 1)
    headers = refusal_headers(now, seconds, reason)
    del headers["Retry-After"]
    waiting = {**headers, **wait_header(rule, seconds, date)}
    return _failed(429, "Rate limit exceeded.", waiting)


def _unavailable(rule: Rule, _now: datetime, date: datetime) -> Response:
    is_told = "retry_after" in rule.settings
    waiting = wait_header(rule, rule.number("retry_after"), date) if is_told else None
    return _failed(503, "Service unavailable.", waiting)


def _error(status: int, message: str) -> Refuse:
    def build(_rule: Rule, _now: datetime, _date: datetime) -> Response:
        return _failed(status, message)

    return build


def _failed(
    status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    return json_response(status, {"errorMessages": [message], "errors": {}}, headers)


ERRORS: Mapping[str, Refuse] = {
    "401": _error(401, "Client must be authenticated to access this resource."),
    "403": _error(403, "You do not have permission to see what was asked for."),
    "404": _error(404, "It does not exist, or you do not have permission to see it."),
    "429": _limited,
    "500": _error(500, "Internal server error."),
    "502": _error(502, "Bad gateway."),
    "503": _unavailable,
    "504": _error(504, "Internal server error."),
}
