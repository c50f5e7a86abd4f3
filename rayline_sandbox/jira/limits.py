"""Burst limits as Cloud applies them: a bucket per endpoint and method, and writes per issue.

Source: docs/facts/jira-api.md 3.1. They run on real seconds, since the site's own clock may stand still.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_WRITES = ((2.0, 20), (30.0, 100))


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class Verdict:
    """Whether a request may pass, and the headers that say so."""

    allowed: bool
    headers: dict[str, str]


@dataclass(slots=True)
class Limiter:
    """Token buckets of `rate` requests a second (None: no limit); a bucket holds one second's worth."""

    rate: int | None
    real: Callable[[], float]
    today: Callable[[], datetime]
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _writes: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, endpoint: str, issue: str | None) -> Verdict:
        """Take one request of an endpoint; `issue` names the issue a write goes to."""
        if self.rate is None:
            return Verdict(True, {})
        now = self.real()
        full = float(self.rate)
        bucket = self._buckets.setdefault(endpoint, _Bucket(full, now))
        refilled = (now - bucket.at) * self.rate
        bucket.tokens = min(full, bucket.tokens + refilled)
        bucket.at = now
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / self.rate
            return self._refuse(wait, "jira-burst-based")
        bucket.tokens -= 1
        wait = self._written(issue, now) if issue is not None else 0.0
        if wait:
            return self._refuse(wait, "jira-per-issue-on-write")
        near = (
            {"X-RateLimit-NearLimit": "true"} if bucket.tokens < self.rate / 5 else {}
        )
        return Verdict(
            True,
            {
                "X-RateLimit-Limit": str(self.rate),
                "X-RateLimit-Remaining": str(int(bucket.tokens)),
                **near,
            },
        )

    def _written(self, issue: str, now: float) -> float:
        _, longest = _WRITES[-1]
        times = self._writes.setdefault(issue, deque(maxlen=longest + 1))
        for window, most in _WRITES:
            recent = [at for at in times if at > now - window]
            if len(recent) >= most:
                return recent[0] + window - now
        times.append(now)
        return 0.0

    def _refuse(self, wait: float, reason: str) -> Verdict:
        seconds = max(1, math.ceil(wait))
        return Verdict(
            False, refusal_headers(self.today(), seconds, reason, limit=self.rate or 0)
        )


def refusal_headers(
    now: datetime, seconds: float, reason: str, *, limit: int = 100
) -> dict[str, str]:
    """Return the headers of a 429; `X-RateLimit-Reset` has no seconds, as seen in the field."""
    reset = (now + timedelta(seconds=seconds)).astimezone(UTC)
    return {
        "Retry-After": f"{seconds:g}",
        "RateLimit-Reason": reason,
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": f"{reset:%Y-%m-%dT%H:%MZ}",
        "X-RateLimit-NearLimit": "true",
    }
