"""What is still to come, by client and week part: what is committed, and what proposals may bring (docs/method.md 2.13).

Committed is the growth that is still to come of the larger of earned and billed of each obligation, so that an act ahead
of the work is not added once more by the work that follows it. Ahead, contracts earn their fees, work by the hour and at
a fixed price goes on at its pace of late, agreed cards earn their budget over their time, and acts that are entered for
days ahead are billed as these pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import (
    FIRM,
    RUNNING,
    Card,
    Client,
    Revenue,
    Stage,
    holder_of,
)
from worker.domain.money import round_money
from worker.domain.periods import (
    A_DAY,
    Grain,
    Period,
    month_of,
    next_period,
    quarter_of,
    week_of,
)
from worker.domain.values import Ref
from worker.method.formulas.billable import Billable, billable_of
from worker.method.formulas.cascade import weeks_of
from worker.method.formulas.flow import HOUR
from worker.method.formulas.rates import Rates, rates_of
from worker.method.formulas.rays import due_of, start_of
from worker.method.formulas.stages import chance_of, lead_end
from worker.method.measures import CardMeasure, Coming, Growth, MoneyMeasure
from worker.method.money.completion import complete
from worker.method.money.contracts import promised
from worker.method.money.earned import model_on
from worker.method.money.income import ACT, rows_of
from worker.method.money.timeline import add_series
from worker.method.run import Findings
from worker.world.logged import uncounted
from worker.world.world import World

ZERO = Decimal(0)

Sum = dict[date, Decimal]
Series = Mapping[date, Decimal]
"""What is still to come by week part, which its first day names."""


class _Pace(msgspec.Struct, frozen=True, gc=False):
    """What a card has earned: in the days that tell of its pace, in all, and since they ended: today."""

    recent: Decimal = ZERO
    whole: Decimal = ZERO
    today: Decimal = ZERO

    def plus(self, worth: Decimal, day: date, setting: _Setting) -> _Pace:
        """Return the sum with what was earned on a day."""
        recent = self.recent
        today = self.today
        if day >= setting.world.today:
            today += worth
        elif day >= setting.since:
            recent += worth
        return _Pace(recent, self.whole + worth, today)


class _Setting(msgspec.Struct, frozen=True, gc=False):
    """What is ahead: the rest of this week part, then the others to the end of the next quarter, by their first days.

    `since` is the first of the days that tell of the pace.
    """

    world: World
    cards: Mapping[Ref, CardMeasure]
    rates: Rates
    billable: Billable
    parts: Mapping[date, Period]
    since: date

    def phase(
        self, amount: Decimal, first: date, last: date, *, most: date | None = None
    ) -> Series:
        """Return what is ahead of an amount that lies on the working days from `first` to `last`, up to the day `most`.

        Without a working day among them all of it lies on the first.
        """
        calendar = self.world.calendar
        minor = self.world.minor_unit
        whole = calendar.working_days(first, last)
        if not whole:
            last = first

        def until(day: date) -> Decimal:
            if most is not None:
                day = min(day, most)
            if day >= last:
                return round_money(amount, minor)
            if day < first:
                return ZERO
            behind = calendar.working_days(first, day)
            return round_money(amount * behind / whole, minor)

        series = {}
        for place, part in self.parts.items():
            before = until(part.start - A_DAY)
            series[place] = until(part.end) - before
        return series

    def go_on(self, pace: _Pace, last: date, most: Decimal | None) -> Series:
        """Return what a pace brings up to `last`, less what it has brought today, and no more than `most` in all."""
        world = self.world
        calendar = world.calendar
        today = world.today
        a_day = pace.recent / world.thresholds.pace_days
        series: dict[date, Decimal] = {}
        before = ZERO
        for place, part in self.parts.items():
            end = min(part.end, last)
            days = calendar.working_days(today, end)
            now = a_day * days - pace.today
            now = max(ZERO, now)
            if most is not None:
                now = min(now, most)
            now = round_money(now, world.minor_unit)
            series[place] = now - before
            before = now
        return series


def forecast_money(
    world: World, cards: Mapping[Ref, CardMeasure], money: MoneyMeasure | None
) -> Findings[tuple[Coming, ...] | None]:
    """Return what is still to come to the end of the next quarter; None where money is not known."""
    if money is None:
        return Findings(None)
    days = world.thresholds.pace_days
    since = world.calendar.add(world.today, -days)
    rates = rates_of(world)
    parts = _parts(world)
    billable = billable_of(world)
    setting = _Setting(world, cards, rates, billable, parts, since)
    rows = rows_of(world, (ACT,))
    by_client: dict[Ref | None, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        by_client[card.client].append(card)

    coming: list[Coming] = []
    for client in world.clients.values():
        ref = client.ref
        own = by_client[ref]
        owners = money.owners.get(ref, ())
        growths = money.obligations.get(ref, ())
        owed = dict(zip(owners, growths, strict=True))
        acts = rows[ref]
        committed = _commit(client, own, acts, owed, setting)
        weighted = _weigh(client, own, setting)
        coming += _by_week(client, committed, weighted, setting)
    return Findings(tuple(coming))


def _parts(world: World) -> Mapping[date, Period]:
    """Return the week parts from today on to the end of the next quarter, the first one without the days behind us."""
    today = world.today
    quarter = quarter_of(today)
    following = next_period(quarter)
    parts = {}
    for week in (*weeks_of(quarter), *weeks_of(following)):
        if week.end < today:
            continue
        start = max(week.start, today)
        parts[week.start] = Period(start, week.end, Grain.WEEK)
    return parts


def _by_week(
    client: Client, committed: Series, weighted: Series, setting: _Setting
) -> Iterator[Coming]:
    for place, part in setting.parts.items():
        week = week_of(place)
        unit = client.unit_on(part.start)
        sure = committed.get(place, ZERO)
        hoped = weighted.get(place, ZERO)
        if sure or hoped:
            yield Coming(client.ref, unit, week, sure, hoped)


# -- committed ---------------------------------------------------------------------------------------------------------


def _commit(
    client: Client,
    cards: Iterable[Card],
    rows: Iterable[Revenue],
    obligations: Mapping[Ref | None, tuple[Growth, ...]],
    setting: _Setting,
) -> Series:
    """Return what all obligations of a client are still to be recognised to grow by."""
    earned: dict[Ref | None, list[Series]] = defaultdict(list)
    acts: dict[Ref | None, list[Revenue]] = defaultdict(list)
    for owner, series in _earn(client, cards, setting):
        if owner not in obligations:
            owner = None
        earned[owner].append(series)
    for row in rows:
        owner = row.project
        if owner not in obligations:
            owner = None
        acts[owner].append(row)

    total: Sum = {}
    for owner, growths in obligations.items():
        own = earned[owner]
        bills = acts[owner]
        ahead = _grow(growths, own, bills, setting)
        add_series(total, ahead)
    return total


def _grow(
    growths: Iterable[Growth],
    earned: list[Series],
    rows: Iterable[Revenue],
    setting: _Setting,
) -> Series:
    """Return the growth still to come of max(earned, billed) of one obligation."""
    done = acted = ZERO
    for growth in growths:
        done += growth.earned
        acted += growth.billed
    bills = []
    for row in rows:
        first, last = row.period
        if last >= setting.world.today:
            ahead = setting.phase(row.amount, first, last)
            bills.append(ahead)
            if row.amount < 0:
                # A credit note lowers what was earned too.
                earned = [*earned, ahead]

    series: dict[date, Decimal] = {}
    before = max(done, acted)
    for place in setting.parts:
        for amounts in earned:
            done += amounts.get(place, ZERO)
        for amounts in bills:
            acted += amounts.get(place, ZERO)
        now = max(done, acted)
        series[place] = now - before
        before = now
    return series


def _earn(
    client: Client, cards: Iterable[Card], setting: _Setting
) -> Iterator[tuple[Ref | None, Series]]:
    """Yield what a client's fee (of no card) and each of its cards are still to earn."""
    world = setting.world
    models: tuple[str | None, ...] = (client.engagement,)
    if client.models is not None:
        models = client.models.values()
    if "retainer" in models:
        fees = {}
        for place, part in setting.parts.items():
            fees[place] = promised(client, (), part, world=world)
        yield None, fees
    seen: set[str] = set()
    for card in cards:
        model = model_on(card, client, world.today)
        pace = _Pace()
        if model == "tm":
            pace = _hours(card, setting, seen=seen)
        elif model == "fixed_price":
            pace = _progress(card, setting)
        ahead: Series = {}
        if card.stage in RUNNING:
            ahead = _go_on(card, client, pace, setting)
        elif card.stage is Stage.AGREED:
            ahead = _begin(card, client, pace, setting)
        yield card.ref, ahead


def _hours(card: Card, setting: _Setting, *, seen: set[str]) -> _Pace:
    """Return what the hours of a card are worth; hours that two cards of one client share count once."""
    pace = _Pace()
    for log in uncounted(setting.billable.logs_of(card), seen):
        rate = setting.rates.of(log.author, log.day)
        if rate is None:
            continue
        worth = rate * log.seconds / HOUR
        pace = pace.plus(worth, log.day, setting)
    return pace


def _progress(card: Card, setting: _Setting) -> _Pace:
    """Return what the finished work of a card came to at its budget, as it stands."""
    pace = _Pace()
    work = setting.world.work.get(card.ref)
    if work is None or not card.budget:
        return pace
    share = ZERO
    least = setting.world.thresholds.estimate_share
    for step in complete(work, least, setting.world.zone):
        share = step.share
        worth = card.budget * step.gained
        pace = pace.plus(worth, step.day, setting)
    whole = card.budget * share
    return replace(pace, whole=whole)


def _go_on(card: Card, client: Client, pace: _Pace, setting: _Setting) -> Series:
    """Return what running work brings at its pace of late: by the hour to the day people promised, if it is ahead; at a
    fixed price to its budget and due date. Under another model it goes on no longer."""
    today = setting.world.today
    model = model_on(card, client, today)
    ends: list[date] = []
    most = None
    measure = setting.cards.get(card.ref)
    if model == "fixed_price":
        due = due_of(card, measure)
        budget = card.budget or ZERO
        most = max(ZERO, budget - pace.whole)
    else:
        due = card.due
        if measure is not None:
            due = measure.promised
        if due is not None and due < today:
            due = None
    turn = _model_end(card, client, today)
    for end in (due, client.contract_end, turn):
        if end is not None:
            ends.append(end)
    last = min(ends, default=date.max)
    return setting.go_on(pace, last, most)


def _model_end(card: Card, client: Client, today: date) -> date | None:
    """Return the last day on which a card earns by the model of today, as far as a change is known."""
    model = model_on(card, client, today)
    ends: list[date] = []
    for dated in (card.models, client.models):
        if dated is None:
            continue
        for day, _ in dated.changes:
            follower = model_on(card, client, day)
            if day > today and follower != model:
                ends.append(day - A_DAY)
    return min(ends, default=None)


def _is_in_fee(card: Card, client: Client, today: date) -> bool:
    """Tell whether a card's work is paid by its client's monthly fee."""
    has_fee = client.fee_on(today) is not None
    return has_fee and model_on(card, client, today) == "retainer"


def _begin(card: Card, client: Client, pace: _Pace, setting: _Setting) -> Series:
    """Return what is left of an agreed card's budget, over its time; without budget or start nobody knows."""
    start = start_of(card)
    today = setting.world.today
    if _is_in_fee(card, client, today):
        return {}
    if not card.budget or start is None:
        return {}
    left = card.budget - pace.whole
    left = max(ZERO, left)
    first = max(start, today)
    last = _end(card, first, setting)
    return setting.phase(left, first, last, most=client.contract_end)


def _end(card: Card, first: date, setting: _Setting) -> date:
    """Return when the work of a card that begins on a day is to end: on its due date, else after the lead time."""
    measure = setting.cards.get(card.ref)
    due = due_of(card, measure)
    if due is not None and due >= first:
        return due
    return lead_end(card, first, setting.world)


# -- the weighted pipeline ---------------------------------------------------------------------------------------------


def _weigh(client: Client, cards: Iterable[Card], setting: _Setting) -> Series:
    """Return what a client's proposals may bring: budget x probability, from their expected start over their time."""
    total: Sum = {}
    world = setting.world
    usual = world.thresholds.stage_probability
    for card in cards:
        start = start_of(card)
        chance = chance_of(card, usual)
        if card.stage is not Stage.PROPOSAL:
            continue
        if _is_in_fee(card, client, world.today):
            continue
        if not card.budget or not chance:
            continue
        if start is None or start < world.today:
            # Nobody knows when a proposal starts whose day has passed.
            continue
        end = _end(card, start, setting)
        value = card.budget * chance
        ahead = setting.phase(value, start, end)
        add_series(total, ahead)
    return total


# -- sums --------------------------------------------------------------------------------------------------------------


class Ahead(msgspec.Struct, frozen=True, gc=False):
    """What is still to come in a period."""

    committed: Decimal = ZERO
    weighted: Decimal = ZERO


Sums = Mapping[tuple[Ref, Period], Ahead]
"""What is still to come, by unit (or client, or firm) and period."""


def sum_ahead(coming: Iterable[Coming] | None, units: Collection[Ref]) -> Sums | None:
    """Sum what is still to come by client, unit and firm, for every week part, month and quarter."""
    if coming is None:
        return None
    committed: dict[tuple[Ref, Period], Decimal] = defaultdict(Decimal)
    weighted: dict[tuple[Ref, Period], Decimal] = defaultdict(Decimal)
    for part in coming:
        # Most parts are sure altogether, or not at all.
        for place in _places(part, units):
            if part.committed:
                committed[place] += part.committed
            if part.weighted:
                weighted[place] += part.weighted
    sums = {}
    for place in committed.keys() | weighted.keys():
        sure = committed.get(place, ZERO)
        likely = weighted.get(place, ZERO)
        sums[place] = Ahead(sure, likely)
    return sums


def _places(part: Coming, units: Collection[Ref]) -> Iterator[tuple[Ref, Period]]:
    """Yield whose what comes in a week part is, and the periods it lies in."""
    week = part.week
    periods = (week, month_of(week.start), quarter_of(week.start))
    unit = holder_of(part.unit, units)
    for owner in {part.client, unit, FIRM}:
        for period in periods:
            yield owner, period
