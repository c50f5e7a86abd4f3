"""A calendar's job is kept exactly once on each of its local dates, whatever the clock of its zone does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from worker.config import Schedule
from worker.daemon.calendar import Job, instant_of, jobs_of, last_due, next_due
from worker.domain.periods import local_day

EVERY_DAY = frozenset(range(7))
A_DAY = timedelta(days=1)
TIMES = (time(0, 0), time(0, 30), time(2, 30), time(8, 30), time(23, 45))
CHANGES = (
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 10, 31)),
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("America/Santiago", date(2027, 4, 3)),
    ("America/Santiago", date(2027, 9, 5)),  # the clock leaves midnight out
    ("Africa/Cairo", date(2027, 4, 30)),  # this one too
    ("Africa/Cairo", date(2027, 10, 28)),
    ("America/Havana", date(2027, 3, 14)),
    ("Europe/Moscow", date(2014, 10, 26)),
)


def _fired(job: Job, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Return when a job is due, going on from each time to the next."""
    instants: list[datetime] = []
    due = next_due(job, start, zone)
    while due is not None and due.at <= end:
        instants.append(due.at)
        due = next_due(job, due.at, zone)
    return instants


@pytest.mark.parametrize("at", TIMES)
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_a_date_on_which_the_clock_is_changed_has_its_job_once(
    zone: str, day: date, at: time
) -> None:
    where = ZoneInfo(zone)
    start = datetime.combine(day - 3 * A_DAY, time(), where).astimezone(UTC)
    end = datetime.combine(day + 3 * A_DAY, time(), where).astimezone(UTC)
    job = Job("daily", EVERY_DAY, at)
    a_moment = timedelta(seconds=1)
    fired = _fired(job, where, start - a_moment, end - a_moment)
    dates = [local_day(instant, where) for instant in fired]
    assert dates == [day + n * A_DAY for n in range(-3, 3)]


@pytest.mark.parametrize(
    ("zone", "day", "at", "utc"),
    [
        # Left out: as much later as the clock jumps.
        ("Europe/Berlin", date(2027, 3, 28), time(2, 30), "2027-03-28T01:30"),
        ("Africa/Cairo", date(2027, 4, 30), time(0, 30), "2027-04-29T22:30"),
        # Had twice: the first.
        ("Europe/Berlin", date(2027, 10, 31), time(2, 30), "2027-10-31T00:30"),
        ("America/New_York", date(2027, 11, 7), time(1, 30), "2027-11-07T05:30"),
        # Left out together with the end of the date: what is left of it is before the jump.
        ("America/Toronto", date(1919, 3, 30), time(23, 45), "1919-03-31T03:45"),
    ],
)
def test_an_hour_that_is_left_out_or_had_twice_has_one_instant(
    zone: str, day: date, at: time, utc: str
) -> None:
    found = instant_of(day, at, ZoneInfo(zone))
    assert found == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_a_date_that_a_zone_left_out_has_no_job() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went over the date line in the night before
    assert instant_of(date(2011, 12, 30), time(8, 30), apia) is None
    due = next_due(
        Job("daily", EVERY_DAY, time(8, 30)),
        datetime(2011, 12, 29, 20, tzinfo=UTC),
        apia,
    )
    assert due is not None
    assert due.day == date(2011, 12, 31)


def _zones(year: int) -> Iterator[ZoneInfo]:
    """Yield one zone of each kind: those whose clocks show the same all year are one."""
    seen = set()
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + n * A_DAY for n in range(365)]
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        clock = tuple(noon.astimezone(zone).utcoffset() for noon in noons)
        if clock not in seen:
            seen.add(clock)
            yield zone


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_in_every_zone_of_the_world_each_date_of_a_year_has_each_job_once(
    year: int,
) -> None:
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    for number, zone in enumerate(_zones(year)):
        at = TIMES[number % len(TIMES)]
        schedule = Schedule(nightly=at, daily=at, monday=at)
        for job in jobs_of(schedule):
            fired = _fired(job, zone, start, end)
            dates = [local_day(instant, zone) for instant in fired]
            inside = (dates[0] + n * A_DAY for n in range((dates[-1] - dates[0]).days))
            wanted = [day for day in inside if day.weekday() in job.weekdays]
            assert dates == [*wanted, dates[-1]], (zone, job)
            assert len(dates) >= {"nightly": 364, "daily": 259, "monday": 51}[job.name]


def test_what_was_due_last_and_what_is_due_next_leave_no_gap() -> None:
    for zone, day in CHANGES:
        where = ZoneInfo(zone)
        start = datetime.combine(day, time(), where).astimezone(UTC) - 2 * A_DAY
        for at in TIMES:
            job = Job("daily", EVERY_DAY, at)
            for hours in range(4 * 24):
                now = start + timedelta(hours=hours)
                last, then = last_due(job, now, where), next_due(job, now, where)
                assert last is not None
                assert then is not None
                assert last.at <= now < then.at
                assert then.day == last.day + A_DAY
