"""How many requests left, and what they were answered with."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping

LATEST = 50
"""How many round trips are looked back at to tell how long one takes."""
NONE = "none"
"""What a request counts as that got no answer."""


class Tally:
    """A count by HTTP status since it was made, and how long answers took lately. Safe to use from several threads."""

    def __init__(self) -> None:
        self._sent = 0
        self._answers: Counter[str] = Counter()
        self._latest: deque[float] = deque(maxlen=LATEST)
        self._lock = threading.Lock()

    @property
    def sent(self) -> int:
        """Return how many requests left."""
        return self._sent

    def note_sent(self) -> None:
        """Count a request that leaves."""
        with self._lock:
            self._sent += 1

    def note_answer(self, status: int) -> None:
        """Count what one was answered with."""
        with self._lock:
            self._answers[str(status)] += 1

    def note_trip(self, seconds: float) -> None:
        """Note how long an answer took, read to its end."""
        with self._lock:
            self._latest.append(seconds)

    def latency(self) -> float:
        """Return how many seconds an answer took lately, in the mean; 0 before the first."""
        with self._lock:
            return sum(self._latest) / len(self._latest) if self._latest else 0.0

    def answers(self) -> Mapping[str, int]:
        """Return the count by status, `none` where no answer came (yet)."""
        with self._lock:
            missing = self._sent - self._answers.total()
            counted = dict(self._answers)
        return {**counted, NONE: missing} if missing else counted
