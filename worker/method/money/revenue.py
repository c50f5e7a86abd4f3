"""The money of every client, by week part and over its whole life by month (docs/method.md 2.1).

A client's money is that of its obligations: each card that has rows of its own, and the contract with everything else.
Earned is: T&M hours x rate on the day of work, a retainer the monthly fee by working days passed (yesterday included),
fixed price the budget x the share of work finished. Billed are acts, over the period they are for. Rows in another
currency than the workspace's are listed and left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Card, Client, Revenue
from worker.domain.messages import literal, tell
from worker.domain.money import round_money
from worker.domain.periods import (
    Period,
    WorkCalendar,
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
from worker.method.formulas.phasing import fee_until
from worker.method.formulas.rates import Rates, rates_of
from worker.method.measures import Growth, MoneyFact, MoneyMeasure, MonthMoney
from worker.method.money.income import (
    ACT,
    PAYMENT,
    WRITE_OFF,
    currency_problems,
    rows_of,
    title_of,
)
from worker.method.money.obligations import Obligation, recognise
from worker.method.run import Findings
from worker.world.world import World

NOTHING = Decimal(0)
LONGEST = 50
"""Years a client can have been with the agency; an earlier day is a slip of the pen."""
OWN = ("fixed_price", "tm")
"""Models whose cards are obligations of their own once a row names them; a retainer's cards are in its fee."""

Series = dict[date, Decimal]
Excess = list[tuple[Revenue, Decimal]]
"""Rows that write off more than there was, with how much more."""


class _Calendar(msgspec.Struct, frozen=True, gc=False):
    """How time is cut: into week parts from `recent` on, into months before; `last` is the day that is over.

    Money is cut into multiples of `minor`.
    """

    days: WorkCalendar
    recent: date
    last: date
    minor: Decimal

    def place(self, day: date) -> date:
        """Return the first day of the part of time a day lies in."""
        return _week_start(day) if day >= self.recent else day.replace(day=1)

    def parts(self, first: date, end: date) -> Iterator[Period]:
        """Yield the parts of time from the one of `first` to the one of `end`."""
        month = month_of(first)
        while month.start <= end:
            if month.start >= self.recent:
                yield from (part for part in parts_of(month) if part.end >= first)
            else:
                yield month
            month = next_period(month)

    def spread(self, amount: Decimal, first: date, end: date) -> Series:
        """Return the growth of an amount over its period by working days passed; whole when it is over."""
        whole = self.days.working_days(first, end)
        series: Series = {}
        before = NOTHING
        for part in self.parts(first, min(end, self.last)):
            until = min(part.end, end, self.last)
            if whole and until < end:
                passed = self.days.working_days(first, until)
                now = round_money(amount * passed / whole, self.minor)
            else:
                now = amount
            series[self.place(max(part.start, first))] = now - before
            before = now
        return series


class _Setting(msgspec.Struct, gc=False):
    """What the earned series are made with, and the problems met on the way."""

    world: World
    calendar: _Calendar
    rates: Rates
    problems: list[Problem]


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
    recent = previous_period(quarter_of(world.today)).start
    yesterday = world.today - timedelta(days=1)
    calendar = _Calendar(world.calendar, recent, yesterday, world.minor_unit)
    cards = _cards_by_client(world)
    rows = rows_of(world, (ACT, WRITE_OFF))
    paid = rows_of(world, (PAYMENT,))
    problems: list[Problem] = [*currency_problems(world)]
    setting = _Setting(world, calendar, rates_of(world), problems)
    weeks: list[MoneyFact] = []
    history: dict[Ref, tuple[MonthMoney, ...]] = {}
    obligations: dict[Ref, tuple[tuple[Growth, ...], ...]] = {}
    for client in world.clients.values():
        earned = _earned_by_card(client, cards[client.ref], setting)
        growths: list[tuple[Growth, ...]] = []
        for obligation, excess in _obligations(
            client, earned, rows[client.ref], world=world, calendar=calendar
        ):
            growths.append(recognise(obligation, world.minor_unit))
            problems += [_too_much(row, over, world) for row, over in excess]
        obligations[client.ref] = tuple(growths)
        counted = _counted(growths, paid[client.ref], world, calendar)
        weeks += _weeks(client, counted, recent)
        history[client.ref] = tuple(_history(client, counted, world))
    measure = MoneyMeasure(tuple(weeks), history, obligations)
    told = tuple(dict.fromkeys(problems))
    return Findings(measure, problems=told)


def _cards_by_client(world: World) -> dict[Ref, list[Card]]:
    cards: dict[Ref, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        if card.client is not None:
            cards[card.client].append(card)
    return cards


def _obligations(
    client: Client,
    earned: Mapping[Ref, tuple[str, Series]],
    rows: Iterable[Revenue],
    *,
    world: World,
    calendar: _Calendar,
) -> Iterator[tuple[Obligation, Excess]]:
    """Yield the cards that rows name, each with its own, then the contract with all the rest; and what is written off
    beyond what was there."""
    own: dict[Ref, list[Revenue]] = defaultdict(list)
    pool: list[Revenue] = []
    for row in rows:
        card = world.card(row.project)
        model = card and (card.engagement or client.engagement)
        if card is not None and card.client == client.ref and model in OWN:
            own[card.ref].append(row)
        else:
            pool.append(row)

    for ref in sorted(own):
        model, series = earned[ref]
        yield _obligation({model: series}, own[ref], calendar)

    rest: dict[str, Series] = {}
    for ref, (model, series) in earned.items():
        if ref not in own:
            _add(rest.setdefault(model, {}), series)
    fees = _fees(client, world, calendar)
    if fees:
        rest["retainer"] = fees
    yield _obligation(rest, pool, calendar)


def _obligation(
    models: dict[str, Series], rows: Iterable[Revenue], calendar: _Calendar
) -> tuple[Obligation, Excess]:
    """Return an obligation; a credit note lowers both series, what is written off the earned one as far as it can."""
    billed: Series = {}
    corrections: Series = {}
    ended: list[Revenue] = []
    for row in rows:
        if row.kind == WRITE_OFF:
            ended.append(row)
            continue
        series = calendar.spread(row.amount, *row.period)
        _add(billed, series)
        if row.amount < 0:
            _add(corrections, series)

    every = [*models.values(), corrections]
    excess: list[tuple[Revenue, Decimal]] = []
    for row in sorted(ended, key=lambda row: (row.month, row.ref)):
        first, _ = row.period
        if first > calendar.last:
            continue
        day = calendar.place(first)
        earned = sum((_to_date(series, day) for series in every), NOTHING)
        open_work = max(
            NOTHING, round_money(earned, calendar.minor) - _to_date(billed, day)
        )
        _add(corrections, {day: -min(row.amount, open_work)})
        if row.amount > open_work:
            excess.append((row, row.amount - open_work))
    if corrections:
        models = {**models, ACT: corrections}
    return Obligation(models, billed), excess


def _to_date(series: Series, day: date) -> Decimal:
    """Return what a series has come to by the end of the part of time that begins on a day."""
    return sum((amount for at, amount in series.items() if at <= day), NOTHING)


def _too_much(row: Revenue, over: Decimal, world: World) -> Problem:
    title, url = title_of(row, world)
    return Problem(
        code=Code.WRITE_OFF_TOO_LARGE,
        where=title,
        field="amount",
        message=tell(
            "more is written off than was earned and not billed; {amount} of it counts nowhere",
            amount=world.words.money(over),
        ),
        hint=tell("write off what is unbilled, or date the row later"),
        url=url,
    )


def _add(total: Series, more: Mapping[date, Decimal]) -> None:
    for day, amount in more.items():
        total[day] = total.get(day, NOTHING) + amount


def _counted(
    obligations: Iterable[Iterable[Growth]],
    payments: Iterable[Revenue],
    world: World,
    calendar: _Calendar,
) -> list[Growth]:
    """Return the growths of the series that counts as revenue here: what is recognised, billed, or paid."""
    match world.thresholds.revenue_basis:
        case "recognised":
            return [growth for growths in obligations for growth in growths]
        case "billed":
            return [
                replace(growth, amount=growth.billed, is_ahead=True)
                for growths in obligations
                for growth in growths
            ]
        case "paid":
            series: Series = {}
            for row in payments:
                if row.month <= calendar.last:
                    _add(series, {calendar.place(row.month): row.amount})
            return [
                Growth(day, amount, PAYMENT, NOTHING, NOTHING, is_ahead=False)
                for day, amount in sorted(series.items())
            ]


def _weeks(
    client: Client, growths: Iterable[Growth], recent: date
) -> Iterator[MoneyFact]:
    amounts: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for growth in growths:
        if growth.day >= recent:
            amounts[growth.day, growth.basis] += growth.amount
    for (day, basis), amount in sorted(amounts.items()):
        if amount:
            yield MoneyFact(client.ref, client.unit, week_of(day), amount, basis)


def _history(
    client: Client, growths: Iterable[Growth], world: World
) -> Iterator[MonthMoney]:
    """Yield the client's months from its first money, or from the day it came, to the current one."""
    sums: dict[date, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    billed: dict[date, Decimal] = defaultdict(Decimal)
    for growth in growths:
        first = growth.day.replace(day=1)
        billed[first] += growth.billed
        if growth.amount or growth.billed:
            sums[first][growth.basis] += growth.amount
    starts = [*sums]
    if client.since is not None:
        starts.append(client.since)
    if not starts:
        return
    for month in _months(min(starts).replace(day=1), world.today):
        amounts = sums.get(month.start, {})
        amount = sum(amounts.values(), NOTHING)
        basis = "none"
        if amount:
            basis = max(amounts, key=lambda name: amounts[name])
        yield MonthMoney(month.start, amount, basis, billed[month.start])


# -- earned ------------------------------------------------------------------------------------------------------------


def _earned_by_card(
    client: Client, cards: Iterable[Card], setting: _Setting
) -> dict[Ref, tuple[str, Series]]:
    """Return the model of every card that earns by itself, and what it earned; shared hours count once."""
    earned: dict[Ref, tuple[str, Series]] = {}
    seen: set[str] = set()
    for card in cards:
        match card.engagement or client.engagement:
            case "tm":
                series = _hours(card, client, setting, seen=seen)
                earned[card.ref] = "tm", series
            case "fixed_price":
                series = _progress(card, setting)
                earned[card.ref] = "fixed_price", series
    return earned


def _fees(client: Client, world: World, calendar: _Calendar) -> Series:
    """Return a retainer's fee by working days passed: by week part of late, before by month where its start is known."""
    series: Series = {}
    if client.engagement != "retainer" or not client.monthly_fee:
        return series
    first = client.since or calendar.recent
    for month in _months(first.replace(day=1), calendar.last):
        before = NOTHING
        for part in calendar.parts(month.start, month.end):
            until = min(part.end, calendar.last)
            now = fee_until(
                client, month, until, calendar=world.calendar, minor=calendar.minor
            )
            series[part.start] = now - before
            before = now
    return series


def _hours(card: Card, client: Client, setting: _Setting, *, seen: set[str]) -> Series:
    """Return hours x rate by day of work; hours that two cards of one client share count once."""
    calendar = setting.calendar
    work = setting.world.work.get(card.ref)
    seconds: Counter[tuple[str, date]] = Counter()
    for log in work.worklogs if work else ():
        if log.id not in seen:
            seen.add(log.id)
            seconds[log.author, log.started.date()] += log.seconds

    series: Series = {}
    for (author, day), spent in seconds.items():
        rate = setting.rates.of(author)
        if rate is not None:
            _add(series, {calendar.place(day): rate * spent / HOUR})
        elif day >= calendar.recent:
            setting.problems.append(_no_rate(client, author))
    return series


def _no_rate(client: Client, author: str) -> Problem:
    return Problem(
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


def _progress(card: Card, setting: _Setting) -> Series:
    """Return the budget x the share of work that each day finished."""
    work = setting.world.work.get(card.ref)
    series: Series = {}
    if work is None or not card.budget or not work.issues:
        return series
    weights = weigh(work.issues, setting.world.thresholds.estimate_share)
    whole = sum(weights, NOTHING)
    if not whole:
        return series
    for issue, weight in zip(work.issues, weights, strict=True):
        day = finished_on(issue)
        if day is not None:
            part = card.budget * weight / whole
            _add(series, {setting.calendar.place(day): part})
    return series
