"""In which order rows and pages are created, so that none leads to, or stands below, one that is not there yet, by a
relation or by a link in a section that goes with it: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from worker.domain.document import references
from worker.domain.values import Ref
from worker.plan.plan import Change, FieldChange, Kind
from worker.world.world import parent_of


class Arrangement(msgspec.Struct, frozen=True, gc=False):
    """Creations in `levels`, each needing only earlier ones; `later` holds updates that close cycles of relations.

    `bodies` are the sections that can go with the creation of their rows, by row: all they lead to is made before.
    """

    levels: tuple[tuple[Change, ...], ...]
    later: tuple[Change, ...]
    bodies: Mapping[Ref, Change]


def arrange(creates: Sequence[Change], sections: Sequence[Change] = ()) -> Arrangement:
    """Return the creations parents first, in the plan's order within a level."""
    waiting = {change.ref: change for change in creates}
    needs = {change.ref: _needs(change, waiting) for change in creates}
    bodies = {section.ref: section for section in sections if section.ref in waiting}
    links = {
        ref: references(section.blocks) & waiting.keys()
        for ref, section in bodies.items()
    }
    levels: list[tuple[Change, ...]] = []
    later: list[Change] = []
    while waiting:
        free = [
            change for ref, change in waiting.items() if not needs[ref] & waiting.keys()
        ]
        level = [
            change
            for change in free
            if links.get(change.ref, frozenset()).isdisjoint(waiting)
        ]
        if free and not level:  # a section that leads to what comes later, or to itself
            del links[free[0].ref], bodies[free[0].ref]
            continue
        if not level:  # a cycle: its first row is made without the relations that cannot be written yet
            first, rest = _cut(next(iter(waiting.values())), waiting)
            level = [first]
            later.append(rest)
        levels.append(tuple(level))
        for change in level:
            del waiting[change.ref]
    return Arrangement(tuple(levels), tuple(later), bodies)


def _needs(change: Change, waiting: Mapping[Ref, Change]) -> set[Ref]:
    needed = {ref for field in change.fields for ref in _refs(field)}
    parent = parent_of(change.ref)
    if parent is not None:
        needed.add(parent)
    return needed & waiting.keys()


def _refs(field: FieldChange) -> tuple[Ref, ...]:
    if not isinstance(field.after, tuple):
        return ()
    return tuple(item for item in field.after if isinstance(item, Ref))


def _cut(change: Change, waiting: Mapping[Ref, Change]) -> tuple[Change, Change]:
    """Return the creation without the fields that point to waiting rows, and the update that writes those."""
    early = tuple(
        field
        for field in change.fields
        if not any(ref in waiting for ref in _refs(field))
    )
    late = tuple(field for field in change.fields if field not in early)
    return replace(change, fields=early), replace(change, kind=Kind.UPDATE, fields=late)
