"""Blocks of ours that stand behind their section, where an append once put them, among what people write.

What a person made, changed or wrote something below is never a stray. Moving blocks is impossible (facts of the API),
so a stray is removed and the section itself says again what it said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from worker.ports.notion import BlockReader, BlockWriter, Json

Test = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What follows a section: blocks, None where something else of ours stands; and who wrote the section."""

    blocks: tuple[Json | None, ...]
    author: object


def find_strays(
    notion: BlockWriter, stretch: Stretch, *, is_known: Test, is_wanted: Test
) -> tuple[str, ...]:
    """Return the ids of a stretch's strays, in the page's order; raises the API errors.

    `is_known` tells a block that the state remembers and that shows what it showed; `is_wanted` one that shows what the
    section should. One append puts its blocks side by side: where most of a run is recognised, all of it is ours.
    """
    ours: list[Json] = []
    for run in _runs(stretch):
        known = [raw for raw in run if is_known(raw)]
        told = [raw for raw in run if raw in known or is_wanted(raw)]
        ours += run if 2 * len(told) > len(run) else known

    # A copied page has its copier as the author of all of it, people's notes included.
    if not ours or notion.me().id != stretch.author:
        return ()
    alone = (raw for raw in ours if is_alone(notion, raw, stretch.author))
    return tuple(str(raw["id"]) for raw in alone)


def _runs(stretch: Stretch) -> Iterator[tuple[Json, ...]]:
    """Yield what stands side by side and was made and last changed by the section's author; empty where others' blocks meet."""
    run: list[Json] = []
    for raw in (*stretch.blocks, None):
        if raw is not None and is_by(raw, stretch.author):
            run.append(raw)
        else:
            yield tuple(run)
            run = []


def is_by(raw: Json, author: object) -> bool:
    """Tell whether an author made a block and changed it last."""
    people = [
        (raw.get(name) or {}).get("id") for name in ("created_by", "last_edited_by")
    ]
    return author is not None and people == [author, author]


def is_alone(notion: BlockReader, raw: Json, author: object) -> bool:
    """Tell whether nobody else wrote anything below a block."""
    if not raw.get("has_children"):
        return True
    return all(
        is_by(child, author) and is_alone(notion, child, author)
        for child in notion.children(str(raw["id"]))
    )
