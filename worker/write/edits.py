"""What people typed while a run was under way: read again right before it would be overwritten, and found in answers.

A plan is made from what was read at the start of a run, minutes before its last write. Cells that belong to people
after us (shared, seed), and those of theirs that are written on their order, are therefore decided anew against the page as it stands. The verdict may also hang on other
cells of the row (a target is pinned by a tick beside it, a task is closed while nobody touched it): when any of them
changed since it was read, the rules have not seen it yet, and the row's shared and seed cells wait for the next cycle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from worker.codecs.notion import canonicalize
from worker.codecs.pages import complete, decode_page, truncated
from worker.codecs.records import Page
from worker.domain.entities import Row
from worker.domain.messages import literal
from worker.domain.values import UNSET, Ref, Unset, Value
from worker.errors import Problem
from worker.mapping.schema import Owner, Property, Rows, Schema, Source
from worker.plan.merge import Verdict, decide, last_written
from worker.plan.plan import Adopted, Change, FieldChange, Kept
from worker.plan.refusals import Stray, has_left, stray
from worker.state import bases
from worker.write.context import WriteContext


class Left(Exception):
    """The page stands in another data source by now, so that none of its cells is ours to write."""

    def __init__(self, stray: Stray) -> None:
        super().__init__(stray.title)
        self.stray = stray


OF_PEOPLE = frozenset({Owner.SHARED, Owner.SEED, Owner.HUMAN})
_Bases = tuple[Mapping[str, Value], Mapping[str, Value]]


class Fresh(msgspec.Struct, frozen=True, gc=False):
    """A change decided anew: the fields still to be written, the values of people's that stand, what is ours already,
    and the cells that cannot be read any more. `is_read` when the page was read for it."""

    fields: tuple[FieldChange, ...]
    kept: tuple[Kept, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_read: bool = True


def look_again(target: WriteContext, change: Change, page_id: str) -> Fresh:
    """Return a change to a standing page as it is still right; one request, only when it writes cells of people's.

    Raises `Left` and the API errors.
    """
    source = target.schema.sources[change.ref.source]
    theirs = {
        item.field
        for item in change.fields
        if source.properties[item.field].owner in OF_PEOPLE
    }
    if not theirs:
        return Fresh(change.fields, is_read=False)
    row, cut, bad = _read(target, source, change.ref, page_id, whole=theirs)
    with target.store.reading(target.workspace) as tx:
        written = bases.of_page(tx, page_id)
        attempted = bases.attempts_of(tx, page_id)
    known = (written, attempted)
    waits = _was_touched(target, source, row, cut)
    fields: list[FieldChange] = []
    kept: list[Kept] = []
    adopted: list[Adopted] = []
    for item in change.fields:
        prop = source.properties[item.field]
        if item.field not in theirs:
            fields.append(item)
            continue
        current = _canonical(prop, row.fields.get(item.field, UNSET))
        if current is UNSET:
            continue
        verdict = _decide(prop, item, current, known)
        if verdict is Verdict.WRITE and not waits:
            fields.append(replace(item, before=current))
        elif verdict is Verdict.ADOPT:
            adopted.append(Adopted(page_id, item.field, current))
        elif current != item.after:
            conflict = verdict is Verdict.CONFLICT
            kept.append(_keep(change, page_id, item, current, conflict=conflict))
    return Fresh(tuple(fields), tuple(kept), tuple(adopted), bad)


def _read(
    target: WriteContext, source: Source, ref: Ref, page_id: str, *, whole: set[str]
) -> tuple[Row, frozenset[str], tuple[Problem, ...]]:
    """Return a page as it stands with the named fields whole, the fields of it that were cut, and what is wrong with
    the named ones."""
    binding = target.bindings[source.name]
    page = target.notion.page(page_id)
    if has_left(page, binding):
        raise Left(stray(ref, page))
    names = {property_id: name for name, property_id in binding.properties.items()}
    cut = set()
    for _, property_id in truncated(page, source, binding):
        cut.add(names[property_id])
    for name in sorted(cut & whole):
        property_id = binding.properties[name]
        items = target.notion.property_items(page_id, property_id)
        page = complete(page, property_id, items)
    row, problems = decode_page(page, source, binding, target.pages.index)
    bad = (replace(one, where=literal(ref)) for one in problems if one.field in whole)
    return row, frozenset(cut - whole), tuple(bad)


def _decide(
    prop: Property, item: FieldChange, current: Value, known: _Bases
) -> Verdict:
    # What is people's alone is written on somebody's order, which was given for the cell as it stood.
    if prop.owner is Owner.HUMAN and current == _canonical(prop, item.before):
        return Verdict.WRITE
    written, attempted = (
        _canonical(prop, side.get(item.field, UNSET)) for side in known
    )
    return decide(
        prop.owner, item.after, last_written(written, attempted, current), current
    )


def _was_touched(
    target: WriteContext, source: Source, row: Row, cut: frozenset[str]
) -> bool:
    """Tell whether a cell of people's holds something else than when the rules saw it."""
    seen = target.seen.get(row.page_id, row)
    return any(
        _canonical(prop, seen.fields[prop.name])
        != _canonical(prop, row.fields[prop.name])
        for prop in _inputs(source, target.schema)
        if prop.name not in cut and prop.name in seen.fields and prop.name in row.fields
    )


def _inputs(source: Source, schema: Schema) -> Iterator[Property]:
    """Yield the cells people fill; not relations that our own writes elsewhere move or whose rows we make."""
    for prop in source.properties.values():
        if prop.owner is Owner.WORKER:
            continue
        target = schema.sources.get(prop.target)
        is_made = target is not None and (target.seeded or target.rows is Rows.WORKER)
        is_mirror = bool(prop.mirror) and prop.owner is Owner.HUMAN
        if not (is_made or is_mirror):
            yield prop


def _keep(
    change: Change, page_id: str, item: FieldChange, current: Value, *, conflict: bool
) -> Kept:
    return Kept(change.ref, page_id, item.field, current, item.after, conflict)


def find_edits(
    target: WriteContext, change: Change, page: Page, answered: Mapping[str, Value]
) -> tuple[Kept, ...]:
    """Return the cells of people's just sent in which the answer shows something else: typed since we wrote."""
    source = target.schema.sources[change.ref.source]
    return tuple(
        _keep(change, page.id, item, answered[item.field], conflict=True)
        for item in change.fields
        if item.field in answered
        and source.properties[item.field].owner in OF_PEOPLE
        and not is_same(
            target, source.properties[item.field], item.after, answered[item.field]
        )
    )


def is_same(target: WriteContext, prop: Property, sent: Value, answered: Value) -> bool:
    """Tell whether an answer shows what was sent; rows are compared by page, as one just planted has two names."""
    return _by_page(target, canonicalize(prop, sent)) == _by_page(
        target, canonicalize(prop, answered)
    )


def _by_page(target: WriteContext, value: Value) -> object:
    if not isinstance(value, tuple):
        return value
    return sorted(
        (target.page_of(item) or str(item)) if isinstance(item, Ref) else str(item)
        for item in value
    )


def _canonical(prop: Property, value: Value | Unset) -> Value | Unset:
    if isinstance(value, Unset):
        return UNSET
    return canonicalize(prop, value)
