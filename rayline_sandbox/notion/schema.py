"""Columns: what a schema request may say, what is kept, what an answer shows, and what a change does to the rows."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from rayline_sandbox.notion.errors import (
    MISSING,
    an_object,
    invalid,
    should_be,
    too_long,
)
from rayline_sandbox.notion.properties import new_option
from rayline_sandbox.notion.retyping import retype
from rayline_sandbox.notion.richtext import plain
from rayline_sandbox.notion.rollups import FUNCTIONS
from rayline_sandbox.notion.store import DataSource, Property, Store, plain_id
from rayline_sandbox.notion.values import encoded

STATUS_GROUPS = (("To-do", "gray"), ("In progress", "blue"), ("Complete", "green"))
STATUS_DEFAULTS = (
    ("Not started", "default", "To-do"),
    ("In progress", "blue", "In progress"),
    ("Done", "green", "Complete"),
)
CREATABLE = (
    "title",
    "rich_text",
    "number",
    "select",
    "multi_select",
    "status",
    "date",
    "people",
    "files",
    "checkbox",
    "url",
    "email",
    "phone_number",
    "formula",
    "relation",
    "rollup",
    "unique_id",
    "created_time",
    "created_by",
    "last_edited_time",
    "last_edited_by",
    "place",
    "button",
    "verification",
)
OPTION_TYPES = frozenset({"select", "multi_select", "status"})
OPTION_LIMIT = 100
LONGEST_DESCRIPTION = 280
NAMED = re.compile(r'prop\("(?P<name>(?:[^"\\]|\\.)*)"\)')
"""A column in a formula as people write it."""


def find_property(source: DataSource, key: str) -> Property | None:
    """Return the column a request names by id (encoded or not) or by name."""
    found = source.properties.get(key) or source.properties.get(unquote(key))
    return found or next(
        (prop for prop in source.properties.values() if prop.name == key), None
    )


@contextmanager
def all_or_nothing(store: Store, source: DataSource) -> Iterator[None]:
    """Undo every column and value touched inside the block when a part of the change is refused."""
    columns = {
        one.id: copy.deepcopy(one.properties) for one in store.data_sources.values()
    }
    values = {page.id: dict(page.values) for page in store.pages.values()}
    counter = source.counter
    try:
        yield
    except Exception:
        for key, before in columns.items():
            store.data_sources[key].properties = before
        for key, old in values.items():
            store.pages[key].values = old
        source.counter = counter
        raise


def add_columns(store: Store, source: DataSource, given: Any) -> None:
    """Add the columns of a create request: exactly one title, rollups last since they name other columns."""
    if not isinstance(given, dict):
        raise should_be("body.properties", "an object", given)
    kinds = [column_type(name, config) for name, config in given.items()]
    if kinds.count("title") > 1:
        raise invalid("Only one title property may be provided.")
    if "title" not in kinds:
        source.properties["title"] = Property("title", "Name", "title")
    for name in sorted(given, key=lambda one: column_type(one, given[one]) == "rollup"):
        add_column(store, source, name, given[name])
    name_by_id(store, source)


def column_type(name: str, config: Any) -> str:
    """Return the type a column configuration asks for: its `type`, else the one type key it has."""
    if not isinstance(config, dict):
        raise should_be(f"body.properties.{name}", "an object", config)
    kind = config.get("type") or next((key for key in config if key in CREATABLE), None)
    if kind not in CREATABLE:
        raise should_be(f"body.properties.{name}.title", "defined", MISSING)
    return str(kind)


def add_column(
    store: Store, source: DataSource, name: str, config: dict[str, Any]
) -> Property:
    """Add one column and return it; a dual relation also adds its mirror on the other side."""
    kind = column_type(name, config)
    if kind == "title" and "title" in source.properties:
        raise invalid("Cannot create a second title property.")
    if find_by_name(source, name):
        raise invalid(f"Property with name {name} already exists.")
    prop = Property(
        "title" if kind == "title" else fresh_id(store, source),
        name,
        kind,
        description=_description(config, name),
    )
    prop.config = CONFIGS.get(kind, _plain)(
        store, source, prop, _part(name, kind, config)
    )
    source.properties[prop.id] = prop
    if kind == "relation":
        _mirror(store, source, prop, config["relation"])
    if kind == "unique_id":
        number_rows(store, source, prop)
    return prop


def _part(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return an_object(config.get(kind), f"body.properties.{name}.{kind}")


def number_rows(store: Store, source: DataSource, prop: Property) -> None:
    """Give every row without a number the next one."""
    for one in source.rows:
        if (page := store.pages[one]).values.get(prop.id) is None:
            source.counter += 1
            page.values[prop.id] = source.counter


def find_by_name(source: DataSource, name: str) -> Property | None:
    """Return the column of exactly that name."""
    return next(
        (prop for prop in source.properties.values() if prop.name == name), None
    )


def fresh_id(store: Store, source: DataSource) -> str:
    """Return a property id not in use in the data source."""
    while (new := store.ids.short()) in source.properties:
        pass
    return new


# -- the types' own parts ------------------------------------------------------------------------------------------


def _plain(
    _store: Store, _source: DataSource, _prop: Property, _given: dict[str, Any]
) -> dict[str, Any]:
    return {}


def _number(
    _store: Store, _source: DataSource, prop: Property, given: dict[str, Any]
) -> dict[str, Any]:
    return {
        "format": _text_or_none(
            given.get("format"), f"body.properties.{prop.name}.number.format"
        )
        or "number"
    }


def _text_or_none(value: Any, path: str) -> str | None:
    if not isinstance(value, str | None):
        raise should_be(path, "a string", value)
    return value


def _description(config: dict[str, Any], name: str) -> str | None:
    """Return a column's description: null, or 1 to 280 characters, as the published API says."""
    path = f"body.properties.{name}.description"
    text = _text_or_none(config.get("description"), path)
    if text == "":
        raise invalid(
            f"body failed validation: {path}.length should be ≥ `1`, instead was `0`."
        )
    if text and len(text) > LONGEST_DESCRIPTION:
        raise too_long(path, LONGEST_DESCRIPTION, len(text))
    return text


def _options(
    store: Store, _: DataSource, prop: Property, given: dict[str, Any]
) -> dict[str, Any]:
    return {"options": replaced_options(store, prop, given.get("options") or [])}


def _status(
    store: Store, _: DataSource, prop: Property, given: dict[str, Any]
) -> dict[str, Any]:
    asked = given.get("options") or [
        {"name": name, "color": color, "group": group}
        for name, color, group in STATUS_DEFAULTS
    ]
    options = replaced_options(store, prop, asked)
    groups = prop.config.get("groups") or [
        {"id": store.ids.content(), "name": name, "color": color, "option_ids": []}
        for name, color in STATUS_GROUPS
    ]
    return {"options": options, "groups": regrouped(groups, options, asked)}


def regrouped(
    groups: list[dict[str, Any]], options: list[dict[str, Any]], asked: list[Any]
) -> list[dict[str, Any]]:
    """Return the status groups with every option in one: the one asked for, the one it was in, else the first."""
    names = {group["name"] for group in groups}
    wanted = {
        option["id"]: given.get("group")
        for option, given in zip(options, asked, strict=True)
    }
    unknown = next(
        (
            name
            for name in wanted.values()
            if name is not None and str(name) not in names
        ),
        None,
    )
    if unknown is not None:
        raise invalid(f'Status group "{unknown}" does not exist.')
    before = {
        option_id: group["name"]
        for group in groups
        for option_id in group["option_ids"]
    }
    home = {
        option_id: name or before.get(option_id) or groups[0]["name"]
        for option_id, name in wanted.items()
    }
    return [
        group
        | {
            "option_ids": [
                option_id for option_id, name in home.items() if name == group["name"]
            ]
        }
        for group in groups
    ]


def replaced_options(store: Store, prop: Property, given: Any) -> list[dict[str, Any]]:
    """Return the option list that replaces the old one: known ones keep id, name and colour.

    Source: docs/facts/notion-api.md 3.3.
    """
    if not isinstance(given, list):
        raise should_be(
            f"body.properties.{prop.name}.{prop.type}.options", "an array", given
        )
    if len(given) > OPTION_LIMIT:
        raise too_long(
            f"body.properties.{prop.name}.{prop.type}.options", OPTION_LIMIT, len(given)
        )
    options = [_kept_or_new(store, prop, one, index) for index, one in enumerate(given)]
    names = [option["name"].lower() for option in options]
    if len(set(names)) < len(names):
        raise invalid(
            f"Duplicate option names in {prop.name}: option names must be unique, whatever their case."
        )
    return options


def _kept_or_new(
    store: Store, prop: Property, given: Any, index: int
) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise should_be(
            f"body.properties.{prop.name}.{prop.type}.options[{index}]",
            "an object",
            given,
        )
    known: list[dict[str, Any]] = prop.config.get("options", [])
    kept = next(
        (option for option in known if option["id"] == given.get("id")), None
    ) or next(
        (
            option
            for option in known
            if option["name"].lower() == str(given.get("name", "")).lower()
        ),
        None,
    )
    if kept is None:
        return new_option(store, given, index)
    if given.get("color") not in (None, kept["color"]):
        raise invalid(f"Cannot update color of select with name: {kept['name']}.")
    if given.get("name") not in (None, kept["name"]):
        raise invalid(f"Cannot update name of select with name: {kept['name']}.")
    return kept


def _formula(
    _store: Store, _source: DataSource, prop: Property, given: dict[str, Any]
) -> dict[str, Any]:
    expression = given.get("expression", MISSING)
    if not isinstance(expression, str):
        raise should_be(
            f"body.properties.{prop.name}.formula.expression", "a string", expression
        )
    return {"expression": expression}


def _unique_id(
    store: Store, source: DataSource, prop: Property, given: dict[str, Any]
) -> dict[str, Any]:
    if any(
        one.type == "unique_id" and one.id != prop.id
        for one in source.properties.values()
    ):
        raise invalid("A data source may have only one unique_id property.")
    return {
        "prefix": _text_or_none(
            given.get("prefix"), f"body.properties.{prop.name}.unique_id.prefix"
        )
    }


def _relation(
    store: Store, _: DataSource, prop: Property, given: dict[str, Any]
) -> dict[str, Any]:
    target = store.data_sources.get(plain_id(str(given.get("data_source_id", ""))))
    if "data_source_id" not in given:
        database = store.databases.get(plain_id(str(given.get("database_id", ""))))
        target = (
            store.data_sources.get(database.data_sources[0])
            if database and database.data_sources
            else None
        )
        if target is None:
            raise should_be(
                f"body.properties.{prop.name}.relation.data_source_id",
                "defined",
                MISSING,
            )
    if target is None or not store.visible(target):
        raise store.missing(
            "data source", str(given.get("data_source_id") or given.get("database_id"))
        )
    kind = given.get("type") or (
        "dual_property" if "dual_property" in given else "single_property"
    )
    if kind not in ("single_property", "dual_property"):
        raise should_be(
            f"body.properties.{prop.name}.relation.type",
            '`"single_property"` or `"dual_property"`',
            kind,
        )
    return {"data_source_id": target.id, "type": kind, "synced": None}


def _mirror(
    store: Store, source: DataSource, prop: Property, given: dict[str, Any]
) -> None:
    if prop.config["type"] != "dual_property":
        return
    target = store.data_sources[prop.config["data_source_id"]]
    dual = an_object(
        given.get("dual_property"),
        f"body.properties.{prop.name}.relation.dual_property",
    )
    name = str(
        dual.get("synced_property_name")
        or f"Related to {plain(source.title) or 'Untitled'} ({prop.name})"
    )
    mirror = Property(
        fresh_id(store, target),
        _unused_name(target, name),
        "relation",
        {"data_source_id": source.id, "type": "dual_property", "synced": prop.id},
    )
    target.properties[mirror.id] = mirror
    prop.config["synced"] = mirror.id


def _fill_mirror(store: Store, source: DataSource, prop: Property) -> None:
    """Write into the mirror of a column that has just become dual the links its rows hold already."""
    mirror = prop.config["synced"]
    target = prop.config["data_source_id"]
    links = (
        [
            (row, linked_id)
            for row in source.rows
            for linked_id in store.pages[row].values.get(prop.id) or ()
        ]
        if mirror
        else []
    )
    for row, linked_id in links:
        other = store.pages.get(linked_id)
        if other is not None and other.parent.id == target:
            other.values[mirror] = [*(other.values.get(mirror) or ()), row]


def _unused_name(source: DataSource, name: str) -> str:
    tries = (name, *(f"{name} {number}" for number in range(1, 1000)))
    return next(one for one in tries if find_by_name(source, one) is None)


def _rollup(
    store: Store, source: DataSource, prop: Property, given: dict[str, Any]
) -> dict[str, Any]:
    relation = _named(source, given, "relation_property")
    if relation is None or relation.type != "relation":
        raise invalid(f"{prop.name}: rollup relation property does not exist.")
    related = store.data_sources.get(relation.config["data_source_id"])
    target = _named(related, given, "rollup_property") if related else None
    if target is None:
        raise invalid(
            f"{prop.name}: rollup property does not exist in the related data source."
        )
    function = given.get("function", MISSING)
    if not isinstance(function, str) or function not in FUNCTIONS:
        raise should_be(
            f"body.properties.{prop.name}.rollup.function", "a known function", function
        )
    return {
        "relation_property_id": relation.id,
        "rollup_property_id": target.id,
        "function": function,
    }


def _named(source: DataSource, given: dict[str, Any], key: str) -> Property | None:
    wanted = given.get(f"{key}_id") or given.get(f"{key}_name")
    if isinstance(wanted, str):
        return find_property(source, wanted)
    return None


CONFIGS: dict[
    str, Callable[[Store, DataSource, Property, dict[str, Any]], dict[str, Any]]
] = {
    "number": _number,
    "select": _options,
    "multi_select": _options,
    "status": _status,
    "formula": _formula,
    "relation": _relation,
    "rollup": _rollup,
    "unique_id": _unique_id,
}


# -- changing ------------------------------------------------------------------------------------------------------


def update_columns(store: Store, source: DataSource, given: Any) -> None:
    """Apply the `properties` of a schema PATCH: null removes, `name` renames, a type changes or adds.

    Source: docs/facts/notion-api.md 3.2.
    """
    if not isinstance(given, dict):
        raise should_be("body.properties", "an object", given)
    for key, config in given.items():
        prop = find_property(source, key)
        if config is None:
            if prop is None:
                raise invalid(f"{key} is not a property that exists.")
            remove_column(store, source, prop)
        elif prop is None:
            checked = an_object(config, f"body.properties.{key}")
            add_column(store, source, str(checked.get("name") or key), checked)
        else:
            change_column(store, source, prop, config)
    name_by_id(store, source)


def name_by_id(store: Store, source: DataSource) -> None:
    """Have the formulas of a data source name its columns by their ids, as answers show them (recorded)."""

    def spelt(found: re.Match[str]) -> str:
        column = find_by_name(source, found["name"].replace('\\"', '"'))
        if column is None:
            return found[0]
        place = f"{encoded(column.id)}:{source.id}:{store.workspace_id}"
        return "{{notion:block_property:" + place + "}}"

    for prop in source.properties.values():
        if prop.type == "formula":
            prop.config["expression"] = NAMED.sub(spelt, prop.config["expression"])


def change_column(
    store: Store, source: DataSource, prop: Property, config: Any
) -> None:
    """Rename, reconfigure or retype one column."""
    if not isinstance(config, dict):
        raise should_be(f"body.properties.{prop.name}", "an object or `null`", config)
    if (name := config.get("name")) is not None and name != prop.name:
        rename_column(source, prop, name)
    if "description" in config:
        prop.description = _description(config, prop.name)
    if not config.get("type") and not any(key in CREATABLE for key in config):
        return
    kind = column_type(prop.name, config)
    if kind != prop.type:
        retype_column(store, source, prop, config)
    elif kind in CONFIGS and config.get(kind):
        _reconfigure(store, source, prop, _part(prop.name, kind, config))


def _reconfigure(
    store: Store, source: DataSource, prop: Property, given: dict[str, Any]
) -> None:
    if prop.type in OPTION_TYPES and "options" not in given:
        return
    if prop.type != "relation":
        prop.config = CONFIGS[prop.type](
            store, source, prop, _without_renamed(prop.config, given) | given
        )
        clear_lost_options(store, source, prop)
        return
    fresh = _relation(
        store, source, prop, {"data_source_id": prop.config["data_source_id"]} | given
    )
    if (fresh["data_source_id"], fresh["type"]) != (
        prop.config["data_source_id"],
        prop.config["type"],
    ):
        if fresh["data_source_id"] == prop.config["data_source_id"]:
            _free_mirror(store, prop)
        else:
            _drop_mirror(store, prop)
        prop.config = fresh
        _mirror(store, source, prop, given)
        _fill_mirror(store, source, prop)


def _without_renamed(config: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return a rollup's old settings without the ids that the request replaces by name."""
    return {
        key: value
        for key, value in config.items()
        if f"{key.removesuffix('_id')}_name" not in given
    }


def rename_column(source: DataSource, prop: Property, name: Any) -> None:
    """Give a column another name; its id stays."""
    if not isinstance(name, str) or not name:
        raise should_be(f"body.properties.{prop.name}.name", "a non-empty string", name)
    if find_by_name(source, name) is not None:
        raise invalid(f"Property with name {name} already exists.")
    prop.name = name


def remove_column(store: Store, source: DataSource, prop: Property) -> None:
    """Remove a column with its values; a dual relation takes its mirror along."""
    if prop.type == "title":
        raise invalid("Cannot delete title property.")
    _drop_mirror(store, prop)
    _drop(store, source, prop.id)


def _drop(store: Store, source: DataSource, property_id: str) -> None:
    source.properties.pop(property_id, None)
    for one in source.rows:
        store.pages[one].values.pop(property_id, None)


def _drop_mirror(store: Store, prop: Property) -> None:
    if prop.type == "relation" and prop.config.get("synced"):
        target = store.data_sources.get(prop.config["data_source_id"])
        if target is not None:
            _drop(store, target, prop.config["synced"])


def _free_mirror(store: Store, prop: Property) -> None:
    """Leave the mirror of a column that is dual no more as a relation of its own, with its links (recorded)."""
    target = store.data_sources[prop.config["data_source_id"]]
    mirror = target.properties.get(prop.config["synced"] or "")
    if mirror is not None:
        mirror.config |= {"type": "single_property", "synced": None}


def retype_column(
    store: Store, source: DataSource, prop: Property, config: dict[str, Any]
) -> None:
    """Change a column's type; values survive as text where they can (docs/facts/notion-api.md 3.7)."""
    kind = column_type(prop.name, config)
    if "title" in (prop.type, kind):
        raise invalid("Cannot change the type of, or into, the title property.")
    _drop_mirror(store, prop)
    old = Property(prop.id, prop.name, prop.type, prop.config)
    fresh = Property(prop.id, prop.name, kind)
    prop.config = CONFIGS.get(kind, _plain)(
        store, source, fresh, _part(prop.name, kind, config)
    )
    prop.type = kind
    retype(store, source, old, prop)
    if kind == "relation":
        _mirror(store, source, prop, config["relation"])
    if kind == "unique_id":
        number_rows(store, source, prop)


def clear_lost_options(store: Store, source: DataSource, prop: Property) -> None:
    """Take options that are gone out of the rows; a status falls back to the first option."""
    if prop.type not in OPTION_TYPES:
        return
    alive = {option["id"] for option in prop.config["options"]}
    fallback = (
        prop.config["options"][0]["id"]
        if prop.type == "status" and prop.config["options"]
        else None
    )
    for one in source.rows:
        values = store.pages[one].values
        if prop.type == "multi_select":
            values[prop.id] = [
                option for option in values.get(prop.id) or () if option in alive
            ]
        elif values.get(prop.id) not in alive:
            values[prop.id] = fallback
