"""One seed lived from its beginning to its quiet end, and what was found wrong in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

from tests.soak.ground import Ground, lay_ground
from tests.soak.steps import Step, calm, draw_steps, take
from tests.soak.story import Story
from tests.soak.world import World, drawn_at_once, overheard
from worker.cycle.context import Mode

QUIET_CYCLES = 8
"""After so many undisturbed cycles nothing is written any more."""


@cache
def grown_ground() -> Ground:
    """Return the ground on which the worker has done all there is to do."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(lay_ground(), Path(folder))
        with overheard(world.story), drawn_at_once():
            world.cycle(0, Mode.FULL, [])
            world.clock.advance(timedelta(minutes=10))
            world.cycle(0, Mode.FULL, [])
        world.close()
        if world.story.violations:
            raise AssertionError(world.story.violations)
        state = world.file.read_bytes()
    return lay_ground().grown(world.notion, state, world.witness.ours)


def ground_of(seed: int) -> Ground:
    """Return the ground of a seed: one in five begins with the first run."""
    return lay_ground() if seed % 5 == 0 else grown_ground()


def cycles_of(seed: int) -> int:
    """Return how many cycles a seed has: most are short, some live on for long."""
    random = Random(f"length {seed}")
    return random.choices((1, 2, 4, 12), (35, 40, 20, 5))[0]


def live(seed: int, steps: Iterable[Step] | None = None) -> Story:
    """Live a seed, or only these steps of it, and return its story."""
    chosen = draw_steps(seed, cycles_of(seed)) if steps is None else tuple(steps)
    with tempfile.TemporaryDirectory() as folder:
        world = World(ground_of(seed), Path(folder))
        began = world.clock.now()
        try:
            with overheard(world.story), drawn_at_once():
                for step in chosen:
                    take(world, step)
                _come_to_rest(world)
        finally:
            world.close()
    world.story.sums["seconds"] = int((world.clock.now() - began).total_seconds())
    return world.story


def _come_to_rest(world: World) -> None:
    """Let faults end and cycles run until nothing is written; then one more of each kind writes nothing (I5)."""
    calm(world)
    for _ in range(QUIET_CYCLES):
        world.clock.advance(timedelta(minutes=10))
        before = world.writes()
        report = world.cycle(0, Mode.FULL, [])
        is_refused = report is not None and bool(report.refused)
        world.forces = is_refused
        if report is not None and not is_refused and world.writes() == before:
            break
    else:
        world.story.accuse("I5 no quiet came")
        return
    world.clock.advance(timedelta(minutes=10))
    before = world.writes()
    world.cycle(0, Mode.DELTA, [])
    if world.writes() != before:
        world.story.accuse(
            f"I5 a quiet world was written to {world.writes() - before} times"
        )
