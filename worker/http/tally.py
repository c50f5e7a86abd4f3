"""How many requests left, and what they were answered with."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

NONE = "none"
"""What a request counts as that got no answer."""


class Tally:
    """A count by HTTP status since it was made. Safe to use from several threads."""

    def __init__(self) -> None:
        self._sent = 0
        self._answers: Counter[str] = Counter()
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

    def answers(self) -> Mapping[str, int]:
        """Return the count by status, `none` where no answer came (yet)."""
        with self._lock:
            missing = self._sent - self._answers.total()
            counted = dict(self._answers)
        return {**counted, NONE: missing} if missing else counted
