"""The boards people have already, as far as it is seen which part each could play. Plain values: who reads Notion makes
them, who proposes takes them."""

from __future__ import annotations

import msgspec


class Label(msgspec.Struct, frozen=True, gc=False):
    """One option of a column."""

    id: str
    name: str


class Column(msgspec.Struct, frozen=True, gc=False):
    """One column: `target` is the board a relation leads to, `mirror` the column on its other side, if there is one.

    `samples` are some filled cells as text, of the newest rows.
    """

    id: str
    name: str
    type: str
    labels: tuple[Label, ...] = ()
    target: str = ""
    mirror: str = ""
    samples: tuple[str, ...] = ()


class Board(msgspec.Struct, frozen=True, gc=False):
    """One data source. `rows` is how many were seen; `place` the titles of the pages above it, outermost first.

    One `in_archive` stands below a page called so; on one that is `read_only` the connection may not write.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: int = 0
    place: tuple[str, ...] = ()
    url: str = ""
    in_archive: bool = False
    read_only: bool = False

    @property
    def is_backward(self) -> bool:
        """Tell whether it is proposed only after every other."""
        return self.in_archive or self.read_only or not self.rows

    def column(self, column_id: str) -> Column | None:
        """Return a column by id."""
        return next((one for one in self.columns if one.id == column_id), None)


class Filter(msgspec.Struct, frozen=True, gc=False):
    """Which rows of a board play a part: those whose column holds one of the labels."""

    column: str
    labels: tuple[str, ...]
