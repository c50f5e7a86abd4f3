"""One change carried out: intend, call, read back, done. Every step is committed before the next one begins.

A field that Notion refuses, or whose value cannot be written, is left out and told; the rest of its row is written.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from msgspec.structs import replace

from worker.apply import creations, surplus, turns
from worker.apply.bench import Bench, Result
from worker.apply.edits import Left, find_edits, look_again
from worker.apply.refusals import (
    Cells,
    Refused,
    has_left,
    is_refusal,
    leave_out,
    name_refused,
    remembered,
    stray,
)
from worker.apply.sections import write_section
from worker.domain.messages import message, tell
from worker.domain.values import Value
from worker.errors import (
    ApiError,
    Denied,
    Missing,
    Problem,
    RaylineError,
    Rejected,
    Severity,
    Unknown,
)
from worker.mapping.codecs import encode
from worker.mapping.normalize import is_trashed
from worker.mapping.pages import decode_page, properties_by_id, truncated
from worker.mapping.schema import KEY_PROPERTY, Owner
from worker.ports import Json
from worker.state import bases, journal
from worker.sync import refusals
from worker.sync.plan import Change, Kind
from worker.sync.refusals import Stray


def perform(bench: Bench, change: Change) -> Result | Problem:
    """Carry out one change and return how it ended, a problem when it did not do what it should.

    Raises the API errors, `Busy` and `Stopped` as `Bench` says, and `ValueError` for a row of which nothing can be
    written."""
    return _PERFORM[change.kind](bench, change)


def _create(bench: Bench, change: Change) -> Result | Problem:
    cells = _cells(bench, change)
    wanted = {item.field: item.after for item in change.fields}
    if (ended := creations.claim(bench, change.ref, wanted)) is not None:
        return ended
    refused: dict[str, ApiError] = {}
    try:
        page, sent = _send_new(bench, change, cells, refused)
    except Unknown as unknown:
        return creations.doubt(bench, change, unknown, wanted=wanted)
    except RaylineError:
        creations.give_back(bench, change.ref)
        raise
    answered = _answered(bench, _only(change, sent), page, everything=True)
    made = creations.finish(bench, change, page["id"], wanted=wanted, cells=answered)
    if made is not Result.DONE:
        return made
    rest = {
        name: cell
        for name, cell in cells.items()
        if name not in sent and name not in refused
    }
    if rest:
        refused |= _write_cells(bench, change, page["id"], rest)
    _remember(bench, change, page["id"], refused)
    return Result.DONE


def _send_new(
    bench: Bench, change: Change, cells: Cells, refused: dict[str, ApiError]
) -> tuple[Json, frozenset[str]]:
    """Create the row and return it with the fields it was made with; fields refused by name are added to `refused`.

    Where Notion does not say what it refuses, the row is made with its title alone and the rest is the caller's.
    """
    source = bench.schema.sources[change.ref.source]
    binding = bench.bindings[change.ref.source]
    key = encode(
        source.properties[KEY_PROPERTY], change.ref.key, binding, bench.page_of
    )
    left = dict(cells)
    while True:
        properties = {binding.properties[name]: cell for name, cell in left.items()}
        properties[binding.properties[KEY_PROPERTY]] = key
        try:
            page = creations.send(bench, change.ref, properties)
        except ApiError as error:
            title = {
                name: cell
                for name, cell in left.items()
                if source.properties[name].type == "title"
            }
            culprit = name_refused(error, left, source=source, binding=binding)
            if not is_refusal(error) or not (culprit or left != title):
                raise
            if culprit:
                refused[culprit] = error
                del left[culprit]
            else:
                left = title
            continue
        return page, frozenset(left)


def _update(bench: Bench, change: Change) -> Result:
    page_id = change.page_id or bench.pages.by_ref.get(change.ref)
    if page_id is None:
        raise ValueError(f"{change.ref} has no page yet")
    try:
        fresh = look_again(bench, change, page_id)
    except Left as left:
        return _tell_left(bench, left.stray)
    bench.notes.add(kept=fresh.kept, problems=fresh.problems)
    change = replace(change, fields=fresh.fields)
    cells = _cells(bench, change)
    with bench.store.transaction(bench.workspace) as tx:
        bases.adopt(tx, fresh.adopted)
        if not (fresh.kept or fresh.problems):
            turns.take(bench, tx, change.ref)
    if not cells:
        return Result.SETTLED
    try:
        refused = _write_cells(bench, change, page_id, cells)
    except Left as left:
        return _tell_left(bench, left.stray)
    except (Rejected, Missing, Denied):
        with bench.store.transaction(bench.workspace) as tx:
            turns.take_back(bench, tx, change.ref)
        raise
    _remember(bench, change, page_id, refused)
    return Result.DONE if refused.keys() != cells.keys() else Result.SETTLED


def _write_cells(
    bench: Bench, change: Change, page_id: str, cells: Cells
) -> dict[str, ApiError]:
    """Write cells into a page and return those that Notion refused.

    Raises `Left` when the page is in another data source by now, and the API errors when none could be written.
    """
    source = bench.schema.sources[change.ref.source]
    binding = bench.bindings[change.ref.source]

    def send(part: Cells) -> None:
        _patch(bench, _only(change, part), page_id, part)

    try:
        send(cells)
    except ApiError as error:
        if not is_refusal(error):
            raise
        page = bench.notion.page(page_id)
        if has_left(page, binding):
            raise Left(stray(change.ref, page)) from error
        if is_trashed(page):
            raise
        return leave_out(
            send,
            cells,
            error,
            named=lambda error, part: name_refused(
                error, part, source=source, binding=binding
            ),
        )
    return {}


def _patch(bench: Bench, change: Change, page_id: str, cells: Cells) -> None:
    """Send one update, with the attempt noted before it and what came back recorded after it."""
    binding = bench.bindings[change.ref.source]
    wanted = {item.field: item.after for item in change.fields}
    with bench.store.transaction(bench.workspace) as tx:
        bases.attempt(tx, page_id, wanted)
    try:
        page = bench.notion.update_page(
            page_id, {binding.properties[name]: cell for name, cell in cells.items()}
        )
    except (
        Rejected,
        Missing,
        Denied,
    ):  # any other failure may have happened, so that the attempt stands as ours
        with bench.store.transaction(bench.workspace) as tx:
            bases.withdraw(tx, page_id, wanted)
        raise
    answered = _answered(bench, change, page, everything=False)
    with bench.store.transaction(bench.workspace) as tx:
        bases.record(tx, page_id, answered)
        bases.drop(tx, page_id, [refusals.place_of(name) for name in cells])


def _archive(bench: Bench, change: Change) -> Result | Problem:
    """Put a surplus row into the trash, unless people have written in it since it was read: then it is theirs."""
    try:
        if surplus.is_written_in(bench, change):
            with bench.store.transaction(bench.workspace) as tx:
                journal.disown(tx, change.page_id)
            return surplus.tell_kept(change)
        bench.notion.archive_page(change.page_id)
        result = Result.DONE
    except Missing:
        result = Result.SETTLED
    with bench.store.transaction(bench.workspace) as tx:
        bases.forget(tx, [change.page_id])
    return result


_PERFORM: Mapping[Kind, Callable[[Bench, Change], Result | Problem]] = {
    Kind.CREATE: _create,
    Kind.UPDATE: _update,
    Kind.SECTION: write_section,
    Kind.ARCHIVE: _archive,
}


def _cells(bench: Bench, change: Change) -> dict[str, Json]:
    """Return the request's form of each value; one that cannot be written is told and left out.

    Raises `ValueError` when that leaves nothing of the row.
    """
    source = bench.schema.sources[change.ref.source]
    binding = bench.bindings[change.ref.source]
    cells: dict[str, Json] = {}
    faults: dict[str, ValueError] = {}
    for item in change.fields:
        prop = source.properties[item.field]
        try:
            cells[item.field] = encode(prop, item.after, binding, bench.page_of)
        except ValueError as fault:
            faults[item.field] = fault
    if faults and not cells:
        raise next(iter(faults.values()))
    bench.notes.add(
        problems=[
            _unwritable(bench, change, name, fault) for name, fault in faults.items()
        ]
    )
    return cells


def _unwritable(bench: Bench, change: Change, name: str, fault: ValueError) -> Problem:
    return Problem(
        "value-unwritable",
        str(change.ref),
        name,
        tell(
            "“{title}” was written without {field}: {error}",
            title=change.title,
            field=bench.schema.sources[change.ref.source].properties[name].label,
            error=fault,
        ),
        message("run `rayline check` to see what the workspace lacks"),
        severity=Severity.ERROR,
    )


def _only(change: Change, names: Container[str]) -> Change:
    """Return a change with some of its fields."""
    return replace(
        change, fields=tuple(item for item in change.fields if item.field in names)
    )


def _remember(bench: Bench, change: Change, page_id: str, refused: Refused) -> None:
    """Keep in mind which fields were refused, so that they are not sent again in every cycle, and tell them."""
    source = bench.schema.sources[change.ref.source]
    for item in change.fields:
        if item.field not in refused:
            continue
        found = remembered(bench, change, item, refused[item.field])
        with bench.store.transaction(bench.workspace) as tx:
            bases.record(
                tx, page_id, {refusals.place_of(item.field): refusals.pack(found)}
            )
        prop = source.properties[item.field]
        bench.notes.add(
            problems=refusals.problems_of(found, change.ref, prop, bench.schema)
        )


def _tell_left(bench: Bench, left: Stray) -> Result:
    bench.notes.add(problems=[refusals.left_board(left, bench.schema)])
    return Result.SETTLED


def _answered(
    bench: Bench, change: Change, page: Json, *, everything: bool
) -> dict[str, Value]:
    """Return the bases an answer gives: the changed fields, or all of ours after a creation.

    What the answer does not show whole (over 25 references, unreadable) is taken as sent. So is a cell of people's that
    shows something else than was sent: somebody has typed since, which is told, and never becomes ours.
    """
    source, binding = (
        bench.schema.sources[change.ref.source],
        bench.bindings[change.ref.source],
    )
    sent = {item.field: item.after for item in change.fields}
    row, _ = decode_page(page, source, binding, bench.pages.index)
    cut = {property_id for _, property_id in truncated(page, source, binding)}
    present = properties_by_id(page).keys() - cut
    shown = {
        name: value
        for name, value in row.fields.items()
        if binding.properties[name] in present
    }
    edits = find_edits(bench, change, page, shown)
    bench.notes.add(kept=edits)
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


def _untouched_owners(page: Json) -> frozenset[Owner]:
    """Return whose cells of a row just made are as we left them: in the shared ones somebody may have typed already."""
    by_us = page.get("created_by") == page.get("last_edited_by")
    return frozenset({Owner.WORKER, Owner.SHARED} if by_us else {Owner.WORKER})
