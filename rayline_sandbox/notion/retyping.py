"""What happens to the values of a column when its type changes: text survives where the new type can hold it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rayline_sandbox.notion.properties import empty_value, find_option, new_option
from rayline_sandbox.notion.richtext import plain, plain_rich_text
from rayline_sandbox.notion.store import DataSource, Property, Store


def retype(store: Store, source: DataSource, old: Property, new: Property) -> None:
    """Convert every row's value from the old column's form to the new one's."""
    for one in source.rows:
        values = store.pages[one].values
        text = text_of(store, old, values.get(old.id))
        values[new.id] = value_from(store, new, text)


def text_of(store: Store, prop: Property, value: Any) -> str:
    """Return a stored value as the text a person would read in the cell."""
    match prop.type, value:
        case _, None | []:
            return ""
        case "rich_text" | "title", items:
            return plain(items)
        case "select" | "status", option:
            return _option_name(prop, option)
        case "multi_select", options:
            return ", ".join(
                filter(None, (_option_name(prop, option_id) for option_id in options))
            )
        case "date", {"start": start, "end": end}:
            if end:
                return f"{start} → {end}"
            return str(start)
        case "checkbox", checked:
            return "Yes" if checked else "No"
        case "people", ids:
            return ", ".join(
                store.users[user_id].name for user_id in ids if user_id in store.users
            )
        case "relation" | "files" | "formula" | "rollup" | "place" | "verification", _:
            return ""
        case _, other:
            return str(other)


def _option_name(prop: Property, option_id: str) -> str:
    return next(
        (str(one["name"]) for one in prop.config["options"] if one["id"] == option_id),
        "",
    )


def value_from(store: Store, prop: Property, text: str) -> Any:
    """Return the stored form of a text in a column, or the type's empty value when it does not fit."""
    reader = READERS.get(prop.type)
    if reader and text:
        return reader(store, prop, text)
    return _untouched(prop)


def _untouched(prop: Property) -> Any:
    return (
        prop.config["options"][0]["id"]
        if prop.type == "status"
        else empty_value(prop.type)
    )


def _number(_store: Store, _prop: Property, text: str) -> Any:
    try:
        number = float(text.replace(" ", "").replace(",", "."))
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def _date(_store: Store, _prop: Property, text: str) -> Any:
    try:
        datetime.fromisoformat(text.split(" → ")[0])
    except ValueError:
        return None
    return {"start": text.split(" → ")[0], "end": None, "time_zone": None}


def _select(store: Store, prop: Property, text: str) -> Any:
    if found := find_option(prop, {"name": text}):
        return found["id"]
    option = new_option(
        store, {"name": text.replace(",", " ")[:100]}, len(prop.config["options"])
    )
    prop.config["options"] = [*prop.config["options"], option]
    return option["id"]


def _status(_store: Store, prop: Property, text: str) -> Any:
    found = find_option(prop, {"name": text})
    return found["id"] if found else _untouched(prop)


READERS: dict[str, Callable[[Store, Property, str], Any]] = {
    "rich_text": lambda _store, _prop, text: plain_rich_text(text),
    "url": lambda _store, _prop, text: text,
    "email": lambda _store, _prop, text: text,
    "phone_number": lambda _store, _prop, text: text,
    "checkbox": lambda _store, _prop, text: (
        text.strip().lower() in ("yes", "true", "1")
    ),
    "number": _number,
    "date": _date,
    "select": _select,
    "status": _status,
    "multi_select": lambda store, prop, text: [
        _select(store, prop, part.strip()) for part in text.split(",") if part.strip()
    ],
}
