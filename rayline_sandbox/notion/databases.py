"""The databases endpoints: containers of data sources (docs/facts/notion-api.md 3.1)."""

from __future__ import annotations

from typing import Any

from rayline_sandbox.notion.call import Answer, Call, Route, read_trash, with_archived
from rayline_sandbox.notion.errors import an_object, invalid
from rayline_sandbox.notion.media import read_cover, read_icon, shown_or_none
from rayline_sandbox.notion.pages import find_parent
from rayline_sandbox.notion.richtext import (
    page_url,
    parse_rich_text,
    plain,
    plain_rich_text,
)
from rayline_sandbox.notion.schema import add_columns, all_or_nothing
from rayline_sandbox.notion.store import (
    Database,
    DataSource,
    Page,
    Parent,
    Record,
    Store,
    exact,
    parent_object,
)
from rayline_sandbox.notion.views import add_default_view

_LOOKS = frozenset({"title", "description", "icon", "cover"})
UNNAMED = "New database"
"""The title of a database made without one, and of its data source (recorded)."""
ON_BOTH = ("description", "icon")
"""What an update of a database changes of its only data source as well (recorded)."""


def read_looks(store: Store, body: dict[str, Any]) -> dict[str, Any]:
    """Return checked title, description, icon and cover of a request, as far as it names them."""
    texts = {
        key: parse_rich_text(store, body[key], f"body.{key}")
        for key in ("title", "description")
        if key in body
    }
    readers = {"icon": read_icon, "cover": read_cover}
    return texts | {
        key: reader(store, body[key]) for key, reader in readers.items() if key in body
    }


def database_object(store: Store, database: Database, version: str) -> dict[str, Any]:
    """Return the complete database object."""
    sources = [store.data_sources[one] for one in database.data_sources]
    return with_archived(
        version,
        {
            "object": "database",
            "id": database.id,
            "title": database.title,
            "description": database.description,
            "parent": parent_object(database.parent),
            "is_inline": database.is_inline,
            "in_trash": store.trashed(database),
            "is_locked": database.is_locked,
            "created_time": exact(database.created),
            "last_edited_time": exact(database.edited),
            "data_sources": [
                {"id": source.id, "name": plain(source.title)}
                for source in sources
                if not source.in_trash
            ],
            "icon": shown_or_none(store, database.icon),
            "cover": shown_or_none(store, database.cover),
            "url": page_url(database.id, site=store.site),
            "public_url": None,
        },
    )


def add_database(
    store: Store,
    parent: Page,
    looks: dict[str, Any],
    actor: str,
    *,
    properties: dict[str, Any] | None = None,
    is_inline: bool = False,
) -> Database:
    """Create a database with its first data source and default view below a page, and return it."""
    named = looks if looks.get("title") else looks | {"title": plain_rich_text(UNNAMED)}
    database = Database(
        id=store.ids.content(),
        parent=Parent("page_id", parent.id),
        is_inline=is_inline,
        **named,
        **store.stamps(actor),
    )
    source = draft_data_source(
        store,
        database,
        {"title": database.title, "icon": database.icon},
        {} if properties is None else properties,
        actor,
    )
    store.databases[database.id] = database
    store.attach(parent.id, [database.id])
    register(store, database, source, actor)
    return database


def draft_data_source(
    store: Store,
    database: Database,
    looks: dict[str, Any],
    properties: dict[str, Any],
    actor: str,
) -> DataSource:
    """Return a checked data source that the database does not list yet.

    Relations need the source findable while its columns are read, so it is registered and withdrawn on failure.
    """
    source = DataSource(
        id=store.ids.content(),
        parent=Parent("database_id", database.id),
        **looks,
        **store.stamps(actor),
    )
    store.data_sources[source.id] = source
    try:
        with all_or_nothing(store, source):
            add_columns(store, source, properties)
    except Exception:
        del store.data_sources[source.id]
        raise
    return source


def register(store: Store, database: Database, source: DataSource, actor: str) -> None:
    """List a data source in its database and give it the default view."""
    database.data_sources.append(source.id)
    add_default_view(store, source, actor)


def create_database(call: Call) -> Answer:
    """POST /v1/databases."""
    store = call.store
    body = call.body
    parent = find_parent(store, body.get("parent"))
    if not isinstance(parent, Page):
        raise invalid("A database can only be created below a page.")
    store.refuse_trashed(parent, "page")
    initial = an_object(body.get("initial_data_source"), "body.initial_data_source")
    database = add_database(
        store,
        parent,
        read_looks(store, body),
        call.actor,
        properties=initial.get("properties"),
        is_inline=bool(body.get("is_inline")),
    )
    return database_object(store, database, call.version)


def retrieve_database(call: Call) -> Answer:
    """GET /v1/databases/{database_id}."""
    return database_object(
        call.store, call.store.database(call.params["database_id"]), call.version
    )


def update_database(call: Call) -> Answer:
    """PATCH /v1/databases/{database_id}: title, description, looks, lock, trash, parent.

    Source: docs/facts/notion-api.md 3.2.
    """
    store = call.store
    body = call.body
    database = call.store.database(call.params["database_id"])
    trash = read_trash(call)
    store.refuse_trashed(database, "database", lifted=trash is False)
    looks = read_looks(store, body)
    parent = (
        _read_parent(store, database, body["parent"]) if body.get("parent") else None
    )
    store.touch(database, call.actor)
    flags = {
        key: body[key]
        for key in ("is_inline", "is_locked")
        if isinstance(body.get(key), bool)
    }
    for key, value in (looks | flags).items():
        setattr(database, key, value)
    _pass_on(store, database, looks, call.actor)
    if parent is not None:
        _reparent(store, database, parent)
    if trash is not None:
        database.in_trash = trash
    return database_object(store, database, call.version)


def _read_parent(store: Store, database: Database, given: Any) -> Page:
    parent = find_parent(store, given)
    if not isinstance(parent, Page):
        raise invalid("A database can only be moved below a page.")
    store.refuse_trashed(parent, "page")
    if database in store.line(parent):
        raise invalid("A database cannot be moved below itself.")
    return parent


def _pass_on(
    store: Store, database: Database, looks: dict[str, Any], actor: str
) -> None:
    """Give the only data source of a database the looks that both have."""
    shared = {key: looks[key] for key in ON_BOTH if key in looks}
    if not shared or len(database.data_sources) != 1:
        return
    source = store.data_sources[database.data_sources[0]]
    store.touch(source, actor)
    for key, value in shared.items():
        setattr(source, key, value)


def _reparent(store: Store, database: Record, parent: Page) -> None:
    store.detach(database)
    database.parent = Parent("page_id", parent.id)
    store.attach(parent.id, [database.id])


ROUTES = (
    Route(
        "POST",
        "/v1/databases",
        create_database,
        "databases.create",
        "insert",
        write=True,
        keys=_LOOKS | {"parent", "is_inline", "initial_data_source"},
    ),
    Route(
        "GET", "/v1/databases/{database_id}", retrieve_database, "databases.retrieve"
    ),
    Route(
        "PATCH",
        "/v1/databases/{database_id}",
        update_database,
        "databases.update",
        "update",
        write=True,
        keys=_LOOKS | {"parent", "is_inline", "is_locked", "in_trash", "archived"},
    ),
)
