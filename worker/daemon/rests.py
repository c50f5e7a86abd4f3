"""How long looks that events ask for rest between each other, so that a storm of events costs a few of them.

The first event after a quiet while is answered at once. What comes meanwhile waits for the end of a rest, which doubles
as long as something does: Notion grants few requests a minute, and an event never asks for less than a whole look.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 2.0
"""Seconds of a rest after a look that nothing had waited for."""
MOST = 30.0


@dataclass(slots=True)
class Rest:
    """The rest after the last look, on a clock that only goes forward, in seconds."""

    until: float = 0.0
    length: float = 0.0
    was_needed: bool = False

    def is_over(self, now: float) -> bool:
        """Tell whether a look may begin; one that may not is waited for."""
        is_over = now >= self.until
        self.was_needed |= not is_over
        return is_over

    def begin(self, now: float) -> None:
        """Rest after a look."""
        self.length = min(2 * self.length, MOST) if self.was_needed else LEAST
        self.was_needed = False
        self.until = now + self.length
