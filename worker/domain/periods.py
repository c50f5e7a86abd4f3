"""Quarters, months and week parts, and the production calendar that weighs them in working days.

An ISO week that crosses a month is two `week` periods, one a month, so that the weeks of a month partition it and every
cascade sums exactly (docs/facts/definitions.md 6).
"""

from __future__ import annotations

import calendar as month_table
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate

import msgspec

A_DAY = timedelta(days=1)
A_WEEK = timedelta(weeks=1)
WORKING_DAYS = 5
"""Days of a week on which people work."""

AN_HOUR = Decimal(1)
Week = tuple[Decimal, ...]
"""Hours of somebody's weekdays, Monday first."""


def even_week(hours: Decimal) -> Week:
    """Return a week of so many hours, spread evenly over its working days."""
    day = hours / WORKING_DAYS
    return (day,) * WORKING_DAYS + (Decimal(0),) * 2


class Grain(StrEnum):
    """The size of a period."""

    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"


class Period(msgspec.Struct, frozen=True, order=True, gc=False, cache_hash=True):
    """A period of days, both ends included; `code` names it: `2026-Q4`, `2026-11`, `2026-11-W48`."""

    start: date
    end: date
    grain: Grain

    @property
    def code(self) -> str:
        """Return the stable name of the period."""
        match self.grain:
            case Grain.QUARTER:
                return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
            case Grain.MONTH:
                return f"{self.start.year}-{self.start.month:02d}"
            case Grain.WEEK:
                return f"{self.start.year}-{self.start.month:02d}-W{self.start.isocalendar().week:02d}"

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def days(self) -> Iterator[date]:
        """Yield every day of the period."""
        day = self.start
        while day <= self.end:
            yield day
            day += A_DAY


def local_day(moment: datetime, zone: tzinfo) -> date:
    """Return the day of an instant where people work."""
    local = moment.astimezone(zone)
    return local.date()


def day_begins(day: date, zone: tzinfo) -> datetime:
    """Return the instant a day begins where people work."""
    return datetime.combine(day, time(), zone)


def quarter_of(day: date) -> Period:
    """Return the calendar quarter that holds `day`."""
    return _quarter(day.year, (day.month - 1) // 3)


@lru_cache(maxsize=1024)
def _quarter(year: int, number: int) -> Period:
    """Return a quarter of a year; the first is 0."""
    first = _month(year, 3 * number + 1)
    last = _month(year, 3 * number + 3)
    return Period(first.start, last.end, Grain.QUARTER)


def month_of(day: date) -> Period:
    """Return the calendar month that holds `day`."""
    return _month(day.year, day.month)


@lru_cache(maxsize=1024)
def _month(year: int, month: int) -> Period:
    last = month_table.monthrange(year, month)[1]
    return Period(date(year, month, 1), date(year, month, last), Grain.MONTH)


def monday_of(day: date) -> date:
    """Return the Monday of the ISO week that holds `day`."""
    return day - timedelta(days=day.weekday())


def week_of(day: date) -> Period:
    """Return the part of the ISO week of `day` that lies in its month."""
    monday = monday_of(day)
    month = month_of(day)
    return Period(
        max(monday, month.start), min(monday + timedelta(days=6), month.end), Grain.WEEK
    )


def next_period(period: Period) -> Period:
    """Return the period of the same grain that follows."""
    return _OF[period.grain](period.end + A_DAY)


def previous_period(period: Period) -> Period:
    """Return the period of the same grain that came before."""
    return _OF[period.grain](period.start - A_DAY)


def children(period: Period) -> tuple[Period, ...]:
    """Return the months of a quarter or the week parts of a month; a week has none."""
    match period.grain:
        case Grain.QUARTER:
            return _cover(period, Grain.MONTH)
        case Grain.MONTH:
            return _cover(period, Grain.WEEK)
        case Grain.WEEK:
            return ()


def _cover(period: Period, grain: Grain) -> tuple[Period, ...]:
    parts = []
    day = period.start
    while day <= period.end:
        part = _OF[grain](day)
        parts.append(part)
        day = part.end + A_DAY
    return tuple(parts)


_OF = {Grain.QUARTER: quarter_of, Grain.MONTH: month_of, Grain.WEEK: week_of}


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The production calendar: `days_off` (holidays, moved days off, company days), `days_on` (working weekends).

    On `days_short` people work an hour less; they are working days all the same. `provisional` are years whose moved days
    are not decreed yet.
    """

    days_off: frozenset[date] = field(default_factory=frozenset)
    days_on: frozenset[date] = field(default_factory=frozenset)
    days_short: frozenset[date] = field(default_factory=frozenset)
    provisional: frozenset[int] = field(default_factory=frozenset)
    # What a count of weekdays misses, sorted: weekdays that are off, weekend days that are on.
    _lost: tuple[date, ...] = field(init=False, repr=False, compare=False)
    _gained: tuple[date, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lost = sorted(day for day in self.days_off - self.days_on if day.weekday() < 5)
        gained = sorted(day for day in self.days_on if day.weekday() >= 5)
        object.__setattr__(self, "_lost", tuple(lost))
        object.__setattr__(self, "_gained", tuple(gained))

    def is_working(self, day: date) -> bool:
        """Tell whether people work on `day`; an explicit working day wins over a holiday."""
        return day in self.days_on or (day.weekday() < 5 and day not in self.days_off)

    def working_days(self, start: date, end: date) -> int:
        """Return how many working days lie from `start` to `end`, both included (0 when reversed)."""
        if start > end:
            return 0
        usual = _weekdays_until(end.toordinal()) - _weekdays_until(
            start.toordinal() - 1
        )
        return (
            usual
            - _between(self._lost, start, end)
            + _between(self._gained, start, end)
        )

    def hours_on(self, week: Week, day: date) -> Decimal:
        """Return the hours that somebody with such a week works on a day; on a working weekend those of a mean day."""
        hours = week[day.weekday()]
        if day in self.days_on and day.weekday() >= WORKING_DAYS:
            hours = hours or sum(week, Decimal(0)) / WORKING_DAYS
        elif day in self.days_off and day not in self.days_on:
            return Decimal(0)
        if day in self.days_short:
            return max(hours - AN_HOUR, Decimal(0))
        return hours

    def hours(self, week: Week, start: date, end: date) -> Decimal:
        """Return the hours of such weeks from `start` to `end`, both included (0 when reversed)."""
        if start > end:
            return Decimal(0)
        before = start.toordinal() - 1
        usual = _hours_until(week, end.toordinal()) - _hours_until(week, before)
        days, differences = _unusual(self, week)
        first = bisect_left(days, start)
        after = bisect_right(days, end)
        return usual + differences[after] - differences[first]

    def in_period(self, period: Period) -> int:
        """Return the working days of a period."""
        return self.working_days(period.start, period.end)

    def add(self, day: date, count: int) -> date:
        """Return the working day `count` working days after (before, if negative) `day`; 0 means `day` or the next."""
        step = timedelta(days=-1 if count < 0 else 1)
        if count == 0:
            while not self.is_working(day):
                day += step
            return day
        for _ in range(abs(count)):
            day += step
            while not self.is_working(day):
                day += step
        return day


def _weekdays_until(ordinal: int) -> int:
    """Return the weekdays of the calendar up to a day, by its ordinal: the first, 1 January of year 1, is a Monday."""
    weeks, rest = divmod(ordinal, 7)
    return weeks * 5 + min(rest, 5)


def _hours_until(week: Week, ordinal: int) -> Decimal:
    """Return the hours of plain weeks up to a day, by its ordinal."""
    weeks, rest = divmod(ordinal, 7)
    return weeks * sum(week, Decimal(0)) + sum(week[:rest], Decimal(0))


@lru_cache(maxsize=256)
def _unusual(
    calendar: WorkCalendar, week: Week
) -> tuple[tuple[date, ...], tuple[Decimal, ...]]:
    """Return the days on which such weeks are not plain, and what they differ by, as sums before each of the days."""
    days = sorted(calendar.days_off | calendar.days_on | calendar.days_short)
    differences = (calendar.hours_on(week, day) - week[day.weekday()] for day in days)
    sums = accumulate(differences, initial=Decimal(0))
    return tuple(days), tuple(sums)


def _between(days: tuple[date, ...], start: date, end: date) -> int:
    return bisect_right(days, end) - bisect_left(days, start)


def months_between(first: date, last: date) -> int:
    """Return how many calendar months lie from one day's month to another's."""
    return (last.year - first.year) * 12 + last.month - first.month
