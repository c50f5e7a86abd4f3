"""Reading a data source that holds more rows than one query shows, in windows that it does.

The time of creation never moves, so that windows follow each other on it; but it is told to the minute, and an import
makes any number of rows within one. Such a minute is halved until each part fits: by what titles contain and do not
contain, of which each row is on one side, then by the time of the last edit.

Source: docs/facts/notion-api.md 2.14, 2.21.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from worker.codecs.pages import read_stamp
from worker.codecs.records import Json, Page, UnreadPage, title_of
from worker.notion.paging import CAPPED, Walk
from worker.notion.records import read_rows
from worker.ports.notion import CROWDED

Ask = Callable[[Sequence[Json]], Walk]
"""Returns what one query with these conditions shows."""
Halves = tuple[Json, Json]
MOST_WINDOWS = 1_000
MINUTE = timedelta(minutes=1)
PIECES = (1, 2, 3)
"""How long the parts of titles are by which rows are told apart, before whole ones."""
SAMPLE = 2_000


@dataclass(slots=True)
class Gathered:
    """The rows of all windows so far, and why they are not all (empty: they are)."""

    pages: dict[str, Page] = field(default_factory=dict)
    unread: dict[UnreadPage, None] = field(default_factory=dict)
    reason: str = ""
    windows: int = 0

    def add(self, walked: Walk) -> list[Page]:
        """Add what a window showed, and return its rows that can be read."""
        good, bad = read_rows(walked.rows)
        self.pages.update((page.id, page) for page in good)
        self.unread.update((page, None) for page in bad)
        self.windows += 1
        return good


def gather(ask: Ask) -> Gathered:
    """Return all rows behind `ask`; `reason` says what broke it off."""
    gathered = Gathered()
    bound = ""
    while gathered.windows < MOST_WINDOWS:
        walked = ask(_since(bound))
        window = gathered.add(walked)
        gathered.reason = walked.reason
        if walked.reason != CAPPED:
            return gathered
        newest = max((page.created_time or "" for page in window), default="")
        if newest > bound and newest != _oldest(window):
            bound = newest
            continue
        gathered.reason = _halve(ask, gathered, _within(newest), window)
        bound = _minute_after(newest)
        if gathered.reason or not bound:
            return gathered
    gathered.reason = CAPPED
    return gathered


def _oldest(window: Sequence[Page]) -> str:
    return min((page.created_time or "" for page in window), default="")


def _halve(
    ask: Ask, gathered: Gathered, conditions: list[Json], sample: Sequence[Page]
) -> str:
    """Read both halves of what is too much for one query; return why it could not be, empty when it was."""
    halves = _find_halves(sample, conditions) if conditions else None
    if halves is None:
        return CROWDED
    for half in halves:
        if gathered.windows >= MOST_WINDOWS:
            return CAPPED
        narrowed = [*conditions, half]
        walked = ask(narrowed)
        window = gathered.add(walked)
        reason = walked.reason
        if reason == CAPPED:
            reason = _halve(ask, gathered, narrowed, window)
        if reason:
            return reason
    return ""


def _find_halves(sample: Sequence[Page], conditions: Sequence[Json]) -> Halves | None:
    """Return two conditions of which every row meets exactly one; None when no others than those given part the rows.

    What parts the sample comes first; where its rows are all alike, those that were not shown may be others.
    """
    titles = [title_of(page.properties).lower() for page in sample[:SAMPLE]]
    piece = _dividing_piece(titles)
    if piece is not None:
        return _title(contains=piece), _title(does_not_contain=piece)
    edits = sorted({page.last_edited_time or "" for page in sample} - {""})
    if len(edits) > 1:
        middle = edits[len(edits) // 2]
        return _edited("before", middle), _edited("on_or_after", middle)
    others = _unlike(titles[0] if titles else "")
    return None if others[0] in conditions else others


def _unlike(name: str) -> Halves:
    """Return the conditions of rows of a name, and of all others."""
    if name.strip():
        return _title(contains=name), _title(does_not_contain=name)
    return _title(is_empty=True), _title(is_not_empty=True)


def _dividing_piece(titles: Sequence[str]) -> str | None:
    """Return the piece that comes nearest to standing in half of the titles; None when none stands in some alone."""
    for length in (*PIECES, None):
        counts = Counter(piece for title in titles for piece in _pieces(title, length))
        dividing = [piece for piece, count in counts.items() if count < len(titles)]
        if dividing:
            half = len(titles) / 2
            return min(dividing, key=lambda piece: (abs(counts[piece] - half), piece))
    return None


def _pieces(title: str, length: int | None) -> Iterator[str]:
    """Yield the pieces of a title that a filter can look for, each once; all of it when no length is given."""
    if length is None:
        if title.strip():
            yield title
        return
    starts = range(len(title) - length + 1)
    pieces = {title[start : start + length] for start in starts}
    yield from (piece for piece in pieces if piece.isalnum())


def _title(**test: object) -> Json:
    return {"property": "title", "title": test}


def _edited(test: str, instant: str) -> Json:
    return {"timestamp": "last_edited_time", "last_edited_time": {test: instant}}


def _created(test: str, instant: str) -> Json:
    return {"timestamp": "created_time", "created_time": {test: instant}}


def _since(bound: str) -> list[Json]:
    return [_created("on_or_after", bound)] if bound else []


def _within(minute: str) -> list[Json]:
    """Return the conditions of rows that were made in the minute of an instant; none when that cannot be read."""
    after = _minute_after(minute)
    if not after:
        return []
    return [_created("on_or_after", minute), _created("before", after)]


def _minute_after(minute: str) -> str:
    instant: datetime | None = read_stamp(minute)
    if instant is None:
        return ""
    after = instant.replace(second=0, microsecond=0) + MINUTE
    return after.isoformat(timespec="milliseconds").replace("+00:00", "Z")
