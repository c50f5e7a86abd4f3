"""What both systems last answered: raw Notion pages, Jira issues and worklogs, so that a cycle reads only changes.

Rows are rewritten only when their digest changed; loading decodes all blobs of a kind as one array.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import blake2b
from sys import intern
from typing import Any

import msgspec
from msgspec.structs import force_setattr
from sqlalchemy import Table, func, select

from worker.codecs.records import Page
from worker.domain.entities import Issue, Worklog
from worker.state.store import Tx, delete_keys, next_number, upsert
from worker.state.tables import counters, issues, pages, worklogs

CHUNK = 5_000
ROWS, WORK = "snapshot:rows", "snapshot:work"
"""What changes of the snapshot are counted of: pages; issues and worklogs."""
_COMMON = ("project", "type", "status", "category", "parent", "assignee")
_EFFORTS = ("estimate", "remaining", "spent")
_MOMENTS = ("updated", "resolved")
_PACK = msgspec.msgpack.Encoder()
_ISSUES = msgspec.msgpack.Decoder(tuple[Issue, ...])
_WORKLOGS = msgspec.msgpack.Decoder(tuple[Worklog, ...])
_PAGE = msgspec.json.Decoder(Page)
_PAGES = msgspec.json.Decoder(tuple[Page, ...])


@dataclass(frozen=True, slots=True)
class PageDelta:
    """What one read of a data source told: ids of pages new or changed, and of pages absent from a complete read."""

    changed: frozenset[str]
    missing: frozenset[str]


def count_changes(tx: Tx, *parts: str) -> int:
    """Return how often some parts of the snapshot were changed so far, all of it when none is named: as long as it is the
    same, so is all that `load_*` return of them."""
    query = select(func.sum(counters.c.value)).where(
        counters.c.workspace == tx.workspace, counters.c.name.in_(parts or (ROWS, WORK))
    )
    return int(tx.connection.execute(query).scalar() or 0)


def count_all_as_changed(tx: Tx) -> None:
    """Count a change of every workspace's snapshot: the whole state was put in the place of another."""
    change = counters.update().where(counters.c.name.in_((ROWS, WORK)))
    tx.connection.execute(change.values(value=counters.c.value + 1))


def _note_change(tx: Tx, part: str, *changed: Collection[object]) -> None:
    """Count a change of a part of the snapshot, unless nothing was changed."""
    if any(changed):
        next_number(tx, part, counters)


def save_pages(
    tx: Tx,
    source: str,
    batch: Sequence[Page],
    *,
    complete: bool,
    unread: Collection[str] = (),
) -> PageDelta:
    """Keep the pages read; after a complete read count the absent ones as missing once more.

    `unread` are ids of pages that are there but could not be read: those stay as they were.
    """
    bodies = {page.id: msgspec.json.encode(page, order="sorted") for page in batch}
    if complete:
        known = _digests_as_kept(tx, source)
    else:
        known = _digests_among(tx, source, tuple(bodies))
    edited = {page.id: page.last_edited_time or "" for page in batch}
    fresh = {
        page_id: digest
        for page_id, body in bodies.items()
        if known.get(page_id) != (digest := _digest(body))
    }
    upsert(
        tx,
        pages,
        [
            {
                "source": source,
                "page_id": page_id,
                "digest": digest,
                "edited": edited[page_id],
                "missing": 0,
                "body": bodies[page_id],
            }
            for page_id, digest in fresh.items()
        ],
    )
    seen = {*bodies, *unread}
    _mark_seen(tx, source, seen)
    absent = frozenset(known.keys() - seen) if complete else frozenset()
    _mark_missing(tx, source, absent)
    _note_change(tx, ROWS, fresh)
    return PageDelta(frozenset(fresh), absent)


def load_pages(tx: Tx, only: str = "") -> Mapping[str, tuple[Page, ...]]:
    """Return the pages of every source (or one) that the last complete read showed, in the order of their ids."""
    query = select(pages.c.source, pages.c.body).where(
        pages.c.workspace == tx.workspace, pages.c.missing == 0
    )
    if only:
        query = query.where(pages.c.source == only)
    rows = tx.connection.execute(query.order_by(pages.c.source, pages.c.page_id))
    bodies: dict[str, list[bytes]] = {}
    for source, body in rows:
        bodies.setdefault(source, []).append(body)
    return {source: _decode_pages(found) for source, found in bodies.items()}


def load_edited(tx: Tx, after: str) -> Mapping[str, Page]:
    """Return the pages, by id, that Notion says were edited later than an instant as it writes them."""
    query = select(pages.c.body).where(
        pages.c.workspace == tx.workspace, pages.c.missing == 0, pages.c.edited > after
    )
    bodies = tx.connection.execute(query).scalars().all()
    return {page.id: page for page in _decode_pages(bodies)}


def _decode_pages(bodies: Sequence[bytes]) -> tuple[Page, ...]:
    try:
        return _PAGES.decode(b"[" + b",".join(bodies) + b"]")
    except msgspec.ValidationError:
        # Kept by a version that did not look closely: such a row waits for the next complete read.
        return tuple(page for body in bodies if (page := _decode_page(body)))


def _decode_page(body: bytes) -> Page | None:
    try:
        return _PAGE.decode(body)
    except msgspec.ValidationError:
        return None


def find_naming(tx: Tx, page_id: str) -> frozenset[str]:
    """Return the ids of the other pages a cell of which names a page: by a relation, a mention, or an address."""
    query = select(pages.c.page_id, pages.c.body).where(
        pages.c.workspace == tx.workspace,
        pages.c.missing == 0,
        pages.c.page_id != page_id,
    )
    names = (page_id.encode(), page_id.replace("-", "").encode())
    naming = set()
    for other, body in tx.connection.execute(query):
        if any(name in body for name in names):
            naming.add(other)
    return frozenset(naming)


def page_ids(tx: Tx) -> frozenset[str]:
    """Return the ids of all pages that the last complete reads showed."""
    return frozenset(
        tx.connection.execute(
            select(pages.c.page_id).where(
                pages.c.workspace == tx.workspace, pages.c.missing == 0
            )
        ).scalars()
    )


def missing_pages(tx: Tx, source: str) -> Mapping[str, int]:
    """Return how many complete reads in a row each absent page of a source has missed."""
    rows = tx.connection.execute(
        select(pages.c.page_id, pages.c.missing).where(
            pages.c.workspace == tx.workspace,
            pages.c.source == source,
            pages.c.missing > 0,
        )
    )
    return {page_id: missing for page_id, missing in rows}  # noqa: C416 - rows are not pairs to the type checker


def forget_pages(tx: Tx, page_ids: Sequence[str]) -> None:
    """Drop pages from the snapshot (trashed, moved away)."""
    _note_change(tx, ROWS, page_ids)
    delete_keys(tx, pages, "page_id", page_ids)


def save_issues(tx: Tx, batch: Iterable[Issue]) -> frozenset[str]:
    """Keep the issues read; return the ids of those new or changed."""
    bodies = {issue.id: _PACK.encode(issue) for issue in batch}
    known = _digests_of(tx, tuple(bodies))
    fresh = {
        issue_id: digest
        for issue_id, body in bodies.items()
        if known.get(issue_id) != (digest := _digest(body))
    }
    upsert(
        tx,
        issues,
        [
            {"id": issue_id, "digest": digest, "body": bodies[issue_id]}
            for issue_id, digest in fresh.items()
        ],
    )
    _note_change(tx, WORK, fresh)
    return frozenset(fresh)


def load_issues(tx: Tx) -> tuple[Issue, ...]:
    """Return every issue of the snapshot, by id; words they have in common are one object (a third less memory)."""
    query = (
        select(issues.c.body)
        .where(issues.c.workspace == tx.workspace)
        .order_by(issues.c.id)
    )
    snapshot: list[Issue] = []
    efforts: dict[int, int] = {}
    for bodies in tx.connection.execute(query).scalars().partitions(CHUNK):
        part = _ISSUES.decode(_array(bodies))
        for issue in part:
            _share_words(issue)
            _share_moments(issue)
            for name in _EFFORTS:
                effort = getattr(issue, name)
                if effort is None:
                    continue
                shared = efforts.setdefault(effort, effort)
                force_setattr(issue, name, shared)
        snapshot += part
    return tuple(snapshot)


def _share_words(issue: Issue) -> None:
    for name in _COMMON:
        if word := getattr(issue, name):
            force_setattr(issue, name, intern(word))
    for move in issue.moves:
        force_setattr(move, "before", intern(move.before))
        force_setattr(move, "after", intern(move.after))


def _share_moments(issue: Issue) -> None:
    """Let what happened at one moment name one object: an issue is resolved and changed by its last move."""
    moments = {}
    for move in issue.moves:
        moments[move.at] = move.at
    for name in _MOMENTS:
        moment = getattr(issue, name)
        if moment in moments:
            force_setattr(issue, name, moments[moment])


def find_issues(tx: Tx, ids: Sequence[str]) -> tuple[Issue, ...]:
    """Return those of some issues that the snapshot holds."""
    bodies: list[bytes] = []
    for start in range(0, len(ids), 500):
        query = select(issues.c.body).where(
            issues.c.workspace == tx.workspace,
            issues.c.id.in_(ids[start : start + 500]),
        )
        bodies += tx.connection.execute(query).scalars()
    return _ISSUES.decode(_array(bodies))


def issue_ids(tx: Tx) -> frozenset[str]:
    """Return the ids of every issue of the snapshot."""
    return frozenset(
        tx.connection.execute(
            select(issues.c.id).where(issues.c.workspace == tx.workspace)
        ).scalars()
    )


def forget_issues(tx: Tx, ids: Sequence[str]) -> None:
    """Drop issues (deleted, or out of every linked scope) with their worklogs."""
    _note_change(tx, WORK, ids)
    delete_keys(tx, issues, "id", ids)
    delete_keys(tx, worklogs, "issue", ids)


def save_worklogs(
    tx: Tx, changed: Iterable[Worklog], deleted: Sequence[str] = ()
) -> None:
    """Keep the worklogs read and drop the deleted ones; those that are kept already are left as they are."""
    logs = {log.id: log for log in changed}
    known = _kept_worklogs(tx, [*logs, *deleted])
    fresh = []
    for log in logs.values():
        body = _PACK.encode(log)
        if known.get(log.id) != body:
            fresh.append(_worklog_row(log, body))
    gone = [one for one in deleted if one in known or one in logs]
    upsert(tx, worklogs, fresh)
    delete_keys(tx, worklogs, "id", gone)
    _note_change(tx, WORK, fresh, gone)


def _kept_worklogs(tx: Tx, ids: Sequence[str]) -> dict[str, bytes]:
    """Return the bodies of those of some worklogs that the snapshot holds."""
    bodies: dict[str, bytes] = {}
    for start in range(0, len(ids), 500):
        rows = tx.connection.execute(
            select(worklogs.c.id, worklogs.c.body).where(
                worklogs.c.workspace == tx.workspace,
                worklogs.c.id.in_(ids[start : start + 500]),
            )
        )
        bodies.update((row[0], row[1]) for row in rows)
    return bodies


def replace_worklogs(tx: Tx, issues: Sequence[str], logs: Iterable[Worklog]) -> None:
    """Keep the worklogs of some issues, and none besides of those."""
    _note_change(tx, WORK, issues)
    delete_keys(tx, worklogs, "issue", issues)
    rows: dict[str, dict[str, Any]] = {}
    for log in logs:
        body = _PACK.encode(log)
        rows[log.id] = _worklog_row(log, body)
    upsert(tx, worklogs, list(rows.values()))


def _worklog_row(log: Worklog, body: bytes) -> dict[str, Any]:
    return {"id": log.id, "issue": log.issue, "body": body}


def load_worklogs(tx: Tx) -> Iterator[Worklog]:
    """Yield every worklog of the snapshot, by id, some in memory at a time."""
    query = (
        select(worklogs.c.body)
        .where(worklogs.c.workspace == tx.workspace)
        .order_by(worklogs.c.id)
    )
    for bodies in tx.connection.execute(query).scalars().partitions(CHUNK):
        yield from _WORKLOGS.decode(_array(bodies))


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _digests_of(tx: Tx, ids: Sequence[str]) -> dict[str, bytes]:
    """Return the digests of issues as they are kept: one that was changed by another hand is then read anew."""
    digests: dict[str, bytes] = {}
    for start in range(0, len(ids), 500):
        rows = tx.connection.execute(
            select(issues.c.id, issues.c.body).where(
                issues.c.workspace == tx.workspace,
                issues.c.id.in_(ids[start : start + 500]),
            )
        )
        for issue_id, body in rows:
            digests[issue_id] = _digest(body)
    return digests


def _digests_as_kept(tx: Tx, source: str) -> dict[str, bytes]:
    """Return the digests of all of a source's pages by what is kept: one that was changed by another hand is then read
    anew, which costs reading all of them."""
    query = select(pages.c.page_id, pages.c.body).where(
        pages.c.workspace == tx.workspace, pages.c.source == source
    )
    rows = tx.connection.execute(query)
    return {page_id: _digest(body) for page_id, body in rows}


def _digests_among(tx: Tx, source: str, ids: Sequence[str]) -> dict[str, bytes]:
    """Return the digests, as they were noted, of those of some pages that are kept of a source."""
    digests: dict[str, bytes] = {}
    for start in range(0, len(ids), 500):
        query = select(pages.c.page_id, pages.c.digest).where(
            pages.c.workspace == tx.workspace,
            pages.c.source == source,
            pages.c.page_id.in_(ids[start : start + 500]),
        )
        for page_id, digest in tx.connection.execute(query):
            digests[page_id] = digest
    return digests


def count_changed(tx: Tx, table: Table) -> int:
    """Return how many rows of a table of snapshots no longer hold what was kept: their digest says so."""
    query = select(table.c.digest, table.c.body).where(
        table.c.workspace == tx.workspace
    )
    rows = tx.connection.execute(query)
    return sum(digest != _digest(body) for digest, body in rows)


def _mark_seen(tx: Tx, source: str, page_ids: AbstractSet[str]) -> None:
    if not page_ids:
        return
    again = sorted(missing_pages(tx, source).keys() & page_ids)
    _set_missing(tx, source, again, value=0)


def _mark_missing(tx: Tx, source: str, page_ids: Iterable[str]) -> None:
    _set_missing(tx, source, sorted(page_ids), value=pages.c.missing + 1)


def _set_missing(
    tx: Tx, source: str, page_ids: Sequence[str], *, value: object
) -> None:
    _note_change(tx, ROWS, page_ids)
    for start in range(0, len(page_ids), 500):
        tx.connection.execute(
            pages.update()
            .values(missing=value)
            .where(
                pages.c.workspace == tx.workspace,
                pages.c.source == source,
                pages.c.page_id.in_(page_ids[start : start + 500]),
            )
        )


def _array(bodies: Sequence[bytes]) -> bytes:
    """Return packed values as one MessagePack array (format `array 32`)."""
    return b"\xdd" + len(bodies).to_bytes(4, "big") + b"".join(bodies)
