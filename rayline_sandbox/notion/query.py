"""The data source query: filter, sort, opaque cursors over a cached order, and the 10,000-result cap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from rayline_sandbox.notion.call import (
    INCOMPLETE,
    Answer,
    Call,
    Route,
    bad_cursor,
    listing,
    page_size,
    start_cursor,
)
from rayline_sandbox.notion.dates import instant
from rayline_sandbox.notion.errors import MISSING, invalid, should_be
from rayline_sandbox.notion.filters import compile_filter
from rayline_sandbox.notion.retyping import text_of
from rayline_sandbox.notion.rollups import is_empty
from rayline_sandbox.notion.schema import find_property
from rayline_sandbox.notion.store import DataSource, Page, Property, Store
from rayline_sandbox.notion.values import (
    page_object,
    raw,
    rolled_rows,
    shown_columns,
    stored,
)

SESSION_LIMIT = 500
KEYS = frozenset(
    {
        "filter",
        "sorts",
        "start_cursor",
        "page_size",
        "is_archived",
        "archived",
        "in_trash",
        "result_type",
    }
)


@dataclass(frozen=True, slots=True)
class Session:
    """A listing under way: what was asked, the order found, and whether the cap cut it."""

    asked: bytes
    ids: list[str]
    cut: bool


def query_data_source(call: Call) -> Answer:
    """POST /v1/data_sources/{data_source_id}/query (docs/facts/notion-api.md 2.13, 2.14)."""
    store = call.store
    source = call.store.data_source(call.params["data_source_id"])
    if store.trashed(source):
        raise store.missing("data source", source.id)
    _check_choices(call)
    if call.body.get("in_trash") or call.body.get("archived"):
        raise should_be("body.in_trash", "not present", True)
    size = page_size(call)
    key, first, session = _session(call, source)
    chunk = session.ids[first : first + size]
    rest = session.ids[first + size : first + size + 1]
    cursor = _cursor(store, key, rest[0], first + size) if rest else None
    answer = listing("page_or_data_source", _objects(call, source, chunk), cursor)
    return answer | ({"request_status": INCOMPLETE} if session.cut else {})


def _check_choices(call: Call) -> None:
    archived = call.body.get("is_archived")
    kind = call.body.get("result_type")
    if not isinstance(archived, bool | None):
        raise should_be("body.is_archived", "a boolean", archived)
    if kind not in (None, "page", "data_source"):
        raise should_be("body.result_type", '`"page"` or `"data_source"`', kind)


def _cursor(store: Store, key: str, following: str, offset: int) -> str:
    return f"s:{key}:{offset if store.lag.shifting else following}"


def _session(call: Call, source: DataSource) -> tuple[str, int, Session]:
    store = call.store
    asked = _asked(call, source)
    cursor = start_cursor(call)
    if cursor is None:
        key = store.ids.request()
        return key, 0, _remember(store, key, _evaluate(call, source, asked))
    key, position = _parts(cursor)
    session = store.sessions.get(key)
    if session is None or session.asked != asked:
        raise bad_cursor()
    if position.isdecimal() and len(position) < 32:
        return key, int(position), _remember(store, key, _evaluate(call, source, asked))
    if position not in session.ids:
        raise bad_cursor()
    return key, session.ids.index(position), session


def _parts(cursor: str) -> tuple[str, str]:
    parts = cursor.split(":")
    if len(parts) != 3 or parts[0] != "s":
        raise bad_cursor()
    return parts[1], parts[2]


def _asked(call: Call, source: DataSource) -> bytes:
    wanted = {
        key: call.body.get(key)
        for key in ("filter", "sorts", "is_archived", "result_type")
    }
    return source.id.encode() + msgspec.json.encode(wanted, order="sorted")


def _remember(store: Store, key: str, session: Session) -> Session:
    store.sessions[key] = session
    if len(store.sessions) > SESSION_LIMIT:
        del store.sessions[next(iter(store.sessions))]
    return session


def _evaluate(call: Call, source: DataSource, asked: bytes) -> Session:
    rows = ordered_rows(
        call.store,
        source,
        call.body.get("filter"),
        call.body.get("sorts"),
        archived=bool(call.body.get("is_archived")),
    )
    # Only wikis hold data sources beside pages, and there are none here.
    page_ids = (
        []
        if call.body.get("result_type") == "data_source"
        else [page.id for page in rows]
    )
    most = call.store.lag.results
    return Session(asked, page_ids[:most], len(page_ids) > most)


def ordered_rows(
    store: Store,
    source: DataSource,
    filter_: Any = None,
    sorts: Any = None,
    *,
    archived: bool = False,
) -> list[Page]:
    """Return the live rows a query sees, each as old as the index lag makes it.

    They are filtered and sorted; without sorts the newest comes first, as recorded.
    """
    matches = compile_filter(store, source, filter_) if filter_ is not None else None
    lag = store.lag.query
    seen = (store.as_seen(store.pages[row_id], lag) for row_id in source.rows)
    rows = [
        page
        for page in seen
        if page
        and not page.in_trash
        and page.is_archived == archived
        and (matches is None or matches(page))
    ]
    keys = _sort_keys(store, source, [] if sorts is None else sorts)
    if not keys:
        oldest_first = sorted(rows, key=lambda page: page.created)
        return oldest_first[::-1]
    for descending, key in reversed(keys):
        keyed = [(key(page), page) for page in rows]
        filled = sorted(
            (pair for pair in keyed if pair[0] is not None),
            key=lambda pair: pair[0],
            reverse=descending,
        )
        rows = [page for _, page in filled] + [
            page for sort_value, page in keyed if sort_value is None
        ]
    return rows


SortKey = Callable[[Page], Any]


def _sort_keys(
    store: Store, source: DataSource, sorts: Any
) -> list[tuple[bool, SortKey]]:
    if not isinstance(sorts, list):
        raise should_be("body.sorts", "an array", sorts)
    return [
        _sort_key(store, source, one, f"body.sorts[{index}]")
        for index, one in enumerate(sorts)
    ]


def _sort_key(
    store: Store, source: DataSource, given: Any, path: str
) -> tuple[bool, SortKey]:
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    direction = given.get("direction", "ascending")
    if direction not in ("ascending", "descending"):
        raise should_be(
            f"{path}.direction", '`"ascending"` or `"descending"`', direction
        )
    if (stamp := given.get("timestamp")) is not None:
        if str(stamp) not in STAMPS:
            raise should_be(
                f"{path}.timestamp", '`"created_time"` or `"last_edited_time"`', stamp
            )
        return direction == "descending", STAMPS[str(stamp)]
    name = given.get("property", MISSING)
    prop = find_property(source, name) if isinstance(name, str) else None
    if prop is None:
        raise invalid(
            f"Could not find sort property with name or id: {'undefined' if name is MISSING else name}"
        )
    return direction == "descending", lambda page: _comparable(store, page, prop)


STAMPS: dict[str, SortKey] = {
    "created_time": lambda page: page.created.replace(second=0, microsecond=0),
    "last_edited_time": lambda page: page.edited.replace(second=0, microsecond=0),
}


def _comparable(store: Store, page: Page, prop: Property) -> Any:
    if prop.type in STAMPS:
        return STAMPS[prop.type](page)
    value = raw(store, page, prop)
    if prop.type == "checkbox":
        return bool(value)
    if prop.type in ("formula", "rollup"):
        return _computed(store, page, prop, value)
    if is_empty(value):
        return None
    match prop.type:
        case "number" | "unique_id":
            return value
        case "date":
            return instant(value["start"])
        case "select" | "status":
            return next(
                (
                    i
                    for i, one in enumerate(prop.config["options"])
                    if one["id"] == value
                ),
                None,
            )
        case "multi_select" | "people" | "files":
            return text_of(store, prop, stored(page, prop)).casefold() or None
        case _:
            return str(value).casefold()


def _computed(
    store: Store, page: Page, prop: Property, value: Any
) -> tuple[int, Any] | None:
    """Return the key of a formula or rollup: ranked by type first, since frozen formulas may mix types."""
    match value:
        case bool() | int() | float():
            return 0, value
        case {"start": str(start)}:
            return 1, instant(start)
        case str() if value:
            return 2, value.casefold()
        case [_, *_] if prop.type == "rollup":
            return _listed(store, page, prop)
    return None


def _listed(store: Store, page: Page, prop: Property) -> tuple[int, Any] | None:
    target, rows = rolled_rows(store, page, prop)
    if (
        target is None or target.type == "rollup"
    ):  # rollups of rollups may go in a circle
        return None
    keys = [key for one in rows if (key := _comparable(store, one, target)) is not None]
    return (3, keys) if keys else None


def _objects(
    call: Call, source: DataSource, ids: Sequence[str]
) -> list[dict[str, Any]]:
    store = call.store
    props = _shown(call, source)
    states = (
        store.as_seen(page, store.lag.query)
        for one in ids
        if (page := store.pages.get(one))
    )
    return [
        page_object(store, page, call.version, props)
        for page in states
        if page and not page.in_trash
    ]


def _shown(call: Call, source: DataSource) -> list[Property]:
    props = shown_columns(call.store, source)
    wanted = call.request.every("filter_properties")
    if not wanted:
        return props
    chosen = {prop.id for key in wanted if (prop := find_property(source, key))}
    return [prop for prop in props if prop.id in chosen]


ROUTES = (
    Route(
        "POST",
        "/v1/data_sources/{data_source_id}/query",
        query_data_source,
        "data_sources.query",
        keys=KEYS,
    ),
)
