"""The triangle: a unit without an AM, TL or PM, or with two AMs, is a risk and a task for the HoA (docs/method.md 3.3)."""

from __future__ import annotations

from decimal import Decimal

from worker.domain.entities import Unit
from worker.domain.values import Ref
from worker.method.formulas.stakes import committed_money
from worker.method.formulas.triangle import triangle_faults
from worker.method.measures import Condition, Signal
from worker.method.run import Found
from worker.world.world import World

SIGNAL = "team.triangle"
MENDING = "mend_triangle"


def find_broken_triangles(world: World) -> Found[None]:
    """Return a condition and a signal for every unit; it states no facts itself."""
    stakes = _stakes(world)
    units = world.units.values()
    conditions = tuple(_condition(unit, world, stakes[unit.ref]) for unit in units)
    signals = tuple(_signal(unit, world) for unit in units)
    return Found(None, conditions=conditions, signals=signals)


def _stakes(world: World) -> dict[Ref, Decimal]:
    """Return what the clients of every unit have committed."""
    sums = dict.fromkeys(world.units, Decimal(0))
    for ref, money in committed_money(world).items():
        client = world.clients.get(ref)
        if client and client.unit in sums:
            sums[client.unit] += money
    return sums


def _condition(unit: Unit, world: World, stake: Decimal) -> Condition:
    words, faults = world.words, triangle_faults(unit)
    if not faults:
        return Condition(SIGNAL, "team", unit.ref, holds=False, unit=unit.ref)
    return Condition(
        SIGNAL,
        "team",
        unit.ref,
        holds=True,
        unit=unit.ref,
        stake=stake,
        title=words.say("{unit}: the triangle is broken", unit=unit.name),
        evidence=_reason(unit, world),
        probability=2 + len(faults),
        inputs=((words.say("unit"), unit.name, unit.url),),
        formula=words.say("exactly one AM, at least one TL and one PM"),
        threshold="AM = 1, TL >= 1, PM >= 1",
    )


def _reason(unit: Unit, world: World) -> str:
    faults = ", ".join(world.words.say(fault) for fault in triangle_faults(unit))
    return world.words.say("In the unit there is {faults}.", faults=faults)


def _signal(unit: Unit, world: World) -> Signal:
    broken = bool(triangle_faults(unit))
    return Signal(
        MENDING,
        unit.ref,
        None,
        None,
        broken,
        reason=_reason(unit, world) if broken else "",
        ended=world.words.say("closed by itself: the triangle is complete again"),
        values={"name": unit.name},
        unit=unit.ref,
    )
