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

SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009", " "))
PICTURE = "(picture)"
EMPTY: dict[str, object] = {"relation": (), "people": (), "title": "", "rich_text": ""}
"""What an empty cell reads as; None for every other type."""


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

    def in_notion(self, action: str, **payload: Any) -> dict[str, Any]:
        """Do one thing in Notion as a person and return its answer."""
        return self.rig.notion.control(action, payload)

    def in_jira(self, action: str, **payload: Any) -> dict[str, Any]:
        """Do one thing in Jira as a person and return its answer."""
        return self.rig.jira.control(action, payload)

    def alias(self, name: str) -> str:
        """Return the page of an alias."""
        if name not in self.pages:
            known = ", ".join(sorted(self.pages))
            raise Unnamed(f"no row has the id {name!r}; there are {known}")
        return self.pages[name]

    def name_of(self, page_id: str) -> str:
        """Return the alias of a page, else its id."""
        for alias, page in self.pages.items():
            if page == page_id:
                return alias
        return page_id

    def key(self, text: str) -> str:
        """Return a Worker key with every `@alias` replaced by its page."""
        named, mark, number = text.partition("#")
        parts = []
        for part in named.split(":"):
            alias = part.removeprefix("@")
            if alias != part:
                part = self.alias(alias)
            parts.append(part)
        key = ":".join(parts)
        return f"{key}{mark}{number}"

    def page(self, row: str) -> tuple[str, str]:
        """Return source and page of `source/alias` or `source/worker key`."""
        source, name = self.split(row)
        if ":" not in name:
            return source, self.alias(name)
        rows = self.keyed(source, name)
        if not rows:
            raise Unnamed(f"no living row of {source} has the key {name}")
        return source, rows[0].page_id

    def split(self, row: str) -> tuple[str, str]:
        """Return source and name of a row; raise `Unnamed` when there is no such source."""
        source, _, name = row.partition("/")
        if source not in self.schema.sources:
            raise Unnamed(f"{row!r} should begin with a data source and a slash")
        return source, name

    def keyed(self, source: str, name: str) -> list[Standing]:
        """Return the living rows of a Worker key in which aliases stand for pages."""
        key = self.key(name)
        rows = self.rows(source)
        return [row for row in rows if row.values.get(KEY_PROPERTY) == key]

    def prop(self, source: str, name: str) -> Property:
        """Return a property by logical name."""
        source_schema = self.schema.sources[source]
        properties = source_schema.properties
        if name not in properties:
            known = ", ".join(properties)
            raise Unnamed(f"{source} has no field {name!r}; there are {known}")
        return properties[name]

    # Typing

    def raw(self, source: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return request properties of scripted values; an empty text empties any cell."""
        binding = self.bindings[source]
        written = {}
        for name, value in values.items():
            prop = self.prop(source, name)
            typed = self._typed(prop, value)
            property_id = binding.properties[name]
            written[property_id] = encode(prop, typed, binding, resolve=_page_of)
        return written

    def _typed(self, prop: Property, value: Any) -> Value:
        value = in_locale(value, self.locale)
        if isinstance(value, str) and not value:
            return None
        match prop.type:
            case "relation":
                pages = self._targets(prop, value)
                refs = [Ref(prop.target, page) for page in pages]
                return tuple(refs)
            case "people":
                return tuple(self._people(value))
            case "number":
                return Decimal(value)
            case "date":
                if not isinstance(value, dict):
                    return as_date(value)
                start = value["start"]
                end = value["end"]
                return Span(start, end)
            case "checkbox":
                return bool(value)
            case "multi_select":
                return tuple(listed(value))
        return str(value)

    def _targets(self, prop: Property, value: Any) -> list[str]:
        """Return the pages a relation names, by alias or by Worker key."""
        pages = []
        for name in listed(value):
            if ":" in name:
                row = f"{prop.target}/{name}"
                page_id = self.page(row)[1]
            else:
                page_id = self.alias(name)
            pages.append(page_id)
        return pages

    def _people(self, value: Any) -> list[str]:
        names = listed(value)
        return [self.users[name] for name in names]

    # Reading

    def rows(self, source: str) -> list[Standing]:
        """Return the living rows of a source in order of creation."""
        binding = self.bindings[source]
        names = {}
        for name, property_id in binding.properties.items():
            names[unquote(property_id)] = name

        notion = self.rig.notion
        pages = dumped_rows(notion, binding.data_source_id)
        living = [page for page in pages if not page["in_trash"]]
        return [_standing(page, names) for page in living]

    def lines(self, page_id: str) -> list[str]:
        """Return the text of a page's body, a line a block; cells of a table are parted by ` | `."""
        dump = self.in_notion("dump")
        blocks = dump["blocks"]
        children = dump["children"]
        lines = _lines(blocks, children, page_id)
        return [spaced(line) for line in lines]

    def wanted(self, source: str, name: str, value: Any) -> Any:
        """Return the plain value a scripted one stands for."""
        prop = self.prop(source, name)
        value = in_locale(value, self.locale)
        if isinstance(value, str) and not value:
            return EMPTY.get(prop.type)
        match prop.type:
            case "relation":
                pages = self._targets(prop, value)
                return tuple(sorted(pages))
            case "people":
                people = self._people(value)
                return tuple(sorted(people))
            case "select" | "status":
                return self._label(source, prop, value)
            case "number":
                return Decimal(value)
            case "date":
                if not isinstance(value, dict):
                    return _iso(value)
                start = _iso(value["start"])
                end = _iso(value["end"])
                return start, end
            case "title" | "rich_text":
                return spaced(str(value))
        return value

    def _label(self, source: str, prop: Property, key: str) -> str:
        binding = self.bindings[source]
        options = binding.options.get(prop.name, {})
        if key not in options:
            place = f"{source}.{prop.name}"
            known = ", ".join(options)
            raise Unnamed(f"{place} has no option {key!r}; there are {known}")
        _, label = options[key]
        return label


def _page_of(ref: Ref) -> str:
    return ref.key


def _standing(page: Mapping[str, Any], names: Mapping[str, str]) -> Standing:
    """Return a dumped page by the logical names of its properties' ids; unknown ones are left out."""
    values = {}
    for prop in page["properties"].values():
        property_id = unquote(prop["id"])
        name = names.get(property_id)
        if name is not None:
            values[name] = plain(prop)
    return Standing(page["id"], values)


def _lines(
    blocks: Mapping[str, Any], children: Mapping[str, list[str]], parent: str
) -> Iterator[str]:
    for block_id in children.get(parent, ()):
        block = blocks.get(block_id)
        if block is None or block["in_trash"]:
            continue
        yield _line(block)
        yield from _lines(blocks, children, block_id)


def _line(block: Mapping[str, Any]) -> str:
    if block["type"] == "image":
        return PICTURE
    payload = block["payload"]
    cells = payload.get("cells")
    if cells:
        texts = [_text(pieces) for pieces in cells]
        return " | ".join(texts)
    pieces = payload.get("rich_text", ())
    return _text(pieces)


def _text(pieces: Iterable[Mapping[str, Any]]) -> str:
    texts = [piece["plain_text"] for piece in pieces]
    return "".join(texts)


def plain(prop: Mapping[str, Any]) -> Any:
    """Return a dumped property as a plain value: text, Decimal, label, ISO day or pair of days, sorted ids, flag."""
    value = prop[prop["type"]]
    match prop["type"]:
        case "title" | "rich_text":
            return spaced(_text(value))
        case "number":
            if value is None:
                return None
            digits = repr(value)
            return Decimal(digits)
        case "select" | "status":
            return value["name"] if value else None
        case "date":
            if not value:
                return None
            start = value["start"]
            end = value["end"]
            return (start, end) if end else start
        case "relation" | "people":
            ids = [item["id"] for item in value]
            return tuple(sorted(ids))
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
