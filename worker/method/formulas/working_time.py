"""How many hours people have: by contract, and in effect, once holidays and time off are taken out (docs/method.md 3.1).

Contracted = the hours of their weeks; effective = the hours of the days they are at work: working days of the production
calendar, from a person's first day to their last, without time off, an hour less on shortened days
(docs/facts/definitions.md 1). A week is the person's own, else a fifth of the hours a week on each working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

from worker.domain.entities import Person
from worker.domain.periods import (
    A_DAY,
    A_WEEK,
    Week,
    WorkCalendar,
    even_week,
    monday_of,
)
from worker.domain.values import Span
from worker.method.formulas.flow import ratio

WEEKDAYS = WorkCalendar()
USUAL = even_week(Decimal(40))
"""How work lies on the days of somebody whose hours are not known."""


def hours_at_work(person: Person, span: Span, calendar: WorkCalendar) -> Decimal:
    """Return the hours the person is at work in a span."""
    here = _employed(person, span)
    week = _week_of(person)
    total = calendar.hours(week, here.start, here.end)
    for off in _apart(person.time_off):
        leaves = max(off.start, here.start)
        returns = min(off.end, here.end)
        total -= calendar.hours(week, leaves, returns)
    return total


def is_usual_day(person: Person, day: date, calendar: WorkCalendar) -> bool:
    """Tell whether the person's week has hours on a day, at work or not."""
    return calendar.hours_on(_week_of(person), day) > 0


def daily_hours(
    person: Person, window: Span, calendar: WorkCalendar
) -> tuple[float, ...]:
    """Return the hours the person is at work on each day of a window; people of one pattern share one."""
    here = _employed(person, window)
    return _daily(_week_of(person), here, person.time_off, window, calendar=calendar)


@lru_cache(maxsize=256)
def _daily(
    week: Week,
    here: Span,
    time_off: tuple[Span, ...],
    window: Span,
    *,
    calendar: WorkCalendar,
) -> tuple[float, ...]:
    hours = []
    day = window.start
    while day <= window.end:
        is_away = any(day in off for off in time_off)
        own = 0.0
        if day in here and not is_away:
            own = float(calendar.hours_on(week, day))
        hours.append(own)
        day += A_DAY
    return tuple(hours)


def _week_of(person: Person) -> Week:
    if person.week is not None:
        return person.week
    if person.capacity is not None:
        return even_week(person.capacity)
    return USUAL


def _employed(person: Person, span: Span) -> Span:
    """Return the days of the span on which the person belongs to the firm; of none the last lies before the first."""
    start = span.start if person.start is None else max(span.start, person.start)
    end = span.end if person.end is None else min(span.end, person.end)
    return Span(start, end)


def contracted(person: Person, span: Span) -> Decimal | None:
    """Return the hours by contract in a span; None when the person has no capacity filled in."""
    if person.capacity is None:
        return None
    here = _employed(person, span)
    return WEEKDAYS.hours(_week_of(person), here.start, here.end)


def effective(person: Person, span: Span, calendar: WorkCalendar) -> Decimal | None:
    """Return the hours in effect in a span; None when the person has no capacity filled in."""
    if person.capacity is None:
        return None
    return hours_at_work(person, span, calendar)


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
