"""What is known of a card's course, as values: what its forecast is drawn from, and the dates promised for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import msgspec

from worker.domain.periods import Period


class CardFlow(msgspec.Struct, frozen=True, gc=False):
    """What a card's forecast is drawn from: how many items were finished and came on past working days, oldest first.

    `done` is without bursts, and of a card that is over without the days after its end; `came` is empty where nothing
    tells of growth. `left` items were to be done when today began; `last` is the day the newest one was finished.
    """

    done: tuple[int, ...] = ()
    came: tuple[int, ...] = ()
    left: int = 0
    last: date | None = None


class GivenDate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A due date that people gave on a card, and the day it was first seen; None when that is not known any more."""

    due: date
    given: date | None = None


class Promises(msgspec.Struct, frozen=True, gc=False):
    """All due dates promised for a card, the first one first; `lost` moves lie between them that nobody remembers."""

    dates: tuple[GivenDate, ...]
    lost: int = 0

    @property
    def first(self) -> GivenDate:
        """Return what was promised first."""
        return self.dates[0]

    @property
    def last(self) -> GivenDate:
        """Return what was promised last."""
        return self.dates[-1]

    @property
    def moves(self) -> int:
        """Return how often the date moved."""
        return len(self.dates) - 1 + self.lost

    def moved_in(self, period: Period) -> Iterator[tuple[date, date]]:
        """Yield from where to where the date moved in a period."""
        for before, after in pairwise(self.dates):
            if after.given is not None and after.given in period:
                yield before.due, after.due
