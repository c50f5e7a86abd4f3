"""How work ahead lies on people's days: every piece evenly over the days its person is at work (method 5).

Hours are floats here: they are forecasts, rounded where they are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate

from worker.domain.capacity import days_at_work, is_at_work
from worker.domain.model import Person
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Span

HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Piece:
    """Hours of one person's work between two days, both included."""

    person: Ref
    hours: float
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Load:
    """The hours of work on each day ahead, as sums up to each day: `sums[n]` is what lies on the first `n` days."""

    first: date
    sums: Sequence[float]

    def within(self, span: Span) -> float:
        """Return the hours that lie in a span."""
        return self._upto(span.end + timedelta(days=1)) - self._upto(span.start)

    def _upto(self, day: date) -> float:
        return self.sums[min(max((day - self.first).days, 0), len(self.sums) - 1)]


def spread(pieces: Iterable[Piece], people: Mapping[Ref, Person], window: Span, *,
           calendar: WorkCalendar) -> dict[Ref, Load]:
    """Return the load of every person in the window; a piece may begin before it and end behind it.

    A piece whose person is away all the time lies on the working days; on none of them, on its last day.
    """
    by_person: dict[Ref, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_person[piece.person].append(piece)
    return {ref: _load(person, by_person[ref], window, calendar=calendar) for ref, person in people.items()}


def _load(person: Person, pieces: list[Piece], window: Span, *, calendar: WorkCalendar) -> Load:
    length = (window.end - window.start).days + 1
    if not pieces:
        return Load(window.start, [0.0] * (length + 1))
    at_work, working, on_day = [0.0] * (length + 1), [0.0] * (length + 1), [0.0] * length
    for piece in pieces:
        begin, end = (piece.start - window.start).days, (piece.end - window.start).days
        days = days_at_work(person, Span(piece.start, piece.end), calendar)
        rates = at_work
        if not days:
            rates, days = working, calendar.working_days(piece.start, piece.end)
        if not days:
            on_day[min(max(end, 0), length - 1)] += piece.hours
        elif begin < length and end >= 0:
            rates[max(begin, 0)] += piece.hours / days
            rates[min(end + 1, length)] -= piece.hours / days
    return Load(window.start, [0.0, *accumulate(_daily(person, window, at_work, working, on_day, calendar=calendar))])


def _daily(person: Person, window: Span, at_work: list[float], working: list[float], on_day: list[float], *,
           calendar: WorkCalendar) -> list[float]:
    days = [window.start + timedelta(days=offset) for offset in range(len(on_day))]
    return [extra + own * is_at_work(person, day, calendar) + common * calendar.is_working(day)
            for day, extra, own, common in zip(days, on_day, accumulate(at_work), accumulate(working), strict=False)]


def hours(value: float) -> Decimal:
    """Return hours to a hundredth."""
    return Decimal(value).quantize(HUNDREDTH, ROUND_HALF_UP)


def first_run(flags: Sequence[bool], length: int) -> range | None:
    """Return the first run of at least `length` true flags in a row, to its end; None when there is none."""
    start = 0
    for index, flag in enumerate((*flags, False)):
        if not flag:
            if index - start >= length:
                return range(start, index)
            start = index + 1
    return None
