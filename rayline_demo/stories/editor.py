"""Typing a storyline's values into Notion and reading them back: aliases to pages, keys to labels, one locale's texts.

Nothing here goes through the worker's codecs for reading: what stands is taken from the sandbox's own dump.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from rayline_demo.board import dumped_rows
from rayline_demo.rig import Rig
from rayline_demo.stories.script import in_locale
from worker.codecs.notion import encode
from worker.domain.values import Ref, Span, Value
from worker.mapping.schema import KEY_PROPERTY, Bindings, Property, Schema

SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " "})


class Unnamed(LookupError):
    """A row, alias or field the storyline names does not exist."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One living row as it stands: plain values by logical name (labels for options, page ids for relations)."""

    page_id: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class StoryEditor:
    """Knows a storyline's rows by alias, and types and reads cells in its locale."""

    rig: Rig
    locale: str
    bindings: Bindings
    pages: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """Return the workspace's schema."""
        return self.rig.context.schema

    def alias(self, name: str) -> str:
        """Return the page of an alias."""
        if name not in self.pages:
            raise Unnamed(
                f"no row has the id {name!r}; there are {', '.join(sorted(self.pages))}"
            )
        return self.pages[name]

    def name_of(self, page_id: str) -> str:
        """Return the alias of a page, else its id."""
        return next(
            (alias for alias, found in self.pages.items() if found == page_id), page_id
        )

    def key(self, text: str) -> str:
        """Return a Worker key with every `@alias` replaced by its page."""
        parts = [
            self.alias(part[1:]) if part.startswith("@") else part
            for part in text.split("#")[0].split(":")
        ]
        return ":".join(parts) + (f"#{text.split('#')[1]}" if "#" in text else "")

    def page(self, row: str) -> tuple[str, str]:
        """Return source and page of `source/alias` or `source/worker key`."""
        source, _, name = row.partition("/")
        if source not in self.schema.sources:
            raise Unnamed(f"{row!r} should begin with a data source and a slash")
        if ":" not in name:
            return source, self.alias(name)
        key = self.key(name)
        found = [
            one.page_id
            for one in self.rows(source)
            if one.values.get(KEY_PROPERTY) == key
        ]
        if not found:
            raise Unnamed(f"no living row of {source} has the key {name}")
        return source, found[0]

    def prop(self, source: str, name: str) -> Property:
        """Return a property by logical name."""
        properties = self.schema.sources[source].properties
        if name not in properties:
            raise Unnamed(
                f"{source} has no field {name!r}; there are {', '.join(properties)}"
            )
        return properties[name]

    # Typing

    def raw(self, source: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return request properties of scripted values; an empty text empties any cell."""
        binding = self.bindings[source]
        return {
            binding.properties[name]: encode(
                prop, self._typed(prop, value), binding, lambda ref: ref.key
            )
            for name, value in values.items()
            for prop in (self.prop(source, name),)
        }

    def _typed(self, prop: Property, value: Any) -> Value:
        value = in_locale(value, self.locale)
        if isinstance(value, str) and not value:
            return None
        match prop.type:
            case "relation":
                return tuple(
                    Ref(prop.target, self._target(prop, name)) for name in listed(value)
                )
            case "people":
                return tuple(self.users[name] for name in listed(value))
            case "number":
                return Decimal(value)
            case "date":
                return (
                    Span(value["start"], value["end"])
                    if isinstance(value, dict)
                    else as_date(value)
                )
            case "checkbox":
                return bool(value)
            case "multi_select":
                return tuple(listed(value))
        return str(value)

    def _target(self, prop: Property, name: str) -> str:
        return (
            self.page(f"{prop.target}/{name}")[1] if ":" in name else self.alias(name)
        )

    # Reading

    def rows(self, source: str) -> list[Standing]:
        """Return the living rows of a source in order of creation."""
        binding = self.bindings[source]
        names = {
            unquote(property_id): name
            for name, property_id in binding.properties.items()
        }
        return [
            Standing(
                page["id"],
                {
                    names[unquote(prop["id"])]: plain(prop)
                    for prop in page["properties"].values()
                    if unquote(prop["id"]) in names
                },
            )
            for page in dumped_rows(self.rig.notion, binding.data_source_id)
            if not page["in_trash"]
        ]

    def lines(self, page_id: str) -> list[str]:
        """Return the text of a page's body, a line a block; cells of a table are parted by ` | `."""
        dump = self.rig.notion.control("dump", {})
        return [
            spaced(line) for line in _lines(dump["blocks"], dump["children"], page_id)
        ]

    def wanted(self, source: str, name: str, value: Any) -> Any:
        """Return the plain value a scripted one stands for."""
        prop, value = self.prop(source, name), in_locale(value, self.locale)
        if isinstance(value, str) and not value:
            return {"relation": (), "people": (), "title": "", "rich_text": ""}.get(
                prop.type
            )
        match prop.type:
            case "relation":
                return tuple(sorted(self._target(prop, one) for one in listed(value)))
            case "people":
                return tuple(sorted(self.users[one] for one in listed(value)))
            case "select" | "status":
                return self._label(source, prop, value)
            case "number":
                return Decimal(value)
            case "date":
                return (
                    (_iso(value["start"]), _iso(value["end"]))
                    if isinstance(value, dict)
                    else _iso(value)
                )
            case "title" | "rich_text":
                return spaced(str(value))
        return value

    def _label(self, source: str, prop: Property, key: str) -> str:
        options = self.bindings[source].options.get(prop.name, {})
        if key not in options:
            raise Unnamed(
                f"{source}.{prop.name} has no option {key!r}; there are {', '.join(options)}"
            )
        return options[key][1]


def _lines(
    blocks: Mapping[str, Any], children: Mapping[str, list[str]], parent: str
) -> Iterator[str]:
    for one in children.get(parent, ()):
        block = blocks.get(one)
        if block is not None and not block["in_trash"]:
            payload = block["payload"]
            texts = payload.get("cells") or [payload.get("rich_text", ())]
            yield (
                "(picture)"
                if block["type"] == "image"
                else " | ".join(
                    "".join(piece["plain_text"] for piece in text) for text in texts
                )
            )
            yield from _lines(blocks, children, one)


def plain(prop: Mapping[str, Any]) -> Any:
    """Return a dumped property as a plain value: text, Decimal, label, ISO day or pair of days, sorted ids, flag."""
    value = prop[prop["type"]]
    match prop["type"]:
        case "title" | "rich_text":
            return spaced("".join(item["plain_text"] for item in value))
        case "number":
            return None if value is None else Decimal(repr(value))
        case "select" | "status":
            return value["name"] if value else None
        case "date":
            if not value:
                return None
            return (value["start"], value["end"]) if value["end"] else value["start"]
        case "relation" | "people":
            return tuple(sorted(item["id"] for item in value))
    return value


def listed(value: Any) -> Iterable[str]:
    """Return one name or a list of names as a list."""
    return value if isinstance(value, list) else [value]


def spaced(text: str) -> str:
    """Return the text with every kind of space as the plain one, as people type it."""
    return text.translate(SPACES)


def as_date(value: Any) -> date:
    """Return a day; TOML gives days as such."""
    if not isinstance(value, date):
        raise Unnamed(f"{value!r} is not a day such as 2026-11-02")
    return value


def _iso(value: Any) -> str:
    return as_date(value).isoformat()
