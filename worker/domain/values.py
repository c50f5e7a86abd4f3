"""What a field can hold, and how a row is named.

Two forms of nothing are kept apart everywhere: `UNSET` is "no opinion", `None` is "make it empty".
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from worker.domain.periods import local_day


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


class Ref(msgspec.Struct, frozen=True, order=True, gc=False, cache_hash=True):
    """The name of one row: its data source and, within it, the page id (people's rows) or the Worker key (ours).

    Keys of our rows hold no dates, titles or numbers that may change for the same subject.
    """

    source: str
    key: str

    def __str__(self) -> str:
        return f"{self.source}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Return the ref written as `source/key`; raise `ValueError` when there is no slash."""
        source, slash, key = text.partition("/")
        if not (source and slash and key):
            raise ValueError(f"not a reference: {text!r} (want source/key)")
        return cls(source, key)


class Span(msgspec.Struct, frozen=True, order=True, gc=False):
    """A range of days, both ends included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


# str: title, text, url, e-mail, option key of a select or status; tuple[str]: option keys or Notion user ids;
# tuple[Ref]: a relation; Decimal: number; date / datetime (UTC) / Span: date property; bool: checkbox.
Value = (
    str
    | bool
    | Decimal
    | date
    | datetime
    | Span
    | tuple[str, ...]
    | tuple[Ref, ...]
    | None
)


def day_of(value: object, zone: tzinfo, *, last: bool = False) -> date | None:
    """Return the day a date cell tells, None when it tells none: of an instant the day in `zone`, of a range its first
    day or its `last`. A cell is never compared as it is: people may type a time, which makes no day."""
    match value:
        case Span(start, end):
            return end if last else start
        case datetime() as moment:
            return local_day(moment, zone)
        case date() as day:
            return day
    return None


def text_of(value: Value) -> str | None:
    """Return a text or an option key; None for any other cell."""
    return value if isinstance(value, str) else None


def number_of(value: Value) -> Decimal | None:
    """Return a number; None for any other cell."""
    return value if isinstance(value, Decimal) else None


def refs_of(value: Value) -> tuple[Ref, ...]:
    """Return the rows a relation cell names; none for any other cell."""
    if not isinstance(value, tuple):
        return ()
    return tuple(item for item in value if isinstance(item, Ref))


def first_ref(value: Value) -> Ref | None:
    """Return the first row a relation cell names; None for any other cell."""
    return next(iter(refs_of(value)), None)


def text_form(value: object) -> str:
    """Return what a cell says as one text, empty for none: an amount without idle zeros, a ref as `source/key`."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
