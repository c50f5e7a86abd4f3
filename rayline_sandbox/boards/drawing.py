"""One view of a database as a drawing: rows queried with the view's filter and sorts, laid out by the view's type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from rayline_sandbox.boards.calendars import (
    Month,
    Span,
    Timeline,
    draw_month,
    draw_timeline,
    parse_month,
    span_of,
)
from rayline_sandbox.boards.cells import Draughtsman
from rayline_sandbox.boards.groups import (
    GROUPABLE,
    Card,
    Group,
    Grouping,
    find_property,
    grouped,
    grouping_of,
    make_card,
)
from rayline_sandbox.boards.reader import Reader, Rows, Unreadable

Json = dict[str, Any]

DRAWN = ("table", "board", "timeline", "calendar", "list", "gallery")
CARD_PROPERTIES = 4
"""How many properties a card shows when its view does not say."""
ROW_LIMIT = 500
ROW_LIMIT_MOST = 5000


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader of the page chose by its address: language aside, all of it optional."""

    group: str = ""
    month: str = ""
    limit: int = ROW_LIMIT


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: its type chooses icon and alignment."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A view ready to print; `kind` is one of `DRAWN` and tells which of the parts is filled."""

    kind: str
    columns: tuple[Column, ...] = ()
    groups: tuple[Group, ...] = ()
    empty_groups: tuple[Group, ...] = ()
    timeline: Timeline | None = None
    month: Month | None = None
    grouped_by: str = ""
    group_choices: tuple[str, ...] = ()
    count: int = 0
    rows: Rows = field(default_factory=lambda: Rows([]))
    undrawn: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What every layout needs: schema, view, rows, and the cards made of them."""

    properties: Mapping[str, Json]
    view: Json
    rows: list[Json]
    cards: Mapping[str, Card]
    pen: Draughtsman
    today: date
    choice: Choice

    @property
    def config(self) -> Json:
        """The view's configuration, empty when it has none."""
        return self.view.get("configuration") or {}

    @property
    def ordered(self) -> tuple[Card, ...]:
        """All cards in the order of the rows."""
        return tuple(self.cards[row["id"]] for row in self.rows)


def draw(
    reader: Reader,
    pen: Draughtsman,
    source: Json,
    view: Json,
    *,
    today: date,
    choice: Choice,
) -> Drawing:
    """Return a view drawn; a filter or sort the API refuses is left out and said."""
    rows = read_rows(reader, source["id"], view, limit=choice.limit)
    pen.learn(rows.pages)
    properties = source.get("properties") or {}
    kind = view.get("type", "table")
    layout = kind if kind in DRAWN else "table"
    names = shown_properties(properties, view, layout)
    cards = {
        row["id"]: make_card(row, names, properties=properties, pen=pen)
        for row in rows.pages
    }
    sheet = Sheet(properties, view, rows.pages, cards, pen, today, choice)
    columns = tuple(Column(name, properties[name].get("type", "")) for name in names)
    drawing = LAYOUTS[layout](sheet)
    return replace(
        drawing,
        columns=columns,
        count=len(rows.pages),
        rows=rows,
        undrawn="" if kind in DRAWN else kind,
        group_choices=tuple(
            name
            for name, schema in properties.items()
            if schema.get("type") in GROUPABLE
        ),
    )


def read_rows(reader: Reader, data_source_id: str, view: Json, *, limit: int) -> Rows:
    """Return the rows of a view, without its filter and sorts when the API refuses them."""
    try:
        return reader.query(
            data_source_id,
            filter=view.get("filter"),
            sorts=view.get("sorts"),
            limit=limit,
        )
    except Unreadable as refusal:
        if refusal.status != 400:
            raise
        return replace(
            reader.query(data_source_id, limit=limit), refusal=refusal.message
        )


def shown_properties(
    properties: Mapping[str, Json], view: Json, layout: str
) -> tuple[str, ...]:
    """Return the names of the properties a view shows, in its order; the title only where it is a column."""
    config = view.get("configuration") or {}
    listed = [
        (find_property(properties, item.get("property_id")), item.get("visible", True))
        for item in config.get("properties") or config.get("table_properties") or ()
    ]
    titles = [
        name for name, schema in properties.items() if schema.get("type") == "title"
    ]
    others = [name for name in properties if name not in titles]
    names = [name for name, visible in listed if visible and name]
    if not listed:
        names = (
            titles + others
            if layout == "table"
            else _telling(others, properties, config)
        )
    if layout == "table":
        return tuple(
            dict.fromkeys([*(() if set(titles) & set(names) else titles), *names])
        )
    return tuple(name for name in dict.fromkeys(names) if name not in titles)


def _telling(
    names: list[str], properties: Mapping[str, Json], config: Json
) -> list[str]:
    grouping = find_property(
        properties, (config.get("group_by") or {}).get("property_id")
    )
    kinds = ("status", "select", "relation", "people", "date", "number")
    return [
        name
        for name in names
        if name != grouping and properties[name].get("type") in kinds
    ][:CARD_PROPERTIES]


def _grouping(sheet: Sheet) -> Grouping | None:
    chosen = find_property(sheet.properties, sheet.choice.group)
    if chosen:
        return Grouping(chosen, sheet.properties[chosen], hide_empty=True)
    return grouping_of(sheet.properties, sheet.config.get("group_by"))


def _groups(sheet: Sheet, by: Grouping | None) -> tuple[Group, ...]:
    if by is None:
        return (Group("", sheet.ordered),)
    return tuple(grouped(sheet.rows, sheet.cards, by=by, pen=sheet.pen))


def _draw_rows(kind: str) -> Callable[[Sheet], Drawing]:
    def layout(sheet: Sheet) -> Drawing:
        by = _grouping(sheet)
        groups = tuple(group for group in _groups(sheet, by) if group.cards)
        return Drawing(
            kind, groups=groups or (Group("", ()),), grouped_by=by.name if by else ""
        )

    return layout


def _draw_board(sheet: Sheet) -> Drawing:
    by = _grouping(sheet) or _first_of(sheet, ("status", "select"))
    groups = _groups(sheet, by)
    return Drawing(
        "board",
        groups=tuple(group for group in groups if group.cards),
        empty_groups=tuple(group for group in groups if not group.cards),
        grouped_by=by.name if by else "",
    )


def _first_of(sheet: Sheet, kinds: tuple[str, ...]) -> Grouping | None:
    for kind in kinds:
        for name, schema in sheet.properties.items():
            if schema.get("type") == kind:
                return Grouping(name, schema)
    return None


def _draw_timeline(sheet: Sheet) -> Drawing:
    by = _grouping(sheet) or _sorted_by(sheet)
    groups = [group for group in _groups(sheet, by) if group.cards]
    timeline = draw_timeline(
        groups, _spans(sheet), today=sheet.today, words=sheet.pen.words
    )
    return Drawing("timeline", timeline=timeline, grouped_by=by.name if by else "")


def _sorted_by(sheet: Sheet) -> Grouping | None:
    """Return a grouping by the view's first sort: the API knows no other way to keep a timeline's rows together."""
    first: Json = next(iter(sheet.view.get("sorts") or ()), {})
    name = find_property(sheet.properties, first.get("property"))
    if name and sheet.properties[name].get("type") in (
        "select",
        "status",
        "relation",
        "people",
    ):
        order = "descending" if first.get("direction") == "descending" else "manual"
        return Grouping(name, sheet.properties[name], order, hide_empty=True)
    return None


def _spans(sheet: Sheet) -> dict[str, Span]:
    start = find_property(sheet.properties, sheet.config.get("date_property_id"))
    end = find_property(sheet.properties, sheet.config.get("end_date_property_id"))
    if not start:
        start = next(
            (
                name
                for name, schema in sheet.properties.items()
                if schema.get("type") == "date"
            ),
            "",
        )
    spans = {row["id"]: span_of(row, start, end) for row in sheet.rows}
    return {page_id: span for page_id, span in spans.items() if span is not None}


def _draw_calendar(sheet: Sheet) -> Drawing:
    month = parse_month(sheet.choice.month, sheet.today)
    drawn = draw_month(
        list(sheet.ordered),
        _spans(sheet),
        month=month,
        today=sheet.today,
        words=sheet.pen.words,
    )
    return Drawing("calendar", month=drawn)


LAYOUTS: Mapping[str, Callable[[Sheet], Drawing]] = {
    "table": _draw_rows("table"),
    "list": _draw_rows("list"),
    "gallery": _draw_rows("gallery"),
    "board": _draw_board,
    "timeline": _draw_timeline,
    "calendar": _draw_calendar,
}
