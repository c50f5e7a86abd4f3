"""How many hours people have: by contract, and in effect, once holidays and time off are taken out (docs/method.md 3.1).

Contracted = hours a week x weekdays / 5; effective = hours a week x days at work / 5. A day at work is a working day of
the production calendar, from the person's start on, without their time off (docs/facts/definitions.md 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

import msgspec

from worker.domain.entities import Person
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Span
from worker.method.formulas.flow import ratio

WEEK = 5
"""Working days by which hours a week are divided."""

WEEKDAYS = WorkCalendar()


def days_at_work(person: Person, span: Span, calendar: WorkCalendar) -> int:
    """Return on how many days of the span the person works."""
    first = max(span.start, person.start or span.start)
    away = sum(
        calendar.working_days(max(off.start, first), min(off.end, span.end))
        for off in _apart(person.time_off)
    )
    return calendar.working_days(first, span.end) - away


def is_at_work(person: Person, day: date, calendar: WorkCalendar) -> bool:
    """Tell whether the person works on a day."""
    return (
        calendar.is_working(day)
        and (person.start is None or person.start <= day)
        and not any(off.start <= day <= off.end for off in person.time_off)
    )


class Presence(msgspec.Struct, frozen=True, gc=False):
    """The days at work from `first` on, as sums up to each day: `sums[n]` are those among the first `n` days."""

    first: date
    sums: tuple[int, ...]

    def within(self, span: Span) -> int:
        """Return how many days of the span are days at work; the span lies inside the window."""
        last = len(self.sums) - 1
        begin, end = (span.start - self.first).days, (span.end - self.first).days + 1
        return self.sums[min(max(end, 0), last)] - self.sums[min(max(begin, 0), last)]


def presence(person: Person, window: Span, calendar: WorkCalendar) -> Presence:
    """Return a person's days at work in a window; people of one pattern share one."""
    return _presence(person.start, person.time_off, window, calendar)


@lru_cache(maxsize=256)
def _presence(
    start: date | None, time_off: tuple[Span, ...], window: Span, calendar: WorkCalendar
) -> Presence:
    pattern = Person(Ref("people", ""), "", start=start, time_off=time_off)
    days = (
        window.start + timedelta(days=offset)
        for offset in range((window.end - window.start).days + 1)
    )
    return Presence(
        window.start,
        (0, *accumulate(int(is_at_work(pattern, day, calendar)) for day in days)),
    )


def contracted(person: Person, span: Span) -> Decimal | None:
    """Return the hours by contract in a span; None when the person has no capacity filled in."""
    first = max(span.start, person.start or span.start)
    return (
        None
        if person.capacity is None
        else person.capacity * WEEKDAYS.working_days(first, span.end) / WEEK
    )


def effective(person: Person, span: Span, calendar: WorkCalendar) -> Decimal | None:
    """Return the hours in effect in a span; None when the person has no capacity filled in."""
    return (
        None
        if person.capacity is None
        else person.capacity * days_at_work(person, span, calendar) / WEEK
    )


def part_of(hours: Decimal | None, capacity: Decimal | None) -> Decimal | None:
    """Return hours / capacity; None without hours or with zero capacity, which has no ratio."""
    return ratio(hours / capacity) if hours is not None and capacity else None


def full_weeks_before(today: date, count: int) -> Span:
    """Return the last `count` full ISO weeks that ended before today."""
    monday = today - timedelta(days=today.weekday())
    return Span(monday - timedelta(weeks=count), monday - timedelta(days=1))


def full_weeks_ahead(today: date, count: int) -> tuple[Span, ...]:
    """Return the next `count` full ISO weeks; on a Monday the first of them begins today."""
    monday = today + timedelta(days=-today.weekday() % 7)
    starts = [monday + timedelta(weeks=index) for index in range(count)]
    return tuple(Span(start, start + timedelta(days=6)) for start in starts)


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans without what they overlap."""
    until = date.min
    for span in sorted(spans):
        start = max(span.start, until)
        if start <= span.end:
            yield Span(start, span.end)
            until = span.end + timedelta(days=1)
