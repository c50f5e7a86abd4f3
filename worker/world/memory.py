"""What the worker remembers between runs, as a value: read from the state before the rules, written after the apply.

Observations are counted by day, not by run, so that running twice is running once: a colour that must hold "two runs in
a row" must have been seen on two different days on which the worker ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from worker.domain.values import Ref


class Track(msgspec.Struct, frozen=True, gc=False):
    """A value with hysteresis: `value` held since `since`; `candidate` since `candidate_since`, not yet held."""

    value: str
    since: date
    candidate: str = ""
    candidate_since: date | None = None
    seen: date | None = None


class Closing(StrEnum):
    """How the last occurrence of a signal ended."""

    CONDITION = "condition"
    PERSON = "person"


class Occurrence(msgspec.Struct, frozen=True, gc=False):
    """The life of one signal (a risk or a task), by its stable key.

    `opened` the day it last opened; `gone` the first day its condition was not seen (None while it holds); `closed` the
    day its row was closed and `closing` by what; a person's closure (`tombstone`) is final until the condition has been
    gone; `number` counts occurrences of the same key from 1. `gone_seen` counts the observation days on which the
    condition was absent, `observed` is the last day looked at, `ended` the day the absence was believed. `client` and
    `assignee` (refs as text, as at creation), `seed` (what the row was created with) and `stage` (of its card, at
    creation) are kept for tasks.
    """

    key: str
    number: int = 1
    opened: date | None = None
    gone: date | None = None
    closed: date | None = None
    closing: Closing | None = None
    last_seen: date | None = None
    gone_seen: int = 0
    observed: date | None = None
    ended: date | None = None
    client: str = ""
    seed: str = ""
    stage: str = ""
    assignee: str = ""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """A step in the life of a signal that is taken by writing its row: it holds once that is done, else `before` does
    (None: there was no signal)."""

    before: Occurrence | None
    now: Occurrence


class Pending(msgspec.Struct, frozen=True, gc=False):
    """What is remembered with the writing of rows alone: `turns` by row, and `marks` by `<ref>#<field>`."""

    turns: Mapping[Ref, Turn] = msgspec.field(default_factory=dict)
    marks: Mapping[str, Track] = msgspec.field(default_factory=dict)


class PlannedItem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One issue as it was planned: its weight in the unit of its baseline, and when it was due (None: evenly)."""

    weight: float
    due: date | None = None


class Baseline(msgspec.Struct, frozen=True, gc=False):
    """What was promised when a card went to `in_progress`: frozen once, for SPI(t). Work in its unit (`by`).

    `items` are the issues of that day by id; empty in what earlier versions kept.
    """

    frozen: date
    start: date
    due: date
    total: float
    by: str = "count"
    items: Mapping[str, PlannedItem] = msgspec.field(default_factory=dict)


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Money of a client in the part of time that begins on `day`: what each series grew by, whose `unit` (a ref as
    text) it was, and what the most of it rests on (`basis`, as of `MoneyFact`)."""

    day: date
    unit: str
    basis: str
    recognised: Decimal
    earned: Decimal
    billed: Decimal
    paid: Decimal


class ClosedMonth(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A closed month of a client, by its first day: its parts stay as they were; `hours` that were logged."""

    month: date
    parts: tuple[Part, ...]
    hours: Decimal


class TrueUp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became known on a `day` of a `month` (its first day) that was closed already: it is money of that day."""

    day: date
    month: date
    recognised: Decimal
    earned: Decimal
    billed: Decimal
    paid: Decimal


class Ledger(msgspec.Struct, frozen=True, gc=False):
    """The closed months of a client, the oldest first, and what became known of them since.

    `until` is the first day of the last closed month, `opening` that of the last one that was closed when this ledger
    began. Months last closed on the day `turned`, up to which `before` was the last: for the rest of that day they are
    counted as they stand. `earned` is what each card (a ref as text) had earned by model in the closed months, for when it is gone.
    `fees_from` is the day from which fees are counted, for when nobody knows the contract's start.
    """

    months: tuple[ClosedMonth, ...] = ()
    true_ups: tuple[TrueUp, ...] = ()
    until: date = date.min
    turned: date = date.min
    before: date = date.min
    opening: date | None = None
    fees_from: date | None = None
    earned: Mapping[str, Mapping[str, Mapping[date, Decimal]]] = msgspec.field(
        default_factory=dict
    )

    def has_begun(self, day: date) -> bool:
        """Tell whether it began on a day, rather than earlier."""
        return self.turned == day and self.before == date.min


class CellChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A dated cell came to hold `value` on a day, where it held `before`; texts as of `Term.value`, empty for none."""

    day: date
    before: str
    value: str


class SeenCells(msgspec.Struct, frozen=True, gc=False):
    """The dated cells of one row, by what they say: as seen `first`, on the day `since`, and `last`; and how they
    changed meanwhile, the oldest first."""

    since: date
    first: Mapping[str, str] = msgspec.field(default_factory=dict)
    last: Mapping[str, str] = msgspec.field(default_factory=dict)
    changes: Mapping[str, tuple[CellChange, ...]] = msgspec.field(default_factory=dict)


class Memory(msgspec.Struct, frozen=True, gc=False):
    """All memory of a workspace. `tracks` by `<ref>#<field>`, `occurrences` by signal key, `baselines`, `cells` and
    `ledgers` by ref text.

    `first_run` is true when the state holds nothing: then nothing is closed.
    """

    tracks: Mapping[str, Track] = msgspec.field(default_factory=dict)
    occurrences: Mapping[str, Occurrence] = msgspec.field(default_factory=dict)
    baselines: Mapping[str, Baseline] = msgspec.field(default_factory=dict)
    cells: Mapping[str, SeenCells] = msgspec.field(default_factory=dict)
    ledgers: Mapping[str, Ledger] = msgspec.field(default_factory=dict)
    first_run: bool = True
