"""The triangle: a unit without an AM, TL or PM, or with two AMs, is a risk and a task for the HoA (docs/method.md 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from worker.domain.entities import Unit
from worker.domain.values import Ref
from worker.method.conditions import NO, Look, Sighting, Subject, state_looks
from worker.method.formulas.stakes import committed_money
from worker.method.formulas.triangle import triangle_faults
from worker.method.run import Findings
from worker.world.world import World

SIGNAL = "team.triangle"


def find_broken_triangles(world: World) -> Findings[None]:
    """Return a condition and a signal for every unit; it states no facts itself."""
    conditions, signals = state_looks(_looks(world), words=world.words)
    return Findings(None, conditions=conditions, signals=signals)


def _looks(world: World) -> Iterator[Look]:
    stakes = _stakes(world)
    for ref, unit in world.units.items():
        names = {"name": unit.name, "unit": unit.name}
        subject = Subject(ref, names, unit=ref)
        yield SIGNAL, subject, _look(unit, world, stakes[ref])


def _stakes(world: World) -> dict[Ref, Decimal]:
    """Return what the clients of every unit have committed."""
    sums = dict.fromkeys(world.units, Decimal(0))
    for ref, money in committed_money(world).items():
        client = world.clients.get(ref)
        if client and client.unit in sums:
            sums[client.unit] += money
    return sums


def _look(unit: Unit, world: World, stake: Decimal) -> Sighting:
    words = world.words
    faults = triangle_faults(unit, world)
    if not faults:
        return NO
    listed = ", ".join(words.say(fault) for fault in faults)
    return Sighting(
        holds=True,
        probability=2 + len(faults),
        evidence=words.say("In the unit there is {faults}.", faults=listed),
        threshold=words.say(
            "account managers = 1, team leads ≥ 1, project managers ≥ 1"
        ),
        stake=stake,
        inputs=((words.say("unit"), unit.name, unit.url),),
    )
