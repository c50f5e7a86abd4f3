"""What a client has been worth and for how long, and what it may yet be worth: a range, never one number (docs/method.md 2.5; docs/facts/definitions.md 4).

The expectation begins with the finished months and looks month by month, so that it does not move from day to day. Low:
nothing follows the work that is running or agreed; high: the ray goes on for a year after that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from worker.domain.entities import Client
from worker.domain.periods import months_between
from worker.domain.values import Ref, Value
from worker.method.measures import ClientMeasure, MoneyMeasure, MonthMoney
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)
RECENT = 3


class _Life(msgspec.Struct, frozen=True, gc=False):
    """One client's months: `worth` to date, what acts `billed`, months with and without money, and what may come."""

    worth: Decimal
    billed: Decimal
    active: int
    silent: int
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
    worth = billed = ZERO
    active = silent = 0
    finished: list[Decimal] = []
    for money in months:
        worth += money.amount
        billed += money.billed
        if money.month < current:
            finished.append(money.amount)
        if money.amount > 0:
            active += 1
        elif money.month < current:
            silent += 1

    if end is not None or not any(finished):
        return _Life(worth, billed, active, silent)
    monthly = _monthly(finished, world.thresholds.ltv_months)
    least, most = monthly
    ahead = 0
    if horizon:
        ahead = max(0, months_between(current, horizon) + 1)
    further = ahead + world.thresholds.ltv_months
    base = sum(finished, ZERO)
    low = max(worth, base + least * ahead)
    high = max(worth, base + most * further)
    return _Life(
        worth, billed, active, silent, _whole(low), _whole(high), monthly, ahead
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
    say = world.words.say
    words = world.words
    inputs = (
        Input(say("client"), client.name, client.url),
        Input(say("recognised to date"), words.money(life.worth)),
        Input(say("billed by acts"), words.money(life.billed)),
        Input(
            say("monthly value"),
            f"{words.money(_whole(life.monthly[0]))} – "
            f"{words.money(_whole(life.monthly[1]))}",
        ),
        Input(say("months to the ray horizon"), str(life.ahead)),
    )
    expected = (
        say(
            "finished months + monthly value x months ahead; high: and {n} months more",
            n=world.thresholds.ltv_months,
        )
        if not ended
        else say("the client has left: nothing is expected")
    )
    values: dict[str, tuple[Value, str]] = {
        "ltv": (
            life.worth,
            say("sum of the money of all months; margins are not known"),
        ),
        "months_active": (Decimal(life.active), say("months with money")),
        "months_silent": (
            Decimal(life.silent),
            say("finished months without money since the first"),
        ),
        "ltv_low": (life.low, expected),
        "ltv_high": (life.high, expected),
    }
    for name, (value, formula) in values.items():
        yield Fact(client.ref, name, value, Why("lifetime", inputs, formula))
