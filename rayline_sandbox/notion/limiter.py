"""The request budgets: a fixed window per connection and one per workspace.

Source: docs/facts/notion-api.md 2.1, 2.2, 2.3, 2.4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rayline_sandbox.notion.errors import NotionError

OWN, SPACE = "public_api_request_rate_limit", "public_api_space_request_rate_limit"
ENDPOINT = "public_api_endpoint_rate_limit"
BLOCKED = "public_api_request_blocked"


@dataclass(slots=True)
class Budget:
    """`limit` requests per `window` seconds of `real` time, from the first request of a window on; None: no limit."""

    limit: int | None
    window: float
    reason: str
    real: Callable[[], float]
    _opened: float | None = None
    _spent: int = 0

    def spend(self) -> None:
        """Count one request or raise the 429; a refused request costs nothing."""
        if self.limit is None:
            return
        now = self.real()
        if self._opened is None or now - self._opened >= self.window:
            self._opened = now
            self._spent = 0
        if self._spent >= self.limit:
            raise rate_limited(self.window - (now - self._opened), self.reason)
        self._spent += 1


def rate_limited(seconds: float, reason: str = OWN) -> NotionError:
    """Return the 429 asking to wait; the header and the string in the body are whole seconds, rounded up."""
    wait = str(max(1, math.ceil(seconds)))
    return NotionError(
        429,
        "rate_limited",
        "You have been rate limited. Please try again in a few minutes.",
        additional={"rate_limit_reason": reason, "retry_after": wait},
        headers={"retry-after": wait},
    )


def overloaded(seconds: float) -> NotionError:
    """Return the 529 of an overloaded service."""
    wait = str(max(1, math.ceil(seconds)))
    return NotionError(
        529,
        "service_overload",
        "Notion is temporarily overloaded. Please try again later.",
        additional={"retry_after": wait},
        headers={"retry-after": wait},
    )
