"""The calendar's jobs: which local dates each has, and at what instant it falls due on one.

Dates are counted, not hours: each date of a job has exactly one instant, on that very date, whatever the clock of the
zone does. An hour that the clock leaves out falls due as much later; an hour that it has twice, the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from worker.config import Schedule
from worker.domain.periods import local_day

WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
MONDAY = frozenset({0})
_DAY = timedelta(days=1)
_REACH = 15
"""How many dates are looked through: a week has each weekday, and some zones once left a date out."""


class Job(msgspec.Struct, frozen=True, gc=False):
    """A job by its name, its weekdays (Monday is 0) and its local time."""

    name: str
    weekdays: frozenset[int]
    at: time


class Due(msgspec.Struct, frozen=True, gc=False):
    """One time a job is due: the local date it is of, and the instant (UTC)."""

    day: date
    at: datetime


def jobs_of(schedule: Schedule) -> tuple[Job, ...]:
    """Return the calendar's jobs of a workspace."""
    return (
        Job("nightly", EVERY_DAY, schedule.nightly),
        Job("daily", WORKDAYS, schedule.daily),
        Job("monday", MONDAY, schedule.monday),
    )


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a local time on a date (UTC); None for a date that the zone never had."""
    first, second = (
        datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC)
        for fold in (0, 1)
    )
    if local_day(first, zone) == day:
        return first

    # The clock jumps over this time into the next date: what is left of this one is before the jump.
    return second if local_day(second, zone) == day else None


def last_due(job: Job, now: datetime, zone: ZoneInfo) -> Due | None:
    """Return the last time a job was due, at `now` or before."""
    for due in _dues(job, now, zone, step=-1):
        if due.at <= now:
            return due
    return None


def next_due(job: Job, after: datetime, zone: ZoneInfo) -> Due | None:
    """Return the first time a job is due after an instant."""
    for due in _dues(job, after, zone, step=1):
        if due.at > after:
            return due
    return None


def is_of_today(due: Due, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a job's date is the one that `now` is on."""
    return due.day == local_day(now, zone)


def _dues(job: Job, start: datetime, zone: ZoneInfo, *, step: int) -> Iterator[Due]:
    """Yield when a job is due on the dates from next to `start` on, forward or back."""
    day = local_day(start, zone) - step * _DAY
    for _ in range(_REACH):
        at = instant_of(day, job.at, zone) if day.weekday() in job.weekdays else None
        if at is not None:
            yield Due(day, at)
        day += step * _DAY
