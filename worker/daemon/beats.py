"""When a workspace is looked at again: often while people work, seldom at night, at weekends and on holidays.

Pure: the clocks are given. A beat counts by the steady clock, which nobody sets, and by the wall's as well, which goes
on while a machine sleeps; so a clock that is set back delays nothing, and one set forward costs one look.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import msgspec

from worker.config import Holidays, Schedule, Workspace
from worker.domain.periods import WorkCalendar
from worker.world.calendar import work_calendar

SLACK = timedelta(minutes=5)
"""By how much two clocks of one office may differ."""


class Beat(msgspec.Struct, frozen=True, gc=False):
    """When a beat was: by the wall's clock, and by the steady one in seconds."""

    at: datetime
    tick: float


def is_due(last: Beat | None, now: Beat, seconds: float) -> bool:
    """Tell whether a beat is due `seconds` after the last one."""
    if last is None:
        return True
    steady = now.tick - last.tick
    wall = now.at - last.at
    return steady >= seconds or wall.total_seconds() >= seconds


def is_overdue(last: datetime | None, now: datetime, seconds: float) -> bool:
    """Tell whether something that was done last at an instant is due; what lies ahead of the clock says nothing."""
    if last is None or last - now > SLACK:
        return True
    return now - last >= timedelta(seconds=seconds)


def pace(settings: Workspace, now: datetime) -> float:
    """Return the seconds between two looks at what changed."""
    schedule = settings.schedule
    if is_working_time(settings, now):
        return schedule.delta
    return max(schedule.delta, schedule.quiet)


def is_working_time(settings: Workspace, now: datetime) -> bool:
    """Tell whether people are at work, by the workspace's zone and production calendar."""
    schedule = settings.schedule
    local = now.astimezone(ZoneInfo(settings.time_zone))
    if not _is_between(schedule, local):
        return False
    return _calendar(settings.calendar, local.year).is_working(local.date())


def _is_between(schedule: Schedule, local: datetime) -> bool:
    return schedule.work_from <= local.time() < schedule.work_to


@cache
def _calendar(holidays: Holidays, year: int) -> WorkCalendar:
    return work_calendar(holidays, [year])
