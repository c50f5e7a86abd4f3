"""What differs between the real world and a changed one, figure by figure (docs/method.md 10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import FIRM
from worker.domain.money import round_money
from worker.domain.periods import (
    A_DAY,
    A_WEEK,
    Grain,
    Period,
    children,
    next_period,
    quarter_of,
)
from worker.domain.values import Ref
from worker.method.measures import Condition, Measures, RoleLoad
from worker.method.money.forecasts import Ahead, Sums, sum_ahead
from worker.method.whatif.answers import (
    Answer,
    BonusLine,
    Hours,
    LoadLine,
    MoneyLine,
    NeedLine,
    Pair,
    RayLine,
    RiskLine,
)
from worker.world.world import World

ZERO = Decimal(0)
Conditions = Mapping[tuple[str, Ref], Condition]
Place = tuple[Ref, str]
Amounts = Mapping[tuple[Ref, Period], Decimal | None]
"""Money by unit (or firm) and period."""


class Side(msgspec.Struct, frozen=True, gc=False):
    """One of the two worlds with its measures; `lost` are clients that are no more, with their last day."""

    world: World
    measures: Measures
    lost: Mapping[Ref, date] = {}


def compare(before: Side, after: Side, *, since: date) -> Answer:
    """Return what differs; no week that ends before the day `since` does."""
    forecasts = _forecasts(before), _forecasts(after)
    return Answer(
        money=tuple(_money(before, after, forecasts)),
        load=tuple(_load(before, after, since)),
        rays=tuple(_rays(before, after)),
        bonuses=tuple(_bonuses(before.world, forecasts)),
        opening=tuple(_begun(before, after)),
        closing=tuple(_begun(after, before)),
        needs=tuple(_needs(before, after)),
        failed=after.measures.failed,
    )


# -- money -------------------------------------------------------------------------------------------------------------


def _money(
    before: Side, after: Side, forecasts: tuple[Amounts, Amounts]
) -> Iterator[MoneyLine]:
    targets = _targets(before), _targets(after)
    for unit in (FIRM, *before.world.units):
        for period in _periods(before.world.today):
            place = (unit, period)
            target = Pair(targets[0].get(place), targets[1].get(place))
            forecast = Pair(forecasts[0].get(place), forecasts[1].get(place))
            if target.differs or forecast.differs:
                yield MoneyLine(unit, period, target, forecast)


def _periods(today: date) -> Iterator[Period]:
    """Yield this quarter and the next one, each with the months that are not over."""
    quarter = quarter_of(today)
    for whole in (quarter, next_period(quarter)):
        yield whole
        for month in children(whole):
            if month.end >= today:
                yield month


def _targets(side: Side) -> Amounts:
    return {(plan.unit, plan.period): plan.target for plan in side.measures.plans}


def _forecasts(side: Side) -> Amounts:
    """Return what every unit and the firm have brought and are still to bring, in each period."""
    ahead = sum_ahead(side.measures.coming, side.world.units)
    if ahead is None:
        return {}
    forecasts: dict[tuple[Ref, Period], Decimal | None] = {}
    for unit in (FIRM, *side.world.units):
        for period in _periods(side.world.today):
            forecasts[unit, period] = _come(ahead, unit, period)
    for plan in side.measures.plans:
        if plan.period.grain is not Grain.WEEK:
            forecasts[plan.unit, plan.period] = plan.forecast
    return forecasts


def _come(ahead: Sums, unit: Ref, period: Period) -> Decimal:
    come = ahead.get((unit, period), Ahead())
    return come.committed + come.weighted


def _bonuses(world: World, forecasts: tuple[Amounts, Amounts]) -> Iterator[BonusLine]:
    for unit in world.units.values():
        for period in _periods(world.today):
            if period.grain is not Grain.QUARTER or not unit.bonus_rate:
                continue
            funds = []
            for known in forecasts:
                amount = known.get((unit.ref, period))
                fund = None
                if amount is not None:
                    fund = amount * unit.bonus_rate
                    fund = round_money(fund, world.minor_unit)
                funds.append(fund)
            pair = Pair(*funds)
            if pair.differs:
                yield BonusLine(unit.ref, period, pair)


# -- people ------------------------------------------------------------------------------------------------------------


def _load(before: Side, after: Side, since: date) -> Iterator[LoadLine]:
    old = _roles(before)
    new = _roles(after)
    nobody = RoleLoad("", ())
    for place in _places(old, new):
        unit, role = place
        weeks = _weeks(old.get(place, nobody), new.get(place, nobody), since)
        if any(pair.differs for pair in weeks.values()):
            yield LoadLine(unit, role, weeks)


def _places(old: Iterable[Place], new: Iterable[Place]) -> Iterable[Place]:
    """Return the places of both sides, the new ones last."""
    return dict.fromkeys((*old, *new))


def _roles(side: Side) -> dict[tuple[Ref, str], RoleLoad]:
    roles = {}
    for unit in side.world.units:
        load = side.measures.units.get(unit)
        for role in load.roles if load else ():
            roles[unit, role.role] = role
    return roles


def _weeks(old: RoleLoad, new: RoleLoad, since: date) -> dict[date, Pair[Hours]]:
    """Return the weeks of a role on both sides: those before the day `since` as they are."""
    before = {week.monday: Hours(week.load, week.capacity) for week in old.weeks}
    after = {week.monday: Hours(week.load, week.capacity) for week in new.weeks}
    pairs = {}
    for monday in sorted(before.keys() | after.keys()):
        was = before.get(monday, Hours(ZERO, ZERO))
        now = after.get(monday, Hours(ZERO, ZERO))
        if monday + A_WEEK - A_DAY < since:
            now = was
        pairs[monday] = Pair(was, now)
    return pairs


def _needs(before: Side, after: Side) -> Iterator[NeedLine]:
    old = _wanted(before)
    new = _wanted(after)
    for place in _places(old, new):
        hours = Pair(old.get(place), new.get(place))
        if hours.differs:
            yield NeedLine(*place, hours)


def _wanted(side: Side) -> dict[tuple[Ref, str], Decimal | None]:
    needs = side.measures.needs or ()
    return {(need.unit, need.role): need.hours for need in needs if need.holds}


# -- clients -----------------------------------------------------------------------------------------------------------


def _rays(before: Side, after: Side) -> Iterator[RayLine]:
    for client in before.world.clients:
        was = _horizon(before, client)
        now = _horizon(after, client)
        if client in after.lost:
            now = _cut_short(was, after.lost[client], before.world.today)
        if was != now:
            yield RayLine(client, Pair(was, now))


def _horizon(side: Side, client: Ref) -> date | None:
    ray = side.measures.rays.get(client)
    return ray.horizon.day if ray and ray.horizon else None


def _cut_short(horizon: date | None, last: date, today: date) -> date | None:
    """Return until when a lost client's work is secured: at most to its last day."""
    if horizon is None or last < today:
        return None
    return min(horizon, last)


# -- risks -------------------------------------------------------------------------------------------------------------


def _begun(before: Side, after: Side) -> Iterator[RiskLine]:
    """Yield the conditions that hold on the second side alone; those of which the first knows nothing are no news."""
    known = _conditions(before.measures.conditions)
    for place, condition in _conditions(after.measures.conditions).items():
        old = known.get(place)
        is_open = old is None or old.holds is False
        if condition.holds and is_open:
            yield RiskLine(
                *place, condition.title, condition.evidence, condition.probability
            )


def _conditions(conditions: Iterable[Condition]) -> Conditions:
    return {(one.signal, one.subject): one for one in conditions}
