"""Who a thing belongs to by role, so that tasks and risks find their person the same way."""

from __future__ import annotations

from worker.domain.entities import Client, Unit
from worker.domain.values import Ref
from worker.world.world import World


def person_for(
    role: str, client: Ref | None, world: World, *, unit: Ref | None = None
) -> Ref | None:
    """Return the person a role means for a client or a unit: from the unit, else the head who answers, else None.

    A newbiz client or one without a unit is Head of Newbiz's when the AM is meant.
    """
    found = world.clients.get(client) if client else None
    team = world.units.get((found.unit if found else unit) or Ref("units", ""))
    own = _from_unit(role, found, team)
    if own:
        return own[0]
    fallbacks = (
        (role, "head_newbiz", "hoa")
        if found and found.group == "newbiz"
        else (role, "hoa", "head_newbiz")
    )
    for name in fallbacks if role not in ("am", "pm", "tl") else fallbacks[1:]:
        people = sorted(
            ref for ref, person in world.people.items() if person.role == name
        )
        if people:
            return people[0]
    return None


def _from_unit(role: str, client: Client | None, unit: Unit | None) -> tuple[Ref, ...]:
    if unit is None or (role == "am" and client and client.group == "newbiz"):
        return ()
    return {"am": unit.am, "pm": unit.pms, "tl": unit.tls}.get(role, ())
