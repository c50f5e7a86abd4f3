"""Property values: what a request may say, what is stored, and what an answer shows, as one table per property type.

Stored forms: texts are response rich text; select and status an option id; multi_select, people and relation lists
of ids; date, place and verification a dict with all of its keys; the rest as given. Computed types store nothing (a
frozen formula result apart).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rayline_sandbox.notion.dates import read_date
from rayline_sandbox.notion.errors import MISSING, invalid, should_be, too_long
from rayline_sandbox.notion.media import parse_file
from rayline_sandbox.notion.richtext import HUES, parse_rich_text
from rayline_sandbox.notion.store import DataSource, Property, Store, author, plain_id

ARRAY_LIMIT = 100
TEXT_LIMITS = {"url": 2000, "email": 200, "phone_number": 200}
READ_ONLY = frozenset(
    {
        "formula",
        "rollup",
        "unique_id",
        "button",
        "created_time",
        "created_by",
        "last_edited_time",
        "last_edited_by",
    }
)
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
        raise invalid(
            f"{cell.prop.name} is a {kind} property and cannot be updated through the API."
            if kind != "formula"
            else f"Formula property {cell.prop.name} cannot be updated."
        )
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
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | float)
    ):
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
    key = "id" if given.get("id") else "name"
    wanted = given.get(key)
    for option in options:
        if option[key] == wanted:
            return option
    for option in options:
        if str(option[key]).lower() == str(wanted).lower():
            return option
    return None


def _option(cell: Cell, given: Any, path: str) -> str:
    if not isinstance(given, dict) or not isinstance(
        given.get("name", given.get("id")), str
    ):
        raise should_be(
            f"{path}.name",
            "a string",
            given.get("name", MISSING) if isinstance(given, dict) else given,
        )
    if found := find_option(cell.prop, given):
        return str(found["id"])
    name = given.get("name")
    if cell.prop.type == "status":
        raise invalid(
            f'Invalid status option. Status option "{name or given.get("id")}" does not exist".'
        )
    if not name:
        raise invalid(
            f'{cell.prop.name}: Option with id "{given.get("id")}" does not exist.'
        )
    option = new_option(
        cell.store,
        {"name": name, "color": given.get("color")},
        len(cell.prop.config["options"]),
    )
    cell.prop.config["options"] = [*cell.prop.config["options"], option]
    return str(option["id"])


def new_option(store: Store, given: dict[str, Any], index: int = 0) -> dict[str, Any]:
    """Return a new select or status option; names may not hold commas (docs/facts/notion-api.md 2.12)."""
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise should_be("body.properties.options.name", "a non-empty string", name)
    if "," in name:
        raise invalid(f"Invalid select option, commas not allowed: {name}")
    if len(name) > 100:
        raise too_long("body.properties.options.name", 100, len(name))
    color = given.get("color") or HUES[index % len(HUES)]
    if color not in HUES:
        raise should_be(
            "body.properties.options.color",
            "one of " + ", ".join(f'`"{one}"`' for one in HUES),
            color,
        )
    return {
        "id": store.ids.content(),
        "name": name,
        "color": color,
        "description": given.get("description"),
    }


def _select(cell: Cell, value: Any) -> Any:
    if value is None:
        return None
    return _option(cell, value, cell.at(""))


def _multi_select(cell: Cell, value: Any) -> Any:
    options: dict[str, None] = {}
    for index, one in enumerate(_array(cell, value)):
        option = _option(cell, one, cell.at(f"[{index}]"))
        options[option] = None
    return list(options)


def _people(cell: Cell, value: Any) -> Any:
    ids = _ids(cell, value)
    for one in ids:
        if one not in cell.store.users and not cell.human:
            raise invalid(f"Could not find user with ID: {one}.")
    return ids


def _ids(cell: Cell, value: Any) -> list[str]:
    """Return the ids a list of references names, each once."""
    ids: dict[str, None] = {}
    for index, one in enumerate(_array(cell, value)):
        identity = _id_of(one, cell.at(f"[{index}]"))
        ids[identity] = None
    return list(ids)


def _id_of(given: Any, path: str) -> str:
    if not isinstance(given, dict) or not isinstance(given.get("id"), str):
        raise should_be(f"{path}.id", "defined", MISSING)
    return plain_id(given["id"])


def _relation(cell: Cell, value: Any) -> Any:
    ids = _ids(cell, value)
    target = cell.prop.config["data_source_id"]
    for page_id in ids:
        page = cell.store.pages.get(page_id)
        if page is None or not (cell.human or cell.store.visible(page)):
            raise cell.store.missing("page", page_id)
        if page.parent.id != target:
            raise invalid(
                f"{cell.prop.name}: page {page_id} is not in the related data source {target}."
            )
    return ids


def _date(cell: Cell, value: Any) -> Any:
    return read_date(value, cell.at(""))


def _files(cell: Cell, value: Any) -> Any:
    return [
        parse_file(cell.store, one, cell.at(f"[{i}]"))
        for i, one in enumerate(_array(cell, value))
    ]


PLACE_TEXTS = ("name", "address", "aws_place_id", "google_place_id")


def _place(cell: Cell, value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise should_be(cell.at(""), "an object or `null`", value)
    for key in ("lat", "lon"):
        found = value.get(key, MISSING)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise should_be(cell.at(f".{key}"), "a number", found)
    for key in PLACE_TEXTS:
        if not isinstance(value.get(key), str | None):
            raise should_be(cell.at(f".{key}"), "a string or `null`", value[key])
    return {
        "lat": value["lat"],
        "lon": value["lon"],
        **{key: value.get(key) for key in PLACE_TEXTS},
    }


def _verification(cell: Cell, value: Any) -> Any:
    if not isinstance(value, dict):
        raise should_be(cell.at(""), "an object", value)
    state = value.get("state", MISSING)
    if state == "unverified":
        return {"state": state, "verified_by": None, "date": None}
    if state != "verified":
        raise should_be(cell.at(".state"), '`"verified"` or `"unverified"`', state)
    return {
        "state": state,
        "verified_by": None if cell.human else author(cell.store.bot_id),
        "date": read_date(value.get("date"), cell.at(".date")),
    }


def _as_given(_: Cell, value: Any) -> Any:
    return value


PARSERS: dict[str, Callable[[Cell, Any], Any]] = {
    "title": _rich_text,
    "rich_text": _rich_text,
    "number": _number,
    "checkbox": _checkbox,
    "url": _text,
    "email": _text,
    "phone_number": _text,
    "select": _select,
    "status": _select,
    "multi_select": _multi_select,
    "people": _people,
    "relation": _relation,
    "date": _date,
    "files": _files,
    "place": _place,
    "verification": _verification,
    "formula": _as_given,
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
