"""The errors Notion answers by fault rule, and writes that commit late (docs/facts/notion-api.md 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from rayline_sandbox.faults import Rule
from rayline_sandbox.notion.errors import NotionError
from rayline_sandbox.notion.limiter import SPACE, overloaded, rate_limited
from rayline_sandbox.wire import Request, Response

RETRY_GUIDANCE = (
    "The write was committed. Read the resource instead of repeating the request."
)
LATE, COMMITTED = "late_commit", "503_committed"


def _error(status: int, code: str, message: str) -> Callable[[Rule], NotionError]:
    def build(_: Rule) -> NotionError:
        return NotionError(status, code, message)

    return build


ERRORS: Mapping[str, Callable[[Rule], NotionError]] = {
    "401": _error(401, "unauthorized", "API token is invalid."),
    "409": _error(
        409, "conflict_error", "Conflict occurred while saving. Please try again."
    ),
    "429": lambda rule: rate_limited(rule.number("retry_after", 1)),
    "429_workspace": lambda rule: rate_limited(rule.number("retry_after", 1), SPACE),
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
    "529": lambda rule: overloaded(rule.number("retry_after", 1)),
}
KINDS = frozenset({*ERRORS, LATE, COMMITTED})


def committed_503(answer: Response, subject: str) -> NotionError:
    """Return the 503 of a write to (or of) `subject` that was saved all the same (docs/facts/notion-api.md 5.5)."""
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


class LateWrites:
    """Writes that time out and are committed later."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, Request]] = []

    def postpone(self, request: Request, rule: Rule, *, now: datetime) -> None:
        """Have a request committed `seconds` from now on, 30 unless the rule says."""
        seconds = rule.number("seconds") or 30.0
        self._waiting.append((now + timedelta(seconds=seconds), request))

    def due(self, now: datetime) -> list[Request]:
        """Take out the requests whose time has come, oldest first."""
        ready = sorted(
            (one for one in self._waiting if one[0] <= now), key=lambda one: one[0]
        )
        self._waiting = [one for one in self._waiting if one[0] > now]
        return [request for _, request in ready]
