"""One seed lived from its beginning to its quiet end, and what was found wrong in it."""

from __future__ import annotations

import gc
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

from tests.soak.ground import Ground, lay_ground
from tests.soak.steps import (
    DISTURBING,
    Step,
    come_to_rest,
    draw_comparable,
    draw_steps,
    take,
)
from tests.soak.story import Event, Story
from tests.soak.world import World, drawn_at_once, overheard
from tests.support.invariants import Picture, picture
from worker.cycle.context import Mode

UNLIKE = re.compile(r"Synced$|^state bases .* synced$|^state pages ")
"""Places where lives may differ: what names a run and its minute, and how many reads did not show a row."""

LEAVES_TRACES = frozenset(
    {
        Event("gap"),
        Event("problem", "field-refused"),
        Event("act", "edit_block between runs"),
    }
)
"""After these a life may end otherwise than a calm one: a row stands twice, as nothing could hold it back; a cell that is
filled once is empty, as its board was taken away in that minute; a person wrote into a section, which stands until the
section is written again."""


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


@contextmanager
def ready() -> Iterator[None]:
    """Make what every seed needs, before there are several processes; what a life leaves is cleared away before the next,
    not in its midst."""
    grown_ground()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def ground_of(seed: int) -> Ground:
    """Return the ground of a seed: one in five begins with the first run."""
    return lay_ground() if seed % 5 == 0 else grown_ground()


def cycles_of(seed: int) -> int:
    """Return how many cycles a seed has: most are short, some live on for long."""
    random = Random(f"length {seed}")
    return random.choices((1, 2, 4, 12), (35, 40, 20, 5))[0]


def is_comparable(seed: int) -> bool:
    """Tell whether a seed's life is compared with an undisturbed one."""
    return seed % 16 == 3


def steps_of(seed: int) -> tuple[Step, ...]:
    """Return the steps of a seed's life."""
    if is_comparable(seed):
        return draw_comparable(seed, min(2, cycles_of(seed)))
    return draw_steps(seed, cycles_of(seed))


def live(seed: int, steps: Iterable[Step] | None = None) -> Story:
    """Live a seed, or only these steps of it, and return its story."""
    chosen = steps_of(seed) if steps is None else tuple(steps)
    story, picture = _live_once(seed, chosen)
    if is_comparable(seed):
        calm = [step for step in chosen if step.kind not in DISTURBING]
        undisturbed, wanted = _live_once(seed, calm)
        if _should_end_alike(seed, story):
            for difference in find_differences(wanted, picture):
                story.accuse(f"I4 {difference}")
        for surplus in find_surplus(undisturbed, story):
            story.accuse(f"I4 {surplus}")
    return story


def _should_end_alike(seed: int, story: Story) -> bool:
    """Tell whether a life is to end as a calm one does. A first import that sees a part of Jira goes on by that part."""
    saw_a_part = Event("problem", "incomplete-read") in story.events
    is_first = ground_of(seed).runs == 0
    return LEAVES_TRACES.isdisjoint(story.events) and not (is_first and saw_a_part)


def _live_once(seed: int, steps: Iterable[Step]) -> tuple[Story, Picture]:
    """Live a seed and return its story and, of one that is compared, what stands at its end."""
    gc.collect()  # what the life before left
    with tempfile.TemporaryDirectory() as folder:
        world = World(ground_of(seed), Path(folder), is_compared=is_comparable(seed))
        began = world.clock.now()
        shown: Picture = {}
        try:
            with overheard(world.story), drawn_at_once():
                for step in steps:
                    take(world, step)
                _end(world, seed)
            if is_comparable(seed):
                shown = picture(world.rig())
        finally:
            world.close()
    world.story.sums["seconds"] = int((world.clock.now() - began).total_seconds())
    return world.story, shown


def _end(world: World, seed: int) -> None:
    """Let the world come to rest; in every other life one more cycle, that looks at everything, writes nothing (I5)."""
    if come_to_rest(world) and seed % 2 == 0:
        _look_again(world)
    world.witness.tell_trashed()


def _look_again(world: World) -> None:
    world.clock.advance(timedelta(minutes=10))
    before = world.writes()
    world.cycle(0, Mode.FULL, [])
    if world.writes() != before:
        count = world.writes() - before
        world.story.accuse(f"I5 a quiet world was written to {count} times")


def find_differences(wanted: Picture, shown: Picture) -> list[str]:
    """Return where what stands differs from what is to stand; how often was read is no matter."""
    wanted, shown = _without_empty(wanted), _without_empty(shown)
    return [
        f"{place}: {shown.get(place, 'missing')} instead of {wanted.get(place, 'nothing')}"
        for place in sorted(wanted.keys() | shown.keys())
        if wanted.get(place) != shown.get(place) and not UNLIKE.search(place)
    ]


def find_surplus(calm: Story, story: Story) -> list[str]:
    """Return where a life did more than a calm one: rows made or put away that only a lost pause explains."""
    twice = _count(story, "gap")
    found = []
    for kind in ("created", "archived"):
        done, wanted = _count(story, kind), _count(calm, kind)
        if done > wanted + twice:
            found.append(f"{done} rows {kind} instead of {wanted}, {twice} made twice")
    return found


def _count(story: Story, kind: str) -> int:
    return sum(1 for event in story.events if event.kind == kind)


def _without_empty(shown: Picture) -> Picture:
    """Leave out the memory of empty cells: to have left a cell empty is as good as never to have written it."""
    return {
        place: words
        for place, words in shown.items()
        if not (place.startswith("state bases ") and words == "null")
    }
