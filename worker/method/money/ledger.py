"""The rows of `ledger`: a client's closed months, from which its history is read back after a lost state (docs/method.md 2.9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from worker.domain.entities import Client
from worker.domain.period_titles import period_title
from worker.domain.periods import month_of, previous_period, quarter_of
from worker.domain.values import Ref, Span, Value
from worker.method.measures import MoneyMeasure
from worker.method.money.closing import sum_up
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import ClosedMonth, Ledger
from worker.world.rows import ledger_key, write_true_up
from worker.world.world import World

ZERO = Decimal(0)


def record_ledger(world: World, revenue: MoneyMeasure | None) -> Findings[None]:
    """Return a row for every month that closed in this or the last quarter, and one for all before the ledger began."""
    if "ledger" not in world.sources or revenue is None:
        return Findings(None)
    deleted = {ref.key for ref in world.trashed if ref.source == "ledger"}
    standing = {row.key for row in world.ledger_rows()}
    recent = previous_period(quarter_of(world.today)).start
    facts: list[Fact] = []
    for ref, ledger in revenue.closed.items():
        client = world.clients[ref]
        for key, months in _rows(ref, ledger, standing, recent=recent).items():
            if key not in deleted:
                facts += _facts(client, key, months, ledger, world=world)
    return Findings(None, tuple(facts))


def _rows(
    client: Ref, ledger: Ledger, standing: Container[str], *, recent: date
) -> Mapping[str, Sequence[ClosedMonth]]:
    """Return the months by the key of their row; the opening balance is written once, months as long as they are asked for."""
    rows: dict[str, list[ClosedMonth]] = defaultdict(list)
    opening = ledger_key(client)
    for month in ledger.months:
        if ledger.opening is not None and month.month <= ledger.opening:
            rows[opening].append(month)
        elif month.month >= recent:
            key = ledger_key(client, month.month)
            rows[key].append(month)
    if opening in standing:
        rows.pop(opening, None)
    return rows


def _facts(
    client: Client,
    key: str,
    months: Sequence[ClosedMonth],
    ledger: Ledger,
    *,
    world: World,
) -> Iterator[Fact]:
    sums = sum_up(part for month in months for part in month.parts)
    hours = sum((month.hours for month in months), ZERO)
    if not sums and not hours:
        return
    say = world.words.say
    words = world.words
    first = months[0].month
    last = month_of(months[-1].month)
    title = period_title(last, words)
    if len(months) > 1:
        title = say("up to {month}", month=title)
    lines = _true_ups(months, ledger)
    identity = say("the client and its closed months")
    values: dict[str, tuple[Value, str]] = {
        "name": (f"{client.name} · {title}", identity),
        "client": ((client.ref,), identity),
        "period": (Span(first, last.end), identity),
        "recognised": (
            sums.recognised,
            say("growth of the larger of earned and billed, with true-ups"),
        ),
        "earned": (sums.earned, say("work done at the prices of its days")),
        "billed": (sums.billed, say("acts, over the periods they are for")),
        "paid": (sums.paid, say("payments of the period")),
        "hours": (round(hours, 2), say("hours logged on the client's cards")),
        "true_ups": (
            "\n".join(lines) or None,
            say("what became known of months that were closed before"),
        ),
    }
    inputs = (
        Input(say("client"), client.name, client.url),
        Input(say("recognised"), words.money(sums.recognised)),
    )
    threshold = say(
        "closed {n} working days after its end", n=world.thresholds.close_days
    )
    ref = Ref("ledger", key)
    for name, (value, formula) in values.items():
        yield Fact(ref, name, value, Why("ledger", inputs, formula, threshold))


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
