"""The money of every client, by week part and over its whole life by month (docs/method.md 2.1).

A client's money is that of its obligations: each card that has rows of its own, and the contract with everything else.
What they earned is `worker.method.money.earned`; billed are acts, over the period they are for. Months that are closed
stay as they were counted. Rows in another currency than the workspace's are listed and left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Card, Client, Revenue
from worker.domain.messages import literal, tell
from worker.domain.money import round_money
from worker.domain.periods import month_of, previous_period, quarter_of, week_of
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.method.formulas.billable import billable_of
from worker.method.formulas.rates import rates_of
from worker.method.measures import (
    TRUE_UP,
    Correction,
    Growth,
    MoneyFact,
    MoneyMeasure,
    MonthMoney,
)
from worker.method.money.closing import (
    Counted,
    as_of_yesterday,
    begins_anew,
    close_months,
    first_open_month,
)
from worker.method.money.earned import (
    Earned,
    Earning,
    earned_by_card,
    earned_fees,
    hours_by_month,
    sum_models,
)
from worker.method.money.income import (
    ACT,
    PAYMENT,
    WRITE_OFF,
    currency_problems,
    nobodys_problems,
    rows_of,
    title_of,
)
from worker.method.money.obligations import Obligation, recognise
from worker.method.money.timeline import Series, Timeline, add_series, months_until
from worker.method.run import Findings
from worker.world.memory import Ledger, Part
from worker.world.rows import LedgerRow
from worker.world.world import World

NOTHING = Decimal(0)
OWN = ("fixed_price", "tm")
"""Models whose cards are obligations of their own once a row names them; a retainer's cards are in its fee."""

Excess = list[tuple[Revenue, Decimal]]
"""Rows that write off more than there was, with how much more."""


class _ClientMoney(msgspec.Struct, frozen=True, gc=False):
    """One client's obligations, its money by part of time, and its ledger."""

    obligations: tuple[tuple[Growth, ...], ...]
    owners: tuple[Ref | None, ...]
    parts: tuple[Part, ...]
    ledger: Ledger


@dataclass(slots=True)
class _Books:
    """The money of all clients as it is added up."""

    weeks: list[MoneyFact] = field(default_factory=list)
    history: dict[Ref, tuple[MonthMoney, ...]] = field(default_factory=dict)
    obligations: dict[Ref, tuple[tuple[Growth, ...], ...]] = field(default_factory=dict)
    owners: dict[Ref, tuple[Ref | None, ...]] = field(default_factory=dict)
    ledgers: dict[Ref, Ledger] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)

    def add(
        self, client: Client, money: _ClientMoney, timeline: Timeline, world: World
    ) -> None:
        """Add one client's money."""
        ref = client.ref
        counted = tuple(_counted(money.parts, world))
        self.weeks += _weeks(client, counted, timeline.recent)
        self.history[ref] = tuple(_history(client, counted, world))
        self.obligations[ref] = money.obligations
        self.owners[ref] = money.owners
        self.ledgers[ref] = money.ledger
        self.corrections += _corrections(client, money.ledger, world)


def measure_revenue(world: World) -> Findings[MoneyMeasure | None]:
    """Return the money of every client by week part in this and the last quarter, and by month over its life."""
    last_quarter = previous_period(quarter_of(world.today))
    yesterday = world.today - timedelta(days=1)
    timeline = Timeline(world.calendar, last_quarter.start, yesterday, world.minor_unit)
    cards = _cards_by_client(world)
    rows = rows_of(world, (ACT, WRITE_OFF, PAYMENT))
    kept, problems = _ledger_rows(world)
    problems += currency_problems(world)
    problems += nobodys_problems(world)
    earning = Earning(world, rates_of(world), billable_of(world))
    books = _Books()
    for client in world.clients.values():
        money, excess = _measure_client(
            client,
            cards[client.ref],
            rows[client.ref],
            kept=kept[client.ref.key],
            timeline=timeline,
            earning=earning,
        )
        books.add(client, money, timeline, world)
        for row, over in excess:
            problem = _too_much(row, over, world)
            problems.append(problem)

    measure = MoneyMeasure(
        tuple(books.weeks),
        books.history,
        books.obligations,
        (*books.corrections, *earning.corrections),
        books.ledgers,
        books.owners,
    )
    told = dict.fromkeys([*problems, *earning.problems])
    remembered = {str(ref): ledger for ref, ledger in books.ledgers.items()}
    return Findings(measure, problems=tuple(told), ledgers=remembered)


def _measure_client(
    client: Client,
    cards: Sequence[Card],
    rows: Sequence[Revenue],
    *,
    kept: Sequence[LedgerRow],
    timeline: Timeline,
    earning: Earning,
) -> tuple[_ClientMoney, Excess]:
    world = earning.world
    timeline = replace(timeline, cuts=_unit_changes(client))
    ledger = world.memory.ledgers.get(str(client.ref))
    fees_from = _fees_from(client, ledger, kept, timeline)
    if ledger is not None:
        ledger = as_of_yesterday(ledger, world)
        kept = ()
    earned = earned_by_card(client, cards, timeline, ledger=ledger, earning=earning)
    payments: list[Revenue] = []
    bills: list[Revenue] = []
    for row in rows:
        if row.kind == PAYMENT:
            payments.append(row)
        else:
            bills.append(row)
    growths: list[tuple[Growth, ...]] = []
    owners: list[Ref | None] = []
    excess: Excess = []
    fees = earned_fees(client, world, timeline, since=fees_from)
    for owner, obligation, over in _obligations(
        client, earned, fees, rows=bills, world=world, timeline=timeline
    ):
        growths.append(recognise(obligation, world.minor_unit))
        owners.append(owner)
        excess += over
    counted_parts = tuple(_parts(client, growths, payments, timeline))
    if ledger is not None and begins_anew(ledger, counted_parts, client, world):
        ledger = None
    counted = Counted(counted_parts, _hours_to_close(cards, ledger, world))
    parts, now = close_months(
        client, counted, ledger=ledger, rows=kept, timeline=timeline, world=world
    )
    if ledger is None or now.until > ledger.until:
        now = replace(now, earned=_kept_work(earned, ledger, now.until))
    now = replace(now, fees_from=fees_from)
    return _ClientMoney(tuple(growths), tuple(owners), parts, now), excess


def _fees_from(
    client: Client, ledger: Ledger | None, rows: Sequence[LedgerRow], timeline: Timeline
) -> date:
    """Return the day from which fees are counted: where nobody knows the start, the last quarter when the ledger began.

    So it does not move on with the quarters; after a lost state the rows tell when that was.
    """
    if client.since is not None:
        return client.since
    if ledger is not None:
        return ledger.fees_from or timeline.recent
    openings = [row.created for row in rows if row.is_opening]
    if openings:
        return previous_period(quarter_of(min(openings))).start
    earned = [row.month for row in rows if row.earned]
    return min([*earned, timeline.recent])


def _unit_changes(client: Client) -> tuple[date, ...]:
    if client.units is None:
        return ()
    return tuple(start for start, _ in client.units.changes)


def _ledger_rows(world: World) -> tuple[dict[str, list[LedgerRow]], list[Problem]]:
    """Return the rows that give the ledgers back, by client; those of months that are not closed are named."""
    rows: dict[str, list[LedgerRow]] = defaultdict(list)
    problems: list[Problem] = []
    open_from = first_open_month(world)
    for row in world.ledger_rows():
        if row.month < open_from:
            rows[row.client_key].append(row)
            continue
        ledger = world.memory.ledgers.get(f"clients/{row.client_key}")
        # A month stays closed when months are to stay open for longer from now on.
        if ledger is None or row.month > ledger.until:
            problems.append(_early(row))
    return rows, problems


def _early(row: LedgerRow) -> Problem:
    return Problem(
        code=Code.EARLY_CLOSE,
        where=literal(row.title),
        field="period",
        message=tell("its month is not closed yet; it is counted as it stands"),
        hint=tell("delete the row; it is made when the month closes"),
        url=row.url,
    )


def _hours_to_close(
    cards: Sequence[Card], ledger: Ledger | None, world: World
) -> Mapping[date, Decimal]:
    """Return the hours by month, where a month closes now."""
    before = first_open_month(world) - timedelta(days=1)
    if ledger is not None and ledger.until >= before.replace(day=1):
        return {}
    return hours_by_month(cards, world)


def _kept_work(
    earned: Earned, ledger: Ledger | None, until: date
) -> dict[str, dict[str, dict[date, Decimal]]]:
    """Return what every card earned by month and model up to the last closed month, as it was counted when it closed."""
    before = ledger.until if ledger else date.min
    kept: dict[str, dict[str, dict[date, Decimal]]] = {}
    for ref, models in earned.items():
        name = str(ref)
        known: Mapping[str, Mapping[date, Decimal]] = {}
        if ledger is not None:
            known = ledger.earned.get(name, {})
        own: dict[str, dict[date, Decimal]] = {}
        for model, series in models.items():
            months = dict(known.get(model, {}))
            for day, amount in series.items():
                month = day.replace(day=1)
                if before < month <= until:
                    months[month] = months.get(month, NOTHING) + amount
            if months:
                own[model] = months
        if own:
            kept[name] = own
    return kept


def _corrections(client: Client, ledger: Ledger, world: World) -> Iterator[Correction]:
    for learnt in ledger.true_ups:
        amount = getattr(learnt, world.thresholds.revenue_basis)
        if amount:
            yield Correction(client.ref, learnt.day, amount, month=learnt.month)


def _cards_by_client(world: World) -> dict[Ref, list[Card]]:
    cards: dict[Ref, list[Card]] = defaultdict(list)
    for _, card in sorted(world.cards.items()):
        if card.client is not None:
            cards[card.client].append(card)
    return cards


def _obligations(
    client: Client,
    earned: Earned,
    fees: Series,
    *,
    rows: Iterable[Revenue],
    world: World,
    timeline: Timeline,
) -> Iterator[tuple[Ref | None, Obligation, Excess]]:
    """Yield the cards that rows name, each with its own, then (None) the contract with all the rest; and what is written
    off beyond what was there."""
    own: dict[Ref, list[Revenue]] = defaultdict(list)
    pool: list[Revenue] = []
    for row in rows:
        card = world.card(row.project)
        if card is not None and card.client == client.ref and card.ref in earned:
            own[card.ref].append(row)
        else:
            pool.append(row)

    for ref in sorted(own):
        yield ref, *_obligation(earned[ref], own[ref], timeline)

    rest = sum_models(models for ref, models in earned.items() if ref not in own)
    if fees:
        rest["retainer"] = fees
    yield None, *_obligation(rest, pool, timeline)


def _obligation(
    models: Mapping[str, Series], rows: Iterable[Revenue], timeline: Timeline
) -> tuple[Obligation, Excess]:
    """Return an obligation; a credit note lowers both series, what is written off the earned one as far as it can."""
    billed: Series = {}
    corrections: Series = {}
    ended: list[Revenue] = []
    for row in rows:
        if row.kind == WRITE_OFF:
            ended.append(row)
            continue
        series = timeline.spread(row.amount, *row.period)
        add_series(billed, series)
        if row.amount < 0:
            add_series(corrections, series)

    every = [*models.values(), corrections]
    excess: list[tuple[Revenue, Decimal]] = []
    for row in sorted(ended, key=lambda row: (row.month, row.ref)):
        first, _ = row.period
        if first > timeline.last:
            continue
        over = _write_off(row.amount, first, every, billed=billed, timeline=timeline)
        if over:
            excess.append((row, over))
    if corrections:
        models = {**models, ACT: corrections}
    return Obligation(models, billed), excess


def _write_off(
    amount: Decimal,
    first: date,
    every: Sequence[Series],
    *,
    billed: Series,
    timeline: Timeline,
) -> Decimal:
    """Take an amount off the unbilled work of the month of `first`, the oldest part of it first, and return what is left.

    What can be taken is what is open at the month's end: so it is the same once the month is not cut into weeks.
    """
    corrections = every[-1]
    start = timeline.place(first)
    end = month_of(first).end
    days = {start}
    for series in (*every, billed):
        days.update(day for day in series if start < day <= end)
    left = min(amount, _open_work(every, billed, max(days), timeline))
    over = amount - left
    for day in sorted(days):
        taken = min(left, _open_work(every, billed, day, timeline))
        if taken:
            add_series(corrections, {day: -taken})
            left -= taken
    return over


def _open_work(
    every: Iterable[Series], billed: Series, day: date, timeline: Timeline
) -> Decimal:
    earned = sum((_to_date(series, day) for series in every), NOTHING)
    still_open = round_money(earned, timeline.minor) - _to_date(billed, day)
    return max(NOTHING, still_open)


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


def _parts(
    client: Client,
    obligations: Iterable[Iterable[Growth]],
    payments: Iterable[Revenue],
    timeline: Timeline,
) -> Iterator[Part]:
    """Yield a client's money by part of time and basis, the earliest first."""
    zero = Part(date.min, "", "", NOTHING, NOTHING, NOTHING, NOTHING)
    parts: dict[tuple[date, str], Part] = defaultdict(lambda: zero)
    for growths in obligations:
        for growth in growths:
            place = growth.day, growth.basis
            part = parts[place]
            parts[place] = replace(
                part,
                recognised=part.recognised + growth.amount,
                earned=part.earned + growth.earned,
                billed=part.billed + growth.billed,
            )
    for row in payments:
        if row.month <= timeline.last:
            place = timeline.place(row.month), PAYMENT
            part = parts[place]
            parts[place] = replace(part, paid=part.paid + row.amount)
    for (day, basis), part in sorted(parts.items()):
        if any((part.recognised, part.earned, part.billed, part.paid)):
            unit = str(client.unit_on(day) or "")
            yield replace(part, day=day, unit=unit, basis=basis)


class _Money(msgspec.Struct, frozen=True, gc=False):
    """What counts as revenue of one part of time, and what acts say of it."""

    day: date
    unit: Ref | None
    amount: Decimal
    basis: str
    billed: Decimal


def _counted(parts: Iterable[Part], world: World) -> Iterator[_Money]:
    """Yield the series that counts as revenue here: what is recognised, billed, or paid."""
    series = world.thresholds.revenue_basis
    bases = {"billed": ACT, "paid": PAYMENT}
    for part in parts:
        basis = part.basis
        if basis != TRUE_UP:
            basis = bases.get(series, basis)
        unit = Ref.parse(part.unit) if part.unit else None
        amount = getattr(part, series)
        yield _Money(part.day, unit, amount, basis, part.billed)


def _weeks(
    client: Client, counted: Iterable[_Money], recent: date
) -> Iterator[MoneyFact]:
    amounts: dict[tuple[date, str], tuple[Ref | None, Decimal]] = {}
    for part in counted:
        if part.day < recent:
            continue
        place = part.day, part.basis
        _, before = amounts.get(place, (None, NOTHING))
        amounts[place] = part.unit, before + part.amount
    for place in sorted(amounts):
        day, basis = place
        unit, amount = amounts[place]
        if amount:
            week = week_of(day)
            yield MoneyFact(client.ref, unit, week, amount, basis)


def _history(
    client: Client, counted: Iterable[_Money], world: World
) -> Iterator[MonthMoney]:
    """Yield the client's months from its first money, or from the day it came, to the current one."""
    sums: dict[date, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    billed: dict[date, Decimal] = defaultdict(Decimal)
    for part in counted:
        first = part.day.replace(day=1)
        billed[first] += part.billed
        if part.amount or part.billed:
            sums[first][part.basis] += part.amount
    starts = [*sums]
    if client.since is not None:
        starts.append(client.since)
    if not starts:
        return
    months = months_until(min(starts).replace(day=1), world.today)
    if not months:
        return
    oldest = months[0].start
    for early in [month for month in sums if month < oldest]:
        # A slip of the pen is money all the same.
        billed[oldest] += billed[early]
        for basis, amount in sums[early].items():
            sums[oldest][basis] += amount
    for month in months:
        amounts = sums.get(month.start, {})
        amount = sum(amounts.values(), NOTHING)
        basis = "none"
        if amount:
            basis = max(sorted(amounts), key=lambda name: abs(amounts[name]))
        yield MonthMoney(month.start, amount, basis, billed[month.start])
