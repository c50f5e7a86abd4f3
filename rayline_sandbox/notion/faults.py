"""The errors Notion answers by fault rule, writes that commit late, and the shapes lists can take.

Sources: docs/facts/notion-api.md 2.3, 2.4, 2.14, 5. Shapes: `short_pages` (at most `size` rows a page), `repeat_page` (the
next page is the same one again), `incomplete` (half of the rows, and no more), `lag` (as it stood `seconds` ago).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from rayline_sandbox.faults import Rule, wait_header
from rayline_sandbox.notion.errors import NotionError
from rayline_sandbox.notion.limiter import (
    BLOCKED,
    ENDPOINT,
    OWN,
    SPACE,
    overloaded,
    rate_limited,
)
from rayline_sandbox.notion.store import Lag
from rayline_sandbox.wire import Request, Response

RETRY_GUIDANCE = (
    "The write was committed. Read the resource instead of repeating the request."
)
LATE = "late_commit"
COMMITTED = "503_committed"
SAVED = "503_saved"
SHAPES = frozenset({"short_pages", "repeat_page", "incomplete", "lag"})
LONGEST_LAG = 180.0
Refuse = Callable[[Rule, datetime], NotionError]


def _error(status: int, code: str, message: str) -> Refuse:
    def build(_rule: Rule, _now: datetime) -> NotionError:
        return NotionError(status, code, message)

    return build


def _limited(reason: str) -> Refuse:
    def build(rule: Rule, now: datetime) -> NotionError:
        seconds = rule.number("retry_after", 1)
        error = rate_limited(seconds, reason)
        return _waiting(error, rule, now)

    return build


def _overloaded(rule: Rule, now: datetime) -> NotionError:
    seconds = rule.number("retry_after", 1)
    error = overloaded(seconds)
    return _waiting(error, rule, now)


def _waiting(error: NotionError, rule: Rule, now: datetime) -> NotionError:
    """Return an error that names its wait as the rule says; the body repeats a number alone."""
    seconds = float(error.headers["retry-after"])
    if rule.settings.get("form", "seconds") != "seconds":
        error.headers = wait_header(rule, seconds, now)
        error.additional = {**(error.additional or {}), "retry_after": None}
    return error


ERRORS: Mapping[str, Refuse] = {
    "401": _error(401, "unauthorized", "API token is invalid."),
    "403": _error(
        403, "restricted_resource", "Insufficient permissions for this endpoint."
    ),
    "404": _error(404, "object_not_found", "Could not find what was asked for."),
    "409": _error(
        409, "conflict_error", "Conflict occurred while saving. Please try again."
    ),
    "429": _limited(OWN),
    "429_workspace": _limited(SPACE),
    "429_endpoint": _limited(ENDPOINT),
    "429_blocked": _limited(BLOCKED),
    "500": _error(500, "internal_server_error", "Unexpected error occurred."),
    "502": _error(502, "bad_gateway", "Notion did not answer in time."),
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
    "529": _overloaded,
}
KINDS = frozenset({*ERRORS, LATE, COMMITTED, SAVED})


def committed_503(
    answer: Response, subject: str, *, names_it: bool = True
) -> NotionError:
    """Return the 503 of a write to (or of) `subject` that was saved all the same, which says so when `names_it`.

    Source: docs/facts/notion-api.md 5.5.
    """
    if not names_it:
        return NotionError(503, "service_unavailable", "The request timed out.")
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
        due = now + timedelta(seconds=seconds)
        self._waiting.append((due, request))

    def due(self, now: datetime) -> list[Request]:
        """Take out the requests whose time has come, oldest first."""
        ready = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        ready.sort(key=lambda one: one[0])
        return [request for _, request in ready]


def bent(usual: Lag, shapes: Mapping[str, Mapping[str, Any]]) -> Lag:
    """Return how reads go wrong for one request, which the shapes strike."""
    lag = usual
    for kind, settings in shapes.items():
        match kind:
            case "short_pages":
                size = settings.get("size", 1)
                lag = replace(lag, short_pages=size)
            case "repeat_page":
                lag = replace(lag, repeated=True)
            case "incomplete":
                lag = replace(lag, incomplete=True)
            case "lag":
                seconds = settings.get("seconds", LONGEST_LAG)
                lag = replace(lag, query=seconds, search=seconds, page=seconds)
    return lag
