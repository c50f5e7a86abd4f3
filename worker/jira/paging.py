"""Walking a search to an honest end, on both kinds of Jira: every walk says why it is not complete.

Cloud walks by tokens bound to one JQL text. Data Center pages by offset, which skips rows when they move and fails
beyond 10,000; so its walk asks again from the newest `updated` seen (docs/facts/jira-api.md 1.1, 1.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker.errors import Problem, Rejected
from worker.jira.records import Page

MOST_PAGES = 20_000
MOST_EMPTY = 3
WINDOW = 10_000
OFFSET_PAGE = 500
EVERYTHING = 'created >= "1970-01-01"'
"""A restriction that holds for every issue: Cloud refuses queries without any."""
_QUOTED_OR_ORDER = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\border\s+by\b', re.IGNORECASE
)
_TOKEN = re.compile(r"page ?token", re.IGNORECASE)


Made = tuple[Iterable[Any], Iterable[Problem]]
"""What is kept of a page: of its rows, and the problems."""


def as_read(page: Page) -> Made:
    """Return what a page holds as it is."""
    return page.rows, page.problems


@dataclass(slots=True)
class Walk:
    """What a walk saw, of each page what `make` makes of it: rows as Jira sent them are many times as large.

    `reason` is empty when it ended by itself.
    """

    make: Callable[[Page], Made] = as_read
    rows: list[Any] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reason: str = ""

    def add(self, page: Page) -> None:
        """Take in a page."""
        rows, problems = self.make(page)
        self.rows.extend(rows)
        self.problems.extend(problems)
        if page.warnings and not self.reason:
            self.reason = "Jira warned: " + ", ".join(page.warnings)


def condition_of(jql: str) -> str:
    """Return a JQL without its `ORDER BY`, never empty."""
    ends = next(
        (
            match.start()
            for match in _QUOTED_OR_ORDER.finditer(jql)
            if match[0][0] not in "\"'"
        ),
        len(jql),
    )
    return jql[:ends].strip() or EVERYTHING


def since_bound(jql: str, since: int | None) -> str:
    """Return a JQL bounded by an epoch-ms instant and in order of change.

    A number needs no time zone; a quoted date would be read in the account's own (docs/facts/jira-api.md 2.1).
    """
    condition = f"({condition_of(jql)})"
    if since is not None:
        condition = changed_since(jql, since)
    return f"{condition} ORDER BY updated ASC, key ASC"


def changed_since(jql: str, since: int) -> str:
    """Return the condition of what matches a JQL and was updated at or after an epoch-ms instant."""
    return f"({condition_of(jql)}) AND updated >= {since}"


def epoch_ms(moment: datetime) -> int:
    """Return an instant as milliseconds since 1970, rounded down."""
    return int(moment.timestamp() * 1000)


def walk_tokens(
    ask: Callable[[str | None], Page], make: Callable[[Page], Made] = as_read
) -> Walk:
    """Return all rows behind `ask(token)`; a token that expired on the way restarts the walk once."""
    try:
        return _walk_tokens(ask, Walk(make))
    except Rejected as error:
        if not _TOKEN.search(error.detail):
            raise
    return _walk_tokens(ask, Walk(make))


def _walk_tokens(ask: Callable[[str | None], Page], walk: Walk) -> Walk:
    token: str | None = None
    seen: set[str] = set()
    empty = 0
    for _ in range(MOST_PAGES):
        page = ask(token)
        walk.add(page)
        if not page.token:
            if page.last is False:
                walk.reason = "more issues announced without a token"
            return walk
        if page.last:
            return walk
        empty = 0 if page.count else empty + 1
        token = page.token
        if token in seen or empty >= MOST_EMPTY:
            walk.reason = (
                "a repeated page token"
                if token in seen
                else f"{empty} empty pages in a row"
            )
            return walk
        seen.add(token)
    walk.reason = f"no end after {MOST_PAGES} pages"
    return walk


def walk_offsets(
    ask: Callable[[int | None, int], Page],
    since: int | None,
    make: Callable[[Page], Made] = as_read,
) -> Walk:
    """Return all rows behind `ask(bound, start)`, which answers in order of `updated` from `bound` (epoch ms) on."""
    walk = Walk(make)
    bound = since
    start = 0
    for _ in range(MOST_PAGES):
        page = ask(bound, start)
        walk.add(page)
        if page.total is None or start + page.count >= page.total:
            walk.reason = walk.reason or (
                "" if page.total is not None else "an answer without a total"
            )
            return walk
        newest = newest_of(page)
        if not page.count or start + page.count + OFFSET_PAGE > WINDOW:
            walk.reason = (
                "an empty page before the end"
                if not page.count
                else f"over {WINDOW} issues in one second"
            )
            return walk
        if newest is not None and (bound is None or newest > bound):
            bound = newest
            start = 0
        else:
            start += page.count
    walk.reason = f"no end after {MOST_PAGES} pages"
    return walk


def newest_of(page: Page) -> int | None:
    """Return the last row's `updated` in epoch ms; None when the rows are not in that order, or it cannot be read."""
    stamps = [_updated(row) for row in page.rows]
    if page.problems or not stamps or None in stamps:
        return None
    moments = [epoch_ms(stamp) for stamp in stamps if stamp is not None]
    # Order is kept to the millisecond, answers are cut to the second: equal stamps are in order.
    return moments[-1] if all(map(int.__le__, moments, moments[1:])) else None


def _updated(row: Any) -> datetime | None:
    return row.fields.updated if row.fields is not None else None


def by_id(rows: Iterable[Any]) -> dict[str, Any]:
    """Return rows by id, the later one winning: rows that change during a walk are seen twice."""
    return {row.id: row for row in rows}
