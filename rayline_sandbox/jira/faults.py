"""The errors Jira answers by fault rule, and the shapes its answers can take.

Shapes: `repeat_token`, `empty_page_with_token`, `short_pages`, `warnings`, `unloaded_field`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from rayline_sandbox.faults import Rule
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


def _limited(rule: Rule, now: datetime) -> Response:
    reason = str(rule.settings.get("reason", "jira-burst-based"))
    headers = refusal_headers(now, rule.number("retry_after", 1), reason)
    return _failed(429, "Rate limit exceeded.", headers)


def _unavailable(rule: Rule, _now: datetime) -> Response:
    patience = {"Retry-After": f"{rule.number('retry_after'):g}"}
    is_told = "retry_after" in rule.settings
    return _failed(503, "Service unavailable.", patience if is_told else None)


def _error(status: int, message: str) -> Callable[[Rule, datetime], Response]:
    def build(_rule: Rule, _now: datetime) -> Response:
        return _failed(status, message)

    return build


def _failed(
    status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    return json_response(status, {"errorMessages": [message], "errors": {}}, headers)


ERRORS: Mapping[str, Callable[[Rule, datetime], Response]] = {
    "401": _error(401, "Client must be authenticated to access this resource."),
    "429": _limited,
    "500": _error(500, "Internal server error."),
    "503": _unavailable,
    "504": _error(504, "Internal server error."),
}
