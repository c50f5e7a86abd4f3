"""Work that nobody billed and bills that nobody paid (docs/method.md 2.4), looked at client by client.

Acts settle the oldest work of their obligation first, payments the oldest bill, whatever month they name. Fixed-price
work is billed by milestones, so it has more time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

import msgspec

from worker.domain.entities import Revenue
from worker.domain.period_titles import period_name
from worker.domain.periods import month_of
from worker.domain.values import Ref
from worker.method.conditions import Look, Sighting, Subject, state_looks
from worker.method.formulas.bands import mark_above
from worker.method.formulas.rays import add_months
from worker.method.measures import Growth, MoneyMeasure
from worker.method.money.income import ACT, PASS_THROUGH, book, claimed, total
from worker.method.money.obligations import unbilled_work
from worker.method.run import Findings
from worker.world.world import World

ZERO = Decimal(0)
MILESTONE_MONTHS = 2
"""How many months after fixed-price work its milestone may be billed."""

Months = Mapping[date, Sequence[Revenue]]


class _Owed(msgspec.Struct, frozen=True, gc=False):
    """An amount with the months it stands for, oldest first; `since` the day from which it is late."""

    amount: Decimal = ZERO
    months: tuple[date, ...] = ()
    since: date | None = None


def find_unbilled(world: World, revenue: MoneyMeasure | None) -> Findings[None]:
    """Return what is unbilled and what is paid late, with what calls for a task; it states no facts itself."""
    if revenue is None or "revenue" not in world.sources:
        return Findings(None)
    rows: dict[Ref, dict[date, Sequence[Revenue]]] = defaultdict(dict)
    for (payer, month), revenues in book(world).items():
        rows[payer][month] = revenues
    billing = _first_month(world.revenue, (ACT,))
    paying = _first_month(world.revenue, ("payment",))
    looks: list[Look] = []
    for ref, client in world.clients.items():
        subject = Subject(ref, {"client": client.name}, client=ref)
        obligations = revenue.obligations.get(ref, ())
        own = _first_month(chain.from_iterable(rows[ref].values()), (ACT,))
        unbilled = _unbilled(obligations, own, start=billing, world=world)
        late = _late(rows[ref], start=paying, world=world)
        looks.append(("money.unbilled", subject, unbilled))
        looks.append(("money.late_payment", subject, late))

    conditions, signals = state_looks(looks, words=world.words, by_probability=True)
    return Findings(None, conditions=conditions, signals=signals)


def _first_month(revenue: Iterable[Revenue], kinds: tuple[str, ...]) -> date | None:
    """Return the month in which the firm began to record a kind of money; what was before cannot be judged."""
    months = []
    for row in revenue:
        if row.kind in kinds:
            month = row.month.replace(day=1)
            months.append(month)
    return min(months, default=None)


# -- unbilled ----------------------------------------------------------------------------------------------------------


def _unbilled(
    obligations: Iterable[Sequence[Growth]],
    own: date | None,
    *,
    start: date | None,
    world: World,
) -> Sighting:
    """Look at a client's obligations; `own` is the month of its first act, `start` that of the firm's."""
    words = world.words
    owed = _Owed()
    if start is not None:
        owed = _unbilled_work(
            obligations, own or start, is_own=own is not None, world=world
        )
    evidence = (
        words.say(
            "{amount} of finished work is not billed: {months}.",
            amount=words.money(owed.amount),
            months=_listed(owed.months, world),
        )
        if owed.months
        else ""
    )
    holds = None
    if start is not None:
        holds = owed.amount > 0
    probability = 3
    if len(owed.months) > 1:
        probability = 4
    return Sighting(
        holds,
        probability,
        evidence,
        words.count(
            "{n} working day after the month",
            "{n} working days after the month",
            world.thresholds.unbilled_days,
        ),
        stake=owed.amount,
    )


def _unbilled_work(
    obligations: Iterable[Sequence[Growth]], start: date, *, is_own: bool, world: World
) -> _Owed:
    oldest = _months_ago(world.today, world.thresholds.unbilled_months)
    amounts: dict[date, Decimal] = defaultdict(Decimal)
    for growths in obligations:
        models = {growth.day: growth.model for growth in growths}
        booked = _since_the_books(growths, start, is_own=is_own)
        for day, amount in unbilled_work(booked).items():
            month = day.replace(day=1)
            if month >= oldest and _is_ripe(month, models[day], world):
                amounts[month] += amount
    months = tuple(sorted(amounts))
    return _Owed(sum(amounts.values(), ZERO), months)


def _since_the_books(
    growths: Sequence[Growth], start: date, *, is_own: bool
) -> Sequence[Growth]:
    """Return the work that acts on record may be for.

    A client that is older than its first act was billed outside of the books until then; one that began shortly before
    it (`is_own`) was not billed yet.
    """
    began = min((growth.day for growth in growths if growth.earned), default=start)
    if is_own and began >= add_months(start, -MILESTONE_MONTHS):
        return growths
    return [growth for growth in growths if growth.day >= start]


def _is_ripe(month: date, model: str, world: World) -> bool:
    """Tell whether the time to bill a month's work is over."""
    days = world.thresholds.unbilled_days
    end = month_of(month).end
    if model == "fixed_price":
        end = month_of(add_months(month, MILESTONE_MONTHS)).end
    return world.calendar.add(end, days) < world.today


# -- late --------------------------------------------------------------------------------------------------------------


def _late(rows: Months, *, start: date | None, world: World) -> Sighting:
    words = world.words
    limit = world.thresholds.late_days
    owed = _Owed()
    holds = None
    age = 0
    if start is not None:
        owed = _late_bills(rows, start=start, world=world)
        holds = owed.amount > 0
    if owed.since is not None:
        late = world.today - owed.since
        age = late.days
    evidence = (
        words.say(
            "{amount} is not paid ({months}); the oldest bill is late since {day}.",
            amount=words.money(owed.amount),
            months=_listed(owed.months, world),
            day=words.date(owed.since),
        )
        if owed.since
        else ""
    )
    return Sighting(
        holds,
        mark_above(age, limit, 2 * limit, least=3),
        evidence,
        words.count("{n} day after the month", "{n} days after the month", limit),
        stake=owed.amount,
    )


def _late_bills(rows: Months, *, start: date, world: World) -> _Owed:
    """Return what is overdue after payments settled the oldest bills first."""
    recorded = {month: revenues for month, revenues in rows.items() if month >= start}
    paid = ZERO
    for revenues in recorded.values():
        paid += total(revenues, ("payment",))
    owed: list[tuple[date, Decimal]] = []
    for month in sorted(recorded):
        entries = recorded[month]
        amount = claimed(entries) + total(entries, (PASS_THROUGH,))
        settled = min(paid, amount)
        paid -= settled
        if amount > settled and _due(month, world) < world.today:
            owed.append((month, amount - settled))
    if not owed:
        return _Owed()

    months, amounts = zip(*owed, strict=True)
    oldest = _due(months[0], world)
    return _Owed(sum(amounts, ZERO), months, oldest + timedelta(days=1))


def _due(month: date, world: World) -> date:
    return month_of(month).end + timedelta(days=world.thresholds.late_days)


# -- both --------------------------------------------------------------------------------------------------------------


def _months_ago(today: date, count: int) -> date:
    return add_months(today.replace(day=1), -count)


def _listed(months: Iterable[date], world: World) -> str:
    return ", ".join(period_name(month_of(month), world.words) for month in months)
