"""Prices, models, budgets and units by the day they were in force (docs/method.md 2.8).

What a person dated in `terms` counts from that day. A change in the plain cell that nobody dated counts from the day it
was seen; it gets a row in `terms`, whose date a person may correct, or which a person deletes to say that the cell was
wrong before. A client's cell that was empty was not known: what is filled in there counts from the beginning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from worker.domain.dated import Dated
from worker.domain.entities import Card, Client, Person, Row, Term
from worker.domain.messages import literal, tell
from worker.domain.values import Ref, text_form
from worker.errors import Code, Problem
from worker.world.memory import CellChange, SeenCells
from worker.world.rows import term_key

Entity = TypeVar("Entity", Client, Card, Person)


class _Cell(msgspec.Struct, frozen=True, gc=False):
    """A dated cell: its logical name, the entity's fields that hold it and its history, and how its text is read.

    `fills` when an empty cell was not known, rather than empty.
    """

    name: str
    field: str
    history: str
    parse: Callable[[str], Any]
    fills: bool = False


CELLS: Mapping[str, Mapping[str, _Cell]] = {
    "clients": {
        "fee": _Cell("monthly_fee", "monthly_fee", "fees", Decimal, fills=True),
        "model": _Cell("engagement", "engagement", "models", str, fills=True),
        "unit": _Cell("unit", "unit", "units", Ref.parse, fills=True),
    },
    "projects": {
        "budget": _Cell("budget", "budget", "budgets", Decimal),
        "model": _Cell("engagement", "engagement", "models", str),
    },
    "people": {"rate": _Cell("rate", "rate", "rates", Decimal)},
}
"""What may be dated, by data source and by `what` of a term."""


class SeenTerm(msgspec.Struct, frozen=True, gc=False):
    """A change that nobody dated, as its row is to say it."""

    key: str
    subject: Ref
    name: str
    what: str
    change: CellChange


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What is in force, and since when: the changes that get a row, and what is to be remembered of the cells."""

    seen: tuple[SeenTerm, ...] = ()
    cells: Mapping[str, SeenCells] = msgspec.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class _Entry(msgspec.Struct, frozen=True, gc=False):
    """One change of a cell; a person's word stands after what was seen on the same day."""

    start: date
    value: str
    is_persons: bool = False


class Dating:
    """Dates the cells of one kind of row after another; `terms` collects what is found."""

    def __init__(
        self,
        terms: Iterable[Term],
        remembered: Mapping[str, SeenCells],
        *,
        trashed: frozenset[Ref],
        today: date,
    ) -> None:
        self._today = today
        self._remembered = remembered
        self._deleted = {ref.key for ref in trashed if ref.source == "terms"}
        self._rows: dict[tuple[Ref, str], list[Term]] = defaultdict(list)
        self._seen: list[SeenTerm] = []
        self._cells: dict[str, SeenCells] = {}
        self._problems: list[Problem] = []
        for term in sorted(terms, key=attrgetter("created", "ref")):
            self._rows[term.subject, term.what].append(term)
        for rows in self._rows.values():
            self._problems += _overlaps(rows)

    @property
    def terms(self) -> Terms:
        """Return all that was found so far."""
        return Terms(tuple(self._seen), self._cells, tuple(self._problems))

    def date(
        self, entities: Mapping[Ref, Entity], rows: Iterable[Row]
    ) -> dict[Ref, Entity]:
        """Return the entities with the values of today and their histories."""
        dated = dict(entities)
        for row in rows:
            entity = dated.get(row.ref)
            if entity is not None:
                dated[row.ref] = self._date_row(entity, row)
        return dated

    def _date_row(self, entity: Entity, row: Row) -> Entity:
        before = self._remembered.get(str(row.ref))
        memory = before or SeenCells(self._today)
        histories: dict[str, Any] = {}
        for what, cell in CELLS[row.ref.source].items():
            value = getattr(entity, cell.field)
            raw = row.fields.get(cell.name)
            is_known = cell.name in row.fields and (value is not None or not raw)
            if is_known:
                memory = self._note(memory, row.ref, what, text_form(value))
            history = self._history(memory, row.ref, what)
            if history is None:
                continue
            in_force = history.on(self._today)
            if is_known and in_force != text_form(value):
                self._problems.append(_stale(row, cell, in_force))
            typed = _typed(history, cell.parse)
            histories[cell.history] = typed
            histories[cell.field] = typed.on(self._today)
            self._state(row, what, memory, history)
        if memory != before:
            self._cells[str(row.ref)] = memory
        return replace(entity, **histories) if histories else entity

    def _note(self, memory: SeenCells, ref: Ref, what: str, value: str) -> SeenCells:
        """Return the memory with what the cell says now; a change is dated today."""
        last = memory.last.get(what, "")
        noted = replace(memory, last={**memory.last, what: value})
        changes = memory.changes.get(what, ())
        rows = self._rows.get((ref, what), ())
        if memory.since == self._today or what not in memory.last:
            return replace(noted, first={**memory.first, what: value})
        if value == last:
            return memory
        cell = CELLS[ref.source][what]
        if cell.fills and not (memory.first.get(what) or changes or rows):
            return replace(noted, first={**memory.first, what: value})

        history = self._history(memory, ref, what)
        in_force = history.on(self._today) if history else last
        if value == in_force:
            return noted
        if changes and changes[-1].day == self._today:
            in_force = changes[-1].before
            changes = changes[:-1]
        change = CellChange(self._today, in_force, value)
        return replace(noted, changes={**memory.changes, what: (*changes, change)})

    def _history(self, memory: SeenCells, ref: Ref, what: str) -> Dated[str] | None:
        """Return what a cell says over time; None where it never changed."""
        rows = self._rows.get((ref, what), ())
        changes = memory.changes.get(what, ())
        if not rows and not changes:
            return None
        by_key = {row.key: row for row in rows if row.key}
        first = memory.first.get(what, "")
        beginning = by_key.pop(term_key(what, ref), None)
        if beginning is not None:
            first = beginning.value
        entries: list[_Entry] = []
        for change in changes:
            key = term_key(what, ref, change.day)
            row = by_key.pop(key, None)
            value = change.value
            if key in self._deleted:
                # The cell was wrong before: what it says now is what it should have said.
                if entries:
                    entries[-1] = replace(entries[-1], value=value)
                else:
                    first = value
                continue
            if row is not None and change.day != self._today:
                value = row.value
            entry = _Entry(row.start if row else change.day, value)
            entries.append(entry)
        for row in by_key.values():
            entry = _Entry(row.start, row.value)
            entries.append(entry)

        if beginning is not None and all(
            beginning.start < entry.start for entry in entries
        ):
            entry = _Entry(beginning.start, first)
            entries.append(entry)
        for row in reversed(rows):
            if not row.key:
                entry = _Entry(row.start, row.value, is_persons=True)
                entries.append(entry)
        return _in_order(entries, first, memory.since)

    def _state(
        self, row: Row, what: str, memory: SeenCells, history: Dated[str]
    ) -> None:
        """Give every change that nobody dated its row, and one to what the cell said before the first.

        Where people dated the first change, only the worker knows what the cell said before it.
        """
        changes = memory.changes.get(what, ())
        told = history.changes[0][1] if history.changes else history.first
        is_told = history.first == told or memory.since == self._today
        if not changes and is_told:
            return
        start = CellChange(memory.since, "", history.first)
        keyed = [(term_key(what, row.ref), start)]
        for change in changes:
            keyed.append((term_key(what, row.ref, change.day), change))
        for key, change in keyed:
            if key not in self._deleted:
                seen = SeenTerm(key, row.ref, row.title, what, change)
                self._seen.append(seen)


def _in_order(entries: Iterable[_Entry], first: str, since: date) -> Dated[str] | None:
    """Return the changes as a history; what a cell said `first`, on the day `since`, counts before them.

    A cell that agreed with its terms when it was first seen tells nothing of the days before: the earliest term does.
    """
    by_day = {}
    for entry in sorted(entries, key=attrgetter("start", "is_persons")):
        by_day[entry.start] = entry.value
    if not by_day:
        return Dated(first)
    changes = tuple(by_day.items())
    earliest, value = changes[0]
    agreed = earliest <= since and Dated("", changes).on(since) == first
    return Dated(value if agreed else first, changes)


def _typed(history: Dated[str], parse: Callable[[str], Any]) -> Dated[Any]:
    changes = []
    for start, text in history.changes:
        value = parse(text) if text else None
        changes.append((start, value))
    first = parse(history.first) if history.first else None
    return Dated(first, tuple(changes))


def _overlaps(rows: Iterable[Term]) -> Iterable[Problem]:
    """Name the people's rows that say another thing from the same day than one that was made before them."""
    standing: dict[date, Term] = {}
    for row in rows:
        if row.key:
            continue
        first = standing.setdefault(row.start, row)
        if first.value != row.value:
            yield Problem(
                code=Code.OVERLAPPING_TERMS,
                where=tell("Terms: {name}", name=row.title),
                field="from",
                message=tell(
                    "another row says something else from {day}; the row made first counts",
                    day=row.start.isoformat(),
                ),
                hint=tell("delete one of the rows, or correct its date"),
                url=row.url,
            )


def _stale(row: Row, cell: _Cell, in_force: str) -> Problem:
    return Problem(
        code=Code.OTHER_TERM,
        where=literal(row.title),
        field=cell.name,
        message=tell("the cell does not say what its terms say; the terms count"),
        hint=tell("enter in the cell what is in force, or correct the terms"),
        url=row.url,
    )
