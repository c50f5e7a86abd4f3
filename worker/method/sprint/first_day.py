"""A gentle first day: the tasks of a person who is given several are due on days apart, over two weeks.

The first day is the one before which no task was made, by the memory and by the boards, so that a second look on that
day agrees with the first, and a lost state makes no new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil

from worker.domain.periods import A_DAY
from worker.world.memory import Occurrence
from worker.world.world import World

FIRST_WEEKS = timedelta(weeks=2)


def is_first_day(known: Mapping[str, Occurrence], today: date) -> bool:
    """Tell whether none of the known tasks was made before today; one of which nobody knows when counts as older."""
    return all(task.opened == today for task in known.values())


def spread_days(world: World) -> list[date]:
    """Return the working days on which what a person is given today may be due: as many as a person may be given,
    evenly over the first two weeks."""
    begin = world.today + A_DAY
    end = world.today + FIRST_WEEKS
    days = world.calendar.working_days(begin, end)
    places = world.thresholds.tasks_per_person
    numbers = (ceil(place * days / places) for place in range(1, places + 1))
    return [world.calendar.add(world.today, max(number, 1)) for number in numbers]


def take_day(free: list[date], own: date) -> date:
    """Take the first free day that is no earlier than a task's `own`, and return it; without one, the task keeps its own."""
    for day in free:
        if day >= own:
            free.remove(day)
            return day
    return own
