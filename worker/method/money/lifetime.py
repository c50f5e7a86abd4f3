"""What a client has been worth and for how long, and what it may yet be worth: a range, never one number (docs/method.md 2.5; docs/facts/definitions.md 4).

The expectation begins with the finished months and looks month by month, so that it does not move from day to day. Low:
nothing follows the work that is running or agreed; high: the ray goes on for a year after that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Client
from worker.domain.periods import months_between
from worker.domain.values import Ref, Value
from worker.method.figures import list_months, list_years, name_row, show_money
from worker.method.measures import ClientMeasure, MoneyMeasure, MonthMoney
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)
RECENT = 3


class _Life(msgspec.Struct, frozen=True, gc=False):
    """One client's months: `worth` to date by month, what acts `billed`, months with and without money, and what may
    come."""

    worth: Decimal
    billed: Decimal
    amounts: tuple[tuple[date, Decimal], ...]
    active: tuple[date, ...]
    silent: tuple[date, ...]
    finished: Decimal = ZERO
    low: Decimal | None = None
    high: Decimal | None = None
    monthly: tuple[Decimal, Decimal] = (ZERO, ZERO)
    ahead: int = 0


def measure_lifetimes(
    world: World,
    revenue: MoneyMeasure | None,
    clients: Mapping[Ref, ClientMeasure],
    left: Mapping[Ref, date],
) -> Findings[None]:
    """Return lifetime value, life and expected value of every client; `left` are those that left, with the day."""
    if revenue is None:
        return Findings(None)
    facts: list[Fact] = []
    for client in world.clients.values():
        measure = clients.get(client.ref)
        life = _live(
            revenue.history.get(client.ref, ()),
            world,
            end=left.get(client.ref),
            horizon=measure.horizon if measure else None,
        )
        facts += _facts(client, life, world, ended=client.ref in left)
    return Findings(None, tuple(facts))


def _live(
    history: Sequence[MonthMoney],
    world: World,
    *,
    end: date | None,
    horizon: date | None,
) -> _Life:
    months = [
        money for money in history if end is None or money.month <= end or money.amount
    ]
    current = world.today.replace(day=1)
    amounts = tuple((money.month, money.amount) for money in months)
    finished = [amount for month, amount in amounts if month < current]
    base = sum(finished, ZERO)
    worth = sum((amount for _, amount in amounts), ZERO)
    life = _Life(
        worth,
        sum((money.billed for money in months), ZERO),
        amounts,
        tuple(month for month, amount in amounts if amount > 0),
        tuple(month for month, amount in amounts if amount <= 0 and month < current),
        base,
    )
    if end is not None or not any(finished):
        return life
    monthly = _monthly(finished, world.thresholds.ltv_months)
    least, most = monthly
    ahead = 0
    if horizon:
        ahead = max(0, months_between(current, horizon) + 1)
    further = ahead + world.thresholds.ltv_months
    return replace(
        life,
        low=_whole(max(worth, base + least * ahead)),
        high=_whole(max(worth, base + most * further)),
        monthly=monthly,
        ahead=ahead,
    )


def _monthly(finished: Sequence[Decimal], window: int) -> tuple[Decimal, Decimal]:
    """Return the smaller and the larger of the mean monthly values of the last three months and of the last year."""
    means = [
        sum(part, ZERO) / len(part) for part in (finished[-RECENT:], finished[-window:])
    ]
    return min(means), max(means)


def _whole(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_UP)


def _facts(client: Client, life: _Life, world: World, *, ended: bool) -> Iterator[Fact]:
    words = world.words
    say = words.say
    row = name_row(say("client"), client)
    expected = (
        say(
            "finished months + monthly value × months ahead; high: and {n} months more",
            n=world.thresholds.ltv_months,
        )
        if not ended
        else say("the client has left: nothing is expected")
    )
    least, most = life.monthly
    values: dict[str, tuple[Value, Iterable[Input], str]] = {
        "ltv": (
            life.worth,
            (
                *list_years(life.amounts, words),
                show_money(say("billed by acts"), life.billed, words),
            ),
            say("sum of the money of all months; margins are not known"),
        ),
        "months_active": (
            Decimal(len(life.active)),
            list_months(life.active, words),
            say("months with money"),
        ),
        "months_silent": (
            Decimal(len(life.silent)),
            list_months(life.silent, words),
            say("finished months without money since the first"),
        ),
        "ltv_low": (life.low, _expectation(life, least, 0, world=world), expected),
        "ltv_high": (
            life.high,
            _expectation(life, most, world.thresholds.ltv_months, world=world),
            expected,
        ),
    }
    for name, (value, own, formula) in values.items():
        yield Fact(client.ref, name, value, Why("lifetime", (row, *own), formula))


def _expectation(
    life: _Life, monthly: Decimal, further: int, *, world: World
) -> Iterator[Input]:
    """Yield what one end of the range is made of: `further` months follow those of the ray."""
    words = world.words
    say = words.say
    cents = monthly.quantize(Decimal("0.01"), ROUND_HALF_UP)
    yield show_money(say("finished months"), life.finished, words)
    yield show_money(say("recognised to date, the least it can be"), life.worth, words)
    yield show_money(say("monthly value"), cents, words)
    yield Input(say("months of secured work"), str(life.ahead))
    if further:
        yield Input(say("months after it"), str(further))
