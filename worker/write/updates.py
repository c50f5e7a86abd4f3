"""One row updated: what people typed meanwhile is read first, what Notion refuses is left out.

Between that reading and the request that overwrites a cell lies the only moment in which an edit of that very cell
cannot be seen, as the API has no conditional write. It is kept short: a request that had to wait is not sent, the page
is read again instead.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from worker.errors import ApiError, Denied, Missing, Rejected, Transient
from worker.plan import refusals
from worker.plan.plan import Change
from worker.plan.refusals import Stray, has_left, stray
from worker.state import bases
from worker.write import turns
from worker.write.cells import encode_cells, note_refused, part_of, read_answer
from worker.write.context import Result, WriteContext
from worker.write.edits import Fresh, Left, look_again
from worker.write.refusals import Cells, is_refusal, leave_out, name_refused

STALE = timedelta(seconds=10)
"""How old a reading may be when the request leaves that goes by it."""
READINGS = 5


class _Stale(Exception):
    """A request waited so long that the page must be read again before it."""


def update(target: WriteContext, change: Change) -> Result:
    """Carry out an update; raises the API errors, and `ValueError` for a row of which nothing can be written."""
    page_id = change.page_id or target.pages.by_ref.get(change.ref)
    if page_id is None:
        raise ValueError(f"{change.ref} has no page yet")
    try:
        for _ in range(READINGS):
            read_at = target.now()
            fresh = look_again(target, change, page_id)
            check = _freshness(target, read_at) if fresh.is_read else _unchecked
            try:
                return _write(target, change, page_id, fresh, check=check)
            except _Stale:
                continue
    except Left as left:
        return _tell_left(target, left.stray)
    raise Transient(
        "notion",
        f"PATCH /v1/pages/{page_id}",
        "each request had to wait, so that what it was to write was out of date",
    )


def _freshness(target: WriteContext, read_at: datetime) -> Callable[[], None]:
    def check() -> None:
        if target.now() - read_at > STALE:
            raise _Stale

    return check


def _unchecked() -> None:
    """Let a request leave whenever it may: nothing it overwrites is people's."""


def _write(
    target: WriteContext,
    change: Change,
    page_id: str,
    fresh: Fresh,
    *,
    check: Callable[[], None],
) -> Result:
    change = replace(change, fields=fresh.fields)
    cells = encode_cells(target, change)
    with target.store.transaction(target.workspace) as tx:
        bases.adopt(tx, fresh.adopted)
        if not (fresh.kept or fresh.problems):
            turns.take(target, tx, change.ref)
    refused = {}
    try:
        if cells:
            refused = write_cells(target, change, page_id, cells, check=check)
    except (Rejected, Missing, Denied):
        with target.store.transaction(target.workspace) as tx:
            turns.take_back(target, tx, change.ref)
        raise
    target.notes.add(kept=fresh.kept, problems=fresh.problems)
    note_refused(target, change, page_id, refused)
    if refused.keys() != cells.keys():
        return Result.DONE
    return Result.SETTLED


def write_cells(
    target: WriteContext,
    change: Change,
    page_id: str,
    cells: Cells,
    *,
    check: Callable[[], None] = _unchecked,
) -> dict[str, ApiError]:
    """Write cells into a page and return those that Notion refused.

    Raises `Left` when the page is in another data source by now, and the API errors when none could be written.
    """
    source = target.schema.sources[change.ref.source]
    binding = target.bindings[change.ref.source]

    def send(part: Cells) -> None:
        _patch(target, part_of(change, part), page_id, part, check=check)

    try:
        send(cells)
    except ApiError as error:
        if not is_refusal(error):
            raise
        page = target.notion.page(page_id)
        if has_left(page, binding):
            raise Left(stray(change.ref, page)) from error
        if page.is_gone:
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


def _patch(
    target: WriteContext,
    change: Change,
    page_id: str,
    cells: Cells,
    *,
    check: Callable[[], None],
) -> None:
    """Send one update, with the attempt noted before it and what came back recorded after it."""
    binding = target.bindings[change.ref.source]
    wanted = {item.field: item.after for item in change.fields}
    with target.store.transaction(target.workspace) as tx:
        bases.attempt(tx, page_id, wanted)
    try:
        page = target.notion.guarded(check).update_page(
            page_id, {binding.properties[name]: cell for name, cell in cells.items()}
        )
    except (
        Rejected,
        Missing,
        Denied,
    ):  # any other failure may have happened, so that the attempt stands as ours
        with target.store.transaction(target.workspace) as tx:
            bases.withdraw(tx, page_id, wanted)
        raise
    answered = read_answer(target, change, page, everything=False)
    with target.store.transaction(target.workspace) as tx:
        bases.record(tx, page_id, answered)
        turns.mark(target, tx, change.ref, cells)
        bases.drop(tx, page_id, [refusals.place_of(name) for name in cells])


def _tell_left(target: WriteContext, left: Stray) -> Result:
    target.notes.add(problems=[refusals.left_board(left, target.schema)])
    return Result.SETTLED
