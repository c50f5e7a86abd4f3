"""The data sources endpoints but for the query: create, retrieve, change the schema.

Source: docs/facts/notion-api.md 3.2, 3.3, 3.4, 3.7, 3.8.
"""

from __future__ import annotations

from typing import Any

from rayline_sandbox.notion.call import Answer, Call, Route, read_trash, with_archived
from rayline_sandbox.notion.databases import draft_data_source, read_looks, register
from rayline_sandbox.notion.errors import MISSING, invalid, should_be
from rayline_sandbox.notion.media import shown_or_none
from rayline_sandbox.notion.richtext import page_url
from rayline_sandbox.notion.schema import all_or_nothing, update_columns
from rayline_sandbox.notion.schema_objects import schema_object
from rayline_sandbox.notion.store import (
    Database,
    DataSource,
    Parent,
    Store,
    author,
    minute,
    parent_object,
)
from rayline_sandbox.notion.views import views_of


def data_source_object(
    store: Store, source: DataSource, version: str
) -> dict[str, Any]:
    """Return the complete data source object."""
    database = store.databases[source.parent.id]
    return with_archived(
        version,
        {
            "object": "data_source",
            "id": source.id,
            "cover": shown_or_none(store, source.cover),
            "icon": shown_or_none(store, source.icon),
            "created_time": minute(source.created),
            "created_by": author(source.created_by),
            "last_edited_by": author(source.edited_by),
            "last_edited_time": minute(source.edited),
            "title": source.title,
            "description": source.description,
            "is_inline": database.is_inline,
            "properties": schema_object(store, source),
            "parent": parent_object(source.parent),
            "database_parent": parent_object(database.parent),
            "url": page_url(database.id, site=store.site),
            "public_url": None,
            "in_trash": store.trashed(source),
        },
    )


def create_data_source(call: Call) -> Answer:
    """POST /v1/data_sources: one more data source in a database."""
    store = call.store
    body = call.body
    given = body.get("parent")
    if not isinstance(given, dict) or "database_id" not in given:
        raise should_be("body.parent.database_id", "defined", MISSING)
    database = store.database(str(given["database_id"]))
    store.refuse_trashed(database, "database")
    if "properties" not in body:
        raise should_be("body.properties", "defined", MISSING)
    source = draft_data_source(
        store, database, read_looks(store, body), body["properties"], call.actor
    )
    register(store, database, source, call.actor)
    store.touch(database, call.actor)
    return data_source_object(store, source, call.version)


def retrieve_data_source(call: Call) -> Answer:
    """GET /v1/data_sources/{data_source_id}."""
    return data_source_object(
        call.store, call.store.data_source(call.params["data_source_id"]), call.version
    )


def update_data_source(call: Call) -> Answer:
    """PATCH /v1/data_sources/{data_source_id}: schema, title, looks, trash, database; all or nothing."""
    store = call.store
    source = call.store.data_source(call.params["data_source_id"])
    trash = read_trash(call)
    store.refuse_trashed(source, "data source", lifted=trash is False)
    looks = read_looks(store, call.body)
    home = (
        _read_home(store, source, call.body["parent"])
        if call.body.get("parent") is not None
        else None
    )
    if "properties" in call.body:
        with all_or_nothing(store, source):
            update_columns(store, source, call.body["properties"])
    store.touch(source, call.actor)
    for key, value in looks.items():
        setattr(source, key, value)
    if home is not None:
        _rehome(store, source, home)
    if trash is not None:
        source.in_trash = trash
    return data_source_object(store, source, call.version)


def _read_home(store: Store, source: DataSource, given: Any) -> Database:
    """Return the database a request moves a data source to."""
    if not isinstance(given, dict) or not isinstance(given.get("database_id"), str):
        raise should_be("body.parent.database_id", "defined", MISSING)
    home = store.database(given["database_id"])
    store.refuse_trashed(home, "database")
    if source in store.line(home):
        raise invalid("A data source cannot be moved below itself.")
    return home


def _rehome(store: Store, source: DataSource, home: Database) -> None:
    """List a data source in another database, its views with it; neither database counts as edited (recorded)."""
    store.databases[source.parent.id].data_sources.remove(source.id)
    home.data_sources.append(source.id)
    source.parent = Parent("database_id", home.id)
    for view in views_of(store, source.id):
        view.database_id = home.id


def list_templates(call: Call) -> Answer:
    """GET /v1/data_sources/{data_source_id}/templates: there are none."""
    call.store.data_source(call.params["data_source_id"])
    return {"templates": [], "has_more": False, "next_cursor": None}


_KEYS = frozenset({"parent", "properties", "title", "description", "icon"})

ROUTES = (
    Route(
        "POST",
        "/v1/data_sources",
        create_data_source,
        "data_sources.create",
        "insert",
        write=True,
        keys=_KEYS,
    ),
    Route(
        "GET",
        "/v1/data_sources/{data_source_id}",
        retrieve_data_source,
        "data_sources.retrieve",
    ),
    Route(
        "PATCH",
        "/v1/data_sources/{data_source_id}",
        update_data_source,
        "data_sources.update",
        "update",
        write=True,
        keys=_KEYS | {"in_trash", "archived"},
    ),
    Route(
        "GET",
        "/v1/data_sources/{data_source_id}/templates",
        list_templates,
        "data_sources.templates",
    ),
)
