"""The bonus preview: what a unit's fund is this month and last, and whose it is (docs/method.md 2.6; docs/facts/definitions.md 13). Private.

Fund = base x rate, split over AM, PMs and TLs by configured shares, and inside a role by the bonus weights of people,
equally where nobody has one; exact to the cent. A role nobody has leaves its share to the others. What was paid out
stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

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
ONE = Decimal(1)
NOBODY: Mapping[Ref, Decimal] = MappingProxyType({})
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
    weights: Mapping[Ref, Decimal] = NOBODY,
) -> Fund:
    """Return the fund split over the roles that somebody has, and inside each by `weights`; exact to `minor`.

    `people` and `shares` by role; who has no weight beside others that have one weighs 1, and all are equal where
    nobody has one, or all have none to give (0). A cent that cannot be halved is the earlier person's.
    """
    present = []
    of_roles = []
    for role in ROLES:
        share = shares.get(role)
        if share and people.get(role):
            present.append(role)
            of_roles.append(share)
    if not present:
        return Fund(pool, {}, {})
    by_role = split(pool, of_roles, minor)
    amounts = dict(zip(present, by_role, strict=True))

    parts: dict[Ref, Decimal] = defaultdict(Decimal)
    for role, amount in amounts.items():
        team = people[role]
        own = [weights.get(person, ONE) for person in team]
        if not any(own):
            own = [ONE] * len(team)
        split_up = split(amount, own, minor)
        for person, part in zip(team, split_up, strict=True):
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
    team = _people(unit, world)
    weights = _bonus_weights(team, world)
    fund = share_out(
        round_money(base * rate, world.minor_unit),
        team,
        shares=shares,
        minor=world.minor_unit,
        weights=weights,
    )
    ref = Ref("bonuses", bonus_key(unit.ref, month))
    basis = say(BASIS_NAMES[limits.bonus_base])
    row = name_row(say("unit"), unit)
    title = period_title(month, words)
    period = Input(say("period"), title)
    listed = _shares(fund, shares, world)
    split_words = say("bonus fund by the roles' shares, equally inside a role")
    if weights:
        split_words = say(
            "bonus fund by the roles' shares, inside a role by bonus weights"
        )
    people: list[Input] = []
    for role, refs in team.items():
        people += name_people(say(NAMES[role]), refs, world)
    identity: dict[str, Value] = {
        "name": f"{title} · {unit.name}",
        "unit": (unit.ref,),
        "month": month.start,
    }
    named = Why("bonuses", (row, period), say("the unit and the period"))
    for name, value in identity.items():
        yield Fact(ref, name, value, named)

    weighed = [_weighed(ref, weight, world) for ref, weight in weights.items()]
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
            say("base × rate"),
        ),
        "shares": (
            listed or None,
            (show_money(say("bonus fund"), fund.pool, words), *_weights(shares, words)),
            split_words,
        ),
        "amounts": (
            _amounts(fund, world) or None,
            (Input(say("shares of the roles"), listed or "-"), *people, *weighed),
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


def _bonus_weights(
    team: Mapping[str, Sequence[Ref]], world: World
) -> dict[Ref, Decimal]:
    """Return the weights that people of a unit were given."""
    weights = {}
    for refs in team.values():
        for ref in refs:
            person = world.person(ref)
            if person is not None and person.bonus_weight is not None:
                weights[ref] = person.bonus_weight
    return weights


def _weighed(ref: Ref, weight: Decimal, world: World) -> Input:
    person = world.people[ref]
    name = world.words.say("bonus weight of {person}", person=person.name)
    number = world.words.number(weight)
    return Input(name, number, person.url)


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
