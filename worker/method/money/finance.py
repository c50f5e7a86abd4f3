"""What the money says about clients, units and the firm: plan and pace, share, concentration, mix (docs/method.md 2.3; docs/facts/definitions.md 5).

Shares look at the last three finished months, so that a month half over frightens nobody; a client is too large when it
brought a quarter of the revenue or more in each of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import FIRM, RUNNING, Card, Client, Stage
from worker.domain.money import round_money
from worker.domain.period_titles import period_title
from worker.domain.periods import Grain, Period, month_of, previous_period, quarter_of
from worker.domain.values import Ref, Value
from worker.method.conditions import Look, Sighting, Subject, state_looks
from worker.method.formulas.bands import direction_of
from worker.method.formulas.cascade import parts_of
from worker.method.formulas.flow import ratio, share
from worker.method.formulas.phasing import fee_until
from worker.method.formulas.rays import due_of
from worker.method.measures import CardMeasure, MoneyMeasure, PlanMeasure, Rag
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)
TREND_BAND = Decimal("0.1")
PLANNED = (Stage.AGREED, *RUNNING, Stage.DONE)
FEW = 3


class _Book(msgspec.Struct, frozen=True, gc=False):
    """Money by client and month, with the firm's sums; `recent` and `before`: three finished months each."""

    amounts: Mapping[Ref, Mapping[date, Decimal]]
    totals: Mapping[date, Decimal]
    recent: tuple[Period, ...]
    before: tuple[Period, ...]

    def of(self, client: Ref, months: tuple[Period, ...]) -> Decimal:
        """Return a client's money in some months."""
        own = self.amounts.get(client, {})
        return sum((own.get(month.start, ZERO) for month in months), ZERO)

    def whole(self, months: tuple[Period, ...]) -> Decimal:
        """Return the firm's money in some months."""
        return sum((self.totals.get(month.start, ZERO) for month in months), ZERO)


def measure_client_money(
    world: World,
    cards: Mapping[Ref, CardMeasure],
    revenue: MoneyMeasure | None,
    plans: Sequence[PlanMeasure],
) -> Findings[Mapping[Ref, Decimal | None] | None]:
    """Return the pace of every client, the money facts of clients, the conditions of clients, units and firm, and what
    calls for a task."""
    if revenue is None:
        return Findings(None)
    book = _book(world, revenue)
    paces, facts = _client_money(book, world, cards, revenue)
    looks = (*_concentrations(book, world), _mix(book, world), *_paces(world, plans))
    conditions, signals = state_looks(looks, words=world.words, by_probability=True)
    return Findings(paces, facts, conditions=conditions, signals=signals)


def _book(world: World, revenue: MoneyMeasure) -> _Book:
    amounts = {
        client: {month.month: month.amount for month in months}
        for client, months in revenue.history.items()
    }
    totals: dict[date, Decimal] = defaultdict(Decimal)
    for months in amounts.values():
        for month, amount in months.items():
            totals[month] += amount
    last = finished_months(world.today, 2 * FEW)
    return _Book(amounts, totals, last[FEW:], last[:FEW])


def finished_months(today: date, count: int) -> tuple[Period, ...]:
    """Return the last `count` months that are over, oldest first."""
    months: list[Period] = []
    month = month_of(today)
    for _ in range(count):
        month = previous_period(month)
        months.append(month)
    return tuple(reversed(months))


# -- clients -----------------------------------------------------------------------------------------------------------


def _client_money(
    book: _Book, world: World, measures: Mapping[Ref, CardMeasure], money: MoneyMeasure
) -> tuple[dict[Ref, Decimal | None], tuple[Fact, ...]]:
    quarter = quarter_of(world.today)
    cards: dict[Ref, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        if card.client is not None:
            cards[card.client].append(
                replace(card, due=due_of(card, measures.get(card.ref)))
            )
    revenue: dict[Ref, Decimal] = defaultdict(Decimal)
    for fact in money.weeks:
        if fact.week.start in quarter:
            revenue[fact.client] += fact.amount
    paces: dict[Ref, Decimal | None] = {}
    facts: list[Fact] = []
    for client in world.clients.values():
        plan = _planned(client, cards[client.ref], quarter, world=world)
        paces[client.ref] = pace = _pace(
            client, cards[client.ref], revenue[client.ref], world=world
        )
        facts += _facts(
            client, book, world, plan=plan, pace=pace, revenue=revenue[client.ref]
        )
    return paces, tuple(facts)


def _planned(
    client: Client,
    cards: list[Card],
    period: Period,
    *,
    world: World,
    until: date | None = None,
) -> Decimal:
    """Return what contract and dated budgets promise in a period, as far as `until`, by working days."""
    last = min(period.end, until or period.end)
    fees = (
        (
            fee_until(
                client, month, last, calendar=world.calendar, minor=world.minor_unit
            )
            for month in parts_of(period)
        )
        if client.monthly_fee
        else ()
    )
    budgets = (_budget(card, client, period.start, last, world=world) for card in cards)
    return round_money(sum(fees, ZERO) + sum(budgets, ZERO), world.minor_unit)


def _budget(
    card: Card, client: Client, first: date, last: date, *, world: World
) -> Decimal:
    """Return the part of a card's budget that lies from `first` to `last`; a retainer's cards are in its fee."""
    model = card.engagement or client.engagement
    if (
        model in (None, "retainer")
        or card.stage not in PLANNED
        or not (card.budget and card.start and card.due)
    ):
        return ZERO
    whole = world.calendar.working_days(card.start, card.due)
    return (
        card.budget
        * world.calendar.working_days(max(first, card.start), min(last, card.due))
        / whole
        if whole
        else ZERO
    )


def _pace(
    client: Client, cards: list[Card], revenue: Decimal, *, world: World
) -> Decimal | None:
    """Revenue of the quarter over what was planned to date; None without a plan or early in the quarter."""
    quarter = quarter_of(world.today)
    yesterday = world.today - timedelta(days=1)
    passed = share(
        world.calendar.working_days(quarter.start, yesterday),
        world.calendar.in_period(quarter),
    )
    if passed is None or passed < world.thresholds.pace_muted_share:
        return None
    return share(
        revenue, _planned(client, cards, quarter, world=world, until=yesterday)
    )


def _facts(
    client: Client,
    book: _Book,
    world: World,
    *,
    plan: Decimal,
    pace: Decimal | None,
    revenue: Decimal,
) -> Iterator[Fact]:
    say = world.words.say
    words = world.words
    own = book.of(client.ref, book.recent)
    whole = book.whole(book.recent)
    months = _months(book.recent, world)
    inputs = (
        Input(say("client"), client.name, client.url),
        Input(say("revenue of the quarter"), words.money(revenue)),
        Input(say("revenue, {months}", months=months), words.money(own)),
        Input(say("revenue of the firm, {months}", months=months), words.money(whole)),
    )
    values: dict[str, tuple[Value, str, str]] = {
        "plan": (
            plan or None,
            say("fee and dated budgets, by working days of the quarter"),
            "",
        ),
        "pace": (
            pace,
            say("revenue of the quarter / planned to date"),
            _pace_threshold(world),
        ),
        "revenue_share": (
            share(own, whole),
            say("client's revenue / firm's revenue, last three finished months"),
            f"< {world.thresholds.concentration_share}",
        ),
        "revenue_trend": (
            _trend(own, book.of(client.ref, book.before)),
            say("last three finished months against the three before"),
            f"+-{TREND_BAND}",
        ),
    }
    for name, (value, formula, threshold) in values.items():
        yield Fact(client.ref, name, value, Why("finance", inputs, formula, threshold))


def _pace_threshold(world: World) -> str:
    return f"{world.thresholds.pace.green} / {world.thresholds.pace.amber}"


def _trend(now: Decimal, before: Decimal) -> str | None:
    if before <= 0:
        return None
    change = now / before - 1
    return direction_of(change, TREND_BAND)


def _months(months: tuple[Period, ...], world: World) -> str:
    return f"{period_title(months[0], world.words)} – {period_title(months[-1], world.words)}"


# -- conditions --------------------------------------------------------------------------------------------------------


def _concentrations(book: _Book, world: World) -> Iterator[Look]:
    words = world.words
    limit = world.thresholds.concentration_share
    known = all(book.totals.get(month.start) for month in book.recent)
    for client in world.clients.values():
        own = book.amounts.get(client.ref, {})
        shares = (
            [
                own.get(month.start, ZERO) / book.totals[month.start]
                for month in book.recent
            ]
            if known
            else []
        )
        holds = all(part >= limit for part in shares) if known else None
        lowest = min(shares, default=ZERO)
        listed = (
            ", ".join(
                f"{period_title(month, words)} {words.percent(part)}"
                for month, part in zip(book.recent, shares, strict=True)
            )
            if holds
            else ""
        )
        inputs = (
            (
                words.say(
                    "revenue of the firm, {months}", months=_months(book.recent, world)
                ),
                words.money(book.whole(book.recent)),
                "",
            ),
        )
        seen = Sighting(
            holds,
            _mark_of_share(lowest, limit),
            words.say("Share of the firm's revenue: {shares}.", shares=listed),
            f">= {limit}",
            stake=round_money(book.of(client.ref, book.recent), world.minor_unit),
            horizon=client.contract_end,
            inputs=inputs,
        )
        names = {"client": client.name, "unit": ""}
        yield "money.concentration", Subject(client.ref, names, client.ref), seen


def _mix(book: _Book, world: World) -> Look:
    """Look at the firm's mix: units bring about 80 % of the revenue, newbiz 20 % (docs/method.md 2.3)."""
    words = world.words
    limits = world.thresholds
    units = sum(
        (
            book.of(client.ref, book.recent)
            for client in world.clients.values()
            if is_units(client, world)
        ),
        ZERO,
    )
    whole = book.whole(book.recent)
    part = ratio(units / whole) if whole else None
    drift = abs(part - limits.units_share) if part is not None else None
    evidence = words.say(
        "Units brought {units} of the revenue, newbiz {newbiz} ({months}); meant are {target} and "
        "{rest}.",
        units=words.percent(part or ZERO),
        newbiz=words.percent(1 - (part or ZERO)),
        months=_months(book.recent, world),
        target=words.percent(limits.units_share),
        rest=words.percent(1 - limits.units_share),
    )
    seen = Sighting(
        None if drift is None else drift > limits.mix_drift,
        4 if drift is not None and drift > 2 * limits.mix_drift else 3,
        evidence,
        f"{limits.units_share} +- {limits.mix_drift}",
        stake=round_money((drift or ZERO) * whole, world.minor_unit),
    )
    return "money.mix", Subject(FIRM, {"client": "", "unit": ""}), seen


def is_units(client: Client, world: World) -> bool:
    """Tell whether a client's money counts as the units': it has a unit and is not newbiz."""
    return client.unit in world.units and client.group != "newbiz"


def _paces(world: World, plans: Iterable[PlanMeasure]) -> Iterator[Look]:
    """Look at every unit's quarter: behind its plan when its pace is red."""
    current: dict[Ref, PlanMeasure] = {
        plan.unit: plan
        for plan in plans
        if plan.period.grain is Grain.QUARTER and world.today in plan.period
    }
    for unit in world.units.values():
        plan = current.get(unit.ref)
        known = plan is not None and plan.rag is not Rag.GREY
        short = (
            max(ZERO, (plan.planned or ZERO) - (plan.fact or ZERO)) if plan else ZERO
        )
        is_far = plan and plan.pace is not None and plan.pace < Decimal("0.5")
        seen = Sighting(
            plan.rag is Rag.RED if plan and known else None,
            5 if is_far else 4,
            plan.why if plan else "",
            f"pace < {world.thresholds.pace.amber}",
            stake=short,
            horizon=plan.period.end if plan else None,
        )
        names = {"client": "", "unit": unit.name}
        yield "money.pace", Subject(unit.ref, names, unit=unit.ref), seen


def _mark_of_share(share: Decimal, limit: Decimal) -> int:
    """Mark 3 from the limit on, 4 from 1.4 times the limit, 5 from twice the limit."""
    return 3 + int(share >= limit * Decimal("1.4")) + int(share >= 2 * limit)
