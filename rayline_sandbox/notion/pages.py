"""The pages endpoints: create, read, change, move, and one property at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from rayline_sandbox.notion.blocks import (
    Draft,
    insert_blocks,
    read_drafts,
    read_position,
    set_trash,
)
from rayline_sandbox.notion.call import (
    Answer,
    Call,
    Route,
    decode_offset,
    encode_offset,
    page_size,
    read_trash,
    start_cursor,
)
from rayline_sandbox.notion.errors import (
    MISSING,
    NotionError,
    an_object,
    invalid,
    should_be,
)
from rayline_sandbox.notion.markdown import (
    asked_later,
    blocks_from_markdown,
    drafts_of,
    queued,
)
from rayline_sandbox.notion.media import read_cover, read_icon
from rayline_sandbox.notion.properties import TITLE, Cell, columns, parse_value
from rayline_sandbox.notion.retyping import text_of, value_from
from rayline_sandbox.notion.schema import find_property
from rayline_sandbox.notion.store import (
    DataSource,
    Page,
    Parent,
    Property,
    Record,
    Store,
)
from rayline_sandbox.notion.values import (
    encoded,
    linked,
    page_object,
    rollup_columns,
    rollup_object,
    show,
    shown_columns,
    source_of,
)

PARENT_KEYS = ("data_source_id", "database_id", "page_id", "block_id")
CREATE_KEYS = frozenset(
    {
        "parent",
        "properties",
        "icon",
        "cover",
        "children",
        "content",
        "markdown",
        "template",
        "position",
        "allow_async",
    }
)
UPDATE_KEYS = frozenset(
    {
        "properties",
        "icon",
        "cover",
        "is_locked",
        "in_trash",
        "archived",
        "is_archived",
        "template",
        "erase_content",
    }
)
LOST_BY_MOVE = frozenset({"relation", "rollup", "unique_id"})
ITEM_LISTS = frozenset({"title", "rich_text", "relation", "people"})


def find_parent(store: Store, given: Any) -> Record:
    """Return the visible page or data source a new or moved page goes to; sole data sources stand for databases."""
    if not isinstance(given, dict):
        raise should_be("body.parent", "defined", MISSING if given is None else given)
    key = next((one for one in PARENT_KEYS if one in given), None)
    if key == "data_source_id":
        return store.data_source(str(given[key]))
    if key == "page_id":
        return store.page(str(given[key]))
    if key == "database_id":
        database = store.database(str(given[key]))
        if len(database.data_sources) != 1:
            raise invalid(
                "Databases with multiple data sources are not supported in this API version."
            )
        return store.data_source(database.data_sources[0])
    if given.get("workspace") or given.get("type") == "workspace":
        raise invalid(
            "Internal integrations aren't owned by a single user, so creating workspace-level private pages "
            "is not supported."
        )
    raise should_be("body.parent.page_id", "defined", MISSING)


def parent_of(record: Record) -> Parent:
    """Return the parent link to a record."""
    return Parent(
        "data_source_id" if isinstance(record, DataSource) else "page_id", record.id
    )


def read_values(
    store: Store, source: DataSource | None, given: Any, *, human: bool = False
) -> dict[str, Any]:
    """Return stored values by property id for the `properties` of a request."""
    if not isinstance(given, dict):
        raise should_be("body.properties", "an object", given)
    with options_kept(source):
        return dict(
            _read_value(store, source, key, value, human=human)
            for key, value in given.items()
        )


@contextmanager
def options_kept(source: DataSource | None) -> Iterator[None]:
    """Take back the options a request brought along when a part of it is refused."""
    kept = [
        (prop, prop.config["options"])
        for prop in columns(source).values()
        if "options" in prop.config
    ]
    try:
        yield
    except NotionError:
        for prop, options in kept:
            prop.config["options"] = options
        raise


def _read_value(
    store: Store, source: DataSource | None, key: str, value: Any, *, human: bool
) -> tuple[str, Any]:
    prop = find_property(source, key) if source else _title_of(key)
    if prop is None:
        raise invalid(f"{key} is not a property that exists.")
    return prop.id, parse_value(
        Cell(store, prop, f"body.properties.{key}", human), value
    )


def _title_of(key: str) -> Property | None:
    return TITLE if key.lower() == "title" else None


def write_values(store: Store, page: Page, values: dict[str, Any], actor: str) -> None:
    """Store values in a page (the edit is the caller's to stamp) and keep both sides of dual relations in step."""
    source = source_of(store, page)
    for property_id, value in values.items():
        prop = columns(source)[property_id]
        before = page.values.get(property_id) or []
        page.values[property_id] = value
        if prop.type == "relation" and prop.config.get("synced"):
            _sync(store, page, prop, before, actor)


def _sync(
    store: Store, page: Page, prop: Property, before: list[str], actor: str
) -> None:
    mirror = prop.config["synced"]
    now = page.values[prop.id]
    for other_id in dict.fromkeys([*before, *now]):
        other = store.pages.get(other_id)
        if other is None or (other_id in before) == (other_id in now):
            continue
        if other is not page:
            store.touch(other, actor)
        back = [link for link in other.values.get(mirror) or () if link != page.id]
        other.values[mirror] = [*back, page.id] if other_id in now else back


def add_page(
    store: Store,
    parent: Record,
    values: dict[str, Any],
    actor: str,
    *,
    icon: Any = None,
    cover: Any = None,
    at: int | None = None,
) -> Page:
    """Create a page below a page or a row in a data source and return it."""
    page = Page(
        id=store.ids.content(),
        parent=parent_of(parent),
        icon=icon,
        cover=cover,
        **store.stamps(actor),
    )
    store.pages[page.id] = page
    if isinstance(parent, DataSource):
        parent.rows[page.id] = None
        _number(parent, page)
    else:
        store.attach(parent.id, [page.id], at=at)
    write_values(store, page, {"title": []} | values, actor)
    return page


def _number(source: DataSource, page: Page) -> None:
    for prop in source.properties.values():
        if prop.type == "unique_id":
            source.counter += 1
            page.values[prop.id] = source.counter


def create_page(call: Call) -> Answer:
    """POST /v1/pages."""
    store = call.store
    body = call.body
    parent = find_parent(store, body.get("parent"))
    store.refuse_trashed(parent, "page")
    source = parent if isinstance(parent, DataSource) else None
    with options_kept(source):
        values = read_values(store, source, _given(body, "properties", {}))
        drafts = _read_body(call)
        later = asked_later(call)
        at = (
            read_position(store, parent, body["position"], "page_")
            if body.get("position") is not None
            else None
        )
        icon = read_icon(store, body.get("icon"))
        cover = read_cover(store, body.get("cover"))
    page = add_page(store, parent, values, call.actor, icon=icon, cover=cover, at=at)
    insert_blocks(store, page, drafts, call.actor)
    made = page_object(store, page, call.version)
    return (
        queued(call, made, "POST /v1/pages")
        if later and body.get("markdown") is not None
        else made
    )


def _given(body: dict[str, Any], key: str, default: Any) -> Any:
    if body.get(key) is None:
        return default
    return body[key]


def _read_body(call: Call) -> tuple[Draft, ...]:
    body = call.body
    store = call.store
    template = an_object(body.get("template"), "body.template").get("type", "none")
    if template != "none":
        raise invalid("The data source has no such template.")
    given = [
        key
        for key in ("markdown", "children", "content")
        if body.get(key) not in (None, [])
    ]
    if len(given) > 1:
        raise invalid(
            f"body failed validation: body.{given[0]} and body.{given[1]} should not both be defined."
        )
    if body.get("markdown") is None:
        key = "content" if body.get("children") is None else "children"
        return read_drafts(store, _given(body, key, []), f"body.{key}")
    if not isinstance(body["markdown"], str):
        raise should_be("body.markdown", "a string", body["markdown"])
    return drafts_of(store, blocks_from_markdown(body["markdown"]))


def retrieve_page(call: Call) -> Answer:
    """GET /v1/pages/{page_id}: as of some seconds ago when pages are made to lag."""
    page = call.store.page(call.params["page_id"])
    seen = call.store.as_seen(page, call.store.lag.page) or page
    props = _filtered(call, source_of(call.store, page))
    return page_object(call.store, seen, call.version, props)


def _filtered(call: Call, source: DataSource | None) -> list[Property] | None:
    wanted = call.request.every("filter_properties")
    if not wanted:
        return None
    seen = {prop.id for prop in shown_columns(call.store, source)}
    found = (find_property(source, key) if source else _title_of(key) for key in wanted)
    return [prop for prop in found if prop is not None and prop.id in seen]


def update_page(call: Call) -> Answer:
    """PATCH /v1/pages/{page_id}: unspecified parts stay as they are."""
    store = call.store
    body = call.body
    page = call.store.page(call.params["page_id"])
    trash = read_trash(call)
    for key in ("is_archived", "is_locked", "erase_content"):
        given = body.get(key)
        if given is not None and not isinstance(given, bool):
            raise should_be(f"body.{key}", "a boolean", given)
    is_lifted = trash is False or body.get("is_archived") is False
    store.refuse_trashed(page, "block", lifted=is_lifted)
    source = source_of(store, page)
    readers = {"icon": read_icon, "cover": read_cover}
    with options_kept(source):
        values = read_values(store, source, _given(body, "properties", {}))
        looks = {
            key: reader(store, body[key])
            for key, reader in readers.items()
            if key in body
        }
    store.touch(page, call.actor)
    write_values(store, page, values, call.actor)
    for key, value in looks.items():
        setattr(page, key, value)
    _set_states(store, page, body | {"in_trash": trash}, call.actor)
    return page_object(store, page, call.version)


def _set_states(store: Store, page: Page, body: dict[str, Any], actor: str) -> None:
    for key in ("in_trash", "is_archived", "is_locked"):
        if body.get(key) is not None:
            setattr(page, key, body[key])
    if body.get("erase_content"):
        for one in store.body_of(page.id):
            if block := store.blocks.get(one):
                set_trash(store, block, True, actor)


def move_page(call: Call) -> Answer:
    """POST /v1/pages/{page_id}/move."""
    store = call.store
    page = call.store.page(call.params["page_id"])
    parent = find_parent(store, call.body.get("parent"))
    store.refuse_trashed(page, "page")
    store.refuse_trashed(parent, "page")
    relocate(store, page, parent, call.actor)
    return page_object(store, page, call.version)


def relocate(store: Store, page: Page, parent: Record, actor: str) -> None:
    """Move a page; columns match by name and type in the new data source, other values are lost.

    A row moved to where it is stays as it is. What linked back to a moved row forgets it, as the row forgets its links.
    """
    if page in store.line(parent):
        raise invalid("A page cannot be moved below itself.")
    old = source_of(store, page)
    new = parent if isinstance(parent, DataSource) else None
    store.touch(page, actor)
    if old is not None and old is new:
        return
    _unlink(store, page, old, actor)
    if old is not None:
        old.rows.pop(page.id, None)
    store.detach(page)
    page.values = _carried(store, page, old, new)
    page.parent = parent_of(parent)
    if new is not None:
        new.rows[page.id] = None
        _number(new, page)
    else:
        store.attach(parent.id, [page.id])


def _unlink(store: Store, page: Page, source: DataSource | None, actor: str) -> None:
    dual = [
        prop
        for prop in columns(source).values()
        if prop.type == "relation" and prop.config.get("synced")
    ]
    write_values(store, page, {prop.id: [] for prop in dual}, actor)


def _carried(
    store: Store, page: Page, old: DataSource | None, new: DataSource | None
) -> dict[str, Any]:
    targets = {(prop.name, prop.type): prop for prop in columns(new).values()}
    kept = {"title": page.values.get("title", [])}
    for prop in columns(old).values():
        target = targets.get((prop.name, prop.type))
        if target is None or prop.id not in page.values or prop.type in LOST_BY_MOVE:
            continue
        value = page.values[prop.id]
        kept[target.id] = (
            value_from(store, target, text_of(store, prop, value))
            if "options" in prop.config
            else value
        )
    return kept


def retrieve_property(call: Call) -> Answer:
    """GET /v1/pages/{page_id}/properties/{property_id}: full lists, paginated (docs/facts/notion-api.md 2.27)."""
    store = call.store
    page = call.store.page(call.params["page_id"])
    source = source_of(store, page)
    key = call.params["property_id"]
    prop = find_property(source, key) if source else _title_of(key)
    if prop is None or prop not in shown_columns(store, source):
        raise store.missing("property", key)
    if prop.type == "rollup":
        return _rollup_items(call, page, prop)
    value = show(store, page, prop)
    if prop.type in ITEM_LISTS:
        return _items(call, page, prop, _each(prop, value), {prop.type: {}})
    return _item(prop, value)


def _item(prop: Property, value: Any) -> dict[str, Any]:
    return {
        "object": "property_item",
        "type": prop.type,
        "id": encoded(prop.id),
        prop.type: value,
    }


def _each(prop: Property, values: list[Any]) -> list[dict[str, Any]]:
    return [_item(prop, value) for value in values]


def _rollup_items(call: Call, page: Page, prop: Property) -> dict[str, Any]:
    """Return what a rollup shows, item by item; beside what a calculation comes to, the links it is made from.

    While there are more links to page through, the calculation is `incomplete` (docs/facts/notion-api.md 2.27).
    """
    value = rollup_object(call.store, page, prop)
    found = rollup_columns(call.store, source_of(call.store, page), prop)
    if found is None:
        return _items(call, page, prop, [], {"rollup": value})
    relation, target = found
    rows = linked(call.store, page, relation)
    if value["type"] in ("array", "unsupported"):
        shown = [show(call.store, call.store.pages[row_id], target) for row_id in rows]
        each = (
            shown
            if target.type not in ITEM_LISTS
            else [item for cell in shown for item in cell]
        )
        bare = value | {"array": []} if value["type"] == "array" else value
        return _items(call, page, prop, _each(target, each), {"rollup": bare})
    answer = _items(
        call,
        page,
        prop,
        _each(relation, [{"id": row_id} for row_id in rows]),
        {"rollup": value},
    )
    if answer["has_more"]:
        answer["property_item"]["rollup"] = {
            "type": "incomplete",
            "incomplete": {},
            "function": value["function"],
        }
    return answer


def _items(
    call: Call,
    page: Page,
    prop: Property,
    items: list[dict[str, Any]],
    detail: dict[str, Any],
) -> dict[str, Any]:
    tag = f"{page.id}{prop.id}"
    cursor = start_cursor(call)
    size = page_size(call)
    first = decode_offset(tag, cursor) if cursor else 0
    after = first + size
    following = encode_offset(tag, after) if after < len(items) else None
    address = f"https://api.notion.com/v1/pages/{page.id}/properties/{quote(encoded(prop.id), safe='%')}"
    return {
        "object": "list",
        "results": items[first:after],
        "next_cursor": following,
        "has_more": following is not None,
        "type": "property_item",
        "property_item": {
            "id": encoded(prop.id),
            "type": prop.type,
            **detail,
            "next_url": following
            and f"{address}?start_cursor={following}&page_size={size}",
        },
    }


ROUTES = (
    Route(
        "POST",
        "/v1/pages",
        create_page,
        "pages.create",
        "insert",
        write=True,
        keys=CREATE_KEYS,
    ),
    Route("GET", "/v1/pages/{page_id}", retrieve_page, "pages.retrieve"),
    Route(
        "PATCH",
        "/v1/pages/{page_id}",
        update_page,
        "pages.update",
        "update",
        write=True,
        keys=UPDATE_KEYS,
    ),
    Route(
        "POST",
        "/v1/pages/{page_id}/move",
        move_page,
        "pages.move",
        "update",
        write=True,
        keys=frozenset({"parent"}),
    ),
    Route(
        "GET",
        "/v1/pages/{page_id}/properties/{property_id}",
        retrieve_property,
        "pages.properties.retrieve",
    ),
)
