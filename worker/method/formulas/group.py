"""Who works where: the one unit that counts a person's hours, and whose Jira account is whose (docs/method.md 3.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from worker.domain.entities import Person, Unit
from worker.domain.values import Ref
from worker.world.world import World


class Staffing(msgspec.Struct, frozen=True, gc=False):
    """`homes` give a person's unit, `accounts` the person of a Jira account, `teams` a unit's producing people.

    `visible` are all of a unit whose work can be seen: with a role, a capacity and a Jira account; producing is who of
    them has a producing role. Those of no unit stand under None.
    """

    homes: Mapping[Ref, Ref]
    accounts: Mapping[str, Ref]
    teams: Mapping[Ref | None, tuple[Ref, ...]]
    visible: Mapping[Ref | None, tuple[Ref, ...]]


def staff(world: World) -> Staffing:
    """Return who works where."""
    named = units_of_people(world)
    producing = world.thresholds.producing_roles
    homes: dict[Ref, Ref] = {}
    accounts: dict[str, Ref] = {}
    teams: dict[Ref | None, tuple[Ref, ...]] = defaultdict(tuple)
    visible: dict[Ref | None, tuple[Ref, ...]] = defaultdict(tuple)
    for ref, person in world.people.items():
        home = _home(person, named.get(ref, ()), world)
        if home:
            homes[ref] = home
        if not person.jira:
            continue
        accounts.setdefault(person.jira, ref)
        if person.role is None or not person.capacity:
            continue
        visible[home] += (ref,)
        if person.role in producing:
            teams[home] += (ref,)
    return Staffing(homes, accounts, dict(teams), dict(visible))


def _home(person: Person, named: tuple[Ref, ...], world: World) -> Ref | None:
    if person.unit in world.units:
        return person.unit
    return named[0] if named else None


def units_of_people(world: World) -> dict[Ref, tuple[Ref, ...]]:
    """Return the units whose rows name a person, in order."""
    units: dict[Ref, tuple[Ref, ...]] = defaultdict(tuple)
    for unit in world.units.values():
        for person in members(unit):
            units[person] += (unit.ref,)
    return dict(units)


def members(unit: Unit) -> tuple[Ref, ...]:
    """Return everybody a unit's row names."""
    people: dict[Ref, None] = {}
    for named in (unit.am, unit.tls, unit.pms, unit.members):
        people |= dict.fromkeys(named)
    return tuple(people)
