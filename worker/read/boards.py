"""Notion into the snapshot: one query per data source, a few more only for what changed.

Delta: rows edited since the newest edit seen, less two minutes, because Notion floors times to the minute
(docs/facts/notion-api.md 2.21, 2.22). Once that minute was read again five minutes of ours after we first saw the edit,
nothing can have joined it unseen, and the next read begins after it: an idle board answers with nothing. Full: every
row; rows of ours that are gone are looked up one by one, for absence from a list is not deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from worker.codecs.pages import (
    complete,
    properties_by_id,
    read_stamp,
    truncated,
    unread_cells,
    unread_problem,
    with_last_known,
)
from worker.codecs.records import UNREAD as MARK
from worker.codecs.records import Page, UnreadPage
from worker.domain.messages import Text, literal, message, tell
from worker.domain.values import Ref
from worker.errors import Code, Missing, Problem, Severity
from worker.mapping.schema import Binding, Bindings, Schema, Source
from worker.plan.refusals import left_board
from worker.ports.notion import PageBatch, RowReader
from worker.read.absent import GONE, LEFT, look_up
from worker.read.missing_columns import drifted
from worker.read.schema import Bound
from worker.site import Site
from worker.state import bindings as registry
from worker.state import journal, snapshots
from worker.state.settings import Setting
from worker.state.store import Tx

OVERLAP = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)
SETTLED = timedelta(minutes=5)
SKEW = timedelta(days=1)
"""An edit further ahead of our clock is none: a cursor there would hide every later one."""
UNSEEN = message(
    "Notion does not show the database: it is in the trash, or not shared with this connection"
)


UNREAD = Setting("unread_pages", dict[str, tuple[UnreadPage, ...]], dict)
"""Rows that could not be read, by data source."""


@dataclass(frozen=True, slots=True)
class BoardsRead:
    """What one read of Notion gave: why a source was not read in full, and problems.

    `drifted` names sources whose schema is not what was bound, or that are not shown any more: then nothing was kept,
    and the schema is to be read. `unread` are the rows that are there but could not be read when they were last asked
    for, by source.
    """

    incomplete: Mapping[str, Text]
    problems: tuple[Problem, ...] = ()
    drifted: frozenset[str] = frozenset()
    unread: Mapping[str, tuple[UnreadPage, ...]] = field(default_factory=dict)


def read_boards(
    notion: RowReader, site: Site, bound: Bound, *, full: bool, now: datetime
) -> BoardsRead:
    """Bring the snapshot's pages up to date; raises the API errors of the gateway.

    Bindings that were not read just now are trusted only as far as the rows bear them out.
    """
    bindings = bound.bindings
    with site.store.reading(site.name) as tx:
        before = _recall(tx)

    known: dict[str, Cursor | None] = {}
    since: dict[str, datetime | None] = {}
    for name in bindings:
        cursor = before.cursors.get(f"notion:{name}")
        known[name] = _parse(cursor)
        since[name] = None if full else _bound(known[name])
    batches = _read_sources(notion, site, bindings, since)
    strange = frozenset[str]() if bound.trusted else _strange(site, bindings, batches)
    if strange:
        return BoardsRead({}, drifted=strange)

    incomplete = {
        name: _why(batch) for name, batch in batches.items() if not batch.complete
    }
    with site.store.transaction(site.name) as tx:
        for name, batch in batches.items():
            is_doubtful = _keep(tx, site, bindings[name], batch, full=full)
            if is_doubtful or set(batch.unread) - set(before.unread.get(name, ())):
                registry.set_cursor(tx, f"notion:{name}", "")  # ask for it once more
            elif batch.complete:
                _advance(tx, name, known[name], batch, now=now)
        unread = {
            name: _still_unread(before.unread.get(name, ()), batch, full=full)
            for name, batch in batches.items()
        }
        UNREAD.save(tx, unread)

    is_census = full and not incomplete
    absent = _absent_from(batches, before.ours) if full else {}
    asked = {
        page_id: ref for page_id, ref in absent.items() if page_id not in before.gone
    }
    looked = look_up(notion, asked, bindings)
    with site.store.transaction(site.name) as tx:
        if is_census:
            LEFT.save(tx, looked.left)
        gone = (looked.gone | before.gone) - snapshots.page_ids(tx)
        GONE.save(tx, tuple(sorted(gone)))
        left = LEFT.load(tx)
    problems = [left_board(one, site.schema) for one in left]
    problems += [_incomplete(name, why) for name, why in incomplete.items()]
    for name, rows in unread.items():
        source = site.schema.sources[name]
        problems += [unread_problem(one, source) for one in rows]
    return BoardsRead(incomplete, tuple(problems), unread=unread)


class _Before(NamedTuple):
    """What is known before a read: where reads stand, rows not read, pages the journal has, those of them gone."""

    cursors: Mapping[str, str]
    unread: Mapping[str, tuple[UnreadPage, ...]]
    ours: Mapping[Ref, str]
    gone: frozenset[str]


def _recall(tx: Tx) -> _Before:
    return _Before(
        registry.load_cursors(tx),
        UNREAD.load(tx),
        journal.canonical_pages(tx),
        frozenset(GONE.load(tx)),
    )


def _read_sources(
    notion: RowReader,
    site: Site,
    bindings: Bindings,
    since: Mapping[str, datetime | None],
) -> dict[str, PageBatch]:
    """Return what each data source answered, several of them asked at a time."""
    with ThreadPoolExecutor(site.settings.notion.width) as pool:
        batches = pool.map(
            lambda name: _read_source(notion, site.schema, bindings[name], since[name]),
            bindings,
        )
        return dict(zip(bindings, batches, strict=True))


def _strange(
    site: Site, bindings: Bindings, batches: Mapping[str, PageBatch]
) -> frozenset[str]:
    """Return the data sources that are not what was bound, or are not shown."""
    pages = {name: batch.pages for name, batch in batches.items()}
    unseen = {name for name, batch in batches.items() if batch.reason == UNSEEN}
    return drifted(bindings, site.schema, pages) | unseen


def _keep(
    tx: Tx, site: Site, binding: Binding, batch: PageBatch, *, full: bool
) -> bool:
    """Put what was read of a data source into the snapshot; tell whether some of it could be read before."""
    source = site.schema.sources[binding.source]
    pages, is_doubtful = _keep_last_known(tx, batch.pages, source, binding)
    snapshots.save_pages(
        tx,
        binding.source,
        pages,
        complete=full and batch.complete,
        unread={one.id for one in batch.unread},
    )
    return is_doubtful


def _keep_last_known(
    tx: Tx, pages: Sequence[Page], source: Source, binding: Binding
) -> tuple[Sequence[Page], bool]:
    """Return the pages with the last known cells where new ones cannot be read, and whether some could be before."""
    unread = {
        page.id: cells
        for page in pages
        if (cells := unread_cells(page, source, binding))
    }
    if not unread:
        return pages, False
    known = {
        page.id: page
        for page in snapshots.load_pages(tx, source.name).get(source.name, ())
    }
    marked = {
        (page_id, one)
        for page_id, page in known.items()
        for one, cell in properties_by_id(page).items()
        if MARK in cell
    }
    is_new = any(
        (page_id, one) not in marked
        for page_id, cells in unread.items()
        for one in cells.values()
    )
    return [
        with_last_known(page, known.get(page.id), source, binding)
        if page.id in unread
        else page
        for page in pages
    ], is_new


def _still_unread(
    before: Iterable[UnreadPage], batch: PageBatch, *, full: bool
) -> tuple[UnreadPage, ...]:
    """Return the rows that cannot be read: those of this read, and earlier ones it did not show again."""
    unread = set(batch.unread)
    if not (full and batch.complete):
        shown = _ids(batch)
        unread |= {one for one in before if one.id not in shown}
    return tuple(sorted(unread))


def _ids(batch: PageBatch) -> set[str]:
    """Return the ids of all rows of a batch, those that could not be read included."""
    read = {page.id for page in batch.pages}
    unread = {one.id for one in batch.unread}
    return read | unread


def _read_source(
    notion: RowReader, schema: Schema, binding: Binding, since: datetime | None
) -> PageBatch:
    try:
        batch = notion.query(
            binding.data_source_id,
            since=since,
            properties=tuple(binding.properties.values()),
        )
    except Missing:
        return PageBatch((), complete=False, reason=UNSEEN)
    source = schema.sources[binding.source]
    pages = tuple(
        _whole(notion, page, truncated(page, source, binding)) for page in batch.pages
    )
    return PageBatch(pages, batch.complete, batch.reason, batch.unread)


def _whole(notion: RowReader, page: Page, cut: Iterable[tuple[str, str]]) -> Page:
    for page_id, property_id in cut:
        page = complete(page, property_id, notion.property_items(page_id, property_id))
    return page


def _absent_from(
    batches: Mapping[str, PageBatch], ours: Mapping[Ref, str]
) -> dict[str, Ref]:
    """Return the pages that the complete reads among some did not show."""
    absent: dict[str, Ref] = {}
    for name, batch in batches.items():
        if batch.complete:
            absent |= _absent(name, batch, ours)
    return absent


def _absent(name: str, batch: PageBatch, ours: Mapping[Ref, str]) -> dict[str, Ref]:
    """Return the pages the journal says we made in this source that a complete read did not show."""
    shown = _ids(batch)
    return {
        page_id: ref
        for ref, page_id in ours.items()
        if ref.source == name and page_id not in shown
    }


class Cursor(NamedTuple):
    """The newest edit seen, when we saw it first, and when its minute was last read."""

    edited: datetime
    seen: datetime
    read: datetime


def _parse(text: str | None) -> Cursor | None:
    if not text:
        return None
    instants = [datetime.fromisoformat(part) for part in text.split(" ")]
    return Cursor(instants[0], instants[1], instants[-1])


def _bound(cursor: Cursor | None) -> datetime | None:
    if cursor is None:
        return None
    return (
        cursor.edited + MINUTE
        if cursor.read - cursor.seen >= SETTLED
        else cursor.edited - OVERLAP
    )


def _advance(
    tx: Tx, name: str, before: Cursor | None, batch: PageBatch, *, now: datetime
) -> None:
    """Remember the newest edit; one known before only that its minute was read again, all of it."""
    edits = [
        edited
        for page in batch.pages
        if (edited := read_stamp(page.last_edited_time)) is not None
        and edited <= now + SKEW
    ]
    if edits and (before is None or max(edits) > before.edited):
        after = Cursor(max(edits), now, now)
    elif before is not None and before.read - before.seen < SETTLED:
        after = before._replace(read=now)
    else:
        return
    registry.set_cursor(
        tx, f"notion:{name}", " ".join(instant.isoformat() for instant in after)
    )


def _why(batch: PageBatch) -> Text:
    """Return why a data source was not read in full."""
    if batch.reason == UNSEEN:
        return tell(UNSEEN)
    return literal(batch.reason or "not read to the end")


def _incomplete(name: str, why: Text) -> Problem:
    return Problem(
        code=Code.INCOMPLETE_READ,
        where=literal(name),
        message=tell("not all rows could be read: {why}", why=why),
        hint=tell("nothing is archived until a complete read"),
        severity=Severity.WARNING,
    )
