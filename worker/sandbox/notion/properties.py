"""Property values: what a request may say, what is stored, and what an answer shows, as one table per property type.

Stored forms: texts are response rich text; select and status an option id; multi_select, people and relation lists
of ids; date a dict of three; the rest as given. Computed types store nothing (a frozen formula result apart).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from worker.sandbox.notion.errors import MISSING, invalid, should_be, too_long
from worker.sandbox.notion.media import parse_file
from worker.sandbox.notion.richtext import HUES, parse_rich_text
from worker.sandbox.notion.store import DataSource, Property, Store, plain_id

ARRAY_LIMIT = 100
TEXT_LIMITS = {"url": 2000, "email": 200, "phone_number": 200}
READ_ONLY = frozenset({"formula", "rollup", "unique_id", "button", "created_time", "created_by", "last_edited_time",
                       "last_edited_by"})
LISTS = frozenset({"title", "rich_text", "multi_select", "people", "relation", "files"})


@dataclass(frozen=True, slots=True)
class Cell:
    """The place a value is written to: its column, the body path for messages, and who writes."""

    store: Store
    prop: Property
    path: str
    human: bool = False

    def at(self, suffix: str) -> str:
        """Return the body path of a part of the value."""
        return f"{self.path}.{self.prop.type}{suffix}"


def parse_value(cell: Cell, given: Any) -> Any:
    """Return the stored form of a request's value, or raise the 400 Notion would answer."""
    kind = cell.prop.type
    if kind in READ_ONLY and not (cell.human and kind == "formula"):
        raise invalid(f"{cell.prop.name} is a {kind} property and cannot be updated through the API."
                      if kind != "formula" else f"Formula property {cell.prop.name} cannot be updated.")
    if isinstance(given, list) and kind in LISTS:
        return PARSERS[kind](cell, given)
    if not isinstance(given, dict):
        raise should_be(cell.path, "an object", given)
    if kind not in given:
        raise invalid(f"{cell.prop.name} is expected to be {kind}.")
    return PARSERS[kind](cell, given[kind])


def _rich_text(cell: Cell, value: Any) -> Any:
    return parse_rich_text(cell.store, value, cell.at(""))


def _number(cell: Cell, value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise should_be(cell.at(""), "a number", value)
    return value


def _checkbox(cell: Cell, value: Any) -> Any:
    if not isinstance(value, bool):
        raise should_be(cell.at(""), "a boolean", value)
    return value


def _text(cell: Cell, value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        raise should_be(cell.at(""), "a string", value)
    limit = TEXT_LIMITS[cell.prop.type]
    if len(value) > limit:
        raise too_long(cell.at(""), limit, len(value))
    return value or None


def _array(cell: Cell, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise should_be(cell.at(""), "an array", value)
    if len(value) > ARRAY_LIMIT:
        raise too_long(cell.at(""), ARRAY_LIMIT, len(value))
    return value


def find_option(prop: Property, given: Any) -> dict[str, Any] | None:
    """Return the option a request names by id or by name (case does not matter)."""
    options: list[dict[str, Any]] = prop.config.get("options", [])
    key, wanted = ("id", given.get("id")) if given.get("id") else ("name", given.get("name"))
    exact = next((option for option in options if option[key] == wanted), None)
    return exact or next((option for option in options if str(option[key]).lower() == str(wanted).lower()), None)


def _option(cell: Cell, given: Any, path: str) -> str:
    if not isinstance(given, dict) or not isinstance(given.get("name", given.get("id")), str):
        raise should_be(f"{path}.name", "a string", given.get("name", MISSING) if isinstance(given, dict) else given)
    if found := find_option(cell.prop, given):
        return str(found["id"])
    name = given.get("name")
    if cell.prop.type == "status":
        raise invalid(f'Invalid status option. Status option "{name or given.get("id")}" does not exist".')
    if not name:
        raise invalid(f'{cell.prop.name}: Option with id "{given.get("id")}" does not exist.')
    option = new_option(cell.store, {"name": name, "color": given.get("color")}, len(cell.prop.config["options"]))
    cell.prop.config["options"] = [*cell.prop.config["options"], option]
    return str(option["id"])


def new_option(store: Store, given: dict[str, Any], index: int = 0) -> dict[str, Any]:
    """Return a new select or status option; names may not hold commas (facts/notion-api.md 2.12)."""
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise should_be("body.properties.options.name", "a non-empty string", name)
    if "," in name:
        raise invalid(f"Invalid select option, commas not allowed: {name}")
    if len(name) > 100:
        raise too_long("body.properties.options.name", 100, len(name))
    color = given.get("color") or HUES[index % len(HUES)]
    if color not in HUES:
        raise should_be("body.properties.options.color", "one of " + ", ".join(f'`"{one}"`' for one in HUES), color)
    return {"id": store.ids.content(), "name": name, "color": color, "description": given.get("description")}


def _select(cell: Cell, value: Any) -> Any:
    return None if value is None else _option(cell, value, cell.at(""))


def _multi_select(cell: Cell, value: Any) -> Any:
    given = _array(cell, value)
    return list(dict.fromkeys(_option(cell, one, cell.at(f"[{i}]")) for i, one in enumerate(given)))


def _people(cell: Cell, value: Any) -> Any:
    ids = [_id_of(one, cell.at(f"[{i}]")) for i, one in enumerate(_array(cell, value))]
    unknown = next((one for one in ids if one not in cell.store.users and not cell.human), None)
    if unknown is not None:
        raise invalid(f"Could not find user with ID: {unknown}.")
    return list(dict.fromkeys(ids))


def _id_of(given: Any, path: str) -> str:
    if not isinstance(given, dict) or not isinstance(given.get("id"), str):
        raise should_be(f"{path}.id", "defined", MISSING)
    return plain_id(given["id"])


def _relation(cell: Cell, value: Any) -> Any:
    ids = [_id_of(one, cell.at(f"[{i}]")) for i, one in enumerate(_array(cell, value))]
    target = cell.prop.config["data_source_id"]
    for one in ids:
        page = cell.store.pages.get(one)
        if page is None or not (cell.human or cell.store.visible(page)):
            raise cell.store.missing("page", one)
        if page.parent.id != target:
            raise invalid(f"{cell.prop.name}: page {one} is not in the related data source {target}.")
    return list(dict.fromkeys(ids))


def _date(cell: Cell, value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise should_be(cell.at(""), "an object or `null`", value)
    zone = value.get("time_zone")
    start = _moment(value.get("start", MISSING), zone, cell.at(".start"))
    end = _moment(value["end"], zone, cell.at(".end")) if value.get("end") is not None else None
    if end is not None and instant(end) < instant(start):
        raise invalid(f"{cell.prop.name}: the end of a date range may not lie before its start.")
    return {"start": start, "end": end, "time_zone": zone}


DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def _moment(text: Any, zone: Any, path: str) -> str:
    if not isinstance(text, str) or not isinstance(zone, str | None):
        raise should_be(path, "a string", text)
    try:
        parsed = datetime.fromisoformat(text)
        if DAY.match(text):
            return text
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
        return parsed.isoformat(timespec="milliseconds")
    except (ValueError, ZoneInfoNotFoundError):
        raise should_be(path, "a valid ISO 8601 date string", text) from None


def instant(text: str) -> datetime:
    """Return a stored date or date-time as an instant (a bare day is its midnight in UTC)."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _files(cell: Cell, value: Any) -> Any:
    return [parse_file(cell.store, one, cell.at(f"[{i}]")) for i, one in enumerate(_array(cell, value))]


def _as_given(_: Cell, value: Any) -> Any:
    return value


PARSERS: dict[str, Callable[[Cell, Any], Any]] = {
    "title": _rich_text, "rich_text": _rich_text, "number": _number, "checkbox": _checkbox, "url": _text,
    "email": _text, "phone_number": _text, "select": _select, "status": _select, "multi_select": _multi_select,
    "people": _people, "relation": _relation, "date": _date, "files": _files, "place": _as_given,
    "verification": _as_given, "formula": _as_given,
}
TITLE = Property("title", "title", "title")


def columns(source: DataSource | None) -> dict[str, Property]:
    """Return the columns of a row's data source; a page outside any has only its title."""
    return source.properties if source else {"title": TITLE}


def empty_value(kind: str) -> Any:
    """Return the stored form of an untouched cell."""
    if kind in LISTS:
        return []
    return False if kind == "checkbox" else None
