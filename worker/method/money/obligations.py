"""What a client owes for, told three ways: earned by work, billed by acts, paid; and what is recognised of it (docs/method.md 2.1).

An obligation is a project card, or a client's running contract with all that has no rows of its own (its pool). Work
and the act that settles it are one amount of money, whichever comes first, so what is recognised up to a day is the
larger of what was earned and what was billed up to it. The money of any period is the growth of that over the period:
nothing is counted twice, in whatever order rows arrive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.money import round_money
from worker.method.measures import ACT, Growth

ZERO = Decimal(0)

Amounts = Mapping[date, Decimal]
"""The growth of a series by day: the day of a part of time is its first."""


class Obligation(msgspec.Struct, frozen=True, gc=False):
    """The series of one obligation; `earned` by model (`tm`, `retainer`, `fixed_price`), all unrounded."""

    earned: Mapping[str, Amounts]
    billed: Amounts


def recognise(obligation: Obligation, minor: Decimal) -> tuple[Growth, ...]:
    """Return the growth of max(earned to date, billed to date), oldest first; every part a multiple of `minor`, the sum exact."""
    days = {*obligation.billed}
    for amounts in obligation.earned.values():
        days.update(amounts)

    growths: list[Growth] = []
    earned = billed = recognised = rounded = ZERO
    for day in sorted(days):
        models = {
            model: amounts.get(day, ZERO)
            for model, amounts in obligation.earned.items()
        }
        earned += sum(models.values(), ZERO)
        billed += obligation.billed.get(day, ZERO)
        before = rounded
        rounded = round_money(earned, minor)
        now = max(rounded, billed)
        growth = Growth(
            day,
            now - recognised,
            max(models, key=lambda model: abs(models[model]), default=ACT),
            earned=rounded - before,
            billed=obligation.billed.get(day, ZERO),
            is_ahead=billed > rounded,
        )
        growths.append(growth)
        recognised = now
    return tuple(growths)


def unbilled_work(growths: Iterable[Growth]) -> dict[date, Decimal]:
    """Return what was earned and not billed, by the part of time it was earned in: acts settle the oldest first."""
    earned: dict[date, Decimal] = defaultdict(Decimal)
    settled = ZERO
    for growth in growths:
        settled += growth.billed
        earned[growth.day] += growth.earned
        if growth.earned < 0:
            # Work that was taken back settles what was earned before it.
            earned[growth.day] = ZERO
            settled -= growth.earned

    open_work: dict[date, Decimal] = {}
    for day in sorted(earned):
        part = min(settled, earned[day])
        settled -= part
        if earned[day] > part:
            open_work[day] = earned[day] - part
    return open_work
