"""The triangle of a unit: exactly one AM, at least one TL and one PM (docs/method.md 3.3)."""

from __future__ import annotations

from worker.domain.entities import Unit
from worker.domain.messages import message

NO_AM = message("no account manager")
TWO_AMS = message("more than one account manager")
NO_TL = message("no team lead")
NO_PM = message("no project manager")


def triangle_faults(unit: Unit) -> tuple[str, ...]:
    """Return what breaks the triangle, as sentences to be said; empty when it is complete."""
    faults = []
    if not unit.am:
        faults.append(NO_AM)
    if len(unit.am) > 1:
        faults.append(TWO_AMS)
    if not unit.tls:
        faults.append(NO_TL)
    if not unit.pms:
        faults.append(NO_PM)
    return tuple(faults)


def is_triangle(unit: Unit) -> bool:
    """Tell whether a unit's triangle is complete."""
    return not triangle_faults(unit)
