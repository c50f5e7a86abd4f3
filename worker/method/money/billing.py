"""Work that nobody billed and bills that nobody paid (docs/method.md 2.4), looked at client by client.

A month's work is billed by an act or an invoice of that month; fixed-price work is billed by milestones, so that any
later one covers it too. Payments settle the oldest bill first, whatever month they name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from worker.domain.entities import Revenue
from worker.domain.period_titles import period_title
from worker.domain.periods import month_of
from worker.domain.values import Ref
from worker.method.conditions import Look, Sighting, Subject, state_looks
from worker.method.formulas.bands import mark_above
from worker.method.formulas.rays import add_months
from worker.method.measures import MoneyMeasure, MonthMoney
from worker.method.money.income import BILLED, amount_of, book, total
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
    billing = _first_month(world.revenue, BILLED)
    paying = _first_month(world.revenue, ("payment",))
    looks: list[Look] = []
    for ref, client in world.clients.items():
        subject = Subject(ref, {"client": client.name}, client=ref)
        history = revenue.history.get(ref, ())
        unbilled = _unbilled(history, rows[ref], start=billing, world=world)
        late = _late(rows[ref], start=paying, world=world)
        looks.append(("money.unbilled", subject, unbilled))
        looks.append(("money.late_payment", subject, late))

    conditions, signals = state_looks(looks, words=world.words, by_probability=True)
    return Findings(None, conditions=conditions, signals=signals)


def _first_month(revenue: Iterable[Revenue], kinds: tuple[str, ...]) -> date | None:
    """Return the month in which the firm began to record a kind of money; what was before cannot be judged."""
    return min(
        (row.month.replace(day=1) for row in revenue if row.kind in kinds), default=None
    )


# -- unbilled ----------------------------------------------------------------------------------------------------------


def _unbilled(
    history: Iterable[MonthMoney], rows: Months, *, start: date | None, world: World
) -> Sighting:
    words = world.words
    owed = _unbilled_work(history, rows, start=start, world=world) if start else _Owed()
    evidence = (
        words.say(
            "{amount} of finished work is not billed: {months}.",
            amount=words.money(owed.amount),
            months=_listed(owed.months, world),
        )
        if owed.months
        else ""
    )
    return Sighting(
        None if start is None else owed.amount > 0,
        4 if len(owed.months) > 1 else 3,
        evidence,
        words.count(
            "{n} working day after the month",
            "{n} working days after the month",
            world.thresholds.unbilled_days,
        ),
        stake=owed.amount,
    )


def _unbilled_work(
    history: Iterable[MonthMoney], rows: Months, *, start: date, world: World
) -> _Owed:
    first = max(start, _months_ago(world.today, world.thresholds.unbilled_months))
    unbilled = [
        money
        for money in history
        if money.month >= first
        and money.amount > 0
        and _is_ripe(money, world)
        and not _is_billed(money, rows)
    ]
    return _Owed(
        sum((money.amount for money in unbilled), ZERO),
        tuple(money.month for money in unbilled),
    )


def _is_ripe(money: MonthMoney, world: World) -> bool:
    """Tell whether the time to bill a month is over."""
    days = world.thresholds.unbilled_days
    end = month_of(money.month).end
    if money.basis == "fixed_price":
        end = month_of(add_months(money.month, MILESTONE_MONTHS)).end
    return world.calendar.add(end, days) < world.today


def _is_billed(money: MonthMoney, rows: Months) -> bool:
    if money.basis == "fixed_price":
        return any(
            total(found, BILLED) > 0
            for month, found in rows.items()
            if month >= money.month
        )
    return any(row.kind in BILLED for row in rows.get(money.month, ()))


# -- late --------------------------------------------------------------------------------------------------------------


def _late(rows: Months, *, start: date | None, world: World) -> Sighting:
    words = world.words
    limit = world.thresholds.late_days
    owed = _late_bills(rows, start=start, world=world) if start else _Owed()
    age = (world.today - owed.since).days if owed.since else 0
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
        None if start is None else owed.amount > 0,
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
        bills = [row for row in recorded[month] if row.kind in BILLED]
        amount = amount_of(bills)[0] if bills else ZERO
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
    return ", ".join(period_title(month_of(month), world.words) for month in months)
