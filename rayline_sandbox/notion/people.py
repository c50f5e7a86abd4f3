"""The human actor: what people do in Notion behind the connection's back, without its rights and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rayline_sandbox.notion.blocks import (
    Draft,
    edit_block,
    insert_blocks,
    read_drafts,
    set_trash,
)
from rayline_sandbox.notion.comments import add_comment
from rayline_sandbox.notion.errors import NotionError
from rayline_sandbox.notion.pages import add_page, read_values, relocate, write_values
from rayline_sandbox.notion.properties import columns
from rayline_sandbox.notion.richtext import RichText, plain_rich_text
from rayline_sandbox.notion.schema import (
    add_column,
    find_property,
    name_by_id,
    remove_column,
    rename_column,
    retype_column,
)
from rayline_sandbox.notion.store import (
    Block,
    Database,
    DataSource,
    Page,
    Parent,
    Property,
    Record,
    Store,
    plain_id,
)
from rayline_sandbox.notion.values import page_object, source_of
from rayline_sandbox.notion.workspace import ACTIONS as WORKSPACE_ACTIONS

if TYPE_CHECKING:
    from rayline_sandbox.notion.sandbox import NotionSandbox

Payload = dict[str, Any]


def perform(sandbox: NotionSandbox, action: str, payload: Payload) -> Payload:
    """Do one control action; what a person changes is logged. Raises ValueError with a clear text."""
    try:
        if action in WORKSPACE_ACTIONS:
            return WORKSPACE_ACTIONS[action](sandbox, payload)
        hooks = sandbox.events.actions()
        if action in hooks:
            return hooks[action](payload)
        if action not in ACTIONS:
            known = sorted({*ACTIONS, *WORKSPACE_ACTIONS, *hooks})
            raise ValueError(f"unknown action {action!r}; known: {', '.join(known)}")
        actor = actor_of(sandbox, payload)
        if actor not in sandbox.store.users:
            raise ValueError(f"no user {actor}")
        answer = ACTIONS[action](sandbox.store, payload, actor)
    except NotionError as error:
        raise ValueError(f"{action}: {error.message}") from None
    except KeyError as error:
        raise ValueError(f"{action}: {error} is missing or unknown") from None
    sandbox.note(action, actor, str(answer.get("id", "")), str(payload)[:200])
    return answer


def actor_of(sandbox: NotionSandbox, payload: Payload) -> str:
    """Return the id of the person who acts."""
    return plain_id(str(payload.get("user") or sandbox.owner_id))


def _record(store: Store, record_id: Any) -> Record:
    found = store.find(plain_id(str(record_id)))
    if found is None:
        raise ValueError(f"nothing with id {record_id}")
    return found


def _page(store: Store, record_id: Any) -> Page:
    found = _record(store, record_id)
    if not isinstance(found, Page):
        raise ValueError(f"{record_id} is not a page")
    return found


def _source(store: Store, record_id: Any) -> DataSource:
    record = _record(store, record_id)
    if isinstance(record, Database) and record.data_sources:
        record = store.data_sources[record.data_sources[0]]
    if not isinstance(record, DataSource):
        raise ValueError(f"{record_id} is not a data source")
    return record


def _property(source: DataSource, payload: Payload) -> Property:
    named = find_property(source, str(payload["property"]))
    if named is None:
        raise ValueError(
            f"no property {payload['property']!r}; there are "
            + ", ".join(prop.name for prop in source.properties.values())
        )
    return named


def _shown(store: Store, page: Page) -> Payload:
    return page_object(store, page, "", columns(source_of(store, page)).values())


def add_user(store: Store, payload: Payload, _: str) -> Payload:
    """Add a member: `name`, `email`."""
    user = store.add_user(str(payload["name"]), email=payload.get("email"))
    return {"id": user.id, "name": user.name, "email": user.email}


def edit(store: Store, payload: Payload, actor: str) -> Payload:
    """Change cells: `page_id`, `properties` by name in request form (a formula's frozen result may be given)."""
    page = _page(store, payload["page_id"])
    values = read_values(
        store, source_of(store, page), payload["properties"], human=True
    )
    store.touch(page, actor)
    write_values(store, page, values, actor)
    return _shown(store, page)


def create(store: Store, payload: Payload, actor: str) -> Payload:
    """Add a row: `data_source_id` (or `page_id` for a subpage), `properties`, `children`."""
    parent = (
        _page(store, payload["page_id"])
        if "page_id" in payload
        else _source(store, payload["data_source_id"])
    )
    source = parent if isinstance(parent, DataSource) else None
    values = read_values(store, source, payload.get("properties") or {}, human=True)
    drafts = read_drafts(store, payload.get("children") or [])
    page = add_page(store, parent, values, actor)
    insert_blocks(store, page, drafts, actor)
    return _shown(store, page)


def trash(store: Store, payload: Payload, actor: str) -> Payload:
    """Move anything to the trash: `id`."""
    record = _record(store, payload["id"])
    set_trash(store, record, True, actor)
    return {"id": record.id, "in_trash": True}


def restore(store: Store, payload: Payload, actor: str) -> Payload:
    """Bring anything back from the trash or the archive: `id`."""
    record = _record(store, payload["id"])
    set_trash(store, record, False, actor)
    if isinstance(record, Page) and record.is_archived:
        store.touch(record, actor)
        record.is_archived = False
    return {"id": record.id, "in_trash": False}


def archive(store: Store, payload: Payload, actor: str) -> Payload:
    """Archive a page: `id`; it leaves queries but is not in the trash (docs/facts/notion-api.md 2.16)."""
    page = _page(store, payload["id"])
    store.touch(page, actor)
    page.is_archived = True
    return {"id": page.id, "is_archived": True}


def delete_forever(store: Store, payload: Payload, _: str) -> Payload:
    """Remove anything with all below it: `id`; from then on it is a 404."""
    record = _record(store, payload["id"])
    store.detach(record)
    _forget(store, record)
    return {"id": record.id}


def _forget(store: Store, record: Record) -> None:
    below = list(store.children.pop(record.id, ()))
    if isinstance(record, Database):
        below += record.data_sources
    if isinstance(record, DataSource):
        below += record.rows
    source = store.data_sources.get(record.parent.id)
    if source is not None:
        source.rows.pop(record.id, None)
    database = store.databases.get(record.parent.id)
    if database is not None and record.id in database.data_sources:
        database.data_sources.remove(record.id)

    for one in below:
        child = store.find(one)
        if child is not None:
            _forget(store, child)
    for shelf in (store.pages, store.databases, store.data_sources, store.blocks):
        shelf.pop(record.id, None)


def duplicate(store: Store, payload: Payload, actor: str) -> Payload:
    """Copy a row with all its values and its body: `page_id`; the title gets " (1)"."""
    page = _page(store, payload["page_id"])
    parent = store.up(page)
    if parent is None:
        raise ValueError("the top page cannot be duplicated")
    computed = {
        prop.id
        for prop in columns(source_of(store, page)).values()
        if prop.type == "unique_id"
    }
    values = {key: value for key, value in page.values.items() if key not in computed}
    values["title"] = [*values.get("title", []), *plain_rich_text(" (1)")]
    copy = add_page(store, parent, values, actor, icon=page.icon, cover=page.cover)
    insert_blocks(store, copy, _drafts_of(store, page.id), actor)
    return _shown(store, copy)


def _drafts_of(store: Store, container: str) -> tuple[Draft, ...]:
    return tuple(
        Draft(block.type, block.payload, _drafts_of(store, block.id))
        for one in store.body_of(container)
        if (block := store.blocks.get(one)) is not None
    )


def move(store: Store, payload: Payload, actor: str) -> Payload:
    """Move a page: `page_id`, `parent` as in the API."""
    page = _page(store, payload["page_id"])
    given = payload["parent"]
    if not isinstance(given, dict):
        raise ValueError("parent is an object, as in the API")
    target_id = (
        given.get("data_source_id") or given.get("database_id") or given.get("page_id")
    )
    target = _record(store, target_id)
    if isinstance(target, Database):
        target = _source(store, target.id)
    relocate(store, page, target, actor)
    return _shown(store, page)


def rename_property(store: Store, payload: Payload, actor: str) -> Payload:
    """Rename a column: `data_source_id`, `property`, `name`; its id stays."""
    source = _source(store, payload["data_source_id"])
    prop = _property(source, payload)
    rename_column(source, prop, str(payload["name"]))
    store.touch(source, actor)
    return {"id": source.id, "property_id": prop.id}


def delete_property(store: Store, payload: Payload, actor: str) -> Payload:
    """Delete a column with its values: `data_source_id`, `property`."""
    source = _source(store, payload["data_source_id"])
    prop = _property(source, payload)
    remove_column(store, source, prop)
    store.touch(source, actor)
    return {"id": source.id, "property_id": prop.id}


def retype_property(store: Store, payload: Payload, actor: str) -> Payload:
    """Change a column's type: `data_source_id`, `property`, `type` and, where needed, `config`."""
    source = _source(store, payload["data_source_id"])
    prop = _property(source, payload)
    retype_column(store, source, prop, {payload["type"]: payload.get("config") or {}})
    name_by_id(store, source)
    store.touch(source, actor)
    return {"id": source.id, "property_id": prop.id}


def add_property(store: Store, payload: Payload, actor: str) -> Payload:
    """Add a column: `data_source_id`, `name`, `config` as in a schema request."""
    source = _source(store, payload["data_source_id"])
    prop = add_column(store, source, str(payload["name"]), payload["config"])
    name_by_id(store, source)
    store.touch(source, actor)
    return {"id": source.id, "property_id": prop.id}


def remove_user(store: Store, payload: Payload, _: str) -> Payload:
    """Remove a member: `id`; values naming them stay as bare references."""
    user = store.users.pop(plain_id(str(payload["id"])))
    return {"id": user.id}


def garble(store: Store, payload: Payload, _: str) -> Payload:
    """Have answers show `value` (any JSON) in a cell: `page_id`, `property`; without `value` the cell is itself again.

    For records no interface lets one write: unknown option shapes, absurd dates, huge texts.
    """
    page = _page(store, payload["page_id"])
    prop = next(
        (
            one
            for one in columns(source_of(store, page)).values()
            if one.name == payload["property"]
        ),
        None,
    )
    if prop is None:
        raise ValueError(f"no property {payload['property']!r}")
    page.garbled = {key: value for key, value in page.garbled.items() if key != prop.id}
    if "value" in payload:
        page.garbled[prop.id] = payload["value"]
    return {"id": page.id, "property_id": prop.id}


def rename_option(store: Store, payload: Payload, actor: str) -> Payload:
    """Rename a select or status option: `data_source_id`, `property`, `option`, `name`; its id stays."""
    source = _source(store, payload["data_source_id"])
    prop = _property(source, payload)
    options = prop.config.get("options", [])
    if not any(option["name"] == payload["option"] for option in options):
        raise ValueError(f"no option {payload['option']!r} in {prop.name}")
    prop.config["options"] = [
        option | {"name": payload["name"]}
        if option["name"] == payload["option"]
        else option
        for option in options
    ]
    store.touch(source, actor)
    return {"id": source.id, "property_id": prop.id}


def rename_database(store: Store, payload: Payload, actor: str) -> Payload:
    """Give a database (and its only data source) another title: `id`, `title`."""
    record = _record(store, payload["id"])
    title: RichText = plain_rich_text(str(payload["title"]))
    targets: list[Record] = [record]
    if isinstance(record, Database) and len(record.data_sources) == 1:
        targets.append(store.data_sources[record.data_sources[0]])
    for target in targets:
        if not isinstance(target, Database | DataSource):
            raise ValueError(f"{record.id} is not a database")
        store.touch(target, actor)
        target.title = title
    return {"id": record.id}


def unshare(store: Store, payload: Payload, _: str) -> Payload:
    """Take a page or database and all below it from the connection: `id`."""
    record = _record(store, payload["id"])
    store.shared[record.id] = False
    return {"id": record.id}


def share(store: Store, payload: Payload, _: str) -> Payload:
    """Share a page or database and all below it with the connection: `id`."""
    record = _record(store, payload["id"])
    store.shared[record.id] = True
    return {"id": record.id}


def lock(store: Store, payload: Payload, actor: str) -> Payload:
    """Lock (or with `locked: false` unlock) a page or database: `id`; the API writes all the same.

    Source: docs/facts/notion-api.md 3.11.
    """
    record = _record(store, payload["id"])
    if not isinstance(record, Page | Database):
        raise ValueError(f"{record.id} cannot be locked")
    store.touch(record, actor)
    record.is_locked = bool(payload.get("locked", True))
    return {"id": record.id, "is_locked": record.is_locked}


def append(store: Store, payload: Payload, actor: str) -> Payload:
    """Write blocks at the end of a page or block: `block_id`, `children`."""
    container = _record(store, payload["block_id"])
    made = insert_blocks(
        store, container, read_drafts(store, payload["children"]), actor
    )
    _touch_page(store, container, actor)
    return {"id": container.id, "block_ids": [block.id for block in made]}


def comment(store: Store, payload: Payload, actor: str) -> Payload:
    """Comment a page: `page_id`, `text`."""
    page_id = payload["page_id"]
    page = _page(store, page_id)
    words = str(payload["text"])
    text = plain_rich_text(words)
    place = Parent("page_id", page.id)
    made = add_comment(store, place, text, actor)
    return {"id": made.id}


def delete_comment(store: Store, payload: Payload, _: str) -> Payload:
    """Delete a comment: `id`."""
    comment_id = plain_id(str(payload["id"]))
    del store.shelves["comments"][comment_id]
    return {"id": comment_id}


def change_block(store: Store, payload: Payload, actor: str) -> Payload:
    """Edit a block: `block_id` and its type's key with the fields to change, or `text` for plain text."""
    block = _record(store, payload["block_id"])
    if not isinstance(block, Block):
        raise ValueError(f"{payload['block_id']} is not a block")
    given = payload.get(block.type)
    if "text" in payload:
        given = {"rich_text": plain_rich_text(str(payload["text"]))}
    if not isinstance(given, dict):
        raise ValueError(f"give the changed fields under {block.type!r}, or `text`")
    edit_block(store, block, given, actor)
    _touch_page(store, block, actor)
    return {"id": block.id}


def _touch_page(store: Store, record: Record, actor: str) -> None:
    page = next((one for one in store.line(record) if isinstance(one, Page)), None)
    if page is not None:
        store.touch(page, actor)


ACTIONS: dict[str, Callable[[Store, Payload, str], Payload]] = {
    "add_user": add_user,
    "edit": edit,
    "create": create,
    "trash": trash,
    "restore": restore,
    "archive": archive,
    "delete_forever": delete_forever,
    "duplicate": duplicate,
    "move": move,
    "rename_property": rename_property,
    "add_property": add_property,
    "remove_user": remove_user,
    "garble": garble,
    "delete_property": delete_property,
    "retype_property": retype_property,
    "rename_option": rename_option,
    "rename_database": rename_database,
    "unshare": unshare,
    "share": share,
    "lock": lock,
    "append": append,
    "edit_block": change_block,
    "comment": comment,
    "delete_comment": delete_comment,
}
