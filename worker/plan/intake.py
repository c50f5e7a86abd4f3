"""A table of somebody's into rows of a board: which column is which, what its cells say, which rows stand already. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal

import msgspec

from worker.domain.entities import Row
from worker.domain.messages import listed, tell
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem, Severity
from worker.mapping.likeness import NEARLY, likeness
from worker.mapping.schema import Owner, Property, Schema, Source
from worker.mapping.spreadsheet import (
    Dates,
    Decimals,
    Grid,
    Line,
    Unclear,
    order_of_dates,
    read_amount,
    read_date,
)
from worker.mapping.synonyms import PartWords
from worker.plan.facts import Input, Why
from worker.plan.natural import identity, is_same, ref_of
from worker.plan.plan import Change, FieldChange, Kind

RULE = "import"
NEEDED: Mapping[str, tuple[str, ...]] = {
    "revenue": ("client", "month", "amount"),
    "people": ("name",),
    "contacts": ("name",),
}
"""What may be brought in, with the columns without which a row says nothing."""
READABLE = frozenset(
    {"title", "rich_text", "email", "number", "date", "select", "relation"}
)
NEAR = 3


class Manner(msgspec.Struct, frozen=True, gc=False):
    """What the bringer says of a file where it may be read in two ways."""

    dates: Dates | None = None
    decimals: Decimals | None = None


class Present(msgspec.Struct, frozen=True, gc=False):
    """What stands on the boards: rows by data source, and the refs of rows made before, whether they stand or not."""

    rows: Mapping[str, Sequence[Row]]
    made: AbstractSet[Ref] = frozenset()


class Intake(msgspec.Struct, frozen=True, gc=False):
    """What a file comes to: rows to be made, how many stand already, what cannot be read, columns left out, and the sum
    of the new amounts by currency, empty where the cell names none."""

    changes: tuple[Change, ...] = ()
    standing: int = 0
    faults: tuple[Problem, ...] = ()
    left_out: tuple[str, ...] = ()
    sums: Mapping[str, Decimal] = {}


def find_columns(
    headers: Sequence[str], source: Source, words: PartWords
) -> dict[int, Property]:
    """Return which column of a file is which property, by its number: the likest name first, each property once."""
    open_ = [
        prop
        for prop in source.properties.values()
        if prop.owner is Owner.HUMAN and prop.type in READABLE
    ]
    scored = sorted(
        (
            (-likeness(header, words.of_column(prop)), number, prop.name)
            for number, header in enumerate(headers)
            for prop in open_
        )
    )
    columns: dict[int, Property] = {}
    taken: set[str] = set()
    for score, number, name in scored:
        if -score >= NEARLY and number not in columns and name not in taken:
            columns[number] = source.properties[name]
            taken.add(name)
    return columns


class _Reader(msgspec.Struct, frozen=True, gc=False):
    """How the cells of one file are read."""

    schema: Schema
    words: PartWords
    standing: Present
    manner: Manner
    orders: Mapping[str, Dates | None]

    def value(self, prop: Property, text: str) -> dict[str, Value]:
        """Return what a cell says, by property; raises `Unclear`."""
        match prop.type:
            case "date":
                return {prop.name: read_date(text, self.orders.get(prop.name))}
            case "number":
                amount, currency = read_amount(text, self.manner.decimals)
                named = {"currency": currency} if currency else {}
                return {**named, prop.name: amount}
            case "select":
                return {prop.name: self._option(prop, text)}
            case "relation":
                return {prop.name: (self._row(prop, text),)}
        return {prop.name: text}

    def _option(self, prop: Property, text: str) -> str:
        for option in prop.options:
            if likeness(text, self.words.of_option(prop, option)) >= NEARLY:
                return option.key
        raise Unclear(
            tell(
                "“{text}” is none of the options of {field}",
                text=text,
                field=prop.label,
            ),
            tell(
                "write one of: {names}",
                names=listed(*(one.label for one in prop.options)),
            ),
        )

    def _row(self, prop: Property, text: str) -> Ref:
        title = self.schema.sources[prop.target].title
        rows = self.standing.rows.get(prop.target, ())
        called = [row for row in rows if _folded(row.title) == _folded(text)]
        if len(called) == 1:
            return called[0].ref
        if called:
            raise Unclear(
                tell(
                    "{count} rows of “{board}” are called “{text}”",
                    count=len(called),
                    board=title,
                    text=text,
                ),
                tell("give them names of their own"),
            )
        ranked = sorted(rows, key=lambda row: -likeness(text, [row.title]))
        near = ", ".join(
            row.title for row in ranked[:NEAR] if likeness(text, [row.title])
        )
        raise Unclear(
            tell("there is no “{text}” on the board “{board}”", text=text, board=title),
            tell(
                "the nearest: {names}; correct the file, or add the row in Notion first",
                names=near,
            )
            if near
            else tell("correct the file, or add the row in Notion first"),
        )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def plan_intake(
    grid: Grid,
    schema: Schema,
    part: str,
    *,
    words: PartWords,
    standing: Present,
    manner: Manner,
) -> Intake:
    """Return what a file comes to on the board that plays `part`; nothing is to be made while there are `faults`."""
    source = schema.sources[part]
    columns = find_columns(grid.headers, source, words)
    present = {prop.name for prop in columns.values()}
    missing = [name for name in NEEDED[part] if name not in present]
    if missing:
        return Intake(faults=(_lacking(source, missing),))
    orders = {
        prop.name: manner.dates
        or order_of_dates(_cell(line, number) for line in grid.lines)
        for number, prop in columns.items()
        if prop.type == "date"
    }
    reader = _Reader(schema, words, standing, manner, orders)
    faults: list[Problem] = []
    changes: list[Change] = []
    seen: dict[str, int] = {}
    stand = 0
    for line in grid.lines:
        cells, bad = _read_line(line, columns, reader, grid=grid, part=part)
        faults += bad
        if bad:
            continue
        if part == "revenue" and not cells.get("name"):
            cells = {**cells, "name": _entry_name(cells, standing)}
        name = identity(part, cells)
        if (first := seen.setdefault(name, line.number)) != line.number:
            faults.append(_twice(line, first))
        elif any(
            is_same(part, cells, row.fields) for row in standing.rows.get(part, ())
        ):
            stand += 1
        else:
            changes.append(_creation(source, cells, line, standing))
    left_out = [
        header
        for number, header in enumerate(grid.headers)
        if header and number not in columns
    ]
    return Intake(tuple(changes), stand, tuple(faults), tuple(left_out), _sums(changes))


def _cell(line: Line, number: int) -> str:
    return line.cells[number] if number < len(line.cells) else ""


def _read_line(
    line: Line,
    columns: Mapping[int, Property],
    reader: _Reader,
    *,
    grid: Grid,
    part: str,
) -> tuple[dict[str, Value], list[Problem]]:
    """Return the cells of a line by property, and what cannot be read of them."""
    cells: dict[str, Value] = {}
    faults = []
    for number, prop in columns.items():
        text = _cell(line, number)
        try:
            if text:
                cells = {**reader.value(prop, text), **cells}
            elif prop.name in NEEDED[part]:
                raise Unclear(
                    tell("the cell is empty"), tell("fill it in, or take the line out")
                )
        except Unclear as unclear:
            faults.append(_fault(line, grid.headers[number], unclear))
    return cells, faults


def _entry_name(cells: Mapping[str, Value], standing: Present) -> str:
    """Return a title for an entry that has none: whose it is and its day."""
    client = cells["client"]
    names = [row.title for row in standing.rows["clients"] if (row.ref,) == client]
    return f"{names[0]} {cells['month']}"


def _creation(
    source: Source, cells: Mapping[str, Value], line: Line, standing: Present
) -> Change:
    attempt = 1
    while (ref := ref_of(source.name, cells, attempt)) in standing.made:
        attempt += 1
    why = Why(RULE, (Input("line", str(line.number)),))
    fields = [
        FieldChange(name, None, value, why)
        for name, value in cells.items()
        if name in source.properties
    ]
    title = str(cells.get(source.title_property.name, ""))
    return Change(Kind.CREATE, ref, "", title, tuple(fields))


def _sums(changes: Sequence[Change]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for change in changes:
        cells = {item.field: item.after for item in change.fields}
        if isinstance(amount := cells.get("amount"), Decimal):
            sums[str(cells.get("currency") or "")] += amount
    return dict(sums)


# -- what cannot be read -----------------------------------------------------------------------------------------------


def _fault(line: Line, header: str, unclear: Unclear) -> Problem:
    return Problem(
        code=Code.IMPORT_LINE,
        where=tell("line {line}", line=line.number),
        field=header,
        message=unclear.reason,
        hint=unclear.hint,
        severity=Severity.ERROR,
    )


def _twice(line: Line, first: int) -> Problem:
    return Problem(
        code=Code.IMPORT_LINE,
        where=tell("line {line}", line=line.number),
        message=tell("says the same as line {line}", line=first),
        hint=tell("take one of them out, or give them different names"),
        severity=Severity.ERROR,
    )


def _lacking(source: Source, missing: Sequence[str]) -> Problem:
    labels = listed(*(source.properties[name].label for name in missing))
    return Problem(
        code=Code.IMPORT_LINE,
        where=tell("line {line}", line=1),
        message=tell("no column is {names}", names=labels),
        hint=tell("name the column as it is called on the board"),
        severity=Severity.ERROR,
    )
