"""Days on which many items were finished at once, by an import or a clean-up: they tell nothing of speed (docs/method.md 1.1)."""

from __future__ import annotations

from collections.abc import Sequence

from worker.domain.periods import WorkCalendar
from worker.method.formulas.flow import Window
from worker.method.measures import Burst

BUSIEST = 3
"""A day is held against the third busiest one: what happens three times in twelve weeks is how a team works."""


def leave_out(
    samples: Sequence[int], *, least: int, times: int
) -> tuple[list[int], list[int]]:
    """Return the daily samples without bursts, and the places of the bursts.

    A burst has more than `least` items and more than `times` as many as the third busiest day.
    """
    busiest = sorted(samples, reverse=True)
    usual = busiest[BUSIEST - 1] if len(busiest) >= BUSIEST else 0
    limit = max(least, times * usual)
    places = [place for place, items in enumerate(samples) if items > limit]
    left = [items for items in samples if items <= limit]
    return left, places


def name_bursts(
    samples: Sequence[int],
    places: Sequence[int],
    *,
    window: Window,
    calendar: WorkCalendar,
) -> tuple[Burst, ...]:
    """Return the bursts at some places of samples that end with the window."""
    if not places:
        return ()
    days = [day for day in window.places if calendar.is_working(day)]
    recent = days[len(days) - len(samples) :]
    return tuple(Burst(recent[place], samples[place]) for place in places)
