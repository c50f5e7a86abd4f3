"""The cells of a change: as they are sent, as an answer shows them, and those that could not be written."""

from __future__ import annotations

from collections.abc import Container

from msgspec.structs import replace

from worker.codecs.notion import encode
from worker.codecs.pages import decode_page, properties_by_id, truncated
from worker.codecs.records import Page
from worker.domain.messages import literal, tell
from worker.domain.values import Value
from worker.errors import Code, Problem, Severity
from worker.mapping.schema import KEY_PROPERTY, Owner
from worker.plan import refusals
from worker.plan.plan import Change
from worker.ports.notion import Json
from worker.state import bases
from worker.write.context import WriteContext
from worker.write.edits import find_edits
from worker.write.refusals import Refused, remembered


def encode_cells(target: WriteContext, change: Change) -> dict[str, Json]:
    """Return the request's form of each value; one that cannot be written is told and left out.

    Raises `ValueError` when that leaves nothing of the row.
    """
    source = target.schema.sources[change.ref.source]
    binding = target.bindings[change.ref.source]
    cells: dict[str, Json] = {}
    faults: dict[str, ValueError] = {}
    for item in change.fields:
        prop = source.properties[item.field]
        try:
            cells[item.field] = encode(prop, item.after, binding, target.page_of)
        except ValueError as fault:
            faults[item.field] = fault
    if faults and not cells:
        raise next(iter(faults.values()))
    target.notes.add(
        problems=[
            _unwritable(target, change, name, fault) for name, fault in faults.items()
        ]
    )
    return cells


def _unwritable(
    target: WriteContext, change: Change, name: str, fault: ValueError
) -> Problem:
    source = target.schema.sources[change.ref.source]
    prop = source.properties[name]
    return Problem(
        code=Code.VALUE_UNWRITABLE,
        where=literal(change.ref),
        field=name,
        message=tell(
            "“{title}” was written without {field}: {error}",
            title=change.title,
            field=prop.label,
            error=fault,
        ),
        hint=tell("run `rayline check` to see what the workspace lacks"),
        severity=Severity.ERROR,
    )


def part_of(change: Change, names: Container[str]) -> Change:
    """Return a change with some of its fields."""
    return replace(
        change, fields=tuple(item for item in change.fields if item.field in names)
    )


def read_answer(
    target: WriteContext, change: Change, page: Page, *, everything: bool
) -> dict[str, Value]:
    """Return the bases an answer gives: the changed fields, or all of ours after a creation.

    What the answer does not show whole (over 25 references, unreadable) is taken as sent. So is a cell of people's that
    shows something else than was sent: somebody has typed since, which is told, and never becomes ours.
    """
    source = target.schema.sources[change.ref.source]
    binding = target.bindings[change.ref.source]
    sent = {item.field: item.after for item in change.fields}
    row, _ = decode_page(page, source, binding, target.pages.index)
    cut = {property_id for _, property_id in truncated(page, source, binding)}
    present = properties_by_id(page).keys() - cut
    shown = {
        name: value
        for name, value in row.fields.items()
        if binding.properties[name] in present
    }
    edits = find_edits(target, change, page, shown)
    target.notes.add(kept=edits)
    typed = {edit.field for edit in edits}
    ours = _untouched_owners(page) if everything else frozenset()
    names = sent.keys() | {
        name
        for name in shown
        if source.properties[name].owner in ours and name != KEY_PROPERTY
    }
    return {
        name: sent[name] if name in typed else shown.get(name, sent.get(name))
        for name in sorted(names)
    }


def _untouched_owners(page: Page) -> frozenset[Owner]:
    """Return whose cells of a row just made are as we left them: in the shared ones somebody may have typed already."""
    by_us = page.created_by == page.last_edited_by
    return frozenset({Owner.WORKER, Owner.SHARED} if by_us else {Owner.WORKER})


def note_refused(
    target: WriteContext, change: Change, page_id: str, refused: Refused
) -> None:
    """Keep in mind which fields were refused, so that they are not sent again in every cycle, and tell them."""
    source = target.schema.sources[change.ref.source]
    for item in change.fields:
        if item.field not in refused:
            continue
        refusal = remembered(target, change, item, refused[item.field])
        with target.store.transaction(target.workspace) as tx:
            bases.record(
                tx, page_id, {refusals.place_of(item.field): refusals.pack(refusal)}
            )
        prop = source.properties[item.field]
        target.notes.add(
            problems=refusals.problems_of(refusal, change.ref, prop, target.schema)
        )
