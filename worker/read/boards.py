"""Notion into the snapshot: one query per data source, a few more only for what changed.

Delta: rows edited since the newest edit seen, less two minutes, because Notion floors times to the minute
(docs/facts/notion-api.md 2.21, 2.22). Once that minute was read again five minutes of ours after we first saw the edit,
nothing can have joined it unseen, and the next read begins after it: an idle board answers with nothing. Full: every
row; rows of ours that are gone are looked up one by one, for absence from a list is not deletion.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from worker.codecs.pages import (
    complete,
    is_meant,
    properties_by_id,
    read_stamp,
    truncated,
    unread_cells,
    unread_problem,
    with_last_known,
)
from worker.codecs.records import UNREAD as MARK
from worker.codecs.records import Page, UnreadPage, title_of
from worker.domain.messages import Text, literal, message, tell
from worker.domain.structs import make_ready
from worker.domain.values import Ref
from worker.errors import (
    ApiError,
    Code,
    Missing,
    Problem,
    Rejected,
    Severity,
    Transient,
)
from worker.mapping.schema import Binding, Bindings, Source
from worker.plan.refusals import Stray, left_board
from worker.ports.notion import CROWDED, PageBatch, RowReader, is_gone
from worker.read.absent import GONE, LEFT, Absent, look_up
from worker.read.missing_columns import drifted
from worker.read.schema import Bound
from worker.site import Site
from worker.state import bindings as registry
from worker.state import journal, snapshots
from worker.state.bindings import board_scope
from worker.state.settings import Setting
from worker.state.store import Tx
from worker.world.world import PLACES

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
    for, by source. `unknown` are the sources that were never read in full, so that nobody knows what stands in them.
    """

    incomplete: Mapping[str, Text]
    problems: tuple[Problem, ...] = ()
    drifted: frozenset[str] = frozenset()
    unread: Mapping[str, tuple[UnreadPage, ...]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()


class Cursor(NamedTuple):
    """The newest edit seen, when we saw it first, and when its minute was last read."""

    edited: datetime
    seen: datetime
    read: datetime

    @property
    def is_settled(self) -> bool:
        """Tell whether the minute of the edit was read so late that nothing can have joined it unseen."""
        return self.read - self.seen >= SETTLED


class _Before(NamedTuple):
    """What is known before a read: where reads stand, rows not read, pages the journal has (asked for by a full read
    alone), those of them gone; `known` are the sources that were read in full at some time."""

    known: frozenset[str]
    cursors: Mapping[str, Cursor | None]
    unread: Mapping[str, tuple[UnreadPage, ...]]
    ours: Mapping[Ref, str]
    gone: frozenset[str]


def read_boards(
    notion: RowReader, site: Site, bound: Bound, *, full: bool, now: datetime
) -> BoardsRead:
    """Bring the snapshot's pages up to date; raises the API errors of the gateway.

    Bindings that were not read just now are trusted only as far as the rows bear them out.
    """
    bindings = bound.bindings
    with site.reading() as tx:
        before = _recall(tx, bound, full=full)

    since: dict[str, datetime | None] = {}
    for name, cursor in before.cursors.items():
        since[name] = None
        if not full:
            since[name] = _bound(cursor)
    batches = _read_sources(notion, site, bindings, since)
    if not bound.trusted:
        strange = _strange(site, bindings, batches)
        if strange:
            return BoardsRead({}, drifted=strange)

    unread = _save(site, bindings, batches, before=before, full=full, now=now)
    incomplete = _find_incomplete(batches)
    absent = {}
    if full:
        absent = _absent_from(batches, before)
    looked = look_up(notion, absent, bindings)
    is_census = full and not (incomplete or bound.unseen)
    gone = before.gone
    if full:
        gone -= _restored(notion, before)
    left = _note_absent(site, looked, gone, is_census=is_census)

    problems = [left_board(stray, site.schema) for stray in left]
    problems += [_incomplete(name, why) for name, why in incomplete.items()]
    for name, rows in unread.items():
        source = site.schema.sources[name]
        problems += [unread_problem(row, source) for row in rows]
    unknown = _never_read(batches, before) | (bound.unseen.keys() - before.known)
    return BoardsRead(incomplete, tuple(problems), unread=unread, unknown=unknown)


def _recall(tx: Tx, bound: Bound, *, full: bool) -> _Before:
    texts = registry.load_cursors(tx)
    cursors = {}
    for name in bound.bindings:
        text = texts.get(board_scope(name))
        cursors[name] = _parse(text)
    ours: Mapping[Ref, str] = {}
    if full:
        ours = journal.canonical_pages(tx)
    return _Before(
        known=frozenset(name for name in bound.whole() if board_scope(name) in texts),
        cursors=cursors,
        unread=UNREAD.load(tx),
        ours=ours,
        gone=frozenset(GONE.load(tx)),
    )


def _find_incomplete(batches: Mapping[str, PageBatch]) -> dict[str, Text]:
    """Return why some data sources were not read to the end."""
    reasons = {}
    for name, batch in batches.items():
        if not batch.complete:
            reasons[name] = _why(batch)
    return reasons


def _never_read(batches: Mapping[str, PageBatch], before: _Before) -> frozenset[str]:
    """Return the sources that were never read in full; one that holds too much for that is known as far as it goes."""
    return frozenset(
        name
        for name, batch in batches.items()
        if not batch.complete and batch.reason != CROWDED and name not in before.known
    )


def _save(
    site: Site,
    bindings: Bindings,
    batches: Mapping[str, PageBatch],
    *,
    before: _Before,
    full: bool,
    now: datetime,
) -> dict[str, tuple[UnreadPage, ...]]:
    """Put what was read into the snapshot, and where the next read begins; return the rows that cannot be read."""
    unread = {}
    with site.transaction() as tx:
        for name, batch in batches.items():
            source = site.schema.sources[name]
            binding = bindings[name]
            earlier = before.unread.get(name, ())
            fresh = set(batch.unread).difference(earlier)
            is_doubtful = _keep(tx, source, binding, batch, full=full)
            if is_doubtful or fresh:
                _ask_again(tx, name, batch, is_known=name in before.known)
            elif batch.complete:
                _advance(tx, name, before.cursors[name], batch, now=now)
            unread[name] = _still_unread(earlier, batch, full=full)
        UNREAD.save(tx, unread)
    return unread


def _ask_again(tx: Tx, name: str, batch: PageBatch, *, is_known: bool) -> None:
    """Have all of a source be asked for once more; one that was never read in full has no cursor that says otherwise."""
    if is_known or batch.complete:
        registry.set_cursor(tx, board_scope(name), "")


def _restored(notion: RowReader, before: _Before) -> frozenset[str]:
    """Return the pages that are no rows and stand again since they were found deleted: no query shows them."""
    restored = set()
    for ref, page_id in before.ours.items():
        if ref.source != PLACES or page_id not in before.gone:
            continue
        if not is_gone(notion, page_id):
            restored.add(page_id)
    return frozenset(restored)


def _note_absent(
    site: Site, looked: Absent, gone: frozenset[str], *, is_census: bool
) -> tuple[Stray, ...]:
    """Keep what became of absent rows; return those that stand elsewhere, of a census now or the one before."""
    with site.transaction() as tx:
        if is_census:
            LEFT.save(tx, looked.left)
        if looked.gone or gone:
            read = snapshots.page_ids(tx)
            snapshots.forget_pages(tx, sorted(looked.gone))
            still_gone = (looked.gone | gone) - read
            GONE.save(tx, tuple(sorted(still_gone)))
        return LEFT.load(tx)


def _read_sources(
    notion: RowReader,
    site: Site,
    bindings: Bindings,
    since: Mapping[str, datetime | None],
) -> dict[str, PageBatch]:
    """Return what each data source answered, several of them asked at a time.

    One that Notion does not answer for stays as it was read last; raises its error when none is answered for, which
    two that are not are taken to show.
    """
    errors: list[ApiError] = []
    answered = threading.Event()

    def read(name: str) -> PageBatch:
        source = site.schema.sources[name]
        binding = bindings[name]
        if len(errors) > 1 and not answered.is_set():
            raise errors[0]
        try:
            batch = _read_source(notion, source, binding, since[name])
        except ApiError as error:
            errors.append(error)
            return PageBatch((), complete=False, reason=str(error))
        answered.set()
        return batch

    width = site.settings.notion.side_by_side(notion.latency)
    make_ready()
    with ThreadPoolExecutor(width) as pool:
        answers = pool.map(read, bindings)
        batches = dict(zip(bindings, answers, strict=True))
    if errors and not answered.is_set():
        raise errors[0]
    return batches


def _strange(
    site: Site, bindings: Bindings, batches: Mapping[str, PageBatch]
) -> frozenset[str]:
    """Return the data sources that are not what was bound, or are not shown."""
    pages = {}
    unseen = set()
    for name, batch in batches.items():
        pages[name] = batch.pages
        if batch.reason == UNSEEN:
            unseen.add(name)
    return drifted(bindings, site.schema, pages) | unseen


def _keep(
    tx: Tx, source: Source, binding: Binding, batch: PageBatch, *, full: bool
) -> bool:
    """Put what was read of a data source into the snapshot, with the last known cells where new ones cannot be read.

    Tells whether some of those could be read before.
    """
    unread: dict[str, Collection[str]] = {}
    for page in batch.pages:
        cells = unread_cells(page, source, binding)
        if cells:
            unread[page.id] = cells.values()
    known = {}
    if unread:
        known = _known_pages(tx, source.name)

    pages = []
    for page in batch.pages:
        whole = page
        if page.id in unread:
            whole = with_last_known(page, known.get(page.id), source, binding)
        pages.append(whole)
    snapshots.save_pages(
        tx,
        source.name,
        pages,
        complete=full and batch.complete,
        unread={one.id for one in batch.unread},
    )
    return any(
        _could_be_read(known.get(page_id), cells) for page_id, cells in unread.items()
    )


def _known_pages(tx: Tx, source: str) -> dict[str, Page]:
    pages = snapshots.load_pages(tx, source).get(source, ())
    return {page.id: page for page in pages}


def _could_be_read(page: Page | None, property_ids: Collection[str]) -> bool:
    """Tell whether some cells of a page, as it was known last, are not marked as unread."""
    if page is None:
        return True
    cells = properties_by_id(page)
    return any(MARK not in cells.get(one, {}) for one in property_ids)


def _still_unread(
    before: Iterable[UnreadPage], batch: PageBatch, *, full: bool
) -> tuple[UnreadPage, ...]:
    """Return the rows that cannot be read: those of this read, and earlier ones it did not show again."""
    unread = set(batch.unread)
    if not (full and batch.complete):
        shown = _ids(batch)
        for one in before:
            if one.id not in shown:
                unread.add(one)
    return tuple(sorted(unread))


def _ids(batch: PageBatch) -> set[str]:
    """Return the ids of all rows of a batch, those that could not be read included."""
    read = {page.id for page in batch.pages}
    unread = {one.id for one in batch.unread}
    return read | unread


def _read_source(
    notion: RowReader, source: Source, binding: Binding, since: datetime | None
) -> PageBatch:
    wanted = list(binding.properties.values())
    if binding.only is not None:
        wanted.append(binding.only.property_id)
    try:
        batch = notion.query(
            binding.data_source_id, since=since, properties=tuple(wanted)
        )
    except Missing:
        return PageBatch((), complete=False, reason=UNSEEN)

    pages = []
    unread = list(batch.unread)
    for page in batch.pages:
        if not is_meant(page, binding.only):
            continue
        cut = truncated(page, source, binding)
        try:
            pages.append(_whole(notion, page, cut))
        except (Missing, Rejected, Transient) as error:
            unread.append(_unread(page, error))
    return replace(batch, pages=tuple(pages), unread=tuple(unread))


def _unread(page: Page, error: ApiError) -> UnreadPage:
    """Return a row of which Notion shows a part alone: a part is not taken for the whole."""
    return UnreadPage(
        page.id,
        title_of(page.properties),
        page.url or "",
        "",
        error.detail or str(error),
    )


def _whole(notion: RowReader, page: Page, cut: Iterable[tuple[str, str]]) -> Page:
    for page_id, property_id in cut:
        items = notion.property_items(page_id, property_id)
        page = complete(page, property_id, items)
    return page


def _absent_from(batches: Mapping[str, PageBatch], before: _Before) -> dict[str, Ref]:
    """Return the pages that the journal says we made and a complete read did not show, but for those known as gone."""
    shown = {name: _ids(batch) for name, batch in batches.items() if batch.complete}
    absent = {}
    for ref, page_id in before.ours.items():
        if ref.source not in shown or page_id in before.gone:
            continue
        if page_id not in shown[ref.source]:
            absent[page_id] = ref
    return absent


def _parse(text: str | None) -> Cursor | None:
    if not text:
        return None
    instants = [datetime.fromisoformat(part) for part in text.split(" ")]
    return Cursor(instants[0], instants[1], instants[-1])


def _bound(cursor: Cursor | None) -> datetime | None:
    """Return from which edit on a data source is read, None for all of it."""
    if cursor is None:
        return None
    if cursor.is_settled:
        return cursor.edited + MINUTE
    return cursor.edited - OVERLAP


def _advance(
    tx: Tx, name: str, before: Cursor | None, batch: PageBatch, *, now: datetime
) -> None:
    """Remember the newest edit; one known before only that its minute was read again, all of it."""
    newest = _newest_edit(batch, now)
    if newest is not None and (before is None or newest > before.edited):
        after = Cursor(newest, seen=now, read=now)
    elif before is not None and not before.is_settled:
        after = before._replace(read=now)
    else:
        _note_read(tx, name, before)
        return
    text = " ".join(instant.isoformat() for instant in after)
    registry.set_cursor(tx, board_scope(name), text)


def _note_read(tx: Tx, name: str, before: Cursor | None) -> None:
    """Remember that a source was read in full, though it showed no edit."""
    if before is None:
        registry.set_cursor(tx, board_scope(name), "")


def _newest_edit(batch: PageBatch, now: datetime) -> datetime | None:
    edits = []
    for page in batch.pages:
        edited = read_stamp(page.last_edited_time)
        if edited is not None and edited <= now + SKEW:
            edits.append(edited)
    return max(edits, default=None)


def _why(batch: PageBatch) -> Text:
    """Return why a data source was not read in full."""
    if batch.reason in (UNSEEN, CROWDED):
        return tell(batch.reason)
    return literal(batch.reason or "not read to the end")


def _incomplete(name: str, why: Text) -> Problem:
    return Problem(
        code=Code.INCOMPLETE_READ,
        where=literal(name),
        message=tell("not all rows could be read: {why}", why=why),
        hint=tell("nothing is archived until a complete read"),
        severity=Severity.WARNING,
    )
