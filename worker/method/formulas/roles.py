"""Who a thing belongs to by role, so that tasks and risks find their person the same way."""

from __future__ import annotations

from collections.abc import Iterable

from worker.domain.entities import Client, Unit
from worker.domain.values import Ref
from worker.world.world import World

UNIT_ROLES = ("am", "pm", "tl")
HEADS = ("hoa", "head_newbiz")
NEWBIZ_HEADS = ("head_newbiz", "hoa")
"""Who answers where nobody has the role, the first one first."""


def person_for(
    role: str, client: Ref | None, world: World, *, unit: Ref | None = None
) -> Ref | None:
    """Return the person a role means for a client or a unit: from the unit, else the head who answers, else None.

    Nothing is of people who have left. A newbiz client or one without a unit is Head of Newbiz's when the AM is meant.
    """
    payer = world.client(client)
    home = payer.unit if payer else unit
    team = world.unit(home)
    own = still_here(_from_unit(role, payer, team), world)
    if own:
        return own[0]

    # A unit's roles are nobody's outside of it: without one in the unit the heads answer.
    heads = NEWBIZ_HEADS if _is_newbiz(payer) else HEADS
    names = heads if role in UNIT_ROLES else (role, *heads)
    for name in names:
        people = _with_role(name, world)
        if people:
            return min(people)
    return None


def _with_role(role: str, world: World) -> list[Ref]:
    people = []
    for person in world.people.values():
        if person.role == role and person.is_staff(world.today):
            people.append(person.ref)
    return people


def still_here(people: Iterable[Ref], world: World) -> list[Ref]:
    """Return the people of whom nobody knows that they have left."""
    here = []
    for ref in people:
        person = world.person(ref)
        if person is None or person.is_staff(world.today):
            here.append(ref)
    return here


def _from_unit(role: str, client: Client | None, unit: Unit | None) -> tuple[Ref, ...]:
    if unit is None:
        return ()
    match role:
        case "am" if not _is_newbiz(client):
            return unit.am
        case "pm":
            return unit.pms
        case "tl":
            return unit.tls
        case _:
            return ()


def _is_newbiz(client: Client | None) -> bool:
    return client is not None and client.is_newbiz
