"""Notion into the snapshot: one query per data source, a few more only for what changed.

Delta: rows edited since the newest edit seen, less two minutes, because Notion floors times to the minute
(facts/notion-api.md 2.21-2.22). Once that minute was read again five minutes of ours after we first saw the edit,
nothing can have joined it unseen, and the next read begins after it: an idle board answers with nothing. Full: every
row; rows of ours that are gone are looked up one by one, for absence from a list is not deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

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
from worker.domain.messages import message, tell
from worker.domain.values import Ref
from worker.errors import Missing, Problem, Severity
from worker.mapping.schema import Binding, Bindings, Schema, Source
from worker.plan.refusals import left_board
from worker.ports.notion import PageBatch, RowReader
from worker.read.absent import look_up, recall_left, remember_left
from worker.read.missing_columns import drifted
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.store import Store, Tx

OVERLAP = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)
SETTLED = timedelta(minutes=5)
SKEW = timedelta(days=1)
"""An edit further ahead of our clock is none: a cursor there would hide every later one."""
UNREAD = "unread_pages"
UNSEEN = tell(
    "Notion does not show the database: it is in the trash, or not shared with this connection"
)


@dataclass(frozen=True, slots=True)
class BoardsRead:
    """What one read of Notion gave: why a source was not read in full, page ids that are gone for good, problems.

    `drifted` names sources whose schema is not what was bound, or that are not shown any more: then nothing was kept,
    and the schema is to be read. `unread` are the rows that are there but could not be read when they were last asked
    for, by source.
    """

    incomplete: Mapping[str, str]
    gone: frozenset[str]
    problems: tuple[Problem, ...] = ()
    drifted: frozenset[str] = frozenset()
    unread: Mapping[str, tuple[UnreadPage, ...]] = field(default_factory=dict)


def read_boards(
    notion: RowReader,
    store: Store,
    workspace: str,
    *,
    schema: Schema,
    bindings: Bindings,
    full: bool,
    width: int,
    ours: Mapping[Ref, str],
    buried: Set[str],
    now: datetime,
    trusted: bool = True,
) -> BoardsRead:
    """Bring the snapshot's pages up to date; raises the API errors of the gateway.

    `ours` are the pages the journal has, `buried` those of them known to be gone already; `trusted` says that the
    bindings were read just now.
    """
    with store.reading(workspace) as tx:
        cursors, before = registry.load_cursors(tx), _recall_unread(tx)
    known = {name: _parse(cursors.get(f"notion:{name}")) for name in bindings}
    since = {name: None if full else _bound(known[name]) for name in bindings}
    with ThreadPoolExecutor(width) as pool:
        batches = dict(
            zip(
                bindings,
                pool.map(
                    lambda name: _read_source(
                        notion, schema, bindings[name], since[name]
                    ),
                    bindings,
                ),
                strict=True,
            )
        )
    strange = (
        frozenset()
        if trusted
        else drifted(
            bindings, schema, {name: one.pages for name, one in batches.items()}
        )
        | {name for name, one in batches.items() if one.reason == UNSEEN}
    )
    if strange:
        return BoardsRead({}, frozenset(), drifted=strange)
    incomplete = {
        name: batch.reason or "not read to the end"
        for name, batch in batches.items()
        if not batch.complete
    }
    absent: dict[str, Ref] = {}
    with store.transaction(workspace) as tx:
        for name, batch in batches.items():
            is_census = full and batch.complete
            pages, is_doubtful = _keep_last_known(
                tx, batch.pages, schema.sources[name], bindings[name]
            )
            snapshots.save_pages(
                tx,
                name,
                pages,
                complete=is_census,
                unread={one.id for one in batch.unread},
            )
            if is_census:
                absent |= _absent(name, batch, ours)
            if is_doubtful or set(batch.unread) - set(before.get(name, ())):
                registry.set_cursor(tx, f"notion:{name}", "")  # ask for it once more
            elif batch.complete:
                _advance(tx, name, known[name], batch, now=now)
        unread = {
            name: _still_unread(before.get(name, ()), batch, full=full)
            for name, batch in batches.items()
        }
        registry.set_setting(tx, UNREAD, msgspec.to_builtins(unread))
    looked = look_up(
        notion,
        {page_id: ref for page_id, ref in absent.items() if page_id not in buried},
        bindings,
    )
    if full and not incomplete:
        with store.transaction(workspace) as tx:
            remember_left(tx, looked.left)
    with store.reading(workspace) as tx:
        left = recall_left(tx)
    return BoardsRead(
        incomplete,
        looked.gone,
        (
            *(left_board(one, schema) for one in left),
            *(_incomplete(name, why) for name, why in incomplete.items()),
            *(
                unread_problem(one, schema.sources[name])
                for name, found in unread.items()
                for one in found
            ),
        ),
        unread=unread,
    )


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


def _recall_unread(tx: Tx) -> dict[str, tuple[UnreadPage, ...]]:
    return msgspec.convert(
        registry.get_setting(tx, UNREAD, {}), dict[str, tuple[UnreadPage, ...]]
    )


def _still_unread(
    before: Iterable[UnreadPage], batch: PageBatch, *, full: bool
) -> tuple[UnreadPage, ...]:
    """Return the rows that cannot be read: those of this read, and earlier ones it did not show again."""
    shown = {page.id for page in batch.pages} | {one.id for one in batch.unread}
    is_over = full and batch.complete
    kept = () if is_over else (one for one in before if one.id not in shown)
    return tuple(sorted({*kept, *batch.unread}))


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


def _absent(name: str, batch: PageBatch, ours: Mapping[Ref, str]) -> dict[str, Ref]:
    """Return the pages the journal says we made in this source that a complete read did not show."""
    shown = {page.id for page in batch.pages} | {one.id for one in batch.unread}
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


def _incomplete(name: str, why: str) -> Problem:
    return Problem(
        "incomplete-read",
        name,
        "",
        tell("not all rows could be read: {why}", why=why),
        message("nothing is archived until a complete read"),
        severity=Severity.WARNING,
    )
