"""The request bodies that make a workspace: schemas and views, from the schema's values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import msgspec

from worker.codecs.records import Choice, Column, Target
from worker.mapping.schema import Binding, Condition, Option, Property, Source, View

Json = dict[str, Any]
WIDTH = 120
WIDTHS = {
    "title": 260,
    "rich_text": 280,
    "relation": 180,
    "multi_select": 180,
    "number": 110,
    "checkbox": 90,
}
"""How wide the columns of a table are, by type, in pixels: what is read has room, figures stand close."""
GROUPS = {"to_do": "To-do", "in_progress": "In progress", "complete": "Complete"}


def text(content: str) -> list[Json]:
    """Return a rich text array of plain text."""
    return [{"type": "text", "text": {"content": content}}]


def database_body(source: Source, *, parent_page_id: str, locale: str) -> Json:
    """Return the body that creates a source's database with all but its relations and technical columns (docs/facts/notion-api.md 3.1)."""
    properties = {
        prop.label[locale]: property_config(prop, locale)
        for prop in source.properties.values()
        if prop.type != "relation" and not prop.technical
    }
    return {
        "parent": {"type": "page_id", "page_id": parent_page_id},
        "title": text(source.title[locale]),
        "icon": {"type": "emoji", "emoji": source.icon},
        "is_inline": False,
        "initial_data_source": {"properties": properties},
    }


def property_config(prop: Property, locale: str) -> Json:
    """Return the schema of one property that is no relation."""
    told = prop.told(locale)
    description = {"description": told} if told else {}
    return {"type": prop.type, prop.type: _detail(prop, locale), **description}


def _detail(prop: Property, locale: str) -> Json:
    if prop.options:
        return {"options": [option_config(option, locale) for option in prop.options]}
    if prop.type == "formula":
        return {"expression": prop.expression[locale]}
    return {"format": prop.format or "number"} if prop.type == "number" else {}


def option_config(option: Option, locale: str) -> Json:
    """Return the schema of one option; a status option names its group (docs/facts/notion-api.md 3.4)."""
    group = {"group": GROUPS[option.group]} if option.group else {}
    return {"name": option.label[locale], "color": option.color, **group}


def added_options(
    prop: Property, column: Column, missing: Iterable[Option], locale: str
) -> Json:
    """Return the schema change that adds options: the whole list, as it replaces the old one.

    Source: docs/facts/notion-api.md 3.3.
    """
    present = [_kept_option(option) for option in column.options]
    return {
        "type": prop.type,
        prop.type: {
            "options": [
                *present,
                *(option_config(option, locale) for option in missing),
            ]
        },
    }


def _kept_option(option: Choice) -> Json:
    told = {"description": option.description} if option.description else {}
    return {"id": option.id, "name": option.name, "color": option.color, **told}


def added_description(prop: Property, column: Column, locale: str) -> Json:
    """Return the schema change that describes a column and leaves the rest of it as it is.

    The type with what it holds goes along, as every change of a column but its name asks for (docs/facts/notion-api.md 3.2).
    """
    kept: Json = {}
    if column.options:
        kept = added_options(prop, column, (), locale)[column.type]
    elif column.relation is not None:
        kept = _kept_relation(column.relation)
    elif column.number is not None:
        kept = {"format": column.number.format}
    return {"type": column.type, column.type: kept, "description": prop.told(locale)}


def _kept_relation(target: Target) -> Json:
    kind = target.type or "single_property"
    mirror = target.dual_property
    synced = msgspec.to_builtins(mirror) if mirror else {}
    return {"data_source_id": target.data_source_id, "type": kind, kind: synced}


def relation_config(prop: Property, target_id: str) -> Json:
    """Return the schema of a relation, both ways when it has a mirror."""
    kind = "dual_property" if prop.mirror else "single_property"
    return {
        "type": "relation",
        "relation": {"data_source_id": target_id, "type": kind, kind: {}},
    }


def view_body(
    view: View, source: Source, binding: Binding, *, locale: str
) -> Json | None:
    """Return name, type, configuration, filter and sorts of a view; None when what it stands on is not bound."""
    if not _is_bound(view, binding):
        return None
    sorts = [
        {
            "property": binding.properties[name.removeprefix("-")],
            "direction": "descending" if name.startswith("-") else "ascending",
        }
        for name in view.sort
        if name.removeprefix("-") in binding.properties
    ]
    return {
        "name": view.label[locale],
        "type": view.type,
        "configuration": configuration(view, source, binding),
        **({"filter": view_filter(view, source, binding)} if view.only else {}),
        **({"sorts": sorts} if sorts else {}),
    }


def _is_bound(view: View, binding: Binding) -> bool:
    """Tell whether the properties and options are there without which a view would show something else."""
    needed = {view.group_by, view.date} - {""}
    for condition in chain.from_iterable(view.only):
        needed.add(condition.property)
        options = binding.options.get(condition.property, {})
        if not set(condition.one_of) <= options.keys():
            return False
    return needed <= binding.properties.keys()


def view_filter(view: View, source: Source, binding: Binding) -> Json:
    """Return a view's filter: of each clause one condition holds. Several options are one test (docs/facts/notion-api.md 2.19)."""
    clauses = [
        _joined("or", [_test(one, source, binding) for one in clause])
        for clause in view.only
    ]
    return _joined("and", clauses)


def _joined(word: str, parts: list[Json]) -> Json:
    return parts[0] if len(parts) == 1 else {word: parts}


def _test(condition: Condition, source: Source, binding: Binding) -> Json:
    kind = source.properties[condition.property].type
    property_id = binding.properties[condition.property]
    return {"property": property_id, kind: _asked(condition, kind, binding)}


def _asked(condition: Condition, kind: str, binding: Binding) -> Json:
    if condition.one_of:
        options = binding.options[condition.property]
        word = "contains" if kind == "multi_select" else "equals"
        return {word: [options[key][1] for key in condition.one_of]}
    if condition.within:
        return {condition.within: {}}
    if condition.at_most is None:
        return {"is_empty" if condition.is_empty else "is_not_empty": True}
    counted = {"less_than_or_equal_to": condition.at_most}
    return {"number": counted} if kind == "formula" else counted


def configuration(view: View, source: Source, binding: Binding) -> Json:
    """Return a view's configuration (docs/facts/notion-api.md 3.17)."""
    made: Json = {"type": view.type}
    if view.group_by:
        made["group_by"] = _group_by(view, source, binding)
    if view.show:
        made["properties"] = _shown(view, source, binding.properties)
    if view.date:
        made["date_property_id"] = binding.properties[view.date]
    if view.until in binding.properties:
        made["end_date_property_id"] = binding.properties[view.until]
    if view.type == "timeline":
        made |= {"preference": {"zoom_level": "month"}, "show_table": True}
    return made


def _group_by(view: View, source: Source, binding: Binding) -> Json:
    prop = source.properties[view.group_by]
    kind = {"people": "person"}.get(prop.type, prop.type)
    extra: dict[str, Json] = {
        "status": {"group_by": "option"},
        "date": {"group_by": view.step or "month"},
        "relation": {"hide_empty_groups": True},
    }
    return {
        "type": kind,
        "property_id": binding.properties[prop.name],
        "sort": {"type": "manual"},
        **extra.get(prop.type, {}),
    }


def _shown(view: View, source: Source, properties: Mapping[str, str]) -> list[Json]:
    title = source.title_property.name
    first = [title, *(name for name in view.show if name != title)]
    rest = [name for name in source.properties if name not in first]
    return [
        {
            "property_id": properties[name],
            "visible": name in first,
            **_width(view, source.properties[name]),
        }
        for name in (*first, *rest)
        if name in properties
    ]


def _width(view: View, prop: Property) -> Json:
    return {"width": WIDTHS.get(prop.type, WIDTH)} if view.type == "table" else {}
