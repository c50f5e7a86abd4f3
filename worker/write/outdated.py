"""A row that has had its time, archived when nobody but us ever had a hand in it.

Archived is not trashed (docs/facts/notion-api.md 2.16): the page leaves its board, nothing of it is lost, and whoever
has its address opens it as before. It stays on the board for any sign of people: a cell of any column, also of those
that Rayline does not know, a block, a comment, or a cell elsewhere that leads to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.codecs.pages import decode_page, properties_by_id
from worker.codecs.records import Page
from worker.errors import Busy, Denied, Missing, Rejected, Stopped, Transient
from worker.plan.outdated import AWAY, KEPT, LINKED, LOOKED, REFUSED, WRITTEN
from worker.plan.plan import Change
from worker.plan.surplus import holds_more
from worker.ports.notion import Json
from worker.state import bases, snapshots
from worker.write.context import Result, WriteContext
from worker.write.surplus import holds_words_of_others

COMPUTED = frozenset(
    {
        "formula",
        "rollup",
        "created_time",
        "created_by",
        "last_edited_time",
        "last_edited_by",
        "unique_id",
        "button",
    }
)
"""Types of columns that nobody fills."""
_NOT_DONE = (Denied, Transient, Busy, Stopped)
"""After these a request certainly changed nothing."""


def put_away(target: WriteContext, change: Change) -> Result:
    """Archive a row that has had its time, or remember why it stays; raises the API errors but `Missing` and `Rejected`.

    That it went is remembered before it goes: a page that stands with this memory was restored, and is left alone.
    """
    try:
        page = target.notion.page(change.page_id)
        if page.is_gone:
            return Result.SETTLED
        reason = _find_hold(target, change, page)
        if reason:
            _remember(target, change, {KEPT: reason, LOOKED: target.now()})
            return Result.SETTLED
        _remember(target, change, {AWAY: target.now()})
        target.notion.shelve_page(change.page_id)
    except Missing:
        return Result.SETTLED
    except Rejected:
        # Asked again, it would be refused again.
        _remember(target, change, {KEPT: REFUSED, LOOKED: target.now()})
        return Result.SETTLED
    except _NOT_DONE:
        with target.store.transaction(target.workspace) as tx:
            bases.drop(tx, change.page_id, [AWAY])
        raise
    return Result.DONE


def _remember(target: WriteContext, change: Change, cells: Mapping[str, Any]) -> None:
    with target.store.transaction(target.workspace) as tx:
        bases.record(tx, change.page_id, cells)


def _find_hold(target: WriteContext, change: Change, page: Page) -> str:
    """Return why a page stays; empty when nobody but us had a hand in it."""
    if _is_written_in(target, change, page):
        return WRITTEN
    with target.store.reading(target.workspace) as tx:
        naming = snapshots.find_naming(tx, change.page_id)
    if naming - _related(page):
        return LINKED
    author = page.created_by.id if page.created_by else None
    return WRITTEN if holds_words_of_others(target, page.id, author) else ""


def _is_written_in(target: WriteContext, change: Change, page: Page) -> bool:
    """Tell whether anything stands in a cell that we did not put there."""
    source = target.schema.sources[change.ref.source]
    binding = target.bindings[change.ref.source]
    row, faults = decode_page(page, source, binding, target.pages.index)
    with target.store.reading(target.workspace) as tx:
        written = bases.of_page(tx, change.page_id)
        attempted = bases.attempts_of(tx, change.page_id)
    if faults or not row.created_by:
        return True
    if holds_more(row, None, source, binding, written=written, attempted=attempted):
        return True
    ours = {*binding.properties.values()}
    cells = properties_by_id(page)
    return any(_is_filled(cells[name]) for name in cells.keys() - ours)


def _is_filled(cell: Json) -> bool:
    kind = str(cell.get("type"))
    return kind not in COMPUTED and bool(cell.get(kind))


def _related(page: Page) -> frozenset[str]:
    """Return the pages to which a page is related: the other side of a relation names it in turn."""
    related: set[str] = set()
    for cell in properties_by_id(page).values():
        for one in cell.get("relation") or ():
            related.add(str(one["id"]))
    return frozenset(related)
