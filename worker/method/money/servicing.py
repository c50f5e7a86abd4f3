"""Work given away: what hours are worth against what they bring (docs/method.md 2.7).

A retainer whose hours are worth more than its fee by a fifth serves too much, and its client should hear of it while
the month lasts: as soon as the hours of the running month are worth more than its whole fee. So does a card whose hours
are worth more by a fifth than its budget pays for the work done; it is judged once most of the budget is spent, since
work under way is not done yet. Hours without a rate are told by the rule of revenue and count nowhere here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, Client
from worker.domain.money import round_money
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, month_of, previous_period
from worker.domain.values import Ref
from worker.method.conditions import (
    NO,
    UNKNOWN,
    Look,
    Sighting,
    Subject,
    state_condition,
    state_looks,
    state_signals,
)
from worker.method.formulas.budgets import is_nearly_spent
from worker.method.formulas.flow import ratio
from worker.method.formulas.phasing import fee_until
from worker.method.measures import (
    CardMeasure,
    Condition,
    HoursMeasure,
    MoneyMeasure,
    Signal,
)
from worker.method.money.closing import sum_up
from worker.method.money.hours import BY_THE_MONTH, Months, Worked, add_up, model_on
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)
SIGNAL = "money.over_servicing"

Realisations = Mapping[Ref, Decimal]


def measure_servicing(
    world: World,
    revenue: MoneyMeasure | None,
    cards: Mapping[Ref, CardMeasure],
    hours: HoursMeasure | None,
) -> Findings[Realisations | None]:
    """Return the realisation of every client's last finished month, and what retainers and cards give away."""
    if revenue is None or hours is None:
        return Findings(None)
    last = previous_period(month_of(world.today))
    recent = [one for one in hours.spent if one.day >= last.start]
    every = add_up(recent, world)
    retained = [one for one in recent if one.model == "retainer"]
    in_fee = add_up(retained, world)
    realisations: dict[Ref, Decimal] = {}
    facts: list[Fact] = []
    looks: list[Look] = []
    for client in world.clients.values():
        brought = recognised_in(revenue, client.ref, world)[last.start]
        worked = every[client.ref][last.start]
        share = realisation_of(brought, worked)
        if share is not None:
            realisations[client.ref] = share
        facts.append(_fact(client, share, brought, worked=worked, world=world))
        looks.append(_look(client, in_fee[client.ref], last, world))

    conditions, signals = state_looks(looks, words=world.words)
    of_cards, answers = _look_at_cards(world, cards)
    return Findings(
        realisations,
        tuple(facts),
        conditions=conditions + of_cards,
        signals=signals + answers,
    )


def recognised_in(
    revenue: MoneyMeasure, client: Ref, world: World
) -> Mapping[date, Decimal]:
    """Return what a client's work was recognised for, by first day of the month, on whatever basis revenue counts."""
    months: dict[date, Decimal] = defaultdict(Decimal)
    if world.thresholds.revenue_basis == "recognised":
        for month in revenue.history.get(client, ()):
            months[month.month] += month.amount
        return months
    for growths in revenue.obligations.get(client, ()):
        for growth in growths:
            months[growth.day.replace(day=1)] += growth.amount
    ledger = revenue.closed.get(client)
    for closed in ledger.months if ledger else ():
        months[closed.month] = sum_up(closed.parts).recognised
    return months


def realisation_of(brought: Decimal, worked: Worked) -> Decimal | None:
    """Return what hours brought of what they are worth; None without hours, or when some of them have no rate."""
    if not worked.worth or worked.unpriced:
        return None
    return ratio(brought / worked.worth)


def _fact(
    client: Client,
    share: Decimal | None,
    brought: Decimal,
    *,
    worked: Worked,
    world: World,
) -> Fact:
    words = world.words
    inputs = [
        Input(words.say("client"), client.name, client.url),
        Input(words.say("recognised in the last finished month"), words.money(brought)),
        Input(words.say("billable hours"), words.number(worked.hours, 1)),
        Input(words.say("worth at standard rates"), words.money(worked.worth)),
    ]
    if worked.unpriced:
        hours = words.number(worked.unpriced, 1)
        inputs.append(Input(words.say("hours without a rate"), hours))
    formula = words.say("recognised / (billable hours × rates), last finished month")
    why = Why("servicing", tuple(inputs), formula)
    return Fact(client.ref, "realisation", share, why)


# -- retainers ---------------------------------------------------------------------------------------------------------


def _look(client: Client, in_fee: Months, last: Period, world: World) -> Look:
    names = {"name": client.name, "client": client.name}
    subject = Subject(client.ref, names, client=client.ref)
    return SIGNAL, subject, _sighting(client, in_fee, last, world)


def _sighting(client: Client, in_fee: Months, last: Period, world: World) -> Sighting:
    words = world.words
    limit = world.thresholds.over_servicing
    models = client.models.values() if client.models else (client.engagement,)
    if "retainer" not in models:
        return NO
    overrun = max(_overruns(client, in_fee, last, world), default=None)
    evidence = ""
    if overrun is not None:
        given, start = overrun
        month = month_of(start)
        worked = in_fee[start]
        evidence = words.say(
            "{month}: {hours} h worth {worth} for a fee of {fee}: {given} given away.",
            month=period_title(month, words),
            hours=words.number(worked.hours, 0),
            worth=words.money(worked.worth),
            fee=words.money(_fee(client, month, world)),
            given=words.money(given),
        )
    return Sighting(
        overrun is not None,
        4,
        evidence,
        f"> {world.words.number(1 + limit, 2)}",
        stake=overrun[0] if overrun else ZERO,
    )


def _overruns(
    client: Client, in_fee: Months, last: Period, world: World
) -> Iterator[tuple[Decimal, date]]:
    """Yield what the last and the running month gave away beyond the limit, with the month's first day."""
    for month in (last, month_of(world.today)):
        worked = in_fee.get(month.start)
        fee = _fee(client, month, world)
        if worked is None or not fee:
            continue
        if worked.worth > fee * (1 + world.thresholds.over_servicing):
            given_away = worked.worth - fee
            yield round_money(given_away, world.minor_unit), month.start


def _fee(client: Client, month: Period, world: World) -> Decimal:
    return fee_until(
        client, month, month.end, calendar=world.calendar, minor=world.minor_unit
    )


# -- cards -------------------------------------------------------------------------------------------------------------


def _look_at_cards(
    world: World, cards: Mapping[Ref, CardMeasure]
) -> tuple[tuple[Condition, ...], tuple[Signal, ...]]:
    """Return what cards give away. A card whose budget is nearly spent has a task already, which tells the same."""
    conditions: list[Condition] = []
    signals: list[Signal] = []
    words = world.words
    for card in world.cards.values():
        client = world.client(card.client)
        if client is None:
            continue
        measure = cards.get(card.ref)
        seen = _see_card(card, client, measure, world)
        names = {"name": card.name, "client": client.name}
        subject = Subject(card.ref, names, client=client.ref, card=card.ref)
        condition = state_condition(SIGNAL, subject, seen, words=words)
        conditions.append(condition)
        is_told = is_nearly_spent(card, measure, world.thresholds.budget_warning)
        for signal in state_signals(SIGNAL, subject, seen, words=words):
            answer = replace(signal, may_open=not is_told)
            signals.append(answer)
    return tuple(conditions), tuple(signals)


def _see_card(
    card: Card, client: Client, measure: CardMeasure | None, world: World
) -> Sighting:
    if card.stage not in RUNNING or not card.budget or not card.billable:
        return NO
    if model_on(card, client, world.today) in BY_THE_MONTH:
        return NO
    if measure is None or not measure.known:
        return UNKNOWN
    if measure.worth is None or not measure.work_total:
        return UNKNOWN if measure.hours else NO
    is_over = not measure.open
    nearly = is_nearly_spent(card, measure, world.thresholds.budget_warning)
    if not is_over and not nearly:
        return NO

    limit = world.thresholds.over_servicing
    earned = card.budget * measure.work_done / measure.work_total
    given = round_money(measure.worth - earned, world.minor_unit)
    return Sighting(
        measure.worth > earned * (1 + limit),
        4,
        _describe(card, measure, given, world),
        f"> {world.words.number(1 + limit, 2)}",
        stake=max(ZERO, given),
    )


def _describe(card: Card, measure: CardMeasure, given: Decimal, world: World) -> str:
    words = world.words
    return words.say(
        "{hours} h worth {worth} for {progress} of a budget of {budget}: "
        "{given} given away.",
        hours=words.number(measure.hours or ZERO, 0),
        worth=words.money(measure.worth or ZERO),
        progress=words.percent(measure.progress or ZERO),
        budget=words.money(card.budget or ZERO),
        given=words.money(given),
    )
