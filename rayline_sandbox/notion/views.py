"""The views endpoints, and the default table view every data source starts with.

Source: docs/facts/notion-api.md 3.17, 3.18.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rayline_sandbox.notion.call import (
    INCOMPLETE,
    Answer,
    Call,
    Route,
    decode_offset,
    encode_offset,
    listing,
    page_size,
    paginate,
    start_cursor,
)
from rayline_sandbox.notion.errors import MISSING, an_object, invalid, should_be
from rayline_sandbox.notion.query import ordered_rows
from rayline_sandbox.notion.richtext import page_url
from rayline_sandbox.notion.store import (
    Database,
    DataSource,
    Store,
    author,
    exact,
    parent_object,
    plain_id,
)
from rayline_sandbox.notion.store import Parent as Place
from rayline_sandbox.notion.view_configuration import TYPES, checked_configuration

CARRIED = ("filter", "sorts", "quick_filters")
QUERY_LIFE = timedelta(minutes=15)


@dataclass(slots=True)
class View:
    """One view of a data source; `configuration` is kept as answers show it."""

    id: str
    database_id: str
    data_source_id: str
    name: str
    type: str
    created: datetime
    created_by: str
    edited: datetime
    edited_by: str
    filter: dict[str, Any] | None
    sorts: list[Any] | None
    quick_filters: dict[str, Any] | None
    configuration: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ViewQuery:
    """A cached result: the ids of the rows as they were when it was made."""

    id: str
    view_id: str
    expires: datetime
    rows: tuple[str, ...]
    complete: bool


def views(store: Store) -> dict[str, View]:
    """Return all views by id, in the order of the tab bar."""
    return store.shelf("views")


def views_of(store: Store, data_source_id: str) -> list[View]:
    """Return the views of one data source in order."""
    return [
        view for view in views(store).values() if view.data_source_id == data_source_id
    ]


def add_view(
    store: Store, source: DataSource, name: str, kind: str, actor: str, **carried: Any
) -> View:
    """Add a view to a data source's database; `carried` are filter, sorts, quick_filters, configuration and,
    for a linked one, its home."""
    now = store.now()
    view = View(
        store.ids.content(),
        carried.get("home") or source.parent.id,
        source.id,
        name,
        kind,
        now,
        actor,
        now,
        actor,
        carried.get("filter"),
        carried.get("sorts"),
        carried.get("quick_filters"),
        carried.get("configuration") or {"type": kind},
    )
    views(store)[view.id] = view
    return view


def add_default_view(store: Store, data_source: DataSource, actor: str) -> None:
    """Add the table view that comes with a new data source (docs/facts/notion-api.md 3.1)."""
    add_view(store, data_source, "Default view", "table", actor)


def shown(store: Store, view: View) -> dict[str, Any]:
    """Return a view as answers show it."""
    return {
        "object": "view",
        "id": view.id,
        "parent": parent_object(Place("database_id", view.database_id)),
        "data_source_id": view.data_source_id,
        "name": view.name,
        "type": view.type,
        "created_time": exact(view.created),
        "created_by": author(view.created_by),
        "last_edited_time": exact(view.edited),
        "last_edited_by": author(view.edited_by),
        "url": _url(store, view),
        "filter": view.filter,
        "sorts": view.sorts,
        "quick_filters": view.quick_filters,
        "configuration": view.configuration,
    }


def _url(store: Store, view: View) -> str:
    digits = view.id.replace("-", "")
    site = store.site
    address = page_url(view.database_id, site=site)
    return f"{address}?v={digits}"


def create(call: Call) -> Answer:
    """POST /v1/views, as a new tab of a database."""
    body = call.body
    for key in ("data_source_id", "name", "type"):
        if not isinstance(body.get(key), str):
            raise should_be(f"body.{key}", "a string", body.get(key, MISSING))
    if body["type"] not in TYPES:
        raise should_be(
            "body.type", ", ".join(f'`"{one}"`' for one in TYPES), body["type"]
        )
    source = call.store.data_source(body["data_source_id"])
    call.store.refuse_trashed(source, "data source")
    place = _check_place(call)
    if place == "database_id":
        _check_database(call, source)
    carried = _carried(call.store, source, body)
    configuration = checked_configuration(
        source, body["type"], body.get("configuration")
    )
    if place == "database_id":
        at = _read_position(call.store, source, body.get("position"))
        home = source.parent.id
    else:
        at = len(views(call.store))
        home = _link(call, source)
    view = add_view(
        call.store,
        source,
        body["name"],
        body["type"],
        call.actor,
        home=home,
        configuration=configuration,
        **carried,
    )
    _move(call.store, view, at)
    return shown(call.store, view)


def _check_place(call: Call) -> str:
    """Return which of the places of a new view a body names."""
    named = [
        key
        for key in ("database_id", "view_id", "create_database")
        if call.body.get(key) is not None
    ]
    if len(named) != 1:
        raise invalid(
            "body failed validation: exactly one of body.database_id, body.view_id and body.create_database "
            "should be defined."
        )
    if named == ["view_id"]:
        raise invalid(
            "body.view_id is not supported here; name the database in body.database_id."
        )
    return named[0]


def _link(call: Call, source: DataSource) -> str:
    """Put a linked database on a page, at the end or after a block, and return its id."""
    store = call.store
    asked = an_object(call.body["create_database"], "body.create_database")
    parent = an_object(asked.get("parent"), "body.create_database.parent")
    if parent.get("type") != "page_id":
        raise should_be(
            "body.create_database.parent.type",
            '`"page_id"`',
            parent.get("type", MISSING),
        )
    page = store.page(str(parent.get("page_id")))
    store.refuse_trashed(page, "page")
    at = _place_after(store, page.id, asked.get("position"))
    linked = Database(
        id=store.ids.content(),
        parent=Place("page_id", page.id),
        title=source.title,
        icon=source.icon,
        is_inline=True,
        linked=source.id,
        **store.stamps(call.actor),
    )
    store.databases[linked.id] = linked
    store.attach(page.id, [linked.id], at=at)
    return linked.id


def _place_after(store: Store, container: str, given: Any) -> int | None:
    """Return the index behind the block that a position names; None is the end."""
    if given is None:
        return None
    position = an_object(given, "body.create_database.position")
    if position.get("type") != "after_block":
        raise should_be(
            "body.create_database.position.type",
            '`"after_block"`',
            position.get("type", MISSING),
        )
    before = plain_id(str(position.get("block_id")))
    body = store.children.get(container, [])
    if before not in body:
        raise store.missing("block", before)
    return body.index(before) + 1


def _check_database(call: Call, source: DataSource) -> None:
    database = call.store.database(str(call.body["database_id"]))
    if source.parent.id != database.id:
        raise invalid(
            f"Data source {source.id} does not belong to database {database.id}."
        )


def _carried(store: Store, source: DataSource, body: dict[str, Any]) -> dict[str, Any]:
    carried = {
        key: body[key] or None for key in CARRIED if key in body
    }  # evaluating them is how they are checked
    ordered_rows(store, source, carried.get("filter"), carried.get("sorts"))
    quick = carried.get("quick_filters")
    if quick is not None and not (
        isinstance(quick, dict) and all(isinstance(one, dict) for one in quick.values())
    ):
        raise should_be("body.quick_filters", "an object of objects", quick)
    return carried


def _read_position(store: Store, source: DataSource, given: Any) -> int:
    """Return the index a new view takes among all views."""
    kind = an_object(given, "body.position").get(
        "type", "end" if given is None else MISSING
    )
    match kind:
        case "start":
            return 0
        case "end":
            return len(views(store))
        case "after_view":
            before = _find(store, str(given.get("view_id")))
            if before.database_id != source.parent.id:
                raise invalid(
                    f"View {before.id} does not belong to database {source.parent.id}."
                )
            return list(views(store)).index(before.id) + 1
        case _:
            raise should_be(
                "body.position.type", '`"start"`, `"end"` or `"after_view"`', kind
            )


def _move(store: Store, view: View, at: int) -> None:
    order = [one for one in views(store) if one != view.id]
    order.insert(at, view.id)
    reordered = {one: views(store)[one] for one in order}
    views(store).clear()
    views(store).update(reordered)


# One view.


def _find(store: Store, view_id: str) -> View:
    view = views(store).get(plain_id(view_id))
    source = store.data_sources.get(view.data_source_id) if view else None
    home = store.databases.get(view.database_id) if view else None
    if view is None or source is None or not store.visible(source):
        raise store.missing("view", plain_id(view_id))
    if home is None or not store.visible(home):
        raise store.missing("view", plain_id(view_id))
    return view


def retrieve(call: Call) -> Answer:
    """GET /v1/views/{id}."""
    return shown(call.store, _find(call.store, call.params["view_id"]))


def update(call: Call) -> Answer:
    """PATCH /v1/views/{id}; the type stays."""
    view = _find(call.store, call.params["view_id"])
    source = call.store.data_source(view.data_source_id)
    call.store.refuse_trashed(source, "data source")
    carried = _carried(call.store, source, call.body)
    name = call.body.get("name", view.name)
    if not isinstance(name, str):
        raise should_be("body.name", "a string", name)
    if "configuration" in call.body:
        view.configuration = checked_configuration(
            source, view.type, call.body["configuration"], view.configuration
        )
    for key, value in carried.items():
        setattr(view, key, value)
    view.name = name
    view.edited = call.store.now()
    view.edited_by = call.actor
    return shown(call.store, view)


def delete(call: Call) -> Answer:
    """DELETE /v1/views/{id}; a database keeps its last view."""
    view = _find(call.store, call.params["view_id"])
    if (
        sum(one.database_id == view.database_id for one in views(call.store).values())
        == 1
    ):
        raise invalid("Cannot delete the last view of a database.")
    del views(call.store)[view.id]
    return {
        key: value
        for key, value in shown(call.store, view).items()
        if key in ("object", "id", "parent", "type")
    }


def list_views(call: Call) -> Answer:
    """GET /v1/views?database_id|data_source_id: ids only."""
    database_id = call.request.first("database_id")
    data_source_id = call.request.first("data_source_id")
    if (database_id is None) == (data_source_id is None):
        raise invalid(
            "query failed validation: exactly one of query.database_id and query.data_source_id should be "
            "defined."
        )
    if database_id is not None:
        database = call.store.shelter(database_id)
        view_ids = [
            view.id
            for view in views(call.store).values()
            if view.database_id == database.id
        ]
    else:
        view_ids = [
            view.id
            for view in views_of(
                call.store, call.store.data_source(str(data_source_id)).id
            )
        ]
    ids, cursor = paginate(call, view_ids)
    return listing(
        "view", [{"object": "view", "id": view_id} for view_id in ids], cursor
    )


# View queries.


def queries(store: Store) -> dict[str, ViewQuery]:
    """Return the cached results by id."""
    return store.shelf("view_queries")


def create_query(call: Call) -> Answer:
    """POST /v1/views/{id}/queries: run the view now and keep the ids for a quarter of an hour."""
    view = _find(call.store, call.params["view_id"])
    source = call.store.data_source(view.data_source_id)
    rows = tuple(
        page.id for page in ordered_rows(call.store, source, view.filter, view.sorts)
    )
    made = ViewQuery(
        call.store.ids.content(),
        view.id,
        call.store.now() + QUERY_LIFE,
        rows[: call.store.lag.results],
        len(rows) <= call.store.lag.results,
    )
    queries(call.store)[made.id] = made
    return {
        "object": "view_query",
        "id": made.id,
        "view_id": view.id,
        "expires_at": exact(made.expires),
        "total_count": len(made.rows),
        **_chunk(call, made),
    }


def _chunk(call: Call, made: ViewQuery) -> dict[str, Any]:
    cursor = start_cursor(call)
    first = decode_offset(made.id, cursor) if cursor else 0
    until = first + page_size(call)
    following = encode_offset(made.id, until) if until < len(made.rows) else None
    status = {} if made.complete else {"request_status": INCOMPLETE}
    return {
        "results": [{"object": "page", "id": one} for one in made.rows[first:until]],
        "next_cursor": following,
        "has_more": following is not None,
        **status,
    }


def _find_query(call: Call) -> ViewQuery:
    view = _find(call.store, call.params["view_id"])
    found = queries(call.store).get(plain_id(call.params["query_id"]))
    if found is None or found.view_id != view.id or found.expires < call.store.now():
        raise call.store.missing("view query", plain_id(call.params["query_id"]))
    return found


def query_results(call: Call) -> Answer:
    """GET /v1/views/{id}/queries/{query_id}: one page of a cached result."""
    return {
        "object": "list",
        **_chunk(call, _find_query(call)),
        "type": "page",
        "page": {},
    }


def delete_query(call: Call) -> Answer:
    """DELETE /v1/views/{id}/queries/{query_id}."""
    found = _find_query(call)
    del queries(call.store)[found.id]
    return {"object": "view_query", "id": found.id, "deleted": True}


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/views",
        create,
        "views.create",
        "insert",
        True,
        frozenset(
            {
                "data_source_id",
                "name",
                "type",
                "database_id",
                "view_id",
                "create_database",
                "configuration",
                "position",
                "placement",
                *CARRIED,
            }
        ),
    ),
    Route("GET", "/v1/views", list_views, "views.list"),
    Route("GET", "/v1/views/{view_id}", retrieve, "views.retrieve"),
    Route(
        "PATCH",
        "/v1/views/{view_id}",
        update,
        "views.update",
        "update",
        True,
        frozenset({"name", "configuration", *CARRIED}),
    ),
    Route("DELETE", "/v1/views/{view_id}", delete, "views.delete", "update", True),
    Route(
        "POST",
        "/v1/views/{view_id}/queries",
        create_query,
        "views.query",
        keys=frozenset({"page_size"}),
    ),
    Route(
        "GET",
        "/v1/views/{view_id}/queries/{query_id}",
        query_results,
        "views.query.results",
    ),
    Route(
        "DELETE",
        "/v1/views/{view_id}/queries/{query_id}",
        delete_query,
        "views.query.delete",
    ),
)
