"""A run reversed: what it wrote goes back to what stood before, as far as nobody has touched it since. Pure.

A cell goes back when it still shows what the run wrote; a row goes into the trash when the journal proves that the run
made it and nobody has written into it. All else stays and is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from worker.codecs.notion import canonicalize
from worker.domain.entities import Row
from worker.domain.messages import Text, literal, tell
from worker.domain.values import UNSET, Unset, Value
from worker.errors import Code, Problem
from worker.mapping.schema import Bindings, Owner, Property, Schema
from worker.plan.diff import Written
from worker.plan.facts import Input, Why
from worker.plan.plan import Change, FieldChange, Kind
from worker.plan.surplus import holds_more
from worker.world.world import PLACES

RULE = "undo"
_UNREAD = tell("it cannot be read now")


class Reversal(msgspec.Struct, frozen=True, gc=False):
    """What would take a run back, and what stays as it is, with the reason."""

    changes: tuple[Change, ...] = ()
    left: tuple[Problem, ...] = ()


class Boards(msgspec.Struct, frozen=True, gc=False):
    """What a reversal goes by: the rows as they stand by page, and what the state knows of earlier writes.

    `written.made` holds the pages that this very run made, `unread` those that are there but could not be read, `pinned`
    the cells, by page and field, that people took for theirs as they stand.
    """

    rows: Mapping[str, Row]
    schema: Schema
    bindings: Bindings
    written: Written
    unread: AbstractSet[str] = frozenset()
    pinned: AbstractSet[tuple[str, str]] = frozenset()


class _Cell(msgspec.Struct, frozen=True, gc=False):
    """What a run did to one cell: what stood there first, and what it wrote last."""

    before: Value
    after: Value


def reverse(changes: Sequence[Change], run_id: int, boards: Boards) -> Reversal:
    """Return what would take back the `changes` of a run, given in the order in which they were carried out."""
    made = {change.ref: change for change in changes if change.kind is Kind.CREATE}
    updated = _merge(change for change in changes if change.ref not in made)
    why = Why(RULE, (Input("run", str(run_id)),))

    reversed_: list[Change] = []
    left: list[Problem] = []
    for change, cells in updated:
        fields, problems = _restore(change, cells, boards, why=why)
        left += problems
        if fields:
            reversed_.append(_update(change, fields))
    for change in made.values():
        outcome = _unmake(change, boards)
        if isinstance(outcome, Change):
            reversed_.append(outcome)
        elif outcome is not None:
            left.append(outcome)
    left += _kept_as_they_are(changes, boards)
    return Reversal(
        tuple(sorted(reversed_, key=lambda one: (one.ref, one.page_id))), tuple(left)
    )


def _merge(changes: Iterable[Change]) -> list[tuple[Change, dict[str, _Cell]]]:
    """Return the updates by page, each cell with what stood before the first of them and after the last."""
    merged: dict[str, tuple[Change, dict[str, _Cell]]] = {}
    for change in changes:
        if change.kind is Kind.UPDATE:
            _, cells = merged.setdefault(change.page_id, (change, {}))
            for item in change.fields:
                first = cells.get(item.field)
                before = first.before if first else item.before
                cells[item.field] = _Cell(before, item.after)
    return list(merged.values())


def _restore(
    change: Change, cells: Mapping[str, _Cell], boards: Boards, *, why: Why
) -> tuple[list[FieldChange], list[Problem]]:
    if change.page_id in boards.unread:
        return [], [_stays(change, "", _UNREAD)]
    row = boards.rows.get(change.page_id)
    if row is None:
        return [], [_stays(change, "", tell("the row is not there any more"))]

    fields = []
    left = []
    properties = boards.schema.sources[change.ref.source].properties
    for name, cell in cells.items():
        prop = properties.get(name)
        if prop is None or name not in boards.bindings[change.ref.source].properties:
            left.append(_stays(change, name, tell("the column is not there any more")))
            continue
        current = _spelled(prop, row.fields.get(name, UNSET))
        if current == _spelled(prop, cell.before):
            continue
        if current is UNSET or current != _spelled(prop, cell.after):
            left.append(_stays(change, name, tell("it was changed since")))
        elif (row.page_id, name) in boards.pinned:
            left.append(_stays(change, name, tell("somebody has pinned it since")))
        elif prop.owner is Owner.SEED:
            told = tell("it is given once and belongs to people since")
            left.append(_stays(change, name, told))
        else:
            fields.append(FieldChange(name, row.fields[name], cell.before, why))
    return fields, left


def _update(change: Change, fields: Sequence[FieldChange]) -> Change:
    return Change(Kind.UPDATE, change.ref, change.page_id, change.title, tuple(fields))


def _unmake(change: Change, boards: Boards) -> Change | Problem | None:
    """Return how a row that a run made is put away, the reason why it stays, or None where it is gone already."""
    written = boards.written
    page_id = written.ours.get(change.ref, "")
    if page_id in boards.unread:
        return _stays(change, "", _UNREAD)
    if change.ref.source == PLACES and page_id in written.made:
        return Change(Kind.ARCHIVE, change.ref, page_id, change.title)
    row = boards.rows.get(page_id)
    if row is None:
        return None
    if page_id not in written.made:
        return _stays(change, "", tell("nothing proves that the row was made by it"))
    is_peoples = holds_more(
        row,
        None,
        boards.schema.sources[change.ref.source],
        boards.bindings[change.ref.source],
        written=_of_page(written.bases, page_id),
        attempted=_of_page(written.attempted, page_id),
    )
    if is_peoples:
        return _stays(change, "", tell("somebody has written into the row"))
    return Change(Kind.ARCHIVE, change.ref, page_id, row.title)


def _kept_as_they_are(changes: Sequence[Change], boards: Boards) -> list[Problem]:
    """Return what is not reversed at all."""
    sections = sum(change.kind is Kind.SECTION for change in changes)
    away = {
        change.page_id
        for change in changes
        if change.kind is Kind.ARCHIVE and change.page_id not in boards.rows
    }
    problems = []
    if sections:
        problems.append(
            Problem(
                code=Code.NOT_UNDONE,
                where=tell("sections of pages"),
                message=tell(
                    "{count} sections stay as they are: what stood in them before is not kept",
                    count=sections,
                ),
                hint=tell("the next run writes them anew"),
            )
        )
    if away:
        problems.append(
            Problem(
                code=Code.NOT_UNDONE,
                where=tell("the trash"),
                message=tell(
                    "{count} rows that this run put into the trash stay there",
                    count=len(away),
                ),
                hint=tell("restore those that are missed from the trash of Notion"),
            )
        )
    return problems


def _stays(change: Change, field: str, reason: Text) -> Problem:
    return Problem(
        code=Code.NOT_UNDONE,
        where=literal(change.ref),
        field=field,
        message=tell("this stays as it is: {reason}", reason=reason),
        hint=tell("change it by hand where it should not stay"),
    )


def _of_page(cells: Mapping[tuple[str, str], Value], page_id: str) -> dict[str, Value]:
    return {name: value for (page, name), value in cells.items() if page == page_id}


def _spelled(prop: Property, value: Value | Unset) -> Value | Unset:
    return UNSET if isinstance(value, Unset) else canonicalize(prop, value)
