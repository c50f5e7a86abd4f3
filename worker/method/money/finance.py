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

from worker.domain.entities import FIRM, Card, Client
from worker.domain.money import foot, round_money
from worker.domain.period_titles import period_name
from worker.domain.periods import Grain, Period, month_of, previous_period, quarter_of
from worker.domain.values import Ref
from worker.method.conditions import Look, Sighting, Subject, state_looks
from worker.method.figures import name_row, show_money
from worker.method.formulas.bands import direction_of
from worker.method.formulas.flow import ratio, share
from worker.method.measures import (
    CardMeasure,
    MoneyMeasure,
    MonthMoney,
    PlanMeasure,
    Rag,
)
from worker.method.money.contracts import promised, promised_cards
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)
TENTH = Decimal("0.001")
"""A tenth of a percent: how finely shares of the revenue are told, on boards and on pages."""
TREND_BAND = Decimal("0.1")
FEW = 3
FAR = Decimal("0.5")
"""A pace below which a unit is far behind."""


class _Book(msgspec.Struct, frozen=True, gc=False):
    """Money by client and month, with the firm's sums; `recent` and `before`: three finished months each."""

    amounts: Mapping[Ref, Mapping[date, Decimal]]
    totals: Mapping[date, Decimal]
    recent: tuple[Period, ...]
    before: tuple[Period, ...]

    def of(self, client: Ref, months: tuple[Period, ...]) -> Decimal:
        """Return a client's money in some months."""
        own = self.amounts.get(client, {})
        amount = ZERO
        for month in months:
            amount += own.get(month.start, ZERO)
        return amount

    def whole(self, months: tuple[Period, ...]) -> Decimal:
        """Return the firm's money in some months."""
        amount = ZERO
        for month in months:
            amount += self.totals.get(month.start, ZERO)
        return amount


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
    looks = [*_concentrations(book, world)]
    mix = _mix(book, world)
    looks.append(mix)
    looks += _paces(world, plans)
    conditions, signals = state_looks(looks, words=world.words, by_probability=True)
    return Findings(paces, facts, conditions=conditions, signals=signals)


def _book(world: World, revenue: MoneyMeasure) -> _Book:
    amounts: dict[Ref, dict[date, Decimal]] = {}
    totals: dict[date, Decimal] = defaultdict(Decimal)
    for client, months in revenue.history.items():
        own = amounts[client] = {}
        for month in months:
            own[month.month] = month.amount
            totals[month.month] += month.amount
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


def share_revenue(
    history: Mapping[Ref, Sequence[MonthMoney]], today: date
) -> dict[Ref, Decimal]:
    """Return each client's share of the firm's revenue in the last three finished months, in tenths of a percent.

    Together they are 1 exactly; there are none where the firm brought nothing. This is the one share of a client.
    """
    days = {month.start for month in finished_months(today, FEW)}
    amounts = {
        ref: sum((month.amount for month in history[ref] if month.month in days), ZERO)
        for ref in sorted(history)
    }
    whole = sum(amounts.values(), ZERO)
    if whole <= 0:
        return {}
    # What rounding leaves goes to the smaller of two that would have it alike: no large share is told as larger.
    refs = sorted(amounts, key=lambda ref: (amounts[ref], ref))
    exact = [amounts[ref] / whole for ref in refs]
    shares = foot(exact, TENTH)
    return dict(zip(refs, shares, strict=True))


# -- clients -----------------------------------------------------------------------------------------------------------


def _client_money(
    book: _Book, world: World, measures: Mapping[Ref, CardMeasure], money: MoneyMeasure
) -> tuple[dict[Ref, Decimal | None], tuple[Fact, ...]]:
    quarter = quarter_of(world.today)
    cards = promised_cards(world, measures)
    shares = share_revenue(money.history, world.today)
    revenue: dict[Ref, Decimal] = defaultdict(Decimal)
    for fact in money.weeks:
        if fact.week.start in quarter:
            revenue[fact.client] += fact.amount
    paces: dict[Ref, Decimal | None] = {}
    facts: list[Fact] = []
    for client in world.clients.values():
        own = tuple(cards.get(client.ref, ()))
        seen = _measure(client, own, revenue[client.ref], world=world)
        paces[client.ref] = seen.pace
        facts += _quarter_facts(client, own, seen, world)
        part = shares.get(client.ref)
        facts += _share_facts(client, part, book, world)
    return paces, tuple(facts)


class _Quarter(msgspec.Struct, frozen=True, gc=False):
    """One client's quarter: its plan, what of it was planned to date, what was recognised, and their ratio."""

    plan: Decimal
    planned: Decimal
    revenue: Decimal
    pace: Decimal | None


def _measure(
    client: Client, cards: Sequence[Card], revenue: Decimal, *, world: World
) -> _Quarter:
    """The pace is revenue over what was planned to date; None without a plan or early in the quarter."""
    quarter = quarter_of(world.today)
    yesterday = world.today - timedelta(days=1)
    passed = share(
        world.calendar.working_days(quarter.start, yesterday),
        world.calendar.in_period(quarter),
    )
    plan = promised(client, cards, quarter, world=world)
    planned = promised(client, cards, quarter, world=world, until=yesterday)
    pace = None
    if passed is not None and passed >= world.thresholds.pace_muted_share:
        pace = share(revenue, planned)
    return _Quarter(plan, planned, revenue, pace)


def _quarter_facts(
    client: Client, cards: Sequence[Card], seen: _Quarter, world: World
) -> Iterator[Fact]:
    words = world.words
    say = words.say
    row = name_row(say("client"), client)
    yield Fact(
        client.ref,
        "plan",
        seen.plan or None,
        Why(
            "finance",
            (row, *_promises(client, cards, world)),
            say("fee and dated budgets, by working days of the quarter"),
        ),
    )
    yield Fact(
        client.ref,
        "pace",
        seen.pace,
        Why(
            "finance",
            (
                row,
                show_money(say("revenue of the quarter"), seen.revenue, words),
                show_money(say("planned to date"), seen.planned, words),
            ),
            say("revenue of the quarter / planned to date"),
            _pace_threshold(world),
        ),
    )


def _promises(client: Client, cards: Sequence[Card], world: World) -> Iterator[Input]:
    """Yield what the fee and every dated budget come to in the quarter."""
    words = world.words
    quarter = quarter_of(world.today)
    fee = whole = promised(client, cards, quarter, world=world)
    budgets = []
    for card in cards:
        without = [other for other in cards if other.ref != card.ref]
        part = whole - promised(client, without, quarter, world=world)
        fee -= part
        budgets.append(Input(card.name, words.money(part), card.url))
    yield Input(words.say("fee of the quarter"), words.money(fee))
    yield from budgets


def _share_facts(
    client: Client, part: Decimal | None, book: _Book, world: World
) -> Iterator[Fact]:
    words = world.words
    say = words.say
    own = book.of(client.ref, book.recent)
    before = book.of(client.ref, book.before)
    whole = book.whole(book.recent)
    months = _months(book.recent, world)
    earlier = _months(book.before, world)
    row = name_row(say("client"), client)
    recent = Input(say("revenue, {months}", months=months), words.money(own))
    yield Fact(
        client.ref,
        "revenue_share",
        part,
        Why(
            "finance",
            (
                row,
                recent,
                Input(
                    say("revenue of the firm, {months}", months=months),
                    words.money(whole),
                ),
            ),
            say("client's revenue / firm's revenue, last three finished months"),
            f"< {words.share(world.thresholds.concentration_share)}",
        ),
    )
    yield Fact(
        client.ref,
        "revenue_trend",
        _trend(own, before),
        Why(
            "finance",
            (
                row,
                recent,
                Input(say("revenue, {months}", months=earlier), words.money(before)),
            ),
            say("last three finished months against the three before"),
            f"± {words.share(TREND_BAND)}",
        ),
    )


def _pace_threshold(world: World) -> str:
    band = world.thresholds.pace
    number = world.words.number
    return f"{number(band.green, 2)} / {number(band.amber, 2)}"


def _trend(now: Decimal, before: Decimal) -> str | None:
    if before <= 0:
        return None
    change = now / before - 1
    return direction_of(change, TREND_BAND)


def _months(months: tuple[Period, ...], world: World) -> str:
    first = period_name(months[0], world.words)
    last = period_name(months[-1], world.words)
    return f"{first} – {last}"


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
        holds = None
        if known:
            holds = all(part >= limit for part in shares)
        lowest = min(shares, default=ZERO)
        listed = (
            ", ".join(
                f"{period_name(month, words)} {words.percent(part)}"
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
            f"≥ {words.share(limit)}",
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
    units = ZERO
    newbiz = ZERO
    for client in world.clients.values():
        amount = book.of(client.ref, book.recent)
        if client.is_newbiz:
            newbiz += amount
        elif is_units(client, world):
            units += amount
    whole = book.whole(book.recent)
    part = None
    rest = ZERO
    drift = None
    holds = None
    probability = 3
    if whole:
        part = ratio(units / whole)
        rest = ratio(newbiz / whole)
        drift = abs(part - limits.units_share)
        holds = drift > limits.mix_drift
        if drift > 2 * limits.mix_drift:
            probability = 4
    evidence = words.say(
        "Units brought {units} of the revenue, newbiz {newbiz} ({months}); meant are {target} and "
        "{rest}.",
        units=words.percent(part or ZERO),
        newbiz=words.percent(rest),
        months=_months(book.recent, world),
        target=words.percent(limits.units_share),
        rest=words.percent(1 - limits.units_share),
    )
    seen = Sighting(
        holds,
        probability,
        evidence,
        f"{words.share(limits.units_share)} ± {words.share(limits.mix_drift)}",
        stake=round_money((drift or ZERO) * whole, world.minor_unit),
    )
    return "money.mix", Subject(FIRM, {"client": "", "unit": ""}), seen


def is_units(client: Client, world: World) -> bool:
    """Tell whether a client's money counts as the units': it has a unit and is not newbiz."""
    return client.unit in world.units and not client.is_newbiz


def _paces(world: World, plans: Iterable[PlanMeasure]) -> Iterator[Look]:
    """Look at every unit's quarter: behind its plan when its pace is red."""
    current: dict[Ref, PlanMeasure] = {
        plan.unit: plan
        for plan in plans
        if plan.period.grain is Grain.QUARTER and world.today in plan.period
    }
    amber = world.thresholds.pace.amber
    threshold = world.words.say("pace < {limit}", limit=amber)
    for unit in world.units.values():
        plan = current.get(unit.ref)
        seen = Sighting(None, threshold=threshold)
        if plan is not None:
            seen = _see_pace(plan, threshold)
        names = {"client": "", "unit": unit.name}
        yield "money.pace", Subject(unit.ref, names, unit=unit.ref), seen


def _see_pace(plan: PlanMeasure, threshold: str) -> Sighting:
    planned = plan.planned or ZERO
    fact = plan.fact or ZERO
    holds = None
    if plan.rag is not Rag.GREY:
        holds = plan.rag is Rag.RED
    probability = 4
    if plan.pace is not None and plan.pace < FAR:
        probability = 5
    return Sighting(
        holds,
        probability,
        plan.why,
        threshold,
        stake=max(ZERO, planned - fact),
        horizon=plan.period.end,
    )


def _mark_of_share(share: Decimal, limit: Decimal) -> int:
    """Mark 3 from the limit on, 4 from 1.4 times the limit, 5 from twice the limit."""
    if share >= 2 * limit:
        return 5
    if share >= limit * Decimal("1.4"):
        return 4
    return 3
