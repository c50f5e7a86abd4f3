"""Quarter, month and week plans of every unit and of the firm (docs/method.md 2.2; docs/facts/definitions.md 7).

Planned to date, pace and the required rate count finished working days: yesterday is the last one behind us, today the
first one ahead. A quarter's target is the person's when pinned, else by the policy in the configuration. The shortfall
of finished weeks is not added to targets, it stands beside them as carry, so that targets keep adding up. A row that a
person deleted stays deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import FIRM, OUTSIDE, holder_of
from worker.domain.messages import BESIDE_UNITS, Text, literal, message, tell
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
from worker.method.formulas.cascade import Conflict, tree_of, weeks_of
from worker.method.formulas.flow import ratio
from worker.method.formulas.hysteresis import Tracks, debounce, follow, to_change
from worker.method.formulas.phasing import passed_share
from worker.method.measures import CardMeasure, Coming, MoneyMeasure, PlanMeasure, Rag
from worker.method.money.closing import first_open_month
from worker.method.money.forecasts import Ahead, Sums, sum_ahead
from worker.method.money.plan_reasons import Basis, Brought, choose, list_figures
from worker.method.money.targets import Setting, Targets, set_targets
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.memory import Track
from worker.world.rows import PlanRow, by_key, plan_key
from worker.world.world import World

ZERO = Decimal("0.00")
GREY = frozenset({Rag.GREY.value})

Money = dict[tuple[Ref, Period], tuple[Decimal, frozenset[str]]]

Clients = Mapping[tuple[Ref, Period], Mapping[Ref, Brought]]
"""Money of every client, by the unit and period it counts in."""


class _Tree(msgspec.Struct, frozen=True, gc=False):
    """One quarter of one unit: targets, what people pinned, and the carry of the weeks."""

    unit: Ref
    quarter: Period
    targets: Targets
    pins: Mapping[str, Decimal]
    passed: dict[str, Decimal]
    carry: dict[str, Decimal] = msgspec.field(default_factory=dict)
    clients: Clients = {}

    def target(self, period: Period) -> Decimal | None:
        """Return the target of a period."""
        return self.targets.plan.targets[period.code]


def plan_money(
    world: World,
    revenue: MoneyMeasure | None,
    coming: Iterable[Coming] | None,
    cards: Mapping[Ref, CardMeasure],
) -> Findings[tuple[PlanMeasure, ...]]:
    """Return the plan rows of this quarter, of the next one once it is near, and of the last one while it is not closed."""
    units = world.units.keys()
    money = _money(revenue, units)
    clients = _clients(revenue, coming, units)
    ahead = sum_ahead(coming, units)
    tracks = to_change(world.memory.tracks)
    rows = by_key(world.plan_rows())
    if not (rows or world.clients or world.revenue):
        # Nothing is sold yet to anybody: twenty rows that say so would only be in the way.
        return Findings(())
    deleted = _deleted(world)
    plans: list[PlanMeasure] = []
    facts: list[Fact] = []
    problems: list[Problem] = []
    for quarter in _quarters(world, rows):
        is_over = quarter.end < world.today
        pins = _all_pins(quarter, world, rows, problems=problems)
        passed = _all_passed(quarter, world)
        setting = Setting(
            world=world,
            quarter=quarter,
            pins=pins,
            before=_before(quarter, world, money),
            cards=cards,
            rows=rows,
            tracks=tracks,
        )
        for unit, targets in set_targets(setting).items():
            tree = _Tree(unit, quarter, targets, pins[unit], passed, clients=clients)
            if unit == OUTSIDE and not _has_own(tree, rows, world):
                continue
            tree = replace(tree, carry=_carry(tree, world, money=money))
            problems += _conflicts(tree, rows, world)
            problems += _unpinned(tree, rows, world, tracks=tracks)
            for period in tree_of(quarter):
                if is_over and plan_key(unit, period) not in rows:
                    continue
                plan = _measure(tree, period, world, money=money, tracks=tracks)
                plan = _forecast(plan, ahead, world)
                plans.append(plan)
                if plan_key(unit, period) not in deleted:
                    facts += _facts(plan, tree, world)
    return Findings(
        tuple(plans), tuple(facts), problems=tuple(problems), tracks=tracks.maps[0]
    )


def _has_own(tree: _Tree, rows: Mapping[str, PlanRow], world: World) -> bool:
    """Tell whether there is anything to plan outside of units: money, a target, or rows that were made for it."""
    if not world.units:
        return False
    for period in tree_of(tree.quarter):
        is_kept = plan_key(tree.unit, period) in rows
        brought = tree.clients.get((tree.unit, period), {})
        has_money = any(part != Brought() for part in brought.values())
        if is_kept or has_money or tree.target(period):
            return True
    return False


def _before(quarter: Period, world: World, money: Money | None) -> dict[Ref, Decimal]:
    """Return what the quarter before brought, by unit and for the clients outside, where it brought anything."""
    before: dict[Ref, Decimal] = {}
    last = previous_period(quarter)
    if money is None:
        return before
    for unit in world.units:
        if (unit, last) in money:
            before[unit], _ = money[unit, last]
    if (FIRM, last) in money:
        whole, _ = money[FIRM, last]
        before[OUTSIDE] = whole - sum(before.values(), ZERO)
    return before


def _deleted(world: World) -> set[str]:
    """Return the keys of the rows that people deleted."""
    keys = set()
    for ref in world.trashed:
        if ref.source == "plans":
            keys.add(ref.key)
    return keys


def _quarters(world: World, rows: Mapping[str, PlanRow]) -> tuple[Period, ...]:
    quarter = quarter_of(world.today)
    last = previous_period(quarter)
    units = (*world.units, *BESIDE_UNITS)
    is_open = first_open_month(world) <= last.end
    if is_open and any(plan_key(unit, last) in rows for unit in units):
        # Its rows are kept true while money may still enter it.
        return last, quarter
    left = world.calendar.working_days(world.today, quarter.end)
    if left <= world.thresholds.next_quarter_days:
        return quarter, next_period(quarter)
    return (quarter,)


def _money(revenue: MoneyMeasure | None, units: Collection[Ref]) -> Money | None:
    """Sum the clients' money by unit and by firm, for every week part, month and quarter."""
    if revenue is None:
        return None
    sums: dict[tuple[Ref, Period], Decimal] = defaultdict(Decimal)
    bases: dict[tuple[Ref, Period], set[str]] = defaultdict(set)
    for fact in revenue.weeks:
        for place in _places_of(holder_of(fact.unit, units), fact.week):
            sums[place] += fact.amount
            names = bases[place]
            names.add(fact.basis)

    money: dict[tuple[Ref, Period], tuple[Decimal, frozenset[str]]] = {}
    for place, amount in sums.items():
        money[place] = (amount, frozenset(bases[place]))
    return money


def _clients(
    revenue: MoneyMeasure | None,
    coming: Iterable[Coming] | None,
    units: Collection[Ref],
) -> Clients:
    """Sum what every client brought and is still to bring, by unit and by firm, for every week part, month and quarter."""
    clients: dict[tuple[Ref, Period], dict[Ref, Brought]] = defaultdict(dict)
    for fact in revenue.weeks if revenue else ():
        part = Brought(fact=fact.amount)
        for place in _places_of(holder_of(fact.unit, units), fact.week):
            own = clients[place]
            own[fact.client] = own.get(fact.client, Brought()).plus(part)
    for ahead in coming or ():
        part = Brought(committed=ahead.committed, weighted=ahead.weighted)
        for place in _places_of(holder_of(ahead.unit, units), ahead.week):
            own = clients[place]
            own[ahead.client] = own.get(ahead.client, Brought()).plus(part)
    return clients


def _places_of(unit: Ref, week: Period) -> Iterator[tuple[Ref, Period]]:
    """Yield the plans that money of a unit in a week part belongs to."""
    for owner in (unit, FIRM):
        yield owner, week
        yield owner, month_of(week.start)
        yield owner, quarter_of(week.start)


def _all_pins(
    quarter: Period,
    world: World,
    rows: Mapping[str, PlanRow],
    *,
    problems: list[Problem],
) -> dict[Ref, dict[str, Decimal]]:
    """Return what people pinned, by unit and period code; a pin without an amount is named."""
    pins: dict[Ref, dict[str, Decimal]] = {}
    for unit in (*world.units, *BESIDE_UNITS):
        own = pins[unit] = {}
        for row, period in _pinned(unit, quarter, rows):
            if row.target is None or row.target < 0:
                problems.append(_bad_pin(row))
            else:
                own[period.code] = round_money(row.target, world.minor_unit)
    return pins


def _pinned(
    unit: Ref, quarter: Period, rows: Mapping[str, PlanRow]
) -> Iterator[tuple[PlanRow, Period]]:
    for period in tree_of(quarter):
        row = rows.get(plan_key(unit, period))
        if row is not None and row.pinned:
            yield row, period


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


def _conflicts(
    tree: _Tree, rows: dict[str, PlanRow], world: World
) -> Iterator[Problem]:
    for conflict in tree.targets.plan.conflicts:
        key = plan_key(tree.unit, conflict.period)
        url = ""
        if key in rows:
            url = rows[key].url
        yield Problem(
            code=Code.PIN_CONFLICT,
            where=literal(_title(tree.unit, conflict.period, world)),
            field="target",
            message=_conflict(conflict),
            hint=tell("change or remove one of the pins"),
            url=url,
        )


def _conflict(conflict: Conflict) -> Text:
    if conflict.is_firm:
        return tell(
            "its target is {target}, its units come to {below}",
            target=conflict.target,
            below=conflict.below,
        )
    if conflict.past:
        return tell(
            "its target is {target}, the parts below that are pinned or over come to {below}",
            target=conflict.target,
            below=conflict.below,
        )
    return tell(
        "its target is {target}, the pinned parts below ask for {below}",
        target=conflict.target,
        below=conflict.below,
    )


def _unpinned(
    tree: _Tree, rows: dict[str, PlanRow], world: World, *, tracks: Tracks
) -> Iterator[Problem]:
    """Name the targets people typed without pinning them: they stand, but nothing is planned by them.

    Such a target is known by being neither what is stated now nor what was stated last.
    """
    for period in tree_of(tree.quarter):
        key = plan_key(tree.unit, period)
        stated = tree.target(period)
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
    if target == stated:
        return True
    if last is None:
        return stated is not None
    return target == Decimal(last.value)


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
    """Place the shortfall of the finished weeks on the unfinished unpinned ones, by policy; by period code.

    The quarter always names the whole shortfall, placed or not.
    """
    if money is None:
        return {}
    weeks = weeks_of(tree.quarter)
    short = ZERO
    for week in weeks:
        if week.end < world.today:
            short += _short(tree, week, money)
    if short <= 0:
        return {}
    carried = {tree.quarter.code: short}
    places = _places(tree, weeks, world)
    if not places:
        return carried

    days = [world.calendar.in_period(week) for week in places]
    parts = split(short, days, world.minor_unit)
    for week, part in zip(places, parts, strict=True):
        month = month_of(week.start)
        carried[week.code] = part
        carried[month.code] = carried.get(month.code, ZERO) + part
    return carried


def _short(tree: _Tree, week: Period, money: Money) -> Decimal:
    target = tree.target(week) or ZERO
    if (tree.unit, week) not in money:
        return target
    fact, _ = money[tree.unit, week]
    return target - fact


def _places(tree: _Tree, weeks: Iterable[Period], world: World) -> list[Period]:
    """Return the week parts that take the shortfall: of this month while enough of it is left, else of those after it."""
    policy = world.thresholds.carry_over
    if policy == "none":
        return []
    month = month_of(world.today)
    inside: list[Period] = []
    after: list[Period] = []
    for week in weeks:
        is_over = week.end < world.today
        if is_over or week.code in tree.pins:
            continue
        if not world.calendar.in_period(week):
            continue
        if week.start in month:
            inside.append(week)
        else:
            after.append(week)
    if policy == "next_week":
        return [*inside, *after][:1]

    left = world.calendar.working_days(world.today, month.end)
    if left < world.thresholds.carry_days:
        return after or inside
    return inside or after


def _measure(
    tree: _Tree, period: Period, world: World, *, money: Money | None, tracks: Tracks
) -> PlanMeasure:
    target = tree.target(period)
    passed = tree.passed[period.code]
    amount = None
    bases: frozenset[str] = frozenset()
    if money is not None:
        place = tree.unit, period
        amount, bases = money.get(place, (ZERO, bases))
    planned = _planned(tree, period)
    pace = None
    if amount is not None and planned:
        pace = ratio(amount / planned)
    seen, why = _colour(passed, amount, planned, pace=pace, world=world)
    why += _changed(tree, period, world.words)
    name = f"plans/{plan_key(tree.unit, period)}#health"
    before = tracks.get(name)
    track = debounce(before, seen.value, world.today, instant=GREY)
    tracks[name] = track
    conflicts = tree.targets.plan.conflicts
    in_conflict = [conflict.period for conflict in conflicts]
    return PlanMeasure(
        tree.unit,
        period,
        target,
        period.code in tree.pins,
        amount,
        _basis(bases, world.words),
        None,
        tree.carry.get(period.code, ZERO),
        _per_day(period, target, amount, world=world),
        pace,
        Rag(track.value),
        why,
        period in in_conflict,
        planned,
    )


def _planned(tree: _Tree, period: Period) -> Decimal | None:
    """Planned to date: what of the week parts' targets lies behind us."""
    if tree.target(period) is None:
        return None
    weeks = weeks_of(period) or (period,)
    return sum((tree.targets.planned[week.code] for week in weeks), ZERO)


def _forecast(plan: PlanMeasure, coming: Sums | None, world: World) -> PlanMeasure:
    """Return a plan with its forecast, its parts apart: what is booked is never extrapolated."""
    if plan.fact is None or coming is None:
        return plan
    ahead = coming.get((plan.unit, plan.period), Ahead())
    forecast = plan.fact + ahead.committed + ahead.weighted
    why = plan.why
    if ahead != Ahead():
        words = world.words
        why += " " + words.say(
            "Forecast {forecast}: actual {fact}, committed {committed}, weighted pipeline {weighted}.",
            forecast=words.money(forecast),
            fact=words.money(plan.fact),
            committed=words.money(ahead.committed),
            weighted=words.money(ahead.weighted),
        )
    return replace(
        plan,
        forecast=forecast,
        committed=ahead.committed,
        weighted=ahead.weighted,
        why=why,
    )


def _per_day(
    period: Period, target: Decimal | None, amount: Decimal | None, *, world: World
) -> Decimal | None:
    """Required rate = (target - fact) / working days left, today included; nothing is required in a quarter that is over."""
    if target is None:
        return None
    if amount is None:
        return None
    first = max(period.start, world.today)
    left = world.calendar.working_days(first, period.end)
    if not left:
        quarter = quarter_of(period.start)
        return ZERO if quarter.end < world.today else None
    missing = max(ZERO, target - amount)
    return round_money(missing / left, world.minor_unit)


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
        "Actual {fact} of {planned} planned to date: pace {pace}.",
        fact=words.money(amount),
        planned=words.money(planned),
        pace=words.percent(pace),
    )


def _changed(tree: _Tree, period: Period, words: Words) -> str:
    """Say beside a quarter's frozen target what contracts, or last quarter's revenue, come to now."""
    now = tree.targets.now
    is_pinned = period.code in tree.pins
    if now is None or is_pinned:
        return ""
    if period.grain is not Grain.QUARTER:
        return ""
    return " " + words.say(
        "Contracts and revenue now come to {amount}.", amount=words.money(now)
    )


BASES = {
    "act": message("acts"),
    "invoice": message("invoices"),
    "payment": message("payments"),
    "tm": message("accrued: hours × rate"),
    "retainer": message("accrued: fee by working days"),
    "fixed_price": message("accrued: budget × progress"),
    "true_up": message("true-ups of closed months"),
}


def _basis(bases: frozenset[str], words: Words) -> str:
    names = []
    for basis in sorted(bases):
        name = BASES.get(basis, basis)
        names.append(words.say(name))
    return "; ".join(names)


def _title(unit: Ref, period: Period, world: World) -> str:
    period_name = period_title(period, world.words)
    if unit in BESIDE_UNITS:
        name = world.words.say(BESIDE_UNITS[unit])
    else:
        name = world.units[unit].name
    return f"{period_name} · {name}"


def _facts(plan: PlanMeasure, tree: _Tree, world: World) -> Iterator[Fact]:
    say = world.words.say
    ref = Ref("plans", plan_key(plan.unit, plan.period))
    figures = list_figures(plan, _basis_of(plan, tree), world)
    band = world.thresholds.pace
    threshold = say("pace ≥ {green} / {amber}", green=band.green, amber=band.amber)
    for name, value in _identity(plan, world).items():
        why = Why("plans", figures["row"], say("the unit and the period"))
        yield Fact(ref, name, value, why)
    if plan.target is not None:
        formula = _target_formula(plan, tree, world)
        why = Why("plans", choose("target", figures), formula)
        yield Fact(ref, "target", plan.target, why)
    if plan.fact is None:
        return
    values: dict[str, tuple[Value, str]] = {
        "fact": (plan.fact, say("sum of the clients' money in the period")),
        "fact_basis": (plan.fact_basis or None, say("what the actual was taken from")),
        "forecast": (plan.forecast, say("actual + committed + weighted pipeline")),
        "committed": (
            plan.committed,
            say("what fees, work under way and agreed cards are still to bring"),
        ),
        "weighted": (
            plan.weighted,
            say("budgets of proposals × probability, over their time"),
        ),
        "carry": (
            plan.carry,
            say("shortfall of finished weeks placed on the weeks ahead"),
        ),
        "per_day": (plan.per_day, say("(target − actual) / working days left")),
        "pace": (plan.pace, say("actual / planned to date")),
        "health": (
            plan.rag.value,
            say("pace against its band; held until seen on two days"),
        ),
        "why": (plan.why, say("the reasons of the colour")),
    }
    for name, (value, formula) in values.items():
        why = Why("plans", choose(name, figures), formula)
        if name in ("pace", "health"):
            why = replace(why, threshold=threshold)
        yield Fact(ref, name, value, why)


def _target_formula(plan: PlanMeasure, tree: _Tree, world: World) -> str:
    say = world.words.say
    if plan.pinned:
        return say("pinned by a person")
    if plan.period.code in tree.targets.shared:
        return say("share of the firm's pinned target")
    is_untouched = not tree.pins and not tree.targets.shared
    if is_untouched and plan.unit == FIRM:
        return say("sum of the units, and of clients outside of them")
    if is_untouched and world.targets.policy == "contracts":
        return say("what contracts and dated budgets are to earn in the period")
    return say("share of the parent's target by working days")


def _identity(plan: PlanMeasure, world: World) -> dict[str, Value]:
    unit = plan.unit
    period = plan.period
    parents = {
        Grain.MONTH: quarter_of(period.start),
        Grain.WEEK: month_of(period.start),
    }
    units: tuple[Ref, ...] = ()
    if unit not in BESIDE_UNITS:
        units = (unit,)
    above: tuple[Ref, ...] = ()
    parent = parents.get(period.grain)
    if parent is not None:
        key = plan_key(unit, parent)
        above = (Ref("plans", key),)
    return {
        "name": _title(unit, period, world),
        "unit": units,
        "grain": period.grain.value,
        "period": Span(period.start, period.end),
        "parent": above,
    }


def _basis_of(plan: PlanMeasure, tree: _Tree) -> Basis:
    period = plan.period
    above = None
    if period.grain is Grain.MONTH:
        above = quarter_of(period.start)
    if period.grain is Grain.WEEK:
        above = month_of(period.start)
    is_quarter = above is None
    return Basis(
        tree.passed[period.code],
        above,
        target_above=None if above is None else tree.target(above),
        now=(tree.targets.now or plan.target) if is_quarter else None,
        short=tree.carry.get(tree.quarter.code, ZERO),
        clients=tree.clients.get((plan.unit, period), {}),
    )
