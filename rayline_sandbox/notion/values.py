"""How stored values look in answers, and what filters, sorts and rollups see of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from rayline_sandbox.notion.call import with_archived
from rayline_sandbox.notion.media import show_file, shown_or_none
from rayline_sandbox.notion.properties import columns, empty_value
from rayline_sandbox.notion.richtext import page_url, plain
from rayline_sandbox.notion.rollups import rolled_up
from rayline_sandbox.notion.store import (
    DataSource,
    Page,
    Property,
    Store,
    author,
    minute,
    parent_object,
)
from rayline_sandbox.notion.users import user_value

REFERENCES_SHOWN = 25
ROLLUP_DEPTH = 3


@lru_cache(maxsize=4096)
def encoded(property_id: str) -> str:
    """Return a property id as responses carry it (docs/facts/notion-api.md 2.29)."""
    return quote(property_id, safe="!~*'()")


def stored(page: Page, prop: Property) -> Any:
    """Return the stored value of a cell, the type's empty value if untouched."""
    value = page.values.get(prop.id)
    return empty_value(prop.type) if value is None else value


def linked(store: Store, page: Page, prop: Property) -> list[str]:
    """Return the related rows that still live, in order."""
    home = prop.config["data_source_id"]
    return [
        one
        for one in stored(page, prop)
        if (other := store.pages.get(one)) is not None
        and not other.in_trash
        and other.parent.id == home
    ]


def option_object(prop: Property, option_id: str | None) -> dict[str, Any] | None:
    """Return an option as values show it, None when it is gone."""
    found = next(
        (one for one in prop.config.get("options", ()) if one["id"] == option_id), None
    )
    return found and {"id": found["id"], "name": found["name"], "color": found["color"]}


def status_id(page: Page, prop: Property) -> str | None:
    """Return a status cell's option id: an untouched one shows the first option of the first group."""
    if prop.id in page.values:
        found: str | None = page.values[prop.id]
        return found
    firsts = [
        group["option_ids"][0] for group in prop.config["groups"] if group["option_ids"]
    ]
    return firsts[0] if firsts else None


def _options(_: Store, page: Page, prop: Property) -> list[dict[str, Any]]:
    return [shown for one in stored(page, prop) if (shown := option_object(prop, one))]


# The one formula that is evaluated: whole days since or until a date of the same row.
DAYS_BETWEEN = re.compile(
    r"dateBetween\((?:now\(\), \{\{notion:block_property:(?P<since>[^:]+):[^}]*\}\}|"
    r"\{\{notion:block_property:(?P<until>[^:]+):[^}]*\}\}, now\(\)), \"days\"\)"
)


def _formula(store: Store, page: Page, prop: Property) -> dict[str, Any]:
    """Return a formula's value: the frozen one, the days since or until a date, else an empty text."""
    frozen = page.values.get(prop.id)
    if isinstance(frozen, dict):
        return frozen
    found = DAYS_BETWEEN.fullmatch(str(prop.config.get("expression", "")))
    if found is None:
        return {"type": "string", "string": None}
    named, sign = (found["since"], 1) if found["since"] else (found["until"], -1)
    date = page.values.get(unquote(named))
    if not isinstance(date, dict) or not date.get("start"):
        return {"type": "number", "number": None}
    day = datetime.fromisoformat(str(date["start"])).date()
    return {"type": "number", "number": sign * (store.now().date() - day).days}


def _unique_id(_: Store, page: Page, prop: Property) -> dict[str, Any]:
    return {"prefix": prop.config.get("prefix"), "number": page.values.get(prop.id)}


Shower = Callable[[Store, Page, Property], Any]
SHOWERS: Mapping[str, Shower] = {
    "multi_select": _options,
    "formula": _formula,
    "unique_id": _unique_id,
    "select": lambda _, page, prop: option_object(prop, page.values.get(prop.id)),
    "status": lambda _, page, prop: option_object(prop, status_id(page, prop)),
    "files": lambda store, page, prop: [
        show_file(store, one) for one in stored(page, prop)
    ],
    "people": lambda store, page, prop: [
        user_value(store, one) for one in stored(page, prop)
    ],
    "relation": lambda store, page, prop: [
        {"id": one} for one in linked(store, page, prop)
    ],
    "rollup": lambda store, page, prop: rollup_object(store, page, prop),
    "button": lambda _store, _page, _prop: {},
    "created_time": lambda _, page, _prop: minute(page.created),
    "last_edited_time": lambda _, page, _prop: minute(page.edited),
    "created_by": lambda store, page, _prop: user_value(store, page.created_by),
    "last_edited_by": lambda store, page, _prop: user_value(store, page.edited_by),
}


def show(store: Store, page: Page, prop: Property) -> Any:
    """Return a cell's value in full, as the property's own key carries it."""
    shower = SHOWERS.get(prop.type)
    if shower:
        return shower(store, page, prop)
    return stored(page, prop)


def property_object(store: Store, page: Page, prop: Property) -> dict[str, Any]:
    """Return a cell as page objects show it: cut at 25 references (docs/facts/notion-api.md 2.27)."""
    value = show(store, page, prop)
    cut = CUTS.get(prop.type)
    shown = {
        "id": encoded(prop.id),
        "type": prop.type,
        prop.type: cut(value) if cut else value,
    }
    if prop.type == "relation":
        shown["has_more"] = len(value) > REFERENCES_SHOWN
    return (
        shown | {prop.type: page.garbled[prop.id]} if prop.id in page.garbled else shown
    )


def _first_mentions(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    mentions = [index for index, item in enumerate(items) if item["type"] == "mention"]
    return (
        items
        if len(mentions) <= REFERENCES_SHOWN
        else items[: mentions[REFERENCES_SHOWN]]
    )


def _first_rows(rollup: dict[str, Any]) -> dict[str, Any]:
    return (
        rollup | {"array": rollup["array"][:REFERENCES_SHOWN]}
        if "array" in rollup
        else rollup
    )


CUTS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("people", "relation"), lambda value: value[:REFERENCES_SHOWN]),
    **dict.fromkeys(("title", "rich_text"), _first_mentions),
    "rollup": _first_rows,
}


def shown_columns(store: Store, source: DataSource | None) -> list[Property]:
    """Return the columns the connection sees: relations to unshared data sources are missing.

    Source: docs/facts/notion-api.md 3.8.
    """
    return [
        prop
        for prop in columns(source).values()
        if prop.type != "relation" or _target_seen(store, prop)
    ]


def _target_seen(store: Store, prop: Property) -> bool:
    target = store.data_sources.get(prop.config.get("data_source_id", ""))
    return target is not None and store.visible(target)


def source_of(store: Store, page: Page) -> DataSource | None:
    """Return the data source a row belongs to; None for a page outside any."""
    return store.data_sources.get(page.parent.id)


def page_parent(store: Store, page: Page) -> dict[str, Any]:
    """Return a page's parent object; rows also name the database."""
    shown = parent_object(page.parent)
    if source := source_of(store, page):
        shown["database_id"] = source.parent.id
    return shown


def page_object(
    store: Store, page: Page, version: str, props: Iterable[Property] | None = None
) -> dict[str, Any]:
    """Return the complete page object; `props` limits the columns shown (default: all that are visible)."""
    if props is None:
        props = shown_columns(store, source_of(store, page))
    title = plain(page.values.get("title", ()))
    return with_archived(
        version,
        {
            "object": "page",
            "id": page.id,
            "created_time": minute(page.created),
            "last_edited_time": minute(page.edited),
            "created_by": author(page.created_by),
            "last_edited_by": author(page.edited_by),
            "cover": shown_or_none(store, page.cover),
            "icon": shown_or_none(store, page.icon),
            "parent": page_parent(store, page),
            "in_trash": store.trashed(page),
            "is_archived": page.is_archived,
            "is_locked": page.is_locked,
            "properties": {
                prop.name: property_object(store, page, prop) for prop in props
            },
            "url": page_url(page.id, title, site=store.site),
            "public_url": None,
        },
    )


def raw(
    store: Store, page: Page, prop: Property, above: Sequence[Property] = ()
) -> Any:
    """Return what filters and rollups compare: text, number, id, list of ids, date dict; None when empty.

    `above` are the rollups this value is collected for, innermost last.
    """
    match prop.type:
        case "title" | "rich_text":
            return plain(stored(page, prop)) or None
        case "status":
            return status_id(page, prop)
        case "relation":
            return linked(store, page, prop)
        case "created_time":
            return {"start": minute(page.created), "end": None}
        case "last_edited_time":
            return {"start": minute(page.edited), "end": None}
        case "created_by":
            return [page.created_by]
        case "last_edited_by":
            return [page.edited_by]
        case "formula":
            frozen = _formula(store, page, prop)
            return frozen.get(frozen["type"])
        case "rollup":
            shown = rollup_object(store, page, prop, above)
            return shown.get(shown["type"])
        case _:
            return stored(page, prop)


def rollup_columns(
    store: Store, source: DataSource | None, prop: Property
) -> tuple[Property, Property] | None:
    """Return a rollup's relation and the column it rolls up; None when either is gone or the relation is none now."""
    relation = (
        source.properties.get(prop.config["relation_property_id"]) if source else None
    )
    if relation is None or relation.type != "relation":
        return None
    other = store.data_sources.get(relation.config["data_source_id"])
    target = other.properties.get(prop.config["rollup_property_id"]) if other else None
    return (relation, target) if target else None


def rolled_rows(
    store: Store, page: Page, prop: Property
) -> tuple[Property | None, list[Page]]:
    """Return the column a rollup rolls up and the related rows, in order; nothing when its columns are gone."""
    found = rollup_columns(store, source_of(store, page), prop)
    if found is None:
        return None, []
    relation, target = found
    return target, [store.pages[one] for one in linked(store, page, relation)]


def rollup_object(
    store: Store, page: Page, prop: Property, above: Sequence[Property] = ()
) -> dict[str, Any]:
    """Return a rollup's value in full; it is empty when its columns are gone, when it rolls up itself, or too deep."""
    function, (target, rows) = prop.config["function"], rolled_rows(store, page, prop)
    if (
        target is None
        or len(above) > ROLLUP_DEPTH
        or any(outer is prop for outer in above)
    ):
        return {"type": "array", "array": [], "function": function}
    line = (*above, prop)
    return rolled_up(
        function,
        [raw(store, row, target, line) for row in rows],
        lambda: [_rolled_item(store, row, target, line) for row in rows],
    )


def _rolled_item(
    store: Store, page: Page, target: Property, above: Sequence[Property]
) -> dict[str, Any]:
    nested = target.type == "rollup"
    return {
        "type": target.type,
        target.type: rollup_object(store, page, target, above)
        if nested
        else show(store, page, target),
    }


def rollup_values(store: Store, page: Page, prop: Property) -> list[Any]:
    """Return what filters compare of the related rows a rollup lists; a rollup that calculates lists none."""
    target, rows = rolled_rows(store, page, prop)
    if target is None or prop.config["function"] != "show_original":
        return []
    return [raw(store, one, target, (prop,)) for one in rows]
