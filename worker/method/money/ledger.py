"""The rows of `ledger`: a client's closed months, from which its history is read back after a lost state (docs/method.md 2.9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import Client
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import month_of, previous_period, quarter_of
from worker.domain.values import Ref, Span, Value
from worker.method.measures import MoneyMeasure
from worker.method.money.closing import sum_up
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import ClosedMonth, Ledger
from worker.world.rows import LedgerRow, ledger_key, write_true_up
from worker.world.world import World

ZERO = Decimal(0)


def record_ledger(world: World, revenue: MoneyMeasure | None) -> Findings[None]:
    """Return a row for every month that closed in this or the last quarter, and one for all before the ledger began."""
    if "ledger" not in world.sources or revenue is None:
        return Findings(None)
    deleted = {ref.key for ref in world.trashed if ref.source == "ledger"}
    standing: set[str] = set()
    of_client: dict[str, list[LedgerRow]] = defaultdict(list)
    for kept in world.ledger_rows():
        standing.add(kept.key)
        of_client[kept.client_key].append(kept)
    recent = previous_period(quarter_of(world.today)).start
    facts: list[Fact] = []
    for ref, ledger in revenue.closed.items():
        client = world.clients[ref]
        if ledger.has_begun(world.today):
            rows = _rows(ref, ledger, (), recent=recent)
            rows |= _emptied(rows, of_client[ref.key])
        else:
            rows = _rows(ref, ledger, standing, recent=recent)
        for key, months in rows.items():
            if key in deleted:
                continue
            row = _Row(client, key, months, _true_ups(months, ledger))
            if key in standing or not _is_empty(row):
                facts += _facts(row, world)
    return Findings(None, tuple(facts))


def _rows(
    client: Ref, ledger: Ledger, standing: Container[str], *, recent: date
) -> dict[str, Sequence[ClosedMonth]]:
    """Return the months by the key of their row: those without one, and those that are still asked for."""
    rows: dict[str, list[ClosedMonth]] = defaultdict(list)
    opening = ledger_key(client)
    for month in ledger.months:
        key = ledger_key(client, month.month)
        if ledger.opening is not None and month.month <= ledger.opening:
            rows[opening].append(month)
        elif month.month >= recent or key not in standing:
            rows[key].append(month)
    if opening in standing:
        rows.pop(opening, None)
    return dict(rows)


def _emptied(
    rows: Container[str], standing: Iterable[LedgerRow]
) -> dict[str, Sequence[ClosedMonth]]:
    """Return the standing months in which nothing is left since it is counted anew."""
    emptied: dict[str, Sequence[ClosedMonth]] = {}
    for row in standing:
        if row.key not in rows:
            emptied[row.key] = [ClosedMonth(row.month, (), ZERO)]
    return emptied


class _Row(msgspec.Struct, frozen=True, gc=False):
    """One row: the `months` it holds of a client, with `lines` of what was learnt in them of earlier ones."""

    client: Client
    key: str
    months: Sequence[ClosedMonth]
    lines: Sequence[str]


def _is_empty(row: _Row) -> bool:
    """Tell whether there is nothing to keep: neither money nor hours."""
    return not any(sum_up(month.parts) or month.hours for month in row.months)


FORMULAS = {
    "recognised": message("growth of the larger of earned and billed, with true-ups"),
    "earned": message("work done at the prices of its days"),
    "billed": message("acts, over the periods they are for"),
    "paid": message("payments of the period"),
}
SERIES = {
    "recognised": message("recognised"),
    "earned": message("earned"),
    "billed": message("billed by acts"),
    "paid": message("paid"),
}


def _facts(row: _Row, world: World) -> Iterator[Fact]:
    say = world.words.say
    sums = sum_up(part for month in row.months for part in month.parts)
    hours = sum((month.hours for month in row.months), ZERO)
    yield from _identity(row, world)
    for name, formula in FORMULAS.items():
        figures = _by_year(row, name, world)
        value = getattr(sums, name)
        yield _fact(row, name, value, figures, formula=formula, world=world)
    logged = (Input(say("hours"), world.words.number(hours, 2)),)
    formula = message("hours logged on the client's cards")
    yield _fact(row, "hours", round(hours, 2), logged, formula=formula, world=world)
    learnt = []
    for line in row.lines:
        month, _, amount = line.partition(": ")
        learnt.append(Input(month, amount))
    formula = message("what became known of months that were closed before")
    told = "\n".join(row.lines) or None
    yield _fact(row, "true_ups", told, learnt, formula=formula, world=world)


def _identity(row: _Row, world: World) -> Iterator[Fact]:
    say = world.words.say
    first = row.months[0].month
    last = month_of(row.months[-1].month)
    title = period_title(last, world.words)
    if len(row.months) > 1:
        title = say("up to {day}", day=world.words.date(last.end))
    values: dict[str, Value] = {
        "name": f"{row.client.name} · {title}",
        "client": (row.client.ref,),
        "period": Span(first, last.end),
    }
    formula = message("the client and its closed months")
    for name, value in values.items():
        yield _fact(row, name, value, (), formula=formula, world=world)


def _by_year(row: _Row, series: str, world: World) -> list[Input]:
    """Return what a series came to in each year."""
    amounts: dict[int, Decimal] = defaultdict(Decimal)
    for month in row.months:
        for part in month.parts:
            amounts[month.month.year] += getattr(part, series)
    name = world.words.say(SERIES[series])
    return [
        Input(f"{name}, {year}", world.words.money(amount))
        for year, amount in sorted(amounts.items())
    ]


def _fact(
    row: _Row,
    name: str,
    value: Value,
    figures: Iterable[Input],
    *,
    formula: str,
    world: World,
) -> Fact:
    say = world.words.say
    client = Input(say("client"), row.client.name, row.client.url)
    threshold = say(
        "closed {n} working days after its end", n=world.thresholds.close_days
    )
    why = Why("ledger", (client, *figures), say(formula), threshold)
    return Fact(Ref("ledger", row.key), name, value, why)


def _true_ups(months: Sequence[ClosedMonth], ledger: Ledger) -> list[str]:
    """Return the lines of what was learnt in some months, by the month it belongs to."""
    learnt_in = {month.month for month in months}
    amounts: dict[date, Decimal] = defaultdict(Decimal)
    for learnt in ledger.true_ups:
        if learnt.day.replace(day=1) in learnt_in:
            amounts[learnt.month] += learnt.recognised
    return [
        write_true_up(month, amount)
        for month, amount in sorted(amounts.items())
        if amount
    ]
