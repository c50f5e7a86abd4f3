"""One run's time budget, shared by every call made during it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Deadline:
    """Counts down from `seconds`; never ends when infinite. Restarted at the beginning of each run."""

    __slots__ = ("_ends", "_monotonic")

    def __init__(
        self,
        seconds: float = math.inf,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds

    def restart(self, seconds: float) -> None:
        """Count down from `seconds` again."""
        self._ends = self._monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, negative once passed."""
        return self._ends - self._monotonic()
