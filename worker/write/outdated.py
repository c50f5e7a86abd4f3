"""A row that has had its time, archived when nobody but us ever had a hand in it.

Archived is not trashed (docs/facts/notion-api.md 2.16): the page leaves its board, nothing of it is lost, and whoever
has its address opens it as before. It stays on the board for any sign of people: a cell of any column, also of those
that Rayline does not know, a block, a comment, or a cell elsewhere that leads to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from worker.write.strays import is_by

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
_PAGES = ("child_page", "child_database")
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
    return WRITTEN if _is_written_below(target, page) else ""


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


def _is_written_below(target: WriteContext, page: Page) -> bool:
    """Tell whether anybody else wrote a block or a comment on a page. Where the connection may not see comments, they
    do not count: they go nowhere."""
    author = page.created_by.id if page.created_by else None
    places = [page.id]
    for raw in _blocks(target, page.id):
        if not is_by(raw, author):
            return True
        places.append(str(raw["id"]))
    try:
        return any(target.notion.comments(place) for place in places)
    except Denied:
        return False


def _blocks(target: WriteContext, place: str) -> Iterator[Json]:
    """Yield the blocks of a page, however deep; not those of pages below it."""
    for raw in target.notion.children(place):
        yield raw
        if raw.get("has_children") and raw["type"] not in _PAGES:
            yield from _blocks(target, str(raw["id"]))
