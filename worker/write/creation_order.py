"""In which order rows are created, so that a relation never points to a row that is not there yet: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from worker.domain.values import Ref
from worker.plan.plan import Change, FieldChange, Kind


class Arrangement(msgspec.Struct, frozen=True, gc=False):
    """Creations in `levels`, each needing only earlier ones; `later` holds updates that close cycles of relations."""

    levels: tuple[tuple[Change, ...], ...]
    later: tuple[Change, ...]


def arrange(creates: Sequence[Change]) -> Arrangement:
    """Return the creations parents first, in the plan's order within a level."""
    waiting = {change.ref: change for change in creates}
    needs = {change.ref: _needs(change, waiting) for change in creates}
    levels: list[tuple[Change, ...]] = []
    later: list[Change] = []
    while waiting:
        level = [
            change for ref, change in waiting.items() if not needs[ref] & waiting.keys()
        ]
        if not level:  # a cycle: its first row is made without the relations that cannot be written yet
            first, rest = _cut(next(iter(waiting.values())), waiting)
            level = [first]
            later.append(rest)
        levels.append(tuple(level))
        for change in level:
            del waiting[change.ref]
    return Arrangement(tuple(levels), tuple(later))


def _needs(change: Change, waiting: Mapping[Ref, Change]) -> set[Ref]:
    return {ref for field in change.fields for ref in _refs(field) if ref in waiting}


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
