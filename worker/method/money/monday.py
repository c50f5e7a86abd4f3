"""The arithmetic of the Monday cut: last week's plan, fact, variance and causes, to date, required rate, carry-over.

Everything is counted up to the Sunday before, by week parts, so that a cut looked at on Tuesday is Monday's; a week
that crosses a month is its two parts, and the first cut of a month closes the month before (docs/method.md 2.2, 7).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from worker.domain.entities import Client
from worker.domain.money import round_money, split
from worker.domain.periods import (
    Grain,
    Period,
    WorkCalendar,
    monday_of,
    month_of,
    quarter_of,
    week_of,
)
from worker.domain.values import Ref
from worker.method.formulas.cascade import weeks_of
from worker.method.formulas.flow import ratio
from worker.method.measures import MoneyFact, PlanMeasure

ZERO = Decimal(0)
USUAL_WEEKS = 4

Plans = Mapping[Period, PlanMeasure]
"""The plans of one unit (or of the firm) by period."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """Plan and fact of a stretch of time up to the cut; `required` is what each working day left must bring."""

    period: Period
    plan: Decimal | None
    fact: Decimal | None
    required: Decimal | None = None

    @property
    def variance(self) -> Decimal | None:
        """Return fact - plan."""
        if self.plan is None or self.fact is None:
            return None
        return self.fact - self.plan

    @property
    def pace(self) -> Decimal | None:
        """Return fact / planned to date."""
        if self.fact is None or not self.plan:
            return None
        return ratio(self.fact / self.plan)


class Cause(msgspec.Struct, frozen=True, gc=False):
    """What one client (or all of one model) added to the variance: `fact` less what was to be `expected` of it."""

    client: Ref | None
    model: str
    expected: Decimal
    fact: Decimal

    @property
    def amount(self) -> Decimal:
        """Return the part of the variance; negative where money is missing."""
        return self.fact - self.expected


class Carried(msgspec.Struct, frozen=True, gc=False):
    """One week part ahead that takes a part of the shortfall."""

    period: Period
    target: Decimal
    carry: Decimal


class Cut(msgspec.Struct, frozen=True, gc=False):
    """One Monday's cut of a unit or of the firm. `weeks` are last week's parts, `short` is what finished weeks lack."""

    weeks: tuple[Period, ...]
    week: Line
    month: Line
    quarter: Line
    clients: tuple[Cause, ...]
    models: tuple[Cause, ...]
    short: Decimal
    carried: tuple[Carried, ...]


def cut(
    monday: date,
    plans: Plans,
    money: Iterable[MoneyFact] | None,
    *,
    clients: Mapping[Ref, Client],
    calendar: WorkCalendar,
    minor: Decimal,
) -> Cut:
    """Return the cut of one Monday; `money` is the unit's own (None: not known), `clients` those it may come from."""
    known = None
    if money is not None:
        known = tuple(money)
    weeks = last_week(monday)
    worked = calendar.add(monday, -1)
    line = Line(
        Period(weeks[0].start, weeks[-1].end, Grain.WEEK),
        _planned(plans, weeks),
        _earned(known, weeks),
    )
    causes: tuple[Cause, ...] = ()
    if known is not None:
        plan = line.plan
        causes = find_causes(plan, weeks, known, clients=clients, minor=minor)
    short = ZERO
    whole = plans.get(quarter_of(monday))
    if whole is not None:
        short = whole.carry
    return Cut(
        weeks,
        line,
        _to_date(month_of(worked), monday, plans, money=known, calendar=calendar),
        _to_date(quarter_of(worked), monday, plans, money=known, calendar=calendar),
        causes,
        _by_model(causes),
        short,
        tuple(_carried(plans, monday)),
    )


def last_week(monday: date) -> tuple[Period, ...]:
    """Return the week before as its one or two parts."""
    first = week_of(monday - timedelta(days=7))
    last = week_of(monday - timedelta(days=1))
    if first == last:
        return (first,)
    return first, last


def _planned(plans: Plans, periods: Iterable[Period]) -> Decimal | None:
    """Return the sum of the targets; None when one is missing: a part of a plan is not comparable with all money."""
    whole = ZERO
    for period in periods:
        plan = plans.get(period)
        if plan is None or plan.target is None:
            return None
        whole += plan.target
    return whole


def _earned(
    money: Sequence[MoneyFact] | None, periods: Iterable[Period]
) -> Decimal | None:
    if money is None:
        return None
    wanted = frozenset(periods)
    earned = ZERO
    for fact in money:
        if fact.week in wanted:
            earned += fact.amount
    return earned


def _to_date(
    period: Period,
    monday: date,
    plans: Plans,
    *,
    money: Sequence[MoneyFact] | None,
    calendar: WorkCalendar,
) -> Line:
    past = []
    for week in weeks_of(period):
        if week.end < monday:
            past.append(week)
    fact = _earned(money, past)
    whole = plans.get(period)
    first = max(monday, period.start)
    left = calendar.working_days(first, period.end)
    required = None
    if whole is not None and whole.target is not None and fact is not None and left:
        missing = whole.target - fact
        required = max(ZERO, missing) / left
    return Line(period, _planned(plans, past), fact, required)


def find_causes(
    plan: Decimal | None,
    weeks: Sequence[Period],
    money: Iterable[MoneyFact],
    *,
    clients: Mapping[Ref, Client],
    minor: Decimal,
) -> tuple[Cause, ...]:
    """Return what every client added to the variance, the largest first; together they are the variance exactly.

    What was expected of a client is its part of the plan, in proportion to what it brought in the four weeks before.
    Without a plan that is what it usually brings; a plan when nobody brought anything is expected of nobody by name.
    """
    start = monday_of(weeks[0].start)
    usual: dict[Ref, Decimal] = defaultdict(Decimal)
    facts: dict[Ref, Decimal] = defaultdict(Decimal)
    for fact in money:
        if fact.week in weeks:
            facts[fact.client] += fact.amount
        elif start - timedelta(weeks=USUAL_WEEKS) <= fact.week.start < start:
            usual[fact.client] += max(ZERO, fact.amount)
    names = {}
    for ref, client in clients.items():
        names[ref] = client.name
    order = sorted(
        usual.keys() | facts.keys(), key=lambda ref: (names.get(ref, ""), ref)
    )
    whole = plan
    if whole is None:
        weekly = sum(usual.values(), ZERO) / USUAL_WEEKS
        whole = round_money(weekly, minor)
    causes = []
    weights = [usual[ref] for ref in order]
    expected = [ZERO] * len(order)
    if any(weights):
        expected = split(whole, weights, minor)
    elif whole:
        nobody = Cause(None, "", whole, ZERO)
        causes.append(nobody)
    for ref, part in zip(order, expected, strict=True):
        model = _model(clients.get(ref))
        brought = facts[ref]
        cause = Cause(ref, model, part, brought)
        causes.append(cause)
    deviating = [cause for cause in causes if cause.amount]
    deviating.sort(key=lambda cause: -abs(cause.amount))
    return tuple(deviating)


def _model(client: Client | None) -> str:
    if client is None:
        return ""
    return client.engagement or ""


def _by_model(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for cause in causes:
        expected, fact = sums.get(cause.model, (ZERO, ZERO))
        expected += cause.expected
        fact += cause.fact
        sums[cause.model] = (expected, fact)
    totals = (
        Cause(None, model, expected, fact)
        for model, (expected, fact) in sorted(sums.items())
    )
    causes = list(totals)
    causes.sort(key=lambda cause: -abs(cause.amount))
    return tuple(causes)


def _carried(plans: Plans, monday: date) -> Iterable[Carried]:
    for week in weeks_of(quarter_of(monday)):
        plan = plans.get(week)
        if (
            plan is not None
            and plan.carry
            and plan.target is not None
            and week.end >= monday
        ):
            yield Carried(week, plan.target, plan.carry)
