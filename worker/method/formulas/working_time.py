"""How many hours people have: by contract, and in effect, once holidays and time off are taken out (docs/method.md 3.1).

Contracted = hours a week x weekdays / 5; effective = hours a week x days at work / 5. A day at work is a working day of
the production calendar, from the person's start on, without their time off (docs/facts/definitions.md 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

import msgspec

from worker.domain.entities import Person
from worker.domain.periods import A_DAY, A_WEEK, WorkCalendar, monday_of
from worker.domain.values import Ref, Span
from worker.method.formulas.flow import ratio

WEEK = 5
"""Working days by which hours a week are divided."""

WEEKDAYS = WorkCalendar()


def days_at_work(person: Person, span: Span, calendar: WorkCalendar) -> int:
    """Return on how many days of the span the person works."""
    first = _first_day(person, span)
    present = calendar.working_days(first, span.end)
    for off in _apart(person.time_off):
        leaves = max(off.start, first)
        returns = min(off.end, span.end)
        present -= calendar.working_days(leaves, returns)
    return present


def _first_day(person: Person, span: Span) -> date:
    """Return the first day of the span on which the person belongs to the firm, which may lie after the span."""
    if person.start is None:
        return span.start
    return max(span.start, person.start)


def is_at_work(person: Person, day: date, calendar: WorkCalendar) -> bool:
    """Tell whether the person works on a day."""
    if not calendar.is_working(day):
        return False
    if person.start is not None and day < person.start:
        return False
    return not any(day in off for off in person.time_off)


class Presence(msgspec.Struct, frozen=True, gc=False):
    """The days at work from `first` on, as sums up to each day: `sums[n]` are those among the first `n` days."""

    first: date
    sums: tuple[int, ...]

    def within(self, span: Span) -> int:
        """Return how many days of the span are days at work; the span lies inside the window."""
        after = span.end + A_DAY
        return self._before(after) - self._before(span.start)

    def _before(self, day: date) -> int:
        """Return the days at work of the window before a day."""
        place = (day - self.first).days
        last = len(self.sums) - 1
        inside = min(max(place, 0), last)
        return self.sums[inside]


def presence(person: Person, window: Span, calendar: WorkCalendar) -> Presence:
    """Return a person's days at work in a window; people of one pattern share one."""
    return _presence(person.start, person.time_off, window, calendar)


@lru_cache(maxsize=256)
def _presence(
    start: date | None, time_off: tuple[Span, ...], window: Span, calendar: WorkCalendar
) -> Presence:
    nobody = Ref("people", "")
    pattern = Person(nobody, "", start=start, time_off=time_off)

    so_far = 0
    sums = [so_far]
    day = window.start
    while day <= window.end:
        so_far += is_at_work(pattern, day, calendar)
        sums.append(so_far)
        day += A_DAY
    return Presence(window.start, tuple(sums))


def contracted(person: Person, span: Span) -> Decimal | None:
    """Return the hours by contract in a span; None when the person has no capacity filled in."""
    if person.capacity is None:
        return None
    first = _first_day(person, span)
    days = WEEKDAYS.working_days(first, span.end)
    return person.capacity * days / WEEK


def effective(person: Person, span: Span, present: Presence) -> Decimal | None:
    """Return the hours in effect in a span; None when the person has no capacity filled in."""
    if person.capacity is None:
        return None
    days = present.within(span)
    return person.capacity * days / WEEK


def part_of(hours: Decimal | None, capacity: Decimal | None) -> Decimal | None:
    """Return hours / capacity; None without hours or with zero capacity, which has no ratio."""
    if hours is None or not capacity:
        return None
    return ratio(hours / capacity)


def full_weeks_before(today: date, count: int) -> Span:
    """Return the last `count` full ISO weeks that ended before today."""
    monday = monday_of(today)
    first = monday - count * A_WEEK
    sunday = monday - A_DAY
    return Span(first, sunday)


def full_weeks_ahead(today: date, count: int) -> tuple[Span, ...]:
    """Return the next `count` full ISO weeks; on a Monday the first of them begins today."""
    monday = monday_of(today)
    if monday < today:
        monday += A_WEEK
    weeks = []
    for _ in range(count):
        following = monday + A_WEEK
        sunday = following - A_DAY
        weeks.append(Span(monday, sunday))
        monday = following
    return tuple(weeks)


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans without what they overlap."""
    until = date.min
    for span in sorted(spans):
        start = max(span.start, until)
        if start <= span.end:
            yield Span(start, span.end)
            until = span.end + A_DAY
