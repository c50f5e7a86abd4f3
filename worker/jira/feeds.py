"""The site-wide feeds of changed and deleted worklogs (docs/facts/jira-api.md 2.4).

The next page is asked for by its bound, never by the `nextPage` address of an answer: that may point to another host.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from worker.domain.entities import Worklog
from worker.jira.records import RecordReader, WorklogMark, WorklogMarks, read_worklogs
from worker.jira.session import JiraSession
from worker.ports.tracker import Unread, WorklogBatch

AT_ONCE = 1_000
AHEAD = 86_400_000
"""By how much (ms) a bound may lie ahead of our clock, which may be slow; one further ahead is nonsense."""
MOST_PAGES = 10_000
_PAGE = msgspec.json.Decoder(WorklogMarks)
_MARKS = RecordReader(WorklogMark, "worklog", names=("worklogId",))


@dataclass(slots=True)
class Feed:
    """What one feed told: ids, the bound reached (epoch ms), why it stopped early, and entries without a usable id."""

    until: int
    ids: dict[str, None] = field(default_factory=dict)
    reason: str = ""
    unread: list[Unread] = field(default_factory=list)


def read_worklog_feed(
    session: JiraSession, since: int, *, now: int | None
) -> WorklogBatch:
    """Return worklogs changed and deleted since an epoch-ms bound; `now` (epoch ms) is as far as one is believed."""
    updated = _read(session, "updated", since, now=now)
    deleted = _read(session, "deleted", since, now=now)
    gone = set(deleted.ids)
    changed: list[Worklog] = []
    unread = [*updated.unread, *deleted.unread]
    standing = [identity for identity in updated.ids if identity not in gone]
    for good, bad in session.sizes.pieces(
        "jira.worklogs",
        standing,
        AT_ONCE,
        attempt=lambda piece, heavy_attempts: session.for_heavy(heavy_attempts).ask(
            "POST",
            "worklog/list",
            read_worklogs,
            body={"ids": [int(each) for each in piece]},
        ),
    ):
        changed += good
        unread += bad
    early = updated.reason or deleted.reason
    return WorklogBatch(
        tuple(changed),
        tuple(deleted.ids),
        _next_bound(since, updated, deleted),
        not early,
        early,
        tuple(unread),
    )


def _next_bound(since: int, updated: Feed, deleted: Feed) -> int:
    """Return where the next read may begin.

    Both feeds withhold their last minute by time, and `updated` was asked first: whatever was deleted up to its end was
    shown by `deleted` too, but not the other way round. Past that end goes one millisecond (`since` is inclusive), so
    that an idle read does not meet the last entry again.
    """
    if updated.reason or deleted.reason:
        return min(updated.until, deleted.until)
    return updated.until + 1 if updated.until > since else since


def _read(session: JiraSession, name: str, since: int, *, now: int | None) -> Feed:
    feed = Feed(since)
    for _ in range(MOST_PAGES):
        page = session.ask(
            "GET", f"worklog/{name}", _PAGE.decode, params={"since": feed.until}
        )
        marks, bad = _MARKS.read(page.values)
        feed.unread += bad
        feed.ids.update((str(mark.worklogId), None) for mark in marks)
        reached = page.until if page.until is not None else feed.until
        if now is not None and reached > now + AHEAD:
            feed.reason = f"worklog/{name} claims to reach {_date_of(reached)}"
            return feed
        moved = reached > feed.until
        feed.until = max(feed.until, reached)
        if page.last:
            return feed
        if not moved:
            feed.reason = f"worklog/{name} does not go past {feed.until}"
            return feed
    feed.reason = f"worklog/{name} has no end after {MOST_PAGES} pages"
    return feed


def _date_of(moment: int) -> str:
    """Return an epoch-ms moment as a date, or as it is when no calendar has it."""
    try:
        return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return str(moment)
