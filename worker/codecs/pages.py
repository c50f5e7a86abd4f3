"""A raw page to a `Row`: identity, stamps and fields; what cannot be read is reported and left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from worker.codecs.notion import Index, Unreadable, decode
from worker.codecs.records import (
    UNREAD,
    Json,
    Page,
    UnreadPage,
    check_cell,
    fault_in_words,
)
from worker.domain.entities import Row
from worker.domain.messages import Text, listed, tell, withhold
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem
from worker.mapping.schema import (
    KEY_PROPERTY,
    Binding,
    BoundFilter,
    Owner,
    Property,
    Rows,
    Source,
)

REFERENCES = 25
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
FINEST = Decimal("0.000001")
LARGEST = Decimal(10**15)
"""Between them products and shares of two numbers keep their cents within the 28 digits of decimal arithmetic."""


def address(page_id: str) -> str:
    """Return where a page or a database can be opened."""
    bare = page_id.replace("-", "")
    return f"https://app.notion.com/p/{bare}"


def decode_page(
    page: Page, source: Source, binding: Binding, index: Index
) -> tuple[Row, tuple[Problem, ...]]:
    """Return a page as a row of its source, with a problem for each field that could not be read.

    Fields whose property is not bound are absent, as are unreadable ones and numbers of people that are no amounts
    (the worker's own are simply written anew).
    """
    raw = properties_by_id(page)
    fields: dict[str, Value] = {}
    bad: list[tuple[str, Text]] = []
    stale: list[tuple[str, str]] = []
    odd: list[tuple[str, Decimal]] = []
    for name, property_id in binding.properties.items():
        prop = source.properties.get(name)
        if prop is None:
            continue
        cell = raw.get(property_id)
        value = decode(prop, cell, binding, index)
        if isinstance(value, Unreadable):
            bad.append((name, value.message))
            continue
        if cell and UNREAD in cell:
            stale.append((name, str(cell[UNREAD])))
        if (
            isinstance(value, Decimal)
            and prop.owner is not Owner.WORKER
            and not is_amount(value)
        ):
            odd.append((name, value))
        else:
            fields[name] = value
    row = _row(page, source, fields)
    return row, (
        *(_unreadable(row, source, name, fault) for name, fault in bad),
        *(_not_read_now(row, source, name, fault) for name, fault in stale),
        *(_out_of_range(row, source, name, value) for name, value in odd),
    )


def is_meant(page: Page, only: BoundFilter | None) -> bool:
    """Tell whether a row of a board plays the part, where it plays several."""
    if only is None:
        return True
    cell = properties_by_id(page).get(only.property_id) or {}
    chosen = cell.get(only.type)
    return isinstance(chosen, dict) and chosen.get("id") in only.options


def is_amount(value: Decimal) -> bool:
    """Tell whether a number may be meant: it can be counted with exactly, and none in an agency is larger or finer."""
    return not value or FINEST <= abs(value) <= LARGEST


def _row(page: Page, source: Source, fields: Mapping[str, Value]) -> Row:
    key = row_key(source, fields.get(KEY_PROPERTY))
    title = fields.get(source.title_property.name)
    return Row(
        ref=Ref(source.name, key or page.id),
        page_id=page.id,
        key=key,
        title=title if isinstance(title, str) else "",
        url=page.url or "",
        created=read_stamp(page.created_time) or NEVER,
        edited=read_stamp(page.last_edited_time) or NEVER,
        edited_by=page.last_edited_by.id if page.last_edited_by else "",
        fields=fields,
        created_by=page.created_by.id if page.created_by else "",
    )


def row_key(source: Source, value: object) -> str:
    """Return the Worker key a row carries, empty when it belongs to people."""
    if source.rows is not Rows.WORKER or not isinstance(value, str):
        return ""
    return value.strip()


def read_stamp(text: str | None) -> datetime | None:
    """Return an instant of Notion's in UTC, None when there is none or it is none."""
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _unreadable(row: Row, source: Source, name: str, fault: Text) -> Problem:
    label = source.properties[name].label
    shown = withhold(fault) if source.private else fault
    return Problem(
        code=Code.UNREADABLE_FIELD,
        where=place(row, source),
        field=name,
        message=tell("{field} {fault}", field=label, fault=shown),
        hint=tell("correct the field in Notion; until then it counts as unknown"),
        url=row.url,
    )


def _not_read_now(row: Row, source: Source, name: str, fault: str) -> Problem:
    label = source.properties[name].label
    return Problem(
        code=Code.UNREADABLE_FIELD,
        where=place(row, source),
        field=name,
        message=tell(
            "{field} cannot be read: {error}", field=label, error=fault_in_words(fault)
        ),
        hint=tell(
            "correct the field in Notion; until then it counts as it was read last"
        ),
        url=row.url,
    )


def _out_of_range(row: Row, source: Source, name: str, value: Decimal) -> Problem:
    fault = tell(
        "{value} is not between {least} and {most}",
        value=f"{value:.6g}",
        least=f"{FINEST:f}",
        most=f"{LARGEST:f}",
    )
    shown = withhold(fault) if source.private else fault
    return Problem(
        code=Code.OUT_OF_RANGE,
        where=place(row, source),
        field=name,
        column=listed(source.properties[name].label),
        message=shown,
        hint=tell("correct the field in Notion; until then it counts as unknown"),
        url=row.url,
    )


def place(row: Row, source: Source) -> Text:
    """Return how a row is named to a person: its data source and title (the page id when it has none or is private)."""
    title = "" if source.private else row.title[:80]
    return tell("{source}: {title}", source=source.title, title=title or row.page_id)


def unread_problem(unread: UnreadPage, source: Source) -> Problem:
    """Return the problem of a row that cannot be read at all."""
    title = "" if source.private else unread.title
    return Problem(
        code=Code.UNREADABLE_PAGE,
        where=tell(
            "{source}: {title}", source=source.title, title=title or unread.id or "?"
        ),
        field=unread.field,
        message=tell(
            "the row cannot be read: {error}", error=fault_in_words(unread.said)
        ),
        hint=tell(
            "mend the row in Notion; until then it counts as it was read last, and nothing is written to it"
        ),
        url=unread.url,
    )


def properties_by_id(page: Page) -> dict[str, Json]:
    """Return a page's raw properties by property id."""
    return {
        raw["id"]: raw
        for raw in page.properties.values()
        if isinstance(raw, dict) and isinstance(raw.get("id"), str)
    }


def addressed(cell: Json) -> list[tuple[str, str]]:
    """Return the words of a text cell with the address behind them, empty where there is none."""
    pieces = cell.get("rich_text")
    if not isinstance(pieces, list):
        return []
    return [
        (str(piece.get("plain_text") or ""), str(piece.get("href") or ""))
        for piece in pieces
        if isinstance(piece, dict)
    ]


def index_pages(
    pages: Iterable[Page], source: Source, binding: Binding
) -> dict[str, Ref]:
    """Return the refs of a worker source's keyed rows by page id; people's rows are named by page id anyway."""
    return keyed_pages(pages, source, binding) if source.rows is Rows.WORKER else {}


def keyed_pages(
    pages: Iterable[Page], source: Source, binding: Binding
) -> dict[str, Ref]:
    """Return the refs by Worker key of the rows the worker made or planted, by page id."""
    property_id = binding.properties.get(KEY_PROPERTY)
    prop = source.properties.get(KEY_PROPERTY)
    if property_id is None or prop is None:
        return {}
    refs = {}
    for page in pages:
        value = decode(prop, properties_by_id(page).get(property_id), binding, {})
        key = value.strip() if isinstance(value, str) else ""
        if key and source.has_key(key):
            refs[page.id] = Ref(source.name, key)
    return refs


def truncated(
    page: Page, source: Source, binding: Binding
) -> tuple[tuple[str, str], ...]:
    """Return (page id, property id) of values cut at 25 references, to be read whole.

    Source: docs/facts/notion-api.md 2.27.
    """
    raw = properties_by_id(page)
    return tuple(
        (page.id, property_id)
        for name, property_id in binding.properties.items()
        if property_id in raw and _cut(source.properties[name].type, raw[property_id])
    )


def _cut(kind: str, raw: Json) -> bool:
    value = raw.get(kind)
    match kind:
        case "relation":
            return raw.get("has_more") is True
        case "people":
            return isinstance(value, list) and len(value) >= REFERENCES
        case "title" | "rich_text":
            return isinstance(value, list) and _mentions(value) >= REFERENCES
    return False


def _mentions(pieces: Sequence[object]) -> int:
    count = 0
    for piece in pieces:
        if isinstance(piece, dict) and piece.get("type") == "mention":
            count += 1
    return count


def complete(page: Page, property_id: str, items: Sequence[Json]) -> Page:
    """Return the page with one property's value replaced by all its items (as `Notion.property_items` gives them)."""
    properties = {
        name: _whole(raw, items)
        if isinstance(raw, dict) and raw.get("id") == property_id
        else raw
        for name, raw in page.properties.items()
    }
    return replace(page, properties=properties)


def _whole(raw: Json, items: Sequence[Json]) -> Json:
    kind = str(raw.get("type"))
    values = [item.get(kind) for item in items]
    whole = {**raw, kind: values, "has_more": False}
    return check_cell(whole)


def with_last_known(
    page: Page, before: Page | None, source: Source, binding: Binding
) -> Page:
    """Return the page with what was read `before` in the place of cells that cannot be read, each marked `UNREAD`."""
    cells = properties_by_id(page)
    known = properties_by_id(before) if before else {}
    for name, property_id in unread_cells(page, source, binding).items():
        kind = source.properties[name].type
        cell = cells.get(property_id, {})
        fault = cell.get(UNREAD) or f"Expected a cell of `{kind}`"
        kept = known.get(property_id, {})
        if kept.get("type") != kind:
            kept = {"id": property_id, "type": kind}
        cells[property_id] = {**kept, UNREAD: fault}
    return replace(page, properties=cells)


def unread_cells(page: Page, source: Source, binding: Binding) -> dict[str, str]:
    """Return the bound properties (logical name, id) of which a page just read has no readable cell of their type."""
    cells = properties_by_id(page)
    unread = {}
    for name, property_id in binding.properties.items():
        prop = source.properties.get(name)
        if prop is not None and not _is_read(cells.get(property_id), prop):
            unread[name] = property_id
    return unread


def _is_read(cell: Json | None, prop: Property) -> bool:
    if cell is None or UNREAD in cell:
        return False
    kind = cell.get("type", prop.type)
    return bool(kind == prop.type)
