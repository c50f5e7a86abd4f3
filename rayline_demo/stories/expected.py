"""The tables of `expected.toml`: what must stand after the days of a storyline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of `expected.toml`; a text may be given in both languages, several texts as a list."""


class Matcher(Check, frozen=True):
    """What a value is like: `near` a number, give or take `by`; a text that `contains` some and `lacks` others."""

    near: Decimal | None = None
    by: Decimal = Decimal("0.01")
    contains: Any = []
    lacks: Any = []


class RowCheck(Check, frozen=True):
    """One `row`, or the row of a `source` whose fields are as in `where`: its `fields`, or that it is `absent`."""

    row: str = ""
    source: str = ""
    where: Mapping[str, Any] = {}
    absent: bool = False
    fields: Mapping[str, Any] = {}

    @property
    def label(self) -> str:
        """Return how the row is spoken of."""
        return self.row or f"{self.source} where {self.where}"


class PageCheck(Check, frozen=True):
    """The text of a row's page: `lines` that stand there in this order, what it `lacks`, and its `pictures`."""

    row: str
    lines: Any = []
    lacks: Any = []
    pictures: int | None = None


class CountCheck(Check, frozen=True):
    """How many rows of a source are as in `where`."""

    source: str
    count: int
    where: Mapping[str, Any] = {}


class ProblemCheck(Check, frozen=True):
    """How many problems of a `code` the day's cycle had: of a `field`, `where` and `contains` in part."""

    code: str
    where: Any = ""
    field: str | None = None
    contains: Any = ""
    count: int = 1


class After(Check, frozen=True):
    """What stands when a day is over."""

    day: date = msgspec.field(name="date")
    writes: int | None = None
    rows: tuple[RowCheck, ...] = ()
    pages: tuple[PageCheck, ...] = ()
    counts: tuple[CountCheck, ...] = ()
    problems: tuple[ProblemCheck, ...] = ()
