"""The boards that the connection sees, as values: by them is proposed which of an agency's own plays which part.

One request lists them, each costs two more and one for every page above it; nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from worker.codecs.records import Column as RawColumn
from worker.codecs.records import DataSource, Hit, Page, Parent, plain_text, title_of
from worker.domain.text import clean_line
from worker.errors import ApiError, Missing
from worker.mapping.boards import Board, Column, Label
from worker.mapping.likeness import likeness
from worker.ports.notion import BoardReader

ROWS = 25
"""So many rows of a board are looked at."""
SAMPLES = 10
HIGHEST = 8
"""So many pages above a board are looked at."""
ARCHIVES = (
    "archive",
    "archived",
    "old",
    "trash",
    "backup",
    "deprecated",
    "архив",
    "старое",
    "корзина",
    "удалить",
)
ALIKE = 0.8


def survey(notion: BoardReader, *, without: Collection[str] = ()) -> tuple[Board, ...]:
    """Return all boards that are not in the trash, but those `without`; raises the API errors."""
    seen: dict[str, Page | None] = {}
    boards = {}
    for hit in notion.search("", kind="data_source"):
        if hit.id in boards or hit.id in without:
            continue
        board = _look(notion, hit, seen)
        if board is not None:
            boards[board.id] = board
    return tuple(boards.values())


def _look(notion: BoardReader, hit: Hit, seen: dict[str, Page | None]) -> Board | None:
    """Return one board; None when it is gone, or not shown after all."""
    try:
        raw = notion.data_source(hit.id)
    except Missing:
        return None
    if raw.is_gone:
        return None
    try:
        rows = notion.sample(hit.id, number=ROWS)
    except ApiError:
        # A board that is found and cannot be queried is proposed like an empty one: last.
        rows = ()
    above = list(_above(notion, hit.database_parent, seen))
    place = tuple(title_of(page.properties) for page in reversed(above))
    board = _board(raw, [row for row in rows if not row.is_gone])
    named = (*place, board.title)
    return replace(
        board,
        place=place,
        in_archive=any(likeness(name, ARCHIVES) >= ALIKE for name in named),
        read_only=any(page.is_locked for page in above),
    )


def _above(
    notion: BoardReader, parent: Parent | None, seen: dict[str, Page | None]
) -> Iterator[Page]:
    """Yield the pages above a board, the nearest first, as far as they are shown."""
    for _ in range(HIGHEST):
        page_id = parent.page_id if parent else None
        if page_id is None:
            return
        if page_id not in seen:
            seen[page_id] = _page(notion, page_id)
        page = seen[page_id]
        if page is None:
            return
        yield page
        parent = page.parent


def _page(notion: BoardReader, page_id: str) -> Page | None:
    try:
        return notion.page(page_id)
    except Missing:
        return None


def _board(raw: DataSource, rows: list[Page]) -> Board:
    columns = tuple(_column(one, rows) for one in raw.properties)
    return Board(
        raw.id, plain_text(raw.title), columns, rows=len(rows), url=raw.url or ""
    )


def _column(raw: RawColumn, rows: Iterable[Page]) -> Column:
    labels = tuple(Label(one.id, one.name) for one in raw.options)
    column = Column(raw.id, raw.name, raw.type, labels, samples=_samples(raw, rows))
    if raw.relation is None:
        return column
    other = raw.relation.dual_property
    mirror = other.synced_property_id if other else None
    return replace(column, target=raw.relation.data_source_id, mirror=mirror or "")


def _samples(raw: RawColumn, rows: Iterable[Page]) -> tuple[str, ...]:
    texts = (_text(row.properties.get(raw.name)) for row in rows)
    return tuple(text for text in texts if text)[:SAMPLES]


def _text(cell: Any) -> str:
    """Return what a cell says, as far as it says it in letters or a number."""
    if not isinstance(cell, Mapping):
        return ""
    value = cell.get(cell.get("type", ""))
    if isinstance(value, list):
        pieces = [
            str(one.get("plain_text", "")) for one in value if isinstance(one, Mapping)
        ]
        return clean_line("".join(pieces))
    if cell.get("type") == "formula":
        return _text(value)
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("start")
    return "" if value is None or isinstance(value, bool) else clean_line(str(value))
