"""Who works where: which units share a person's hours, and whose Jira account is whose (docs/method.md 3.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from worker.domain.entities import Person, Unit
from worker.domain.values import Ref
from worker.world.world import World

WHOLE = Decimal(1)

Team = Mapping[Ref, Decimal]
"""People in order, with the share of each one's hours that is the team's."""


class Staffing(msgspec.Struct, frozen=True, gc=False):
    """`homes` give a person's unit, `accounts` the person of a Jira account, `teams` a unit's producing people.

    `visible` are all of a unit whose work can be seen: with a role, a capacity and a Jira account; producing is who of
    them has a producing role. Those of no unit stand under None. `everybody` are the producing people of the firm.
    """

    homes: Mapping[Ref, Ref]
    accounts: Mapping[str, Ref]
    teams: Mapping[Ref | None, Team]
    visible: Mapping[Ref | None, Team]

    def everybody(self) -> Team:
        """Return the producing people of the firm, each whole."""
        everybody: dict[Ref, Decimal] = {}
        for team in self.teams.values():
            for ref in team:
                everybody[ref] = WHOLE
        return everybody


def staff(world: World) -> Staffing:
    """Return who works where; who is shared counts in each unit with a share, in the firm once."""
    named = units_of_people(world)
    producing = world.thresholds.producing_roles
    homes: dict[Ref, Ref] = {}
    accounts: dict[str, Ref] = {}
    teams: dict[Ref | None, dict[Ref, Decimal]] = defaultdict(dict)
    visible: dict[Ref | None, dict[Ref, Decimal]] = defaultdict(dict)
    for ref, person in world.people.items():
        shares = _shares(person, named.get(ref, ()), world)
        home = max(shares, key=shares.__getitem__)
        if home:
            homes[ref] = home
        if not person.jira:
            continue
        accounts.setdefault(person.jira, ref)
        if person.role is None or not person.capacity:
            continue
        for unit, share in shares.items():
            visible[unit][ref] = share
            if person.role in producing:
                teams[unit][ref] = share
    return Staffing(homes, accounts, dict(teams), dict(visible))


def _shares(
    person: Person, named: tuple[Ref, ...], world: World
) -> Mapping[Ref | None, Decimal]:
    """Return whose hours a person's are: as allocated, else all of the one unit that counts them, else nobody's."""
    if person.allocation:
        return dict(person.allocation)
    if person.unit in world.units:
        return {person.unit: WHOLE}
    if named:
        return {named[0]: WHOLE}
    return {None: WHOLE}


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
