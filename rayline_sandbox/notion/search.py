"""The search endpoint: titles of pages and data sources, from an index that may lag (docs/facts/notion-api.md 2.25)."""

from __future__ import annotations

import re
from typing import Any

from rayline_sandbox.notion.call import (
    Answer,
    Call,
    Route,
    decode_offset,
    encode_offset,
    listing,
    page_size,
    start_cursor,
)
from rayline_sandbox.notion.data_sources import data_source_object
from rayline_sandbox.notion.errors import an_object, should_be
from rayline_sandbox.notion.richtext import plain
from rayline_sandbox.notion.store import DataSource, Page, Store
from rayline_sandbox.notion.values import page_object

KEYS = frozenset({"query", "filter", "sort", "start_cursor", "page_size"})
VALUES = ("page", "data_source")


def search(call: Call) -> Answer:
    """POST /v1/search: visible, live, sharing a word with the query; last edited first unless sorted otherwise."""
    wanted = _wanted(call.body.get("filter"))
    asked = _stems(_query(call.body.get("query")))
    ascending = _ascending(call.body.get("sort"))
    hits = [
        record
        for record in _candidates(call, wanted)
        if not asked or asked & _stems(_title(record))
    ]
    hits.sort(key=lambda record: record.edited)
    if not ascending:
        hits.reverse()
    cursor = start_cursor(call)
    first = decode_offset("search", cursor) if cursor else 0
    size = page_size(call)
    following = (
        encode_offset("search", first + size) if first + size < len(hits) else None
    )
    return listing(
        "page_or_data_source",
        [_shown(call, record) for record in hits[first : first + size]],
        following,
    )


def _query(given: Any) -> str:
    if not isinstance(given, str | None):
        raise should_be("body.query", "a string", given)
    return given or ""


def _ascending(given: Any) -> bool:
    given = an_object(given, "body.sort")
    if given.get("timestamp", "last_edited_time") != "last_edited_time":
        raise should_be(
            "body.sort.timestamp", '`"last_edited_time"`', given["timestamp"]
        )
    direction = given.get("direction", "descending")
    if direction not in ("ascending", "descending"):
        raise should_be(
            "body.sort.direction", '`"ascending"` or `"descending"`', direction
        )
    return bool(direction == "ascending")


def _stems(text: str) -> set[str]:
    """Return a text's words without plural endings: a title that shares one with the query is found, as recorded."""
    return {word.removesuffix("s") or word for word in re.findall(r"\w+", text.lower())}


def _wanted(given: Any) -> tuple[str, ...]:
    given = an_object(given, "body.filter")
    if "value" not in given:
        return VALUES
    if given.get("property") != "object" or given["value"] not in VALUES:
        raise should_be(
            "body.filter.value", '`"page"` or `"data_source"`', given["value"]
        )
    return (given["value"],)


def _candidates(call: Call, wanted: tuple[str, ...]) -> list[Page | DataSource]:
    store = call.store
    everything: list[Page | DataSource] = []
    if "page" in wanted:
        everything += store.pages.values()
    if "data_source" in wanted:
        everything += store.data_sources.values()
    seen = (store.as_seen(record, store.lag.search) for record in everything)
    return [
        record
        for record in seen
        if record is not None and _is_found(store, record) and store.visible(record)
    ]


def _is_found(store: Store, record: Page | DataSource) -> bool:
    """Tell whether a record is searched: pages leave with the trash, data sources do not (recorded)."""
    return isinstance(record, DataSource) or not store.trashed(record)


def _title(record: Page | DataSource) -> str:
    return (
        plain(record.values.get("title", ()))
        if isinstance(record, Page)
        else plain(record.title)
    )


def _shown(call: Call, record: Page | DataSource) -> dict[str, Any]:
    shower = page_object if isinstance(record, Page) else data_source_object
    return shower(call.store, record, call.version)  # type: ignore[arg-type]


ROUTES = (Route("POST", "/v1/search", search, "search", keys=KEYS),)
