"""The money fact of every client, by week part (method 4).

For a month with `revenue` rows, the rows: acts if there are any, else invoices, else payments, since one job may show
as all three; the month's sum lies on its week parts by working days. Else accrual: T&M is hours x rate on the day of
work, a retainer the monthly fee by working days passed (yesterday included), fixed price the budget x the share of
work finished.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from worker.domain.cascade import parts_of
from worker.domain.flow import HOUR, finished_on, weigh
from worker.domain.measures import Measures, MoneyFact
from worker.domain.model import Card, Client, Revenue
from worker.domain.money import round_money, split
from worker.domain.periods import Period, previous_period, quarter_of, week_of
from worker.domain.values import Ref
from worker.domain.world import World
from worker.errors import Problem
from worker.mapping.playbooks import Playbooks
from worker.sync.facts import Outcome

KINDS = ("act", "invoice", "payment")

Amounts = dict[date, Decimal]


@lru_cache(maxsize=1024)
def _week_start(day: date) -> date:
    return week_of(day).start


def measure_money(world: World, _playbooks: Playbooks, measures: Measures) -> Outcome:
    """Return the money of every client in this and the last quarter; it states no facts itself."""
    quarter = quarter_of(world.today)
    months = (*parts_of(previous_period(quarter)), *parts_of(quarter))
    rows = _rows_by_month(world)
    cards = _cards_by_client(world)
    problems: list[Problem] = []
    found = [fact for client in world.clients.values()
             for fact in _client_money(client, months, world, rows=rows, cards=cards[client.ref], problems=problems)]
    return Outcome((), replace(measures, money=tuple(found)), world.memory, tuple(dict.fromkeys(problems)))


def _rows_by_month(world: World) -> dict[tuple[Ref, date], list[Revenue]]:
    rows: dict[tuple[Ref, date], list[Revenue]] = defaultdict(list)
    for row in world.revenue:
        card = world.cards.get(row.project) if row.project else None
        client = row.client or (card.client if card else None)
        if client is not None:
            rows[client, row.month.replace(day=1)].append(row)
    return rows


def _cards_by_client(world: World) -> dict[Ref, list[Card]]:
    cards: dict[Ref, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        if card.client is not None:
            cards[card.client].append(card)
    return cards


def _client_money(client: Client, months: Iterable[Period], world: World, *,
                  rows: dict[tuple[Ref, date], list[Revenue]], cards: list[Card],
                  problems: list[Problem]) -> Iterator[MoneyFact]:
    accrued = _accrued(client, cards, months, world=world, problems=problems)
    for month in months:
        booked = rows.get((client.ref, month.start), [])
        if booked:
            kind = next((kind for kind in KINDS if any(row.kind == kind for row in booked)), booked[0].kind)
            amount = round_money(sum((row.amount for row in booked if row.kind == kind), Decimal(0)))
            yield from _spread(client, month, amount, world=world, basis=kind)
            continue
        for basis, amounts in accrued.items():
            for week in parts_of(month):
                if amounts.get(week.start):
                    yield MoneyFact(client.ref, client.unit, week, round_money(amounts[week.start]), basis)


def _spread(client: Client, month: Period, amount: Decimal, *, world: World, basis: str) -> Iterator[MoneyFact]:
    weeks = parts_of(month)
    weights = [world.calendar.in_period(week) for week in weeks]
    parts = split(amount, weights if any(weights) else [1] * len(weeks))
    for week, part in zip(weeks, parts, strict=True):
        yield MoneyFact(client.ref, client.unit, week, part, basis)


def _accrued(client: Client, cards: list[Card], months: Iterable[Period], *, world: World,
             problems: list[Problem]) -> dict[str, Amounts]:
    """Money earned by model, by the first day of the week part."""
    found: dict[str, Amounts] = {"tm": defaultdict(Decimal), "retainer": {}, "fixed_price": defaultdict(Decimal)}
    if client.engagement == "retainer" and client.monthly_fee:
        for month in months:
            found["retainer"] |= _retainer(client, month, world)
    for card in cards:
        match card.engagement or client.engagement:
            case "tm":
                _add_hours(card, client, world, amounts=found["tm"], problems=problems)
            case "fixed_price":
                _add_progress(card, world, amounts=found["fixed_price"])
    return found


def _retainer(client: Client, month: Period, world: World) -> Amounts:
    fee = client.monthly_fee or Decimal(0)
    first = max(month.start, client.since or month.start)
    last = min(month.end, world.today - timedelta(days=1), client.contract_end or month.end)
    whole = world.calendar.in_period(month)
    return {week.start: fee * world.calendar.working_days(max(week.start, first), min(week.end, last)) / whole
            for week in parts_of(month)} if whole else {}


def _add_hours(card: Card, client: Client, world: World, *, amounts: Amounts, problems: list[Problem]) -> None:
    work = world.work.get(card.ref)
    rates = {person.jira: person.rate for person in world.people.values() if person.jira}
    start = previous_period(quarter_of(world.today)).start
    seconds: Counter[tuple[str, date]] = Counter()
    for log in work.worklogs if work else ():
        seconds[log.author, log.started.date()] += log.seconds
    for (author, day), spent in seconds.items():
        rate = rates.get(author) or world.thresholds.default_rate
        if day >= start and rate is not None:
            amounts[_week_start(day)] += rate * spent / HOUR
        elif day >= start:
            problems.append(Problem("no-rate", client.name, "rate", f"hours of {author} have no rate and are left "
                                    "out of the accrued revenue", "fill the rate of this person", client.url))


def _add_progress(card: Card, world: World, *, amounts: Amounts) -> None:
    work = world.work.get(card.ref)
    if work is None or not card.budget or not work.issues:
        return
    weights = weigh(work.issues, world.thresholds.estimate_share).values
    total = sum(weights, Decimal(0))
    start = previous_period(quarter_of(world.today)).start
    for issue, weight in zip(work.issues, weights, strict=True):
        day = finished_on(issue)
        if day is not None and day >= start and total:
            amounts[_week_start(day)] += card.budget * weight / total
