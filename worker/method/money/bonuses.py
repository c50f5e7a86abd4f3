"""The bonus preview: what a unit's fund is this month and last, and whose it is (docs/method.md 2.6; docs/facts/definitions.md 13). Private.

Fund = base x rate, split over AM, PMs and TLs by configured shares and equally inside a role, exact to the cent. A role
nobody has leaves its share to the others. What was paid out stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from worker.domain.entities import Revenue, Unit
from worker.domain.messages import message
from worker.domain.money import round_money, split
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, month_of, previous_period
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.method.figures import name_people, name_row, show_money, show_percent
from worker.method.measures import MoneyMeasure
from worker.method.money.income import Booked, book, claimed, total
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.rows import bonus_key
from worker.world.world import World

ZERO = Decimal("0.00")
ROLES = ("am", "pm", "tl")
NAMES = {"am": message("AM"), "pm": message("PMs"), "tl": message("TLs")}

Bases = Mapping[tuple[Ref, Period], Decimal]


class Fund(msgspec.Struct, frozen=True, gc=False):
    """One unit's fund of one month: each person's part by role, in order."""

    pool: Decimal
    roles: Mapping[str, Decimal]
    parts: Mapping[Ref, Decimal]


def plan_bonuses(world: World, revenue: MoneyMeasure | None) -> Findings[None]:
    """Return the bonus rows of every unit that has a rate, for last month and this one."""
    if "bonuses" not in world.sources or revenue is None:
        return Findings(None)
    now = month_of(world.today)
    months = (previous_period(now), now)
    bases = BASES[world.thresholds.bonus_base](world, revenue, months)
    closed = _closed(world)
    facts: list[Fact] = []
    for unit in world.units.values():
        if not unit.bonus_rate:
            continue
        for month in months:
            if bonus_key(unit.ref, month) in closed:
                continue
            base = bases.get((unit.ref, month), ZERO)
            facts += _facts(unit, month, base, world=world)
    return Findings(None, tuple(facts))


def _closed(world: World) -> set[str]:
    """Return the keys of the rows that were paid out or that people deleted."""
    keys = set()
    for row in world.bonus_rows():
        if row.paid:
            keys.add(row.key)
    for ref in world.trashed:
        if ref.source == "bonuses":
            keys.add(ref.key)
    return keys


def _recognised(
    _world: World, revenue: MoneyMeasure, months: tuple[Period, ...]
) -> Bases:
    sums: dict[tuple[Ref, Period], Decimal] = defaultdict(Decimal)
    for money in revenue.weeks:
        for month in months:
            if money.unit is not None and money.week.start in month:
                sums[money.unit, month] += money.amount
    return sums


def _invoiced(
    world: World, _revenue: MoneyMeasure, months: tuple[Period, ...]
) -> Bases:
    return _booked(world, months, claimed)


def _paid(world: World, _revenue: MoneyMeasure, months: tuple[Period, ...]) -> Bases:
    return _booked(world, months, lambda rows: total(rows, ("payment",)))


def _booked(
    world: World, months: tuple[Period, ...], amount: Callable[[list[Revenue]], Decimal]
) -> Bases:
    starts = {month.start: month for month in months}
    sums: dict[tuple[Ref, Period], Decimal] = defaultdict(Decimal)
    booked: Booked = book(world)
    for (ref, first), rows in booked.items():
        client = world.clients.get(ref)
        unit = client.unit_on(first) if client else None
        if unit is not None and first in starts:
            sums[unit, starts[first]] += amount(rows)
    return sums


BASES: dict[str, Callable[[World, MoneyMeasure, tuple[Period, ...]], Bases]] = {
    "recognised": _recognised,
    "invoiced": _invoiced,
    "paid": _paid,
}
BASIS_NAMES = {
    "recognised": message("recognised revenue of the month"),
    "invoiced": message("acts and invoices of the month"),
    "paid": message("payments of the month"),
}


def share_out(
    pool: Decimal,
    people: Mapping[str, Sequence[Ref]],
    *,
    shares: Mapping[str, Decimal],
    minor: Decimal,
) -> Fund:
    """Return the fund split over the roles that somebody has, and equally inside each; exact to `minor`.

    `people` and `shares` by role; a cent that cannot be halved is the earlier person's.
    """
    present = []
    weights = []
    for role in ROLES:
        weight = shares.get(role)
        if weight and people.get(role):
            present.append(role)
            weights.append(weight)
    if not present:
        return Fund(pool, {}, {})
    by_role = split(pool, weights, minor)
    amounts = dict(zip(present, by_role, strict=True))

    parts: dict[Ref, Decimal] = defaultdict(Decimal)
    for role, amount in amounts.items():
        team = people[role]
        equal = split(amount, [1] * len(team), minor)
        for person, part in zip(team, equal, strict=True):
            parts[person] += part
    return Fund(pool, amounts, dict(parts))


def _facts(unit: Unit, month: Period, base: Decimal, *, world: World) -> Iterator[Fact]:
    say = world.words.say
    words = world.words
    rate = unit.bonus_rate or ZERO
    limits = world.thresholds
    shares: dict[str, Decimal] = {
        str(role): part for role, part in limits.bonus_shares.items()
    }
    fund = share_out(
        round_money(base * rate, world.minor_unit),
        _people(unit, world),
        shares=shares,
        minor=world.minor_unit,
    )
    ref = Ref("bonuses", bonus_key(unit.ref, month))
    basis = say(BASIS_NAMES[limits.bonus_base])
    row = name_row(say("unit"), unit)
    title = period_title(month, words)
    period = Input(say("period"), title)
    listed = _shares(fund, shares, world)
    split_words = say("fund by the roles' shares, equally inside a role")
    people: list[Input] = []
    for role, refs in _people(unit, world).items():
        people += name_people(say(NAMES[role]), refs, world)
    identity: dict[str, Value] = {
        "name": f"{title} · {unit.name}",
        "unit": (unit.ref,),
        "month": month.start,
    }
    named = Why("bonuses", (row, period), say("the unit and the period"))
    for name, value in identity.items():
        yield Fact(ref, name, value, named)

    values: dict[str, tuple[Value, Sequence[Input], str]] = {
        "base": (base, (period, Input(say("what the base is"), basis)), basis),
        "basis": (limits.bonus_base, (), say("as configured")),
        "rate": (
            rate,
            (show_percent(say("rate"), rate, words),),
            say("rate of the unit"),
        ),
        "pool": (
            fund.pool,
            (
                show_money(say("base"), base, words),
                show_percent(say("rate"), rate, words),
            ),
            say("base x rate"),
        ),
        "shares": (
            listed or None,
            (show_money(say("fund"), fund.pool, words), *_weights(shares, words)),
            split_words,
        ),
        "amounts": (
            _amounts(fund, world) or None,
            (Input(say("shares of the roles"), listed or "-"), *people),
            split_words,
        ),
        "who": (
            tuple(sorted(fund.parts)),
            people,
            say("who has a role that shares the fund"),
        ),
    }
    for name, (value, own, formula) in values.items():
        why = Why("bonuses", (row, *own), formula)
        yield Fact(ref, name, value, why)


def _weights(shares: Mapping[str, Decimal], words: Words) -> Iterator[Input]:
    for role, part in shares.items():
        name = words.say(NAMES[role])
        yield show_percent(name, part, words)


def _people(unit: Unit, world: World) -> dict[str, list[Ref]]:
    """Return who has a role in the unit, by name."""

    def by_name(ref: Ref) -> tuple[str, Ref]:
        person = world.person(ref)
        name = person.name if person else ""
        return name, ref

    return {
        "am": sorted(unit.am, key=by_name),
        "pm": sorted(unit.pms, key=by_name),
        "tl": sorted(unit.tls, key=by_name),
    }


def _shares(fund: Fund, shares: Mapping[str, Decimal], world: World) -> str:
    words = world.words
    whole = ZERO
    for role in fund.roles:
        whole += shares[role]
    lines = []
    for role, amount in fund.roles.items():
        name = words.say(NAMES[role])
        part = words.percent(shares[role] / whole)
        money = words.money(amount)
        lines.append(f"{name} {part}: {money}")
    return "; ".join(lines)


def _amounts(fund: Fund, world: World) -> str:
    lines = []
    for ref, amount in fund.parts.items():
        name = ref.key
        person = world.person(ref)
        if person is not None:
            name = person.name
        money = world.words.money(amount)
        lines.append(f"{name}: {money}")
    return "\n".join(lines)
