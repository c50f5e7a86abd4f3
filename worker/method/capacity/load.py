"""How work ahead lies on people's days: every piece evenly over the hours its person is at work (docs/method.md 3.1).

Hours are floats here: they are forecasts, rounded where they are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate

import msgspec

from worker.domain.entities import Person
from worker.domain.periods import A_DAY, WorkCalendar
from worker.domain.values import Ref, Span
from worker.method.formulas.working_time import daily_hours, hours_at_work

HUNDREDTH = Decimal("0.01")


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Hours of one person's work between two days, both included."""

    person: Ref
    hours: float
    start: date
    end: date


class Load(msgspec.Struct, frozen=True, gc=False):
    """The hours of work on each day ahead, as sums up to each day: `sums[n]` is what lies on the first `n` days."""

    first: date
    sums: Sequence[float]

    def within(self, span: Span) -> float:
        """Return the hours that lie in a span."""
        after = span.end + A_DAY
        return self._upto(after) - self._upto(span.start)

    def _upto(self, day: date) -> float:
        place = (day - self.first).days
        last = len(self.sums) - 1
        inside = min(max(place, 0), last)
        return self.sums[inside]


def spread(
    pieces: Iterable[Piece],
    people: Mapping[Ref, Person],
    window: Span,
    *,
    calendar: WorkCalendar,
) -> dict[Ref, Load]:
    """Return the load of every person in the window; a piece may begin before it and end behind it.

    A piece whose person is away all the time lies on the working days; on none of them, on its last day.
    """
    by_person: dict[Ref, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_person[piece.person].append(piece)
    return {
        ref: _load(person, by_person[ref], window, calendar=calendar)
        for ref, person in people.items()
    }


def _load(
    person: Person, pieces: list[Piece], window: Span, *, calendar: WorkCalendar
) -> Load:
    length = (window.end - window.start).days + 1
    if not pieces:
        return Load(window.start, (0.0,) * (length + 1))
    at_work = [0.0] * (length + 1)
    working = [0.0] * (length + 1)
    on_day = [0.0] * length
    anybody = Person(person.ref, person.name)
    for piece in pieces:
        begin = (piece.start - window.start).days
        end = (piece.end - window.start).days
        span = Span(piece.start, piece.end)
        room = hours_at_work(person, span, calendar)
        rates = at_work
        if not room:
            rates = working
            room = hours_at_work(anybody, span, calendar)
        if not room:
            inside = min(max(end, 0), length - 1)
            on_day[inside] += piece.hours
        elif begin < length and end >= 0:
            rate = piece.hours / float(room)
            rates[max(begin, 0)] += rate
            rates[min(end + 1, length)] -= rate
    days = zip(
        on_day,
        accumulate(at_work),
        daily_hours(person, window, calendar),
        accumulate(working),
        daily_hours(anybody, window, calendar),
        strict=False,
    )
    daily = []
    for extra, mine, own, shared, common in days:
        daily.append(extra + mine * own + shared * common)
    return Load(window.start, (0.0, *accumulate(daily)))


def loads_of(amounts: Mapping[date, float], window: Span) -> Load:
    """Return hours given by day as a load."""
    so_far = 0.0
    sums = [so_far]
    day = window.start
    while day <= window.end:
        so_far += amounts.get(day, 0.0)
        sums.append(so_far)
        day += A_DAY
    return Load(window.start, tuple(sums))


def hours(value: float) -> Decimal:
    """Return hours to a hundredth."""
    return Decimal(value).quantize(HUNDREDTH, ROUND_HALF_UP)


def first_run(flags: Sequence[bool | None], length: int) -> tuple[int, ...] | None:
    """Return the places of the first run of at least `length` true flags, to its end; None when there is none.

    What is None neither breaks a run nor makes it longer.
    """
    run: list[int] = []
    for place, flag in enumerate(flags):
        if flag:
            run.append(place)
        elif flag is not None:
            if len(run) >= length:
                break
            run.clear()
    return tuple(run) if len(run) >= length else None
