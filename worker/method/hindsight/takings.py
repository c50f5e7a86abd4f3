"""Revenue forecasts that keep score: what was told of a month or quarter against what came (docs/method.md 9.4).

Of each period the first forecast before half of it is over counts. It stands in its row alone, beside what the period
came to, and is read back from there after a lost state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import FIRM
from worker.domain.periods import Grain, Period
from worker.domain.values import Ref, Span
from worker.method.figures import show_day, show_money
from worker.method.hindsight.scoring import Amount, Takings, weigh_takings
from worker.method.measures import PlanMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.rows import PlanRow, by_key, plan_key
from worker.world.world import World

GRAINS = (Grain.MONTH, Grain.QUARTER)
"""The periods whose forecasts keep score."""


class Promise(msgspec.Struct, frozen=True, gc=False):
    """What was told on a day: the `whole` forecast, and its `sure` part (recognised and committed)."""

    day: date
    whole: Decimal
    sure: Decimal


def keep_takings(
    world: World, plans: Iterable[PlanMeasure]
) -> Findings[Mapping[Grain, Takings]]:
    """Return what forecasts of months and quarters were worth, with what is told today for the first time."""
    rows = by_key(world.plan_rows())
    facts = []
    for plan in plans:
        key = plan_key(plan.unit, plan.period)
        ref = Ref("plans", key)
        row = rows.get(key)
        if row is not None and row.told:
            continue
        if ref in world.trashed:
            continue
        promise = _promise(plan, world)
        if promise is not None:
            fact = _noted(ref, promise, world)
            facts.append(fact)

    takings = {}
    for grain in GRAINS:
        outcomes = []
        for row in rows.values():
            outcome = _outcome(row, grain, world)
            if outcome is not None:
                outcomes.append(outcome)
        takings[grain] = weigh_takings(outcomes)
    return Findings(takings, tuple(facts))


def _promise(plan: PlanMeasure, world: World) -> Promise | None:
    """Return what is told of a running month or quarter of which less than half is over."""
    period = plan.period
    if period.grain not in GRAINS or plan.unit == FIRM:
        return None
    whole = plan.forecast
    if whole is None or plan.weighted is None:
        return None
    if not _is_young(period, world.today):
        return None
    sure = whole - plan.weighted
    return Promise(world.today, whole, sure)


def _is_young(period: Period, today: date) -> bool:
    if today not in period:
        return False
    behind = today - period.start
    ahead = period.end - today
    return behind < ahead


def read_promise(row: PlanRow) -> Promise | None:
    """Return what a row of plans tells; None where nothing can be read."""
    if not row.told:
        return None
    try:
        return msgspec.json.decode(row.told, type=Promise)
    except msgspec.MsgspecError:
        return None


def write_promise(promise: Promise) -> str:
    """Return what was told as a row holds it."""
    encoded = msgspec.json.encode(promise)
    return encoded.decode()


def _outcome(row: PlanRow, grain: Grain, world: World) -> tuple[Amount, Amount] | None:
    """Return whole and sure part of a closed period beside what came; None of one without any money."""
    promise = read_promise(row)
    came = row.fact
    if promise is None or came is None:
        return None
    period = row.period
    if row.grain != grain or period is None:
        return None
    if not _is_closed(period, world):
        return None
    if came == promise.whole == 0:
        return None
    whole = Amount(promise.whole, came)
    sure = Amount(promise.sure, came)
    return whole, sure


def _is_closed(period: Span, world: World) -> bool:
    days = world.thresholds.close_days
    last = world.calendar.add(period.end, days)
    return last < world.today


def _noted(ref: Ref, promise: Promise, world: World) -> Fact:
    say = world.words.say
    day = show_day(say("told on"), promise.day)
    whole = show_money(say("forecast"), promise.whole, world.words)
    sure = show_money(say("recognised and committed"), promise.sure, world.words)
    formula = say("the first forecast before half of the period is over")
    inputs = (day, whole, sure)
    why = Why("takings", inputs, formula)
    text = write_promise(promise)
    return Fact(ref, "told", text, why)
