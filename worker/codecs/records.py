"""Notion's records as the rest of the program reads them, and what is known of one that could not be read.

Only what is used is named here; all else in an answer is ignored, so that what Notion adds later stops nothing
(docs/facts/notion-api.md 1.4). Cells of a row stay as they were sent: the table in `worker.codecs.notion` reads each by its property's type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec.structs import replace

from worker.domain.messages import Text, literal, message, tell
from worker.domain.text import clean_line

T = TypeVar("T")
Json = dict[str, Any]
Identity = Annotated[str, msgspec.Meta(min_length=1)]
_WHERE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
SHOWN = 80


class Malformed(Exception):
    """A record that is not what Notion describes: the `field` and what is wrong with it, in plain words."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(f"{field}: {said}" if field else said)
        self.field = field
        self.said = said


def read_record(kind: type[T], raw: object) -> T:
    """Return a decoded record; raises `Malformed`."""
    try:
        record = msgspec.convert(raw, kind)
        msgspec.json.encode(record)  # a half of a character, a number beyond all bounds
    except msgspec.ValidationError as error:
        raise Malformed(field_of(str(error)), _without_place(str(error))) from None
    except (UnicodeError, OverflowError, RecursionError) as error:
        raise Malformed(_unsayable_part(raw), _FAULTS[type(error)]) from None
    return record


_FAULTS: Mapping[type[Exception], str] = {
    UnicodeEncodeError: message("it holds half of a character"),
    OverflowError: message("it holds a number that is too large"),
    RecursionError: message("it is nested too deeply"),
}


def fault_in_words(fault: str) -> Text:
    """Return what is wrong with a record so that it can be told in any language, as far as the words are ours."""
    if fault in _FAULTS.values():
        return tell(fault)
    return literal(fault)


def is_sayable(raw: object) -> bool:
    """Tell whether a value can be kept as JSON: no halves of characters, no endless numbers or depths."""
    try:
        msgspec.json.encode(raw)
    except (UnicodeError, OverflowError, RecursionError):
        return False
    return True


def _unsayable_part(raw: object) -> str:
    """Return the path to the first value that cannot be kept, as far as it can be named."""
    path: list[str] = []
    part = raw
    for _ in range(4):
        if not isinstance(part, Mapping):
            break
        name = next((key for key, one in part.items() if not is_sayable(one)), None)
        if name is None or not is_sayable(name):
            break
        path.append(str(name))
        part = part[name]
    return ".".join(path)[:SHOWN]


def field_of(said: str) -> str:
    """Return the field a decoding error is about."""
    where = _WHERE.search(said)
    missing = _MISSING.search(said)
    parts = [where["path"] if where else "", missing["name"] if missing else ""]
    return ".".join(part for part in parts if part)[:SHOWN]


def _without_place(said: str) -> str:
    return _WHERE.sub("", said)


# -- parts -------------------------------------------------------------------------------------------------------------


class Who(msgspec.Struct, frozen=True, gc=False):
    """A user as records name them."""

    id: str


class RichText(msgspec.Struct, frozen=True, gc=False):
    """A piece of a title."""

    plain_text: str = ""


class Parent(msgspec.Struct, frozen=True, gc=False):
    """Where a record stands: one of these, or none of them."""

    page_id: str | None = None
    database_id: str | None = None
    data_source_id: str | None = None


def plain_text(pieces: tuple[RichText, ...]) -> str:
    """Return the text of a title, cleaned."""
    return clean_line("".join(piece.plain_text for piece in pieces))


# -- records -----------------------------------------------------------------------------------------------------------


class Page(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A page or row; `properties` are its raw cells by name, instants are as Notion writes them."""

    id: Identity
    properties: dict[str, Any]
    url: str | None = None
    created_time: str | None = None
    last_edited_time: str | None = None
    created_by: Who | None = None
    last_edited_by: Who | None = None
    parent: Parent | None = None
    in_trash: bool = False
    archived: bool = False
    is_archived: bool = False
    is_locked: bool = False

    @property
    def is_gone(self) -> bool:
        """Tell whether it is in the trash or archived: gone for people, either way."""
        return self.in_trash or self.archived or self.is_archived


UNREAD = "unread"
"""Marks a cell that could not be read, with what is wrong with it; the value beside it, if any, was read before."""


class _Chosen(msgspec.Struct, frozen=True, gc=False):
    id: str
    name: str


class _Said(msgspec.Struct, frozen=True, gc=False):
    plain_text: str


class _Days(msgspec.Struct, frozen=True, gc=False):
    start: str
    end: str | None = None
    time_zone: str | None = None


_Maybe = msgspec.UnsetType


class _Cell(msgspec.Struct, frozen=True, gc=False):
    """A cell as described, of the types that are read."""

    id: Identity
    type: Identity
    title: tuple[_Said, ...] | _Maybe = msgspec.UNSET
    rich_text: tuple[_Said, ...] | _Maybe = msgspec.UNSET
    number: int | float | _Maybe | None = msgspec.UNSET
    select: _Chosen | _Maybe | None = msgspec.UNSET
    status: _Chosen | _Maybe | None = msgspec.UNSET
    multi_select: tuple[_Chosen, ...] | _Maybe = msgspec.UNSET
    date: _Days | _Maybe | None = msgspec.UNSET
    people: tuple[Who, ...] | _Maybe = msgspec.UNSET
    relation: tuple[Who, ...] | _Maybe = msgspec.UNSET
    checkbox: bool | _Maybe = msgspec.UNSET
    url: str | _Maybe | None = msgspec.UNSET
    email: str | _Maybe | None = msgspec.UNSET
    phone_number: str | _Maybe | None = msgspec.UNSET

    def __post_init__(self) -> None:
        """Refuse a cell without its value."""
        if getattr(self, self.type, None) is msgspec.UNSET:
            raise ValueError(f"Object missing required field `{self.type}`")


_Cells = dict[str, _Cell]


def check_cell(raw: Any) -> Json:
    """Return a raw cell as it is, or without its value and marked when it is not as described."""
    try:
        msgspec.convert(raw, _Cell)
    except (msgspec.ValidationError, RecursionError) as error:
        known = raw.get(UNREAD) if isinstance(raw, dict) else None
        return {**_without_value(raw), UNREAD: known or str(error)}
    found: Json = raw
    return found


class Choice(msgspec.Struct, frozen=True, gc=False):
    """An option of a column."""

    id: Identity
    name: str
    color: str = "default"
    description: str | None = None


class Choices(msgspec.Struct, frozen=True, gc=False):
    """What a select, multi-select or status column offers."""

    options: tuple[Choice, ...]


class Mirror(msgspec.Struct, frozen=True, gc=False):
    """The other side of a relation that goes both ways."""

    synced_property_id: str | None = None
    synced_property_name: str | None = None


class Target(msgspec.Struct, frozen=True, gc=False):
    """Where a relation leads."""

    data_source_id: Identity
    type: str | None = None
    dual_property: Mirror | None = None


class Numbers(msgspec.Struct, frozen=True, gc=False):
    """How a column shows its numbers."""

    format: str = "number"


_DETAILED = ("select", "multi_select", "status", "relation")


class Column(msgspec.Struct, frozen=True, gc=False):
    """A property of a data source."""

    id: Identity
    name: str
    type: str
    select: Choices | None = None
    multi_select: Choices | None = None
    status: Choices | None = None
    relation: Target | None = None
    number: Numbers | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        """Refuse a column without what its type needs."""
        if self.type in _DETAILED and getattr(self, self.type) is None:
            raise ValueError(f"Object missing required field `{self.type}`")

    @property
    def options(self) -> tuple[Choice, ...]:
        """Return what may be chosen."""
        offered = self.select or self.multi_select or self.status
        return offered.options if offered else ()


class UnreadColumn(msgspec.Struct, frozen=True, gc=False):
    """A property of a data source that could not be read; `id` is empty when that could not be read either."""

    id: str
    name: str
    said: str


class DataSource(msgspec.Struct, frozen=True, gc=False):
    """A data source with its schema."""

    id: Identity
    properties: tuple[Column, ...]
    unread: tuple[UnreadColumn, ...] = ()
    title: tuple[RichText, ...] = ()
    url: str | None = None
    parent: Parent | None = None
    is_gone: bool = False


class _RawDataSource(msgspec.Struct, frozen=True, gc=False):
    id: Identity
    properties: dict[str, Any]
    title: tuple[RichText, ...] = ()
    url: str | None = None
    parent: Parent | None = None
    in_trash: bool = False
    archived: bool = False


def read_data_source(raw: object) -> DataSource:
    """Return a data source, the columns that cannot be read set aside; raises `Malformed`."""
    source = _read_with_cells(_RawDataSource, raw)
    columns: list[Column] = []
    unread: list[UnreadColumn] = []
    for name, raw_column in source.properties.items():
        try:
            columns.append(read_record(Column, raw_column))
        except Malformed as fault:
            unread.append(UnreadColumn(_identity(raw_column), name, str(fault)))
    return DataSource(
        source.id,
        tuple(columns),
        tuple(unread),
        source.title,
        source.url,
        source.parent,
        source.in_trash or source.archived,
    )


class Hit(msgspec.Struct, frozen=True, gc=False):
    """What a search finds: which record, and where the database it belongs to stands."""

    id: Identity
    database_parent: Parent | None = None


class Database(msgspec.Struct, frozen=True, gc=False):
    """A container of data sources."""

    id: Identity
    data_sources: tuple[Hit, ...]


class BoardView(msgspec.Struct, frozen=True, gc=False):
    """A view of a database."""

    id: Identity
    name: str = ""
    type: str = ""


class User(msgspec.Struct, frozen=True, gc=False):
    """A person or bot."""

    id: Identity
    name: str | None = None


# -- blocks ------------------------------------------------------------------------------------------------------------


class _Annotations(msgspec.Struct, frozen=True, gc=False):
    bold: bool = False


class _Piece(msgspec.Struct, frozen=True, gc=False):
    plain_text: str = ""
    annotations: _Annotations | None = None
    href: str | None = None


class _Icon(msgspec.Struct, frozen=True, gc=False):
    emoji: str | None = None


class _Address(msgspec.Struct, frozen=True, gc=False):
    url: str = ""


class _Payload(msgspec.Struct, frozen=True, gc=False):
    rich_text: tuple[_Piece, ...] = ()
    caption: tuple[_Piece, ...] = ()
    cells: tuple[tuple[_Piece, ...], ...] = ()
    icon: _Icon | None = None
    color: str | None = None
    checked: bool = False
    file: _Address | None = None
    external: _Address | None = None


class _Block(msgspec.Struct, frozen=True, gc=False):
    id: Identity
    type: Identity
    has_children: bool = False
    created_by: Who | None = None
    last_edited_by: Who | None = None
    in_trash: bool = False
    archived: bool = False


OWN_KINDS = frozenset(
    {
        "paragraph",
        "heading_1",
        "heading_2",
        "heading_3",
        "bulleted_list_item",
        "to_do",
        "quote",
        "callout",
        "divider",
        "table",
        "table_row",
        "image",
    }
)
"""Blocks of which the worker makes its sections: what they show is read, so it must be as described."""


def read_block(raw: object) -> Json:
    """Return a block as it was sent, once what is read of it is sure to be there; raises `Malformed`.

    Halves of characters are replaced: a block of people's is never written, and one of ours is then written anew.
    """
    if not isinstance(raw, dict):
        raise Malformed("", "is not a block")
    block: Json = raw if is_sayable(raw) else _with_whole_characters(raw)
    checked = read_record(_Block, block)
    if checked.type in OWN_KINDS:
        try:
            read_record(_Payload, block.get(checked.type))
        except Malformed as fault:
            place = f"{checked.type}.{fault.field}".strip(".")
            raise Malformed(place, fault.said) from None
    return block


def _with_whole_characters(raw: Json) -> Json:
    return {_whole_text(name): _whole(value) for name, value in raw.items()}


def _whole(raw: object) -> object:
    match raw:
        case str():
            return _whole_text(raw)
        case list():
            return [_whole(one) for one in raw]
        case dict():
            return _with_whole_characters(raw)
    return raw


def _whole_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


# -- rows that cannot be read ------------------------------------------------------------------------------------------


class UnreadPage(msgspec.Struct, frozen=True, gc=False, order=True):
    """A row that could not be read: what of it could be (else empty), the field and what is wrong with it."""

    id: str = ""
    title: str = ""
    url: str = ""
    field: str = ""
    said: str = ""


class Comment(msgspec.Struct, frozen=True, gc=False):
    """A comment on a page: that there is one."""

    id: Identity


def read_comment(raw: object) -> Comment:
    """Return a comment; raises `Malformed`."""
    return read_record(Comment, raw)


def read_page(raw: object) -> Page:
    """Return a page; a cell that cannot be read stands without its value, and marked. Raises `Malformed`."""
    page = _read_with_cells(Page, raw)
    try:
        msgspec.convert(page.properties, _Cells)
    except (msgspec.ValidationError, RecursionError):
        cells = {name: check_cell(cell) for name, cell in page.properties.items()}
        return replace(page, properties=cells)
    return page


def _read_with_cells(kind: type[T], raw: object) -> T:
    try:
        return read_record(kind, raw)
    except Malformed:
        cleared = _without_unsayable(raw)
        if cleared is raw:
            raise
    return read_record(kind, cleared)


def unread_page(raw: object, fault: Malformed) -> UnreadPage:
    """Return what is known of a row that could not be read."""
    table = raw if isinstance(raw, Mapping) else {}
    return UnreadPage(
        _identity(table),
        title_of(table.get("properties"))[:SHOWN],
        _line(table.get("url")),
        fault.field,
        fault.said,
    )


def _without_unsayable(raw: object) -> object:
    """Return a record of which properties that cannot be kept have only their names left."""
    cells = raw.get("properties") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(cells, Mapping):
        return raw
    if is_sayable(cells):
        return raw
    kept = {
        name if is_sayable(name) else f"?{place}": cell
        if is_sayable(cell)
        else {**_without_value(cell), UNREAD: _FAULTS[UnicodeEncodeError]}
        for place, (name, cell) in enumerate(cells.items())
    }
    return {**raw, "properties": kept}


def _without_value(cell: object) -> Json:
    table = cell if isinstance(cell, Mapping) else {}
    return {key: _line(table.get(key)) for key in ("id", "type")}


def title_of(cells: object) -> str:
    found = cells.values() if isinstance(cells, Mapping) else ()
    for cell in found:
        if isinstance(cell, Mapping) and cell.get("type") == "title":
            try:
                return plain_text(read_record(tuple[RichText, ...], cell.get("title")))
            except Malformed:
                return ""
    return ""


def _identity(raw: object) -> str:
    return _line(raw.get("id")) if isinstance(raw, Mapping) else ""


def _line(value: object) -> str:
    return value if isinstance(value, str) and is_sayable(value) else ""
