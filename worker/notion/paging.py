"""Walking Notion's cursors to an honest end: every walk says whether it saw everything.

The client's own iterators never look at `request_status` and stop silently at 10,000 rows
(docs/facts/notion-api.md 1.17, 2.14).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from worker.errors import Rejected
from worker.notion.records import Listing

Ask = Callable[[str | None], Listing]
"""Returns the answer for a cursor (None: the first page)."""

CAPPED = "query_result_limit_reached"
MOST_PAGES = 2_000
MOST_EMPTY = 5
"""Pages without rows, one after the other, after which a walk gives up: a page may legally be short.

Source: docs/facts/notion-api.md 2.13.
"""


@dataclass(slots=True)
class Walk:
    """What a walk saw, still raw; `reason` is empty when it ended by itself, `CAPPED` at the 10,000 limit."""

    rows: list[Any] = field(default_factory=list)
    reason: str = ""


def walk(ask: Ask) -> Walk:
    """Return all rows behind `ask`; a cursor the server no longer knows restarts the walk once.

    Source: docs/facts/notion-api.md 2.15.
    """
    try:
        return _walk(ask)
    except Rejected as error:
        if "cursor" not in error.detail:
            raise
    return _walk(ask)


def _walk(ask: Ask) -> Walk:
    walked = Walk()
    for answer in _pages(ask, walked):
        walked.rows.extend(answer.results)
        walked.reason = answer.shortfall or walked.reason
    return walked


def _pages(ask: Ask, walked: Walk) -> Iterator[Listing]:
    cursor: str | None = None
    seen: set[str] = set()
    empty = 0
    for _ in range(MOST_PAGES):
        answer = ask(cursor)
        yield answer
        if not answer.has_more:
            return
        cursor = answer.next_cursor
        empty = 0 if answer.results else empty + 1
        if not cursor or cursor in seen or empty >= MOST_EMPTY:
            walked.reason = _broken(cursor, empty)
            return
        seen.add(cursor)
    walked.reason = f"no end after {MOST_PAGES} pages"


def _broken(cursor: str | None, empty: int) -> str:
    if empty >= MOST_EMPTY:
        return f"{empty} empty pages in a row"
    return "a repeated cursor" if cursor else "more rows announced without a cursor"
