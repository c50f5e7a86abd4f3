"""A memory that is new, or older than what stands in Notion: what that means for rows that are missing and for cells
that hold something else than was remembered.

The API tells of no row in the trash but by its id, and a new memory has no ids: neither a query nor a search shows one
(docs/facts/notion-api.md 2.16). So a row that the rules want and that does not stand may be one that a person
trashed, and is asked for instead of made. In the same way nothing tells who typed a cell after the copy was made that
was put back: only whole pages name their last editor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

import msgspec

from worker.codecs.records import Page
from worker.domain.entities import Row
from worker.domain.messages import literal, tell
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem
from worker.mapping.schema import Owner, Schema
from worker.plan.plan import Kept, encode
from worker.state.settings import Setting
from worker.world.world import World

HELD = Setting("held_rows", tuple[str, ...], tuple)
"""Rows that were wanted when the memory was new and did not stand, as `<source>/<key>`; sorted."""
DOUBTS = Setting("doubtful_cells", dict[str, str], dict)
"""What stood in cells of which nobody can tell who wrote them, by `<page id>#<field>`."""
GRAIN = timedelta(minutes=1)
"""As finely as Notion tells when a page was edited (docs/facts/notion-api.md 2.21)."""
NAMED = 10
Cell = tuple[str, str]
Cells = Mapping[Cell, Value]


class Known(msgspec.Struct, frozen=True, gc=False):
    """How far a memory reaches: the end of its last run before `began`; None when it tells of no run."""

    until: datetime | None
    began: datetime

    def written(self) -> str:
        """Return the end as Notion writes instants, so that the two sort alike; empty when no run is known."""
        if self.until is None:
            return ""
        return self.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def is_new(world: World, ours: AbstractSet[Ref]) -> bool:
    """Tell whether a memory is new although rows of ours stand: it was lost. One that knows of any row that it made, or
    was about to make when its process died, is not."""
    if ours or not world.memory.first_run:
        return False
    return any(row.key for rows in world.rows.values() for row in rows)


class Recent(msgspec.Struct, frozen=True, gc=False):
    """What was edited since the last run that a memory knows of: its pages by id, all rows that carry a Worker key, and
    the cells that were in doubt before."""

    known: Known
    pages: Mapping[str, Page]
    rows: tuple[Row, ...]
    doubted: Mapping[str, str]

    def own_cells(self, schema: Schema, attempted: Cells) -> dict[Cell, Value]:
        """Return the shared cells, by page and field, of rows that nobody touched since we made them: what stands in
        them is ours, remembered or not."""
        bot = self._bot()
        cells: dict[Cell, Value] = {}
        for row in self.rows:
            page = self.pages.get(row.page_id)
            if page is None or not _is_as_made(page, bot):
                continue
            for name, prop in schema.sources[row.ref.source].properties.items():
                cell = (row.page_id, name)
                is_ours = prop.owner is Owner.SHARED and cell not in attempted
                if is_ours and name in row.fields:
                    cells[cell] = row.fields[name]
        return cells

    def find_doubts(self, kept: Iterable[Kept]) -> dict[str, str]:
        """Return the cells, among those kept as people's, of which nobody can tell whether a person or we wrote them.

        A memory is stale when we edited a page after its last run and before this one. Then every kept cell of a page
        that was edited since is in doubt, and stays so while it holds the same.
        """
        bot = self._bot()
        is_stale = any(
            page.last_edited_by is not None
            and page.last_edited_by.id in bot
            and self._is_unknown(page)
            for page in self.pages.values()
        )
        doubts = {}
        for cell in kept:
            value = msgspec.json.encode(encode(cell.current)).decode()
            page = self.pages.get(cell.page_id)
            is_fresh = is_stale and page is not None and self._is_unknown(page)
            if is_fresh or self.doubted.get(_name(cell)) == value:
                doubts[_name(cell)] = value
        return doubts

    def _bot(self) -> AbstractSet[str]:
        """Return who made most of the rows that carry a Worker key: the connection itself."""
        makers = Counter(
            page.created_by.id
            for row in self.rows
            if (page := self.pages.get(row.page_id)) and page.created_by
        )
        return {maker for maker, _ in makers.most_common(1)}

    def _is_unknown(self, page: Page) -> bool:
        """Tell whether a page was edited after all that the memory knows of, and before this run began."""
        if self.known.until is None or page.last_edited_time is None:
            return False
        edited = datetime.fromisoformat(page.last_edited_time)
        return self.known.until + GRAIN < edited < self.known.began - GRAIN


def _is_as_made(page: Page, bot: AbstractSet[str]) -> bool:
    """Tell whether a page is one of ours that nobody edited since it was made."""
    return (
        page.created_by is not None
        and page.created_by.id in bot
        and page.created_by == page.last_edited_by
        and page.created_time == page.last_edited_time
    )


def _name(cell: Kept) -> str:
    return f"{cell.page_id}#{cell.field}"


def tell_held(workspace: str, held: AbstractSet[Ref]) -> Problem:
    """Return the problem that tells which rows wait for a person's word."""
    names = sorted(str(ref) for ref in held)
    shown = ", ".join(names[:NAMED]) or "-"
    return Problem(
        code=Code.LOST_MEMORY,
        where=literal(workspace),
        message=tell(
            "the memory of this workspace is new: rows were found by their keys, nothing is closed, and {number} "
            "rows that do not stand are not made, since a person may have trashed them: {names}",
            number=len(names),
            names=shown,
        ),
        hint=tell(
            "put the latest backup back with `rayline restore FILE`, or have them made with `rayline sync --force`"
        ),
    )


def tell_doubts(kept: Iterable[Kept], doubts: AbstractSet[str]) -> Iterator[Problem]:
    """Yield a problem for each cell in doubt, with the choice."""
    for cell in kept:
        if _name(cell) in doubts:
            yield Problem(
                code=Code.DOUBTFUL_CELL,
                where=literal(cell.ref),
                field=cell.field,
                message=tell(
                    "the memory is older than this cell: a person may have typed what stands in it, or Rayline wrote "
                    "it and forgot"
                ),
                hint=tell(
                    "a person's value stays as it is; if it is nobody's, type there what the plan shows as Rayline's"
                ),
            )
