"""What stands in the sandbox's Notion, read from its dump and not through the worker: the eyes of the checks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import unquote

from worker.cycle import Context
from worker.mapping.schema import Bindings
from worker.sandbox.jira import JiraSandbox
from worker.sandbox.notion import NotionSandbox


class Scene(Protocol):
    """What the checks look at: both sandboxes, how the worker is set up and bound, and the keys of Jira's epics."""

    @property
    def notion(self) -> NotionSandbox:
        """The Notion sandbox."""

    @property
    def jira(self) -> JiraSandbox:
        """The Jira sandbox."""

    @property
    def context(self) -> Context:
        """The worker's context."""

    @property
    def epics(self) -> Collection[str]:
        """Keys of the epics, which are not work."""

    def bindings(self) -> Bindings:
        """Return how the workspace is bound now."""


@dataclass(frozen=True, slots=True)
class Card:
    """One row as it stands: plain values by logical name (text, Decimal, option label, ISO dates, page ids)."""

    page_id: str
    in_trash: bool
    created_by: str
    values: Mapping[str, Any]


def rows(stage: Scene, source: str) -> tuple[Card, ...]:
    """Return the rows of a source, trashed ones included, in order of creation."""
    binding = stage.bindings()[source]
    names = {unquote(property_id): name for name, property_id in binding.properties.items()}
    pages = [page for page in stage.notion.control("dump", {})["pages"].values()
             if binding.data_source_id in page["parent"].values()]
    return tuple(Card(page["id"], bool(page["in_trash"]), page["created_by"], dict(_values(page, names)))
                 for page in pages)


def boards(stage: Scene) -> dict[str, tuple[Card, ...]]:
    """Return the living rows of every source, from one dump."""
    bindings = stage.bindings()
    names = {name: {unquote(property_id): field for field, property_id in binding.properties.items()}
             for name, binding in bindings.items()}
    sources = {binding.data_source_id: name for name, binding in bindings.items()}
    found: dict[str, list[Card]] = {name: [] for name in bindings}
    for page in stage.notion.control("dump", {})["pages"].values():
        name = next((sources[parent] for parent in page["parent"].values() if parent in sources), None)
        if name is not None and not page["in_trash"]:
            values = dict(_values(page, names[name]))
            found[name].append(Card(page["id"], bool(page["in_trash"]), page["created_by"], values))
    return {name: tuple(cards) for name, cards in found.items()}


def living(stage: Scene, source: str) -> tuple[Card, ...]:
    """Return the rows of a source that are not in the trash."""
    return tuple(card for card in rows(stage, source) if not card.in_trash)


def _values(page: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
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
