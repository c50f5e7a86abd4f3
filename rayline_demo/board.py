"""What stands in the sandbox's Notion, read from its dump and not through the worker: the eyes of the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from rayline_demo.rig import Rig
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.workspace import dumped_page


@dataclass(frozen=True, slots=True)
class Card:
    """One row as it stands: plain values by logical name (text, Decimal, option label, ISO dates, page ids)."""

    page_id: str
    in_trash: bool
    created_by: str
    values: Mapping[str, Any]


def dumped_rows(
    notion: NotionSandbox, data_source_id: str
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a data source as a dump of the whole workspace would show them."""
    store = notion.store
    for page_id in store.data_sources[data_source_id].rows:
        yield dumped_page(store, store.pages[page_id])


def rows(stage: Rig, source: str) -> tuple[Card, ...]:
    """Return the rows of a source, trashed ones included, in order of creation."""
    binding = stage.bindings()[source]
    names = {
        unquote(property_id): name for name, property_id in binding.properties.items()
    }
    return tuple(
        Card(
            page["id"],
            bool(page["in_trash"]),
            page["created_by"],
            dict(_values(page, names)),
        )
        for page in dumped_rows(stage.notion, binding.data_source_id)
    )


def living(stage: Rig, source: str) -> tuple[Card, ...]:
    """Return the rows of a source that are not in the trash."""
    return tuple(card for card in rows(stage, source) if not card.in_trash)


def _values(
    page: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[tuple[str, Any]]:
    for prop in page["properties"].values():
        if unquote(prop["id"]) in names:
            yield names[unquote(prop["id"])], plain(prop)


def plain(prop: Mapping[str, Any]) -> Any:
    """Return a raw property's value as a plain one."""
    value = prop[prop["type"]]
    match prop["type"]:
        case "title" | "rich_text":
            return "".join(item["plain_text"] for item in value)
        case "number":
            return None if value is None else Decimal(repr(value))
        case "select" | "status":
            return value["name"] if value else None
        case "date":
            return value["start"] if value else None
        case "relation":
            return tuple(item["id"] for item in value)
        case "people":
            return tuple(item["id"] for item in value)
    return value
