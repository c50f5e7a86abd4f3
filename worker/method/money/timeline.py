"""How the time of money is cut: into week parts of late, into months before, and on the day a client changed units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

import msgspec

from worker.domain.money import round_money
from worker.domain.periods import (
    A_DAY,
    Period,
    WorkCalendar,
    month_of,
    next_period,
    week_of,
)
from worker.method.formulas.cascade import parts_of

NOTHING = Decimal(0)
LONGEST = 50
"""Years a client can have been with the agency; an earlier day is a slip of the pen."""

Series = dict[date, Decimal]
"""What was added in each part of time, by its first day."""


class Timeline(msgspec.Struct, frozen=True, gc=False):
    """Parts of time: week parts from `recent` on, split on the days of `cuts`; months before. `last` is the day that is
    over. Money is cut into multiples of `minor`."""

    days: WorkCalendar
    recent: date
    last: date
    minor: Decimal
    cuts: tuple[date, ...] = ()

    def place(self, day: date) -> date:
        """Return the first day of the part of time a day lies in."""
        if day < self.recent:
            return day.replace(day=1)
        start = _week_start(day)
        for cut in self.cuts:
            if start < cut <= day:
                start = cut
        return start

    def parts(self, first: date, end: date) -> Iterator[Period]:
        """Yield the parts of time from the one of `first` to the one of `end`."""
        month = month_of(first)
        while month.start <= end:
            if month.start >= self.recent:
                for week in parts_of(month):
                    if week.end >= first:
                        yield from self._cut(week)
            else:
                yield month
            month = next_period(month)

    def _cut(self, week: Period) -> Iterator[Period]:
        start = week.start
        for cut in self.cuts:
            if start < cut <= week.end:
                yield Period(start, cut - A_DAY, week.grain)
                start = cut
        yield Period(start, week.end, week.grain)

    def months(self, first: date) -> tuple[Period, ...]:
        """Return the months from the one of `first`, but at most so many years ago, to the one of `last`."""
        return months_until(first.replace(day=1), self.last)

    def spread(self, amount: Decimal, first: date, end: date) -> Series:
        """Return the growth of an amount over its period by working days passed; whole when it is over."""
        whole = self.days.working_days(first, end)
        series: Series = {}
        before = NOTHING
        for part in self.parts(first, min(end, self.last)):
            until = min(part.end, end, self.last)
            start = max(part.start, first)
            if until < start:
                continue
            if whole and until < end:
                passed = self.days.working_days(first, until)
                now = round_money(amount * passed / whole, self.minor)
            else:
                now = amount
            series[self.place(start)] = now - before
            before = now
        return series


def add_series(total: Series, more: Mapping[date, Decimal]) -> None:
    """Add a series to another, part by part."""
    for day, amount in more.items():
        total[day] = total.get(day, NOTHING) + amount


@lru_cache(maxsize=1024)
def _week_start(day: date) -> date:
    return week_of(day).start


@lru_cache(maxsize=1024)
def months_until(first: date, last: date) -> tuple[Period, ...]:
    """Return the months from the one that begins on `first`, but at most so many years ago, to the one of `last`."""
    months = []
    month = month_of(max(first, last.replace(year=last.year - LONGEST, day=1)))
    while month.start <= last:
        months.append(month)
        month = next_period(month)
    return tuple(months)
