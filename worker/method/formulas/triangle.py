"""The triangle of a unit: exactly one AM, at least one TL and one PM (docs/method.md 3.3)."""

from __future__ import annotations

from worker.domain.entities import Unit
from worker.domain.messages import message
from worker.method.formulas.roles import still_here
from worker.world.world import World

NO_AM = message("no account manager")
TWO_AMS = message("more than one account manager")
NO_TL = message("no team lead")
NO_PM = message("no project manager")


def triangle_faults(unit: Unit, world: World) -> tuple[str, ...]:
    """Return what breaks the triangle, as sentences to be said; empty when it is complete. Who has left is not in it."""
    managers = still_here(unit.am, world)
    faults = []
    if not managers:
        faults.append(NO_AM)
    if len(managers) > 1:
        faults.append(TWO_AMS)
    if not still_here(unit.tls, world):
        faults.append(NO_TL)
    if not still_here(unit.pms, world):
        faults.append(NO_PM)
    return tuple(faults)


def is_triangle(unit: Unit, world: World) -> bool:
    """Tell whether a unit's triangle is complete."""
    return not triangle_faults(unit, world)
