"""The money fact of every client, by week part and over its whole life by month (docs/method.md 2.1).

For a month with `revenue` rows, the rows: acts if there are any, else invoices, since one job may show as both, and
payments where a client is never billed; the month's sum lies on its week parts by working days. Else accrual: T&M is
hours x rate on the day of work, a retainer the monthly fee by working days passed (yesterday included), fixed price the
budget x the share of work finished. Rows in another currency than the workspace's are listed and left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from worker.domain.entities import Card, Client
from worker.domain.messages import literal, tell
from worker.domain.money import round_money, split
from worker.domain.periods import (
    Period,
    month_of,
    next_period,
    previous_period,
    quarter_of,
    week_of,
)
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.method.formulas.cascade import parts_of
from worker.method.formulas.flow import HOUR, finished_on, weigh
from worker.method.measures import MoneyFact, MoneyMeasure, MonthMoney
from worker.method.money.income import (
    Booked,
    amount_of,
    book,
    currency_problems,
    recognise,
)
from worker.method.run import Findings
from worker.world.world import World

Amounts = dict[date, Decimal]
NOTHING = Decimal(0)
LONGEST = 50
"""Years a client can have been with the agency; an earlier day is a slip of the pen."""


@lru_cache(maxsize=1024)
def _week_start(day: date) -> date:
    return week_of(day).start


@lru_cache(maxsize=1024)
def _months(first: date, last: date) -> tuple[Period, ...]:
    """Return the months from the one that begins on `first`, but at most so many years ago, to the one of `last`."""
    months = []
    month = month_of(max(first, last.replace(year=last.year - LONGEST, day=1)))
    while month.start <= last:
        months.append(month)
        month = next_period(month)
    return tuple(months)


def measure_revenue(world: World) -> Findings[MoneyMeasure | None]:
    """Return the money of every client by week part in this and the last quarter, and by month over its life."""
    quarter = quarter_of(world.today)
    months = (*parts_of(previous_period(quarter)), *parts_of(quarter))
    booked = recognise(book(world))
    cards = _cards_by_client(world)
    rates = {
        person.jira: person.rate for person in world.people.values() if person.jira
    }
    weights = {
        month: [world.calendar.in_period(week) for week in parts_of(month)]
        for month in months
    }
    problems: list[Problem] = [*currency_problems(world)]
    weeks: list[MoneyFact] = []
    history: dict[Ref, tuple[MonthMoney, ...]] = {}
    firsts = _first_months(booked)
    for client in world.clients.values():
        accrued = _accrued(
            client,
            cards[client.ref],
            months,
            world=world,
            rates=rates,
            problems=problems,
        )
        weeks += _client_money(client, weights, booked=booked, accrued=accrued)
        history[client.ref] = tuple(
            _history(
                client,
                world,
                booked=booked,
                accrued=accrued,
                first=firsts.get(client.ref),
            )
        )
    return Findings(
        MoneyMeasure(tuple(weeks), history), problems=tuple(dict.fromkeys(problems))
    )


def _first_months(booked: Booked) -> dict[Ref, date]:
    firsts: dict[Ref, date] = {}
    for client, month in booked:
        firsts[client] = min(month, firsts.get(client, month))
    return firsts


def _cards_by_client(world: World) -> dict[Ref, list[Card]]:
    cards: dict[Ref, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        if card.client is not None:
            cards[card.client].append(card)
    return cards


def _client_money(
    client: Client,
    weights: Mapping[Period, list[int]],
    *,
    booked: Booked,
    accrued: dict[str, Amounts],
) -> Iterator[MoneyFact]:
    """Yield the money of the months whose weeks' working days are the `weights`."""
    for month, days in weights.items():
        rows = booked.get((client.ref, month.start))
        if rows:
            amount, kind = amount_of(rows)
            yield from _spread(client, month, amount, days=days, basis=kind)
            continue
        for basis, amounts in accrued.items():
            for week in parts_of(month):
                if amounts.get(week.start):
                    yield MoneyFact(
                        client.ref,
                        client.unit,
                        week,
                        round_money(amounts[week.start]),
                        basis,
                    )


def _history(
    client: Client,
    world: World,
    *,
    booked: Booked,
    accrued: dict[str, Amounts],
    first: date | None,
) -> Iterator[MonthMoney]:
    """Yield the client's months from its first money, or from the day it came, to the current one."""
    sums: dict[date, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for basis, amounts in accrued.items():
        for day, amount in amounts.items():
            if amount:
                sums[day.replace(day=1)][basis] += round_money(amount)
    starts = [
        day for day in (first, client.since, min(sums, default=None)) if day is not None
    ]
    if not starts:
        return
    recent = previous_period(quarter_of(world.today)).start
    for month in _months(min(starts).replace(day=1), world.today):
        if rows := booked.get((client.ref, month.start)):
            yield MonthMoney(month.start, *amount_of(rows))
            continue
        fee = (
            _old_fee(client, month, world)
            if month.start < recent and client.engagement == "retainer"
            else NOTHING
        )
        if fee:
            sums[month.start]["retainer"] += fee
        yield MonthMoney(
            month.start,
            *(
                _largest(sums[month.start])
                if month.start in sums
                else (NOTHING, "none")
            ),
        )


def _old_fee(client: Client, month: Period, world: World) -> Decimal:
    """Return what a retainer earned in a month before those that are told by week."""
    if not client.monthly_fee or client.since is None:
        return NOTHING
    first = max(month.start, client.since)
    last = min(month.end, client.contract_end or month.end)
    if (first, last) == (month.start, month.end):
        return client.monthly_fee
    whole = world.calendar.in_period(month)
    return (
        round_money(
            client.monthly_fee * world.calendar.working_days(first, last) / whole
        )
        if whole
        else Decimal(0)
    )


def _largest(sums: dict[str, Decimal]) -> tuple[Decimal, str]:
    amount = sum(sums.values(), Decimal(0))
    return amount, max(sums, key=lambda basis: sums[basis]) if amount else "none"


def _spread(
    client: Client, month: Period, amount: Decimal, *, days: list[int], basis: str
) -> Iterator[MoneyFact]:
    weeks = parts_of(month)
    parts = split(amount, days if any(days) else [1] * len(weeks))
    for week, part in zip(weeks, parts, strict=True):
        yield MoneyFact(client.ref, client.unit, week, part, basis)


def _accrued(
    client: Client,
    cards: list[Card],
    months: Iterable[Period],
    *,
    world: World,
    rates: Mapping[str, Decimal | None],
    problems: list[Problem],
) -> dict[str, Amounts]:
    """Money earned by model, by the first day of the week part."""
    by_model: dict[str, Amounts] = {
        "tm": defaultdict(Decimal),
        "retainer": {},
        "fixed_price": defaultdict(Decimal),
    }
    if client.engagement == "retainer" and client.monthly_fee:
        for month in months:
            by_model["retainer"] |= _retainer(client, month, world)
    seen: set[str] = set()
    for card in cards:
        match card.engagement or client.engagement:
            case "tm":
                _add_hours(
                    card,
                    client,
                    world,
                    rates=rates,
                    amounts=by_model["tm"],
                    seen=seen,
                    problems=problems,
                )
            case "fixed_price":
                _add_progress(card, world, amounts=by_model["fixed_price"])
    return by_model


def _retainer(client: Client, month: Period, world: World) -> Amounts:
    fee = client.monthly_fee or Decimal(0)
    first = max(month.start, client.since or month.start)
    last = min(
        month.end, world.today - timedelta(days=1), client.contract_end or month.end
    )
    whole = world.calendar.in_period(month)
    return (
        {
            week.start: fee
            * world.calendar.working_days(max(week.start, first), min(week.end, last))
            / whole
            for week in parts_of(month)
        }
        if whole
        else {}
    )


def _add_hours(
    card: Card,
    client: Client,
    world: World,
    *,
    rates: Mapping[str, Decimal | None],
    amounts: Amounts,
    seen: set[str],
    problems: list[Problem],
) -> None:
    """Add hours x rate by day of work; hours that two cards of one client share count once."""
    work = world.work.get(card.ref)
    start = previous_period(quarter_of(world.today)).start
    seconds: Counter[tuple[str, date]] = Counter()
    for log in work.worklogs if work else ():
        if log.id not in seen:
            seen.add(log.id)
            seconds[log.author, log.started.date()] += log.seconds
    for (author, day), spent in seconds.items():
        rate = rates.get(author) or world.thresholds.default_rate
        if rate is not None:
            amounts[_week_start(day)] += rate * spent / HOUR
        elif day >= start:
            problems.append(
                Problem(
                    code=Code.NO_RATE,
                    where=literal(client.name),
                    field="rate",
                    message=tell(
                        "hours of {person} have no rate and are left out of the accrued revenue",
                        person=author,
                    ),
                    hint=tell("fill the rate of this person"),
                    url=client.url,
                )
            )


def _add_progress(card: Card, world: World, *, amounts: Amounts) -> None:
    work = world.work.get(card.ref)
    if work is None or not card.budget or not work.issues:
        return
    weights = weigh(work.issues, world.thresholds.estimate_share).values
    total = sum(weights, Decimal(0))
    if not total:
        return
    for issue, weight in zip(work.issues, weights, strict=True):
        day = finished_on(issue)
        if day is not None:
            week = _week_start(day)
            amounts[week] += card.budget * weight / total
