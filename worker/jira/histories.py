"""Changes of status category, read in bulk: on Cloud by their own endpoint, on Data Center inside the issues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from worker.domain.entities import Move
from worker.errors import Incomplete
from worker.jira.records import (
    History,
    HistoryPage,
    IssueHistory,
    IssueWithHistory,
    RecordReader,
    ServerHistoryPage,
)
from worker.jira.search import search_server
from worker.jira.session import JiraSession
from worker.ports.tracker import Unread

CLOUD_ISSUES = 1_000
CLOUD_ENTRIES = 5_000
SERVER_ISSUES = 50
MOST_PAGES = 10_000
_SERVER_PAGE = msgspec.json.Decoder(ServerHistoryPage)
_CLOUD_PAGE = msgspec.json.Decoder(HistoryPage)
_SERVER = RecordReader(IssueWithHistory, "history", issue="id")
_CLOUD = RecordReader(IssueHistory, "history", issue="issueId")


@dataclass(slots=True)
class Histories:
    """Status entries by issue id, and the histories that could not be read."""

    entries: dict[str, list[History]]
    unread: list[Unread] = field(default_factory=list)

    def set_aside(self, unread: Iterable[Unread]) -> None:
        """Leave out issues of which a piece could not be read: the rest of it would tell another story."""
        for one in unread:
            self.unread.append(one)
            self.entries.pop(one.issue, None)


def read_cloud_histories(session: JiraSession, ids: Sequence[str]) -> Histories:
    """Return the status entries of each issue; raises `Incomplete` when the pages do not end."""
    histories = Histories({identity: [] for identity in ids})
    bad: list[Unread] = []
    walks = session.sizes.pieces(
        "jira.histories",
        ids,
        CLOUD_ISSUES,
        attempt=lambda piece, heavy_attempts: list(
            _cloud_pages(session.for_heavy(heavy_attempts), piece)
        ),
    )
    for walk in walks:
        for page in walk:
            pieces, unread = _CLOUD.read(page.issueChangeLogs)
            bad += unread
            for issue in pieces:
                # One issue's history may span pages (docs/facts/jira-api.md 1.1).
                histories.entries.setdefault(issue.issueId, []).extend(
                    issue.changeHistories
                )
    histories.set_aside(bad)
    return histories


def _cloud_pages(session: JiraSession, ids: Sequence[str]) -> Iterator[HistoryPage]:
    body: dict[str, Any] = {
        "issueIdsOrKeys": list(ids),
        "fieldIds": ["status"],
        "maxResults": CLOUD_ENTRIES,
    }
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        page = session.ask("POST", "changelog/bulkfetch", _CLOUD_PAGE.decode, body=body)
        yield page
        if not page.nextPageToken:
            return
        if page.nextPageToken in seen:
            raise Incomplete("changelog", "a repeated page token")
        seen.add(page.nextPageToken)
        body["nextPageToken"] = page.nextPageToken
    raise Incomplete("changelog", f"no end after {MOST_PAGES} pages")


def read_server_histories(session: JiraSession, ids: Sequence[str]) -> Histories:
    """Return the whole history of each issue; raises `Incomplete` when one came clipped."""
    histories = Histories({identity: [] for identity in ids})

    def ask(piece: Sequence[str], heavy_attempts: int | None) -> ServerHistoryPage:
        return search_server(
            session.for_heavy(heavy_attempts),
            f"id in ({','.join(piece)})",
            _SERVER_PAGE.decode,
            size=len(piece),
            fields=("status",),
            expand="changelog",
            strict=False,
        )

    numbers = [identity for identity in ids if identity.isdigit()]
    for page in session.sizes.pieces(
        "jira.histories", numbers, SERVER_ISSUES, attempt=ask
    ):
        issues, bad = _SERVER.read(page.issues)
        histories.set_aside(bad)
        for issue in issues:
            log = issue.changelog
            if log.total is not None and log.total > len(log.histories):
                raise Incomplete(
                    "changelog",
                    f"{len(log.histories)} of {log.total} entries of issue {issue.id}",
                )
            histories.entries[issue.id] = list(log.histories)
    return histories


def to_moves(
    histories: Iterable[History], categories: Mapping[str, str]
) -> tuple[Move, ...]:
    """Return the changes of category, oldest first; statuses nobody knows any more are `undefined`.

    Raises ValueError or OverflowError for an entry without a readable moment.
    """
    moves = [
        Move(
            entry.at,
            categories.get(str(change.before), "undefined"),
            categories.get(str(change.after), "undefined"),
        )
        for entry in histories
        for change in entry.items
        if change.of_status
    ]
    return tuple(
        sorted(
            (move for move in moves if move.before != move.after),
            key=lambda move: move.at,
        )
    )


def statuses_in(histories: Iterable[History]) -> set[str]:
    """Return the ids of the statuses named."""
    return {
        str(status)
        for entry in histories
        for change in entry.items
        if change.of_status
        for status in (change.before, change.after)
    }


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Return consecutive pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
