"""Goals as a tree over periods: what a goal's parts are, what they are worth, what they add up to (docs/method.md 5.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from worker.domain.entities import Goal
from worker.domain.money import split
from worker.domain.periods import (
    Grain,
    Period,
    WorkCalendar,
    month_of,
    quarter_of,
    week_of,
)
from worker.domain.values import Ref

LATEST = "latest"
OVER = frozenset({"reached", "dropped"})
_OF = {"quarter": quarter_of, "month": month_of, "week": week_of}
LONG = {Grain.QUARTER: 45, Grain.MONTH: 14}
"""From how many days on a span without a grain is meant as a quarter or a month."""


def period_of(goal: Goal) -> Period | None:
    """Return the calendar period a goal is for: of its grain, else as long as its dates; None without dates."""
    if goal.period is None:
        return None
    length = (goal.period.end - goal.period.start).days + 1
    guess = next(
        (grain.value for grain, days in LONG.items() if length >= days),
        Grain.WEEK.value,
    )
    return _OF[goal.grain if goal.grain in _OF else guess](goal.period.start)


def is_measured(goal: Goal) -> bool:
    """Tell whether one can see how far a goal is: a measure, a target above zero, a period."""
    return bool(goal.measure and goal.target and goal.period)


def shares(
    goal: Goal, parts: Iterable[Period], calendar: WorkCalendar
) -> dict[Period, Decimal]:
    """Return the target of every part: shares by working days that sum exactly, whole where the target is whole.

    A goal whose latest value counts has the same target in every part.
    """
    periods = tuple(parts)
    target = goal.target or Decimal(0)
    if goal.rollup == LATEST:
        return dict.fromkeys(periods, target)
    days = [calendar.in_period(period) for period in periods]
    last_digit = Decimal(1).scaleb(min(0, int(target.normalize().as_tuple().exponent)))
    shares = days if any(days) else [1] * len(days)
    amounts = split(target, shares, last_digit) if shares else []
    return dict(zip(periods, amounts, strict=True))


def roll_up(goal: Goal, children: Mapping[Ref, list[Goal]]) -> Decimal | None:
    """Return what a goal's parts add up to, or the value of the latest of them; None when none has a value."""
    return _roll(goal, children, frozenset())


def value_of(goal: Goal, children: Mapping[Ref, list[Goal]]) -> Decimal | None:
    """Return where a goal stands: what people entered, else what its parts say."""
    return goal.current if goal.current is not None else roll_up(goal, children)


def _roll(
    goal: Goal, children: Mapping[Ref, list[Goal]], above: frozenset[Ref]
) -> Decimal | None:
    above |= {goal.ref}
    parts = sorted(
        (
            part
            for part in children.get(goal.ref, ())
            if part.ref not in above and part.status != "dropped"
        ),
        key=_start,
    )
    values = [
        part.current if part.current is not None else _roll(part, children, above)
        for part in parts
    ]
    known = [value for value in values if value is not None]
    return _together(goal)(known) if known else None


def _together(goal: Goal) -> Callable[[list[Decimal]], Decimal]:
    return (
        (lambda values: values[-1])
        if goal.rollup == LATEST
        else (lambda values: sum(values, Decimal(0)))
    )


def _start(goal: Goal) -> tuple[str, Ref]:
    return goal.period.start.isoformat() if goal.period else "", goal.ref
