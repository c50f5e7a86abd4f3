"""What the configuration of each type of view may say, and how answers show it (docs/facts/notion-api.md 3.17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rayline_sandbox.notion.errors import MISSING, invalid, should_be
from rayline_sandbox.notion.schema import find_property
from rayline_sandbox.notion.store import DataSource, Property
from rayline_sandbox.notion.values import encoded

DATED = ("date", "created_time", "last_edited_time", "formula", "rollup")
REQUIRED = {
    "board": "group_by",
    "calendar": "date_property_id",
    "timeline": "date_property_id",
    "chart": "chart_type",
}
DATE_KEYS = ("date_property_id", "end_date_property_id")

Reader = Callable[[DataSource, Any, str], Any]


def checked_configuration(
    source: DataSource, kind: str, given: Any, kept: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a configuration as answers show it: checked, without nulls, property names beside property ids.

    `kept` is the configuration that `given` changes; a null in `given` takes a key out of it.
    """
    config = given if given is not None else {}
    if not isinstance(config, dict):
        raise should_be("body.configuration", "an object", config)
    if config.get("type", kind) != kind:
        raise should_be("body.configuration.type", f'`"{kind}"`', config.get("type"))
    readers = READERS[kind]
    wanted = {
        key: value
        for key, value in {**(kept or {}), **config}.items()
        if value is not None and key != "type" and (key in readers or key in config)
    }
    required = REQUIRED.get(kind)
    if required is not None and required not in wanted:
        raise should_be(f"body.configuration.{required}", "defined", MISSING)
    return {"type": kind} | _with_date_names(
        source,
        {key: _read(source, readers, key, value) for key, value in wanted.items()},
    )


def _read(source: DataSource, readers: dict[str, Reader], key: str, value: Any) -> Any:
    path = f"body.configuration.{key}"
    if key not in readers:
        raise should_be(path, "not present", value)
    return readers[key](source, value, path)


def _with_date_names(source: DataSource, config: dict[str, Any]) -> dict[str, Any]:
    names = {
        key.replace("_id", "_name"): _column(source, config[key], key).name
        for key in DATE_KEYS
        if key in config
    }
    return config | names


def _column(
    source: DataSource, key: Any, path: str, *, kinds: tuple[str, ...] = ()
) -> Property:
    column = find_property(source, key) if isinstance(key, str) else None
    if column is None:
        raise invalid(f"Could not find property with name or id: {key} ({path}).")
    if kinds and column.type not in kinds:
        raise invalid(
            f"body failed validation: {path} should name a property of type {', '.join(kinds)}, instead "
            f"was `{column.type}`."
        )
    return column


# Readers of single values.


def _scalar(kind: type | tuple[type, ...], words: str) -> Reader:
    def read(_: DataSource, value: Any, path: str) -> Any:
        if not isinstance(value, kind) or (
            isinstance(value, bool) and kind is not bool
        ):
            raise should_be(path, words, value)
        return value

    return read


def _one_of(*choices: str) -> Reader:
    def read(_: DataSource, value: Any, path: str) -> Any:
        if value not in choices:
            raise should_be(path, ", ".join(f'`"{one}"`' for one in choices), value)
        return value

    return read


def _date_id(source: DataSource, value: Any, path: str) -> str:
    return encoded(_column(source, value, path, kinds=DATED).id)


def _property_id(source: DataSource, value: Any, path: str) -> str:
    return encoded(_column(source, value, path).id)


def _group_by(source: DataSource, given: Any, path: str) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("property_id"), str):
        raise should_be(
            f"{path}.property_id",
            "a string",
            given if not isinstance(given, dict) else MISSING,
        )
    column = _column(source, given["property_id"], f"{path}.property_id")
    kind = GROUP_TYPES.get(column.type, column.type)
    if given.get("type", kind) not in (kind, column.type):
        raise should_be(f"{path}.type", f'`"{kind}"`', given.get("type"))
    kept = {
        key: reader(source, given[key], f"{path}.{key}")
        for key, reader in GROUP_KEYS.items()
        if given.get(key) is not None
    }
    return {
        "type": kind,
        "sort": {"type": "manual"},
        **_steps(source, kind, given, path),
        **kept,
        "property_id": encoded(column.id),
        "property_name": column.name,
    }


def _steps(
    source: DataSource, kind: str, given: dict[str, Any], path: str
) -> dict[str, Any]:
    """Return how finely a column's values are grouped, where its type leaves a choice."""
    choices = GROUP_STEPS.get(kind)
    if choices is None:
        return {}
    return {
        "group_by": _one_of(*choices)(
            source, given.get("group_by") or choices[0], f"{path}.group_by"
        )
    }


def _sort(source: DataSource, given: Any, path: str) -> dict[str, Any]:
    kind = given.get("type") if isinstance(given, dict) else given
    return {
        "type": _one_of("manual", "ascending", "descending")(
            source, kind, f"{path}.type"
        )
    }


def _columns(source: DataSource, given: Any, path: str) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        raise should_be(path, "an array", given)
    return [
        _shown_column(source, one, f"{path}[{index}]")
        for index, one in enumerate(given)
    ]


def _shown_column(source: DataSource, given: Any, path: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    column = _column(source, given.get("property_id"), f"{path}.property_id")
    kept = {
        key: COLUMN_KEYS[key](source, value, f"{path}.{key}")
        for key, value in given.items()
        if key in COLUMN_KEYS and value is not None
    }
    return {**kept, "property_id": encoded(column.id), "property_name": column.name}


def _cover(source: DataSource, given: Any, path: str) -> dict[str, Any]:
    kind = given.get("type") if isinstance(given, dict) else None
    _one_of("page_cover", "page_content", "page_content_first", "property")(
        source, kind, f"{path}.type"
    )
    return {"type": kind} | (
        {
            "property_id": _property_id(
                source, given.get("property_id"), f"{path}.property_id"
            )
        }
        if kind == "property"
        else {}
    )


def _arrows(source: DataSource, given: Any, path: str) -> dict[str, Any]:
    key = given.get("property_id") if isinstance(given, dict) else MISSING
    return {
        "property_id": None
        if key is None
        else _property_id(source, key, f"{path}.property_id")
    }


def _preference(source: DataSource, given: Any, path: str) -> dict[str, Any]:
    zoom = given.get("zoom_level") if isinstance(given, dict) else None
    ZOOM(source, zoom, f"{path}.zoom_level")
    centre = given.get("center_timestamp")
    return {"zoom_level": zoom} | (
        {}
        if centre is None
        else {"center_timestamp": NUMBER(source, centre, f"{path}.center_timestamp")}
    )


FLAG, TEXT = _scalar(bool, "a boolean"), _scalar(str, "a string")
NUMBER, OBJECT = _scalar((int, float), "a number"), _scalar(dict, "an object")
ZOOM = _one_of("hours", "day", "week", "bi_week", "month", "quarter", "year", "5_years")
DAYS, LETTERS = (
    ("relative", "day", "week", "month", "year"),
    ("exact", "alphabet_prefix"),
)
GROUP_TYPES = {"people": "person", "rich_text": "text"}
GROUP_STEPS = {
    "status": ("option", "group"),
    **dict.fromkeys(("date", "created_time", "last_edited_time"), DAYS),
    **dict.fromkeys(("text", "title", "url", "email", "phone_number"), LETTERS),
}
GROUP_KEYS: dict[str, Reader] = {
    "sort": _sort,
    "hide_empty_groups": FLAG,
    "range_start": NUMBER,
    "range_end": NUMBER,
    "range_size": NUMBER,
    "start_day_of_week": NUMBER,
}
HEIGHT = _one_of("small", "medium", "large", "extra_large")
COLUMN_KEYS: dict[str, Reader] = {
    "visible": FLAG,
    "wrap": FLAG,
    "width": NUMBER,
    "status_show_as": _one_of("select", "checkbox"),
    "card_property_width_mode": _one_of("full_line", "inline"),
    "date_format": _one_of(
        "full",
        "short",
        "month_day_year",
        "day_month_year",
        "year_month_day",
        "relative",
    ),
    "time_format": _one_of("12_hour", "24_hour", "hidden"),
}
CARDS: dict[str, Reader] = {
    "properties": _columns,
    "cover": _cover,
    "cover_aspect": _one_of("contain", "cover"),
    "cover_size": _one_of("small", "medium", "large"),
    "card_layout": _one_of("list", "compact"),
}
READERS: dict[str, dict[str, Reader]] = {
    "table": {
        "properties": _columns,
        "group_by": _group_by,
        "wrap_cells": FLAG,
        "show_vertical_lines": FLAG,
        "frozen_column_index": NUMBER,
        "subtasks": OBJECT,
    },
    "board": {**CARDS, "group_by": _group_by, "sub_group_by": _group_by},
    "gallery": CARDS,
    "list": {"properties": _columns},
    "calendar": {
        "properties": _columns,
        "date_property_id": _date_id,
        "show_weekends": FLAG,
        "view_range": _one_of("week", "month"),
    },
    "timeline": {
        "properties": _columns,
        "table_properties": _columns,
        "date_property_id": _date_id,
        "end_date_property_id": _date_id,
        "show_table": FLAG,
        "color_by": FLAG,
        "arrows_by": _arrows,
        "preference": _preference,
    },
    "map": {"properties": _columns, "height": HEIGHT, "map_by": _property_id},
    "form": {
        "anonymous_submissions": FLAG,
        "is_form_closed": FLAG,
        "submission_permissions": _one_of(
            "none", "comment_only", "reader", "read_and_write", "editor"
        ),
    },
    "chart": {
        "chart_type": _one_of("column", "bar", "line", "donut", "number"),
        "x_axis": OBJECT,
        "y_axis": OBJECT,
        "value": OBJECT,
        "stack_by": OBJECT,
        "reference_lines": _scalar(list, "an array"),
        "height": HEIGHT,
        "x_axis_property_id": _property_id,
        "y_axis_property_id": _property_id,
        "y_axis_min": NUMBER,
        "y_axis_max": NUMBER,
        "caption": TEXT,
        "axis_labels": _one_of("none", "x_axis", "y_axis", "both"),
        "grid_lines": _one_of("none", "horizontal", "vertical", "both"),
        "legend_position": _one_of("off", "bottom", "side"),
        "group_style": _one_of("normal", "percent", "side_by_side"),
        "donut_labels": _one_of("none", "value", "name", "name_and_value"),
        "sort": _one_of(
            "manual", "x_ascending", "x_descending", "y_ascending", "y_descending"
        ),
        "color_theme": _one_of(
            "gray",
            "blue",
            "yellow",
            "green",
            "purple",
            "teal",
            "orange",
            "pink",
            "red",
            "auto",
            "colorful",
        ),
        **dict.fromkeys(
            (
                "cumulative",
                "color_by_value",
                "hide_empty_groups",
                "hide_line_fill_area",
                "hide_title",
                "show_data_labels",
                "smooth_line",
            ),
            FLAG,
        ),
    },
}
TYPES = tuple(READERS)
"""The types that can be created here; `dashboard` cannot."""
