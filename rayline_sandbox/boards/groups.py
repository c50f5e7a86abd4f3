"""Rows in groups: the columns of a board and the bands of a table or timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from rayline_sandbox.boards.cells import Cell, Draughtsman
from rayline_sandbox.boards.reader import page_title
from rayline_sandbox.boards.texts import Icon, icon_of, parse_day, tag_class

Json = dict[str, Any]

GROUPABLE = (
    "status",
    "select",
    "multi_select",
    "relation",
    "people",
    "checkbox",
    "date",
)


@dataclass(frozen=True, slots=True)
class Card:
    """One row ready to print; `color` is the class of its status or first tag."""

    id: str
    title: str
    icon: Icon
    cells: tuple[Cell, ...]
    color: str = ""
    cover: str = ""

    @property
    def href(self) -> str:
        """Where its page is."""
        return f"/p/{self.id}"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that share a value; `css` colours its heading, `pill` says it is a tag and not plain text."""

    title: str
    cards: tuple[Card, ...]
    css: str = ""
    pill: bool = False
    icon: Icon = field(default_factory=Icon)


@dataclass(frozen=True, slots=True)
class Key:
    """What a row is grouped by: `value` joins rows, the rest is the heading's look."""

    value: str
    title: str
    css: str = ""
    pill: bool = False
    icon: Icon = field(default_factory=Icon)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A property rows are grouped by, and how: `order` manual, ascending or descending; `step` how finely dates are."""

    name: str
    schema: Json
    order: str = "manual"
    hide_empty: bool = False
    by_status_group: bool = False
    step: str = ""


def find_property(properties: Mapping[str, Json], reference: object) -> str:
    """Return the name of a property named by id (encoded or not) or by name; empty when there is none."""
    for name, schema in properties.items():
        if reference in (schema.get("id"), unquote(str(schema.get("id", ""))), name):
            return name
    return ""


def grouping_of(properties: Mapping[str, Json], config: Json | None) -> Grouping | None:
    """Return the grouping a view's `group_by` asks for."""
    name = find_property(properties, (config or {}).get("property_id"))
    if not name or config is None:
        return None
    return Grouping(
        name,
        properties[name],
        (config.get("sort") or {}).get("type", "manual"),
        bool(config.get("hide_empty_groups")),
        config.get("group_by") == "group",
        str(config.get("group_by", "")),
    )


def grouped(
    rows: list[Json], cards: Mapping[str, Card], *, by: Grouping, pen: Draughtsman
) -> list[Group]:
    """Return the groups of rows in the order the grouping asks for, the group without a value first."""
    nothing = Key("", pen.words.say("no_group", name=by.name))
    members: dict[Key, list[Card]] = {key: [] for key in (nothing, *_known_keys(by))}
    for row in rows:
        value = (row.get("properties") or {}).get(by.name) or {}
        for key in _keys(value, by, pen=pen) or [nothing]:
            members.setdefault(key, []).append(cards[row["id"]])
    groups = [
        Group(key.title, tuple(inside), key.css, key.pill, key.icon)
        for key, inside in members.items()
        if key is not nothing
    ]
    return _first_if_any(
        Group(nothing.title, tuple(members[nothing])), _ordered(groups, by)
    )


def _first_if_any(nothing: Group, groups: list[Group]) -> list[Group]:
    return [nothing, *groups] if nothing.cards else groups


def _ordered(groups: list[Group], by: Grouping) -> list[Group]:
    kept = [group for group in groups if group.cards or not by.hide_empty]
    open_ended = by.schema.get("type") in ("relation", "people")
    if by.order == "manual" and not open_ended:
        return kept
    return sorted(
        kept, key=lambda group: group.title.casefold(), reverse=by.order == "descending"
    )


def _known_keys(by: Grouping) -> list[Key]:
    kind = by.schema.get("type", "")
    config = by.schema.get(kind) or {}
    if kind == "status" and by.by_status_group:
        return [_option_key(group) for group in config.get("groups", ())]
    return [_option_key(option) for option in config.get("options", ())]


def _option_key(option: Json) -> Key:
    return Key(
        option.get("name", ""),
        option.get("name", ""),
        tag_class(option.get("color")),
        True,
    )


def _keys(value: Json, by: Grouping, *, pen: Draughtsman) -> list[Key]:
    kind = value.get("type", "")
    content = value.get(kind)
    if kind == "status" and by.by_status_group and content:
        return _status_group(by.schema, content)
    if kind == "date" and content:
        return _date_key(content, by.step, pen)
    return KEYS[kind](content, pen) if kind in KEYS and content is not None else []


def _status_group(schema: Json, option: Json) -> list[Key]:
    groups = (schema.get("status") or {}).get("groups", ())
    return [
        _option_key(group)
        for group in groups
        if option.get("id") in group.get("option_ids", ())
    ]


def _relation_key(item: Json, pen: Draughtsman) -> Key:
    title, icon = pen.title(item["id"])
    return Key(item["id"], title, icon=icon)


def _person_key(user: Json, pen: Draughtsman) -> Key:
    cell = pen.cell("", {"type": "people", "people": [user]})
    return Key(user.get("id", ""), cell.text)


def _date_key(value: Json, step: str, pen: Draughtsman) -> list[Key]:
    """Return the day, week (by its Monday) or year of a date, else its month."""
    day = parse_day(value)
    if day is None:
        return []
    first = day.start
    match step:
        case "day":
            return [Key(first.isoformat(), pen.words.day(first))]
        case "week":
            monday = first - timedelta(days=first.weekday())
            return [Key(monday.isoformat(), pen.words.day(monday))]
        case "year":
            return [Key(str(first.year), str(first.year))]
        case _:
            return [Key(f"{first:%Y-%m}", pen.words.month(first))]


KEYS: Mapping[str, Callable[[Any, Draughtsman], list[Key]]] = {
    "status": lambda value, pen: [_option_key(value)],
    "select": lambda value, pen: [_option_key(value)],
    "multi_select": lambda value, pen: [_option_key(option) for option in value],
    "relation": lambda value, pen: [_relation_key(item, pen) for item in value],
    "people": lambda value, pen: [_person_key(user, pen) for user in value],
    "checkbox": lambda value, pen: [
        Key("yes" if value else "no", pen.words["yes" if value else "no"])
    ],
}


def make_card(
    row: Json,
    names: tuple[str, ...],
    *,
    properties: Mapping[str, Json],
    pen: Draughtsman,
) -> Card:
    """Return a row as a card showing the properties `names`, in that order."""
    values = row.get("properties") or {}
    cells = tuple(
        pen.cell(name, values.get(name), properties.get(name)) for name in names
    )
    return Card(
        row["id"],
        page_title(row) or pen.words["untitled"],
        icon_of(row.get("icon")),
        cells,
        _color(values),
        icon_of(row.get("cover")).image,
    )


def _color(values: Mapping[str, Json]) -> str:
    for kind in ("status", "select"):
        for value in values.values():
            if value.get("type") == kind and value.get(kind):
                return tag_class(value[kind].get("color"))
    return ""
