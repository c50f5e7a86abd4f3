"""Quarter, month and week plans of every unit and of the firm (docs/method.md 2.2; docs/facts/definitions.md 7).

Planned to date, pace and the required rate count finished working days: yesterday is the last one behind us, today the
first one ahead. A quarter's target is the person's when pinned, else by the policy in the configuration. The shortfall
of finished weeks is not added to targets, it stands beside them as carry, so that targets keep adding up. A row that a
person deleted stays deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import FIRM, Client
from worker.domain.messages import literal, message, tell
from worker.domain.money import round_money, split
from worker.domain.period_titles import period_title
from worker.domain.periods import (
    Grain,
    Period,
    month_of,
    next_period,
    previous_period,
    quarter_of,
)
from worker.domain.values import Ref, Span, Value
from worker.domain.words import Words
from worker.errors import Code, Problem
from worker.method.formulas.bands import colour_of
from worker.method.formulas.cascade import Cascade, cascade, parts_of, tree_of, weeks_of
from worker.method.formulas.flow import ratio
from worker.method.formulas.hysteresis import Tracks, debounce, follow, to_change
from worker.method.formulas.phasing import fee_until, passed_share
from worker.method.measures import MoneyMeasure, PlanMeasure, Rag
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import Track
from worker.world.rows import PlanRow, by_key, plan_key
from worker.world.world import World

ZERO = Decimal("0.00")
GREY = frozenset({Rag.GREY.value})

Money = dict[tuple[Ref, Period], tuple[Decimal, frozenset[str]]]


class _Tree(msgspec.Struct, frozen=True, gc=False):
    """One quarter of one unit: targets, what people pinned, and the carry of the weeks."""

    unit: Ref
    quarter: Period
    plan: Cascade
    pins: dict[str, Decimal]
    passed: dict[str, Decimal]
    carry: dict[str, Decimal] = msgspec.field(default_factory=dict)


def plan_money(
    world: World, revenue: MoneyMeasure | None
) -> Findings[tuple[PlanMeasure, ...]]:
    """Return the plan rows of this quarter, and of the next one once it is near."""
    money = _money(revenue)
    problems: list[Problem] = []
    tracks = to_change(world.memory.tracks)
    plans: list[PlanMeasure] = []
    rows = by_key(world.plan_rows())
    for quarter in _quarters(world):
        passed = _all_passed(quarter, world)
        units: dict[Ref, Cascade] = {}
        for unit in (*world.units, FIRM):
            pins = _pins(unit, quarter, rows, problems=problems, minor=world.minor_unit)
            plan = (
                _firm(units, quarter, world, pins=pins, money=money)
                if unit == FIRM
                else cascade(
                    _target(unit, quarter, world, money=money),
                    quarter,
                    world.calendar,
                    pins=pins,
                    minor=world.minor_unit,
                )
            )
            tree = _Tree(unit, quarter, plan, pins, passed)
            problems += _conflicts(tree, rows, world)
            problems += _unpinned(tree, rows, world, tracks=tracks)
            units[unit] = plan
            tree = replace(tree, carry=_carry(tree, world, money=money))
            plans += [
                _measure(tree, period, world, money=money, tracks=tracks)
                for period in tree_of(quarter)
            ]
    deleted = {ref.key for ref in world.trashed if ref.source == "plans"}
    facts = tuple(
        fact
        for plan in plans
        if plan_key(plan.unit, plan.period) not in deleted
        for fact in _facts(plan, world)
    )
    return Findings(
        tuple(plans), facts, problems=tuple(problems), tracks=tracks.maps[0]
    )


def _quarters(world: World) -> tuple[Period, ...]:
    quarter = quarter_of(world.today)
    left = world.calendar.working_days(world.today, quarter.end)
    near = left <= world.thresholds.next_quarter_days
    return (quarter, next_period(quarter)) if near else (quarter,)


def _money(revenue: MoneyMeasure | None) -> Money | None:
    """Sum the clients' money by unit and by firm, for every week part, month and quarter."""
    if revenue is None:
        return None
    weeks: dict[tuple[Ref, Period, str], Decimal] = defaultdict(Decimal)
    for fact in revenue.weeks:
        weeks[fact.unit or FIRM, fact.week, fact.basis] += fact.amount
    sums: dict[tuple[Ref, Period], Decimal] = defaultdict(Decimal)
    bases: dict[tuple[Ref, Period], set[str]] = defaultdict(set)
    for (owner, week, basis), amount in weeks.items():
        for unit in {owner, FIRM}:
            for period in (week, month_of(week.start), quarter_of(week.start)):
                place = (unit, period)
                sums[place] += amount
                bases[place].add(basis)

    money: dict[tuple[Ref, Period], tuple[Decimal, frozenset[str]]] = {}
    for place, amount in sums.items():
        money[place] = (amount, frozenset(bases[place]))
    return money


def _pins(
    unit: Ref,
    quarter: Period,
    rows: dict[str, PlanRow],
    *,
    problems: list[Problem],
    minor: Decimal,
) -> dict[str, Decimal]:
    pins: dict[str, Decimal] = {}
    for period in tree_of(quarter):
        row = rows.get(plan_key(unit, period))
        if row is None or not row.pinned:
            continue
        if row.target is None or row.target < 0:
            problems.append(_bad_pin(row))
        else:
            pins[period.code] = round_money(row.target, minor)
    return pins


def _bad_pin(row: PlanRow) -> Problem:
    return Problem(
        code=Code.BAD_PIN,
        where=literal(row.title),
        field="target",
        message=tell(
            "the row is pinned but its target is not an amount of zero or more"
        ),
        hint=tell("fill the target or remove the pin"),
        url=row.url,
    )


def _target(
    unit: Ref, quarter: Period, world: World, *, money: Money | None
) -> Decimal | None:
    match world.targets.policy:
        case "none":
            return None
        case "contracts":
            return _contracts(
                (c for c in world.clients.values() if c.unit == unit), quarter, world
            )
        case "growth":
            before = (
                money.get((unit, previous_period(quarter)))
                if money is not None
                else None
            )
            return (
                round_money(before[0] * (1 + world.targets.growth), world.minor_unit)
                if before
                else None
            )


def _firm(
    units: Mapping[Ref, Cascade],
    quarter: Period,
    world: World,
    *,
    pins: Mapping[str, Decimal],
    money: Money | None,
) -> Cascade:
    """Sum the units' plans and, by the same policy, what clients outside of units bring, node by node.

    So the firm's month is what its units' months are, pins included; where a unit's pins exclude each other, what its
    weeks come to. With pins of its own the quarter is cascaded anew: its months are then a decision of their own.
    """
    rest = cascade(
        _free(units, quarter, world, money=money),
        quarter,
        world.calendar,
        pins={},
        minor=world.minor_unit,
    )
    plans = [plan.targets for plan in (*units.values(), rest)]
    targets: dict[str, Decimal | None] = {}
    for month in parts_of(quarter):
        weeks = [week.code for week in parts_of(month)]
        targets |= {code: _sum(plan.get(code) for plan in plans) for code in weeks}
        targets[month.code] = _sum(targets[code] for code in weeks)
    targets[quarter.code] = _sum(targets[month.code] for month in parts_of(quarter))
    return (
        cascade(
            targets[quarter.code],
            quarter,
            world.calendar,
            pins=pins,
            minor=world.minor_unit,
        )
        if pins
        else Cascade(targets)
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if known else None


def _free(
    units: Mapping[Ref, Cascade], quarter: Period, world: World, *, money: Money | None
) -> Decimal | None:
    """Return what clients outside of units are to bring."""
    match world.targets.policy:
        case "contracts":
            return _contracts(
                (c for c in world.clients.values() if c.unit not in world.units),
                quarter,
                world,
            )
        case "growth" if money is not None:
            before = {
                unit: money.get((unit, previous_period(quarter)), (ZERO, None))[0]
                for unit in (*units, FIRM)
            }
            return round_money(
                (2 * before[FIRM] - sum(before.values())) * (1 + world.targets.growth),
                world.minor_unit,
            )
    return None


def _contracts(
    clients: Iterable[Client], quarter: Period, world: World
) -> Decimal | None:
    """Sum the monthly fees over the working days on which each contract is in force; None when no fee is known."""
    fees = [client for client in clients if client.monthly_fee is not None]
    if not fees:
        return None
    return round_money(
        sum(
            (
                fee_until(
                    client,
                    month,
                    month.end,
                    calendar=world.calendar,
                    minor=world.minor_unit,
                )
                for client in fees
                for month in parts_of(quarter)
            ),
            Decimal(0),
        ),
        world.minor_unit,
    )


def _conflicts(
    tree: _Tree, rows: dict[str, PlanRow], world: World
) -> Iterator[Problem]:
    for conflict in tree.plan.conflicts:
        row = rows.get(plan_key(tree.unit, conflict.period))
        yield Problem(
            code=Code.PIN_CONFLICT,
            where=literal(_title(tree.unit, conflict.period, world)),
            field="target",
            message=tell(
                "its target is {target}, the pinned parts below ask for {below}",
                target=conflict.target,
                below=conflict.below,
            ),
            hint=tell("change or remove one of the pins"),
            url=row.url if row else "",
        )


def _unpinned(
    tree: _Tree, rows: dict[str, PlanRow], world: World, *, tracks: Tracks
) -> Iterator[Problem]:
    """Name the targets people typed without pinning them: they stand, but nothing is planned by them.

    Such a target is known by being neither what is stated now nor what was stated last.
    """
    for period in tree_of(tree.quarter):
        key = plan_key(tree.unit, period)
        stated = tree.plan.targets[period.code]
        place = f"plans/{key}#target"
        row = rows.get(key)
        if row is not None and row.target is not None and not row.pinned:
            is_ours = _is_ours(row.target, stated, tracks.get(place))
            if not is_ours:
                yield _unpinned_target(row, row.target, world)
        if stated is not None:
            tracks[place] = follow(tracks.get(place), str(stated), world.today)


def _is_ours(target: Decimal, stated: Decimal | None, last: Track | None) -> bool:
    """Tell whether a target may be the worker's; one that remembers nothing cannot tell until it has stated one."""
    return target == stated or (
        stated is not None if last is None else target == Decimal(last.value)
    )


def _unpinned_target(row: PlanRow, typed: Decimal, world: World) -> Problem:
    return Problem(
        code=Code.UNPINNED_TARGET,
        where=literal(row.title),
        field="target",
        message=tell(
            "{target} was typed but is not pinned: it stands, and nothing is planned by it",
            target=world.words.money(typed),
        ),
        hint=tell("tick Pinned to plan by it, or empty the cell"),
        url=row.url,
    )


def _all_passed(quarter: Period, world: World) -> dict[str, Decimal]:
    return {
        period.code: passed_share(period, world.today, world.calendar)
        for period in tree_of(quarter)
    }


def _carry(tree: _Tree, world: World, *, money: Money | None) -> dict[str, Decimal]:
    """Place the shortfall of the finished weeks on the unfinished unpinned ones, by policy; by period code."""
    weeks = weeks_of(tree.quarter)
    finished = [week for week in weeks if week.end < world.today]
    if money is None or not finished or world.thresholds.carry_over == "none":
        return {}
    short = sum((_short(tree, week, money) for week in finished), ZERO)
    places = _places(tree, weeks, world)
    if short <= 0 or not places:
        return {tree.quarter.code: max(short, ZERO)}
    parts = dict(
        zip(
            places,
            split(
                short,
                [world.calendar.in_period(week) for week in places],
                world.minor_unit,
            ),
            strict=True,
        )
    )
    carried = {week.code: part for week, part in parts.items()}
    for month in parts_of(tree.quarter):
        carried[month.code] = sum(
            (part for week, part in parts.items() if week.start in month), ZERO
        )
    return carried | {tree.quarter.code: short}


def _short(tree: _Tree, week: Period, money: Money) -> Decimal:
    return (tree.plan.targets.get(week.code) or ZERO) - money.get(
        (tree.unit, week), (ZERO, frozenset())
    )[0]


def _places(tree: _Tree, weeks: Iterable[Period], world: World) -> list[Period]:
    free = [
        week
        for week in weeks
        if week.end >= world.today
        and week.code not in tree.pins
        and world.calendar.in_period(week)
    ]
    if world.thresholds.carry_over == "next_week":
        return free[:1]
    month = (
        next(month for month in parts_of(tree.quarter) if world.today in month)
        if world.today in tree.quarter
        else None
    )
    return [week for week in free if month and week.start in month] or free


def _measure(
    tree: _Tree, period: Period, world: World, *, money: Money | None, tracks: Tracks
) -> PlanMeasure:
    target = tree.plan.targets[period.code]
    passed = tree.passed[period.code]
    amount, bases = (
        (None, frozenset[str]())
        if money is None
        else money.get((tree.unit, period), (ZERO, frozenset()))
    )
    planned = _planned(tree, period, world.minor_unit)
    pace = ratio(amount / planned) if amount is not None and planned else None
    seen, why = _colour(passed, amount, planned, pace=pace, world=world)
    name = f"plans/{plan_key(tree.unit, period)}#health"
    track = tracks[name] = debounce(
        tracks.get(name), seen.value, world.today, instant=GREY
    )
    return PlanMeasure(
        tree.unit,
        period,
        target,
        period.code in tree.pins,
        amount,
        _basis(bases, world.words),
        _forecast(passed, amount, world),
        tree.carry.get(period.code, ZERO),
        _per_day(period, target, amount, world=world),
        pace,
        Rag(track.value),
        why,
        any(conflict.period == period for conflict in tree.plan.conflicts),
        planned,
    )


def _planned(tree: _Tree, period: Period, minor: Decimal) -> Decimal | None:
    """Planned to date: the targets of the week parts, as far as their working days have passed."""
    if tree.plan.targets[period.code] is None:
        return None
    weeks = [
        week
        for month in parts_of(tree.quarter)
        for week in parts_of(month)
        if week.start in period
    ]
    return round_money(
        sum(
            (
                (tree.plan.targets[week.code] or ZERO) * tree.passed[week.code]
                for week in weeks
            ),
            ZERO,
        ),
        minor,
    )


def _forecast(passed: Decimal, amount: Decimal | None, world: World) -> Decimal | None:
    """Linear projection: fact / share of working days passed; none while that share is small."""
    if amount is None or passed < world.thresholds.pace_muted_share or not passed:
        return None
    return round_money(amount / passed, world.minor_unit)


def _per_day(
    period: Period, target: Decimal | None, amount: Decimal | None, *, world: World
) -> Decimal | None:
    """Required rate = (target - fact) / working days left, today included."""
    left = world.calendar.working_days(max(period.start, world.today), period.end)
    if target is None or amount is None or not left:
        return None
    return round_money(max(ZERO, target - amount) / left, world.minor_unit)


def _colour(
    passed: Decimal,
    amount: Decimal | None,
    planned: Decimal | None,
    *,
    pace: Decimal | None,
    world: World,
) -> tuple[Rag, str]:
    words = world.words
    band = world.thresholds.pace
    if amount is None:
        return Rag.GREY, words.say("The money of this run is not known.")
    if planned is None:
        return Rag.GREY, words.say("There is no target.")
    if passed and pace is None:
        return Rag.GREY, words.say("Nothing was planned here.")
    if passed < world.thresholds.pace_muted_share or pace is None:
        return Rag.GREY, words.say(
            "Too early: {share} of the working days have passed.",
            share=words.percent(passed),
        )
    colour = colour_of(pace, band)
    return colour, words.say(
        "Fact {fact} of {planned} planned to date: pace {pace}.",
        fact=words.money(amount),
        planned=words.money(planned),
        pace=words.percent(pace),
    )


BASES = {
    "act": message("acts"),
    "invoice": message("invoices"),
    "payment": message("payments"),
    "tm": message("accrued: hours x rate"),
    "retainer": message("accrued: fee by working days"),
    "fixed_price": message("accrued: budget x progress"),
}


def _basis(bases: frozenset[str], words: Words) -> str:
    return "; ".join(
        words.say(BASES[basis]) if basis in BASES else basis for basis in sorted(bases)
    )


def _title(unit: Ref, period: Period, world: World) -> str:
    name = world.words.say("Whole firm") if unit == FIRM else world.units[unit].name
    return f"{period_title(period, world.words)} · {name}"


def _facts(plan: PlanMeasure, world: World) -> Iterator[Fact]:
    say = world.words.say
    ref = Ref("plans", plan_key(plan.unit, plan.period))
    inputs = _inputs(plan, world)
    threshold = f"pace >= {world.thresholds.pace.green} / {world.thresholds.pace.amber}"
    for name, value in _identity(plan, world).items():
        yield Fact(ref, name, value, Why("plans", (), say("the unit and the period")))
    if plan.target is not None:
        formula = (
            say("pinned by a person")
            if plan.pinned
            else say("share of the parent's target by working days")
        )
        yield Fact(ref, "target", plan.target, Why("plans", inputs, formula))
    if plan.fact is None:
        return
    values: dict[str, tuple[Value, str]] = {
        "fact": (plan.fact, say("sum of the clients' money in the period")),
        "fact_basis": (plan.fact_basis or None, say("what the fact was taken from")),
        "forecast": (plan.forecast, say("fact / share of working days passed")),
        "carry": (
            plan.carry,
            say("shortfall of finished weeks placed on the weeks ahead"),
        ),
        "per_day": (plan.per_day, say("(target - fact) / working days left")),
        "pace": (plan.pace, say("fact / planned to date")),
        "health": (
            plan.rag.value,
            say("pace against its band; held until seen on two days"),
        ),
        "why": (plan.why, say("the reasons of the colour")),
    }
    for name, (value, formula) in values.items():
        yield Fact(
            ref,
            name,
            value,
            Why(
                "plans",
                inputs,
                formula,
                threshold if name in ("pace", "health") else "",
            ),
        )


def _identity(plan: PlanMeasure, world: World) -> dict[str, Value]:
    unit = plan.unit
    period = plan.period
    parents = {
        Grain.MONTH: quarter_of(period.start),
        Grain.WEEK: month_of(period.start),
    }
    parent = parents.get(period.grain)
    return {
        "name": _title(unit, period, world),
        "unit": () if unit == FIRM else (unit,),
        "grain": period.grain.value,
        "period": Span(period.start, period.end),
        "parent": (Ref("plans", plan_key(unit, parent)),) if parent else (),
    }


def _inputs(plan: PlanMeasure, world: World) -> tuple[Input, ...]:
    say = world.words.say
    calendar = world.calendar
    unit = world.units.get(plan.unit)
    return (
        Input(
            say("unit"),
            unit.name if unit else say("Whole firm"),
            unit.url if unit else "",
        ),
        Input(say("target"), str(plan.target)),
        Input(say("fact"), str(plan.fact)),
        Input(say("planned to date"), str(plan.planned)),
        Input(say("working days"), str(calendar.in_period(plan.period))),
    )
