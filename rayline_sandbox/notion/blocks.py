"""The blocks endpoints: read, append, update and delete what stands in page bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rayline_sandbox.notion.block_types import (
    PARENTS,
    block_type,
    merge_payload,
    parse_payload,
)
from rayline_sandbox.notion.call import (
    Answer,
    Call,
    Route,
    listing,
    paginate,
    read_trash,
    with_archived,
)
from rayline_sandbox.notion.errors import (
    MISSING,
    an_object,
    invalid,
    should_be,
    too_long,
)
from rayline_sandbox.notion.media import show_file, shown_or_none
from rayline_sandbox.notion.richtext import plain
from rayline_sandbox.notion.store import (
    Block,
    Database,
    Page,
    Parent,
    Record,
    Store,
    author,
    minute,
    parent_object,
    plain_id,
)

CHILDREN_LIMIT, BLOCKS_LIMIT, NESTING = 100, 1000, 2
ONLY = {"table": "table_row", "column_list": "column", "tab": "paragraph"}
"""The one type of children a block may hold, where it is but one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked block that is not in the store yet, with its children."""

    type: str
    payload: dict[str, Any]
    children: tuple[Draft, ...] = ()

    def count(self) -> int:
        """Return how many blocks this draft makes."""
        return 1 + sum(child.count() for child in self.children)


def read_drafts(
    store: Store, given: Any, path: str = "body.children", *, depth: int = 0
) -> tuple[Draft, ...]:
    """Return checked drafts for the `children` of a request: their sizes and nesting.

    Source: docs/facts/notion-api.md 2.9, 2.10.
    """
    if not isinstance(given, list):
        raise should_be(path, "an array", given)
    if len(given) > CHILDREN_LIMIT:
        raise too_long(path, CHILDREN_LIMIT, len(given))
    if given and depth > NESTING:
        raise should_be(path, "not present", given)
    drafts = tuple(
        _draft(store, one, f"{path}[{index}]", depth) for index, one in enumerate(given)
    )
    if depth == 0 and (total := sum(draft.count() for draft in drafts)) > BLOCKS_LIMIT:
        raise invalid(
            f"body failed validation: the number of blocks should be ≤ `{BLOCKS_LIMIT}`, "
            f"instead was `{total}`."
        )
    return drafts


def _draft(store: Store, given: Any, path: str, depth: int) -> Draft:
    kind = block_type(given, path)
    payload = given[kind]
    nested = payload.get("children", given.get("children"))
    if kind == "column" and nested is None:
        raise should_be(f"{path}.column.children", "defined", MISSING)
    nested = [] if nested is None else nested
    if nested and kind not in PARENTS:
        raise should_be(f"{path}.{kind}.children", "not present", nested)
    draft = Draft(
        kind,
        parse_payload(store, kind, payload, path),
        read_drafts(store, nested, f"{path}.{kind}.children", depth=depth + 1),
    )
    _check_layout(draft, path)
    return draft


def _check_layout(draft: Draft, path: str) -> None:
    if draft.type == "table" and not draft.children:
        raise should_be(f"{path}.table.children", "defined", MISSING)
    check_children(
        draft.type, draft.payload, draft.children, f"{path}.{draft.type}.children"
    )
    if draft.type == "column_list" and len(draft.children) < 2:
        raise invalid(
            "body failed validation: a column_list must have at least two columns."
        )


def check_children(
    kind: str, payload: dict[str, Any], drafts: tuple[Draft, ...], path: str
) -> None:
    """Refuse children that a block of some type cannot hold: a table has rows of its width, a column list columns."""
    wanted = ONLY.get(kind)
    for index, draft in enumerate(drafts if wanted else ()):
        if draft.type != wanted:
            raise should_be(f"{path}[{index}].{wanted}", "defined", MISSING)
        if kind == "table":
            _check_width(payload, draft.payload)


def _check_width(table: dict[str, Any], row: dict[str, Any]) -> None:
    if len(row["cells"]) != table["table_width"]:
        raise invalid(
            "Number of cells in table row must match the table width of the parent table"
        )


def insert_blocks(
    store: Store,
    container: Record,
    drafts: tuple[Draft, ...],
    actor: str,
    *,
    at: int | None = None,
) -> list[Block]:
    """Put drafts into a container's body (at an index or the end) and return the first-level blocks."""
    parent = Parent(
        "page_id" if isinstance(container, Page) else "block_id", container.id
    )
    made = []
    for draft in drafts:
        block = Block(
            id=store.ids.content(),
            parent=parent,
            type=draft.type,
            payload=draft.payload,
            **store.stamps(actor),
        )
        store.blocks[block.id] = block
        made.append(block)
        if draft.children:
            insert_blocks(store, block, draft.children, actor)
    store.attach(container.id, [block.id for block in made], at=at)
    return made


def block_object(store: Store, record: Record, version: str) -> dict[str, Any]:
    """Return the block object of a block, page (child_page) or database (child_database)."""
    match record:
        case Block():
            kind = record.type
            payload = _shown_payload(store, record.payload)
        case Page():
            kind = "child_page"
            payload = {"title": plain(record.values.get("title", ()))}
        case Database():
            kind = "child_database"
            payload = {"title": plain(record.title)}
        case _:
            raise store.missing("block", record.id)
    return with_archived(
        version,
        {
            "object": "block",
            "id": record.id,
            "parent": parent_object(record.parent),
            "created_time": minute(record.created),
            "last_edited_time": minute(record.edited),
            "created_by": author(record.created_by),
            "last_edited_by": author(record.edited_by),
            "has_children": bool(store.body_of(record.id)),
            "in_trash": store.trashed(record),
            "type": kind,
            kind: payload,
        },
    )


def _shown_payload(store: Store, payload: dict[str, Any]) -> dict[str, Any]:
    shown = show_file(store, payload)
    return (
        shown | {"icon": shown_or_none(store, shown["icon"])}
        if "icon" in shown
        else shown
    )


def walk(store: Store, container: str) -> Iterator[Record]:
    """Yield all live records in a body, parents before children, not entering child pages or databases."""
    for child_id in store.body_of(container):
        record = store.find(child_id)
        if record is not None:
            yield record
            if isinstance(record, Block):
                yield from walk(store, child_id)


def kind_of(record: Record) -> str:
    """Return what error messages call a record."""
    if isinstance(record, Page):
        return "page"
    return "database" if isinstance(record, Database) else "block"


def set_trash(store: Store, record: Record, in_trash: bool, actor: str) -> None:
    """Move a record into the trash or back; nothing happens when it is there already."""
    if record.in_trash != in_trash:
        store.touch(record, actor)
        record.in_trash = in_trash


def retrieve_block(call: Call) -> Answer:
    """GET /v1/blocks/{block_id}."""
    return block_object(
        call.store, call.store.node(call.params["block_id"]), call.version
    )


def list_children(call: Call) -> Answer:
    """GET /v1/blocks/{block_id}/children."""
    record = call.store.node(call.params["block_id"])
    ids, cursor = paginate(call, call.store.body_of(record.id))
    children = [
        block_object(call.store, child, call.version)
        for child_id in ids
        if (child := call.store.find(child_id))
    ]
    return listing("block", children, cursor)


def append_children(call: Call) -> Answer:
    """PATCH /v1/blocks/{block_id}/children: the new blocks, then what follows the block they were put after."""
    store = call.store
    container = call.store.node(call.params["block_id"])
    if "children" not in call.body:
        raise should_be("body.children", "defined", MISSING)
    if isinstance(container, Database) or (
        isinstance(container, Block) and container.type not in PARENTS
    ):
        raise invalid("Block does not support children.")
    store.refuse_trashed(container, kind_of(container))
    drafts = read_drafts(store, call.body["children"])
    if isinstance(container, Block):
        check_children(container.type, container.payload, drafts, "body.children")
    at = _position(call, container)
    # Recorded: after a block, the answer goes on with every sibling that follows.
    behind = [] if _is_at_edge(call, at) else _live(store, container, at)
    made = insert_blocks(store, container, drafts, call.actor, at=at)
    return listing(
        "block",
        [block_object(store, record, call.version) for record in (*made, *behind)],
    )


def _is_at_edge(call: Call, at: int | None) -> bool:
    """Tell whether blocks come at the start or the end, and after no block."""
    position = call.body.get("position") or {}
    return at is None or position.get("type") == "start"


def _live(store: Store, container: Record, start: int | None) -> list[Record]:
    """Return what stands in a body from an index on, without what is in the trash."""
    live = set(store.body_of(container.id))
    return [
        record
        for one in store.children.get(container.id, ())[start:]
        if one in live and (record := store.find(one)) is not None
    ]


def _position(call: Call, container: Record) -> int | None:
    after = call.body.get("after")
    position = call.body.get("position")
    if after is not None and not call.old:
        raise should_be("body.after", "not present", after)
    if position is not None:
        return read_position(call.store, container, position)
    if after is None:
        return None
    return _index_after(call.store, container, after)


def read_position(
    store: Store, container: Record, given: Any, prefix: str = ""
) -> int | None:
    """Return the index in a container's body that a `position` names; None is the end."""
    start = f"{prefix}start"
    end = f"{prefix}end"
    kind = given.get("type") if isinstance(given, dict) else None
    if kind not in (start, end, "after_block"):
        raise should_be(
            "body.position.type", f'`"{start}"`, `"{end}"` or `"after_block"`', kind
        )
    if kind != "after_block":
        return 0 if kind == start else None
    target = an_object(given.get("after_block"), "body.position.after_block").get("id")
    if not isinstance(target, str):
        raise should_be("body.position.after_block.id", "defined", MISSING)
    return _index_after(store, container, target)


def _index_after(store: Store, container: Record, after: Any) -> int:
    body = store.children.get(container.id, [])
    block_id = plain_id(str(after))
    if block_id not in body:
        raise invalid(
            f"Block {after} to append after is not a child of {container.id}."
        )
    return body.index(block_id) + 1


def update_block(call: Call) -> Answer:
    """PATCH /v1/blocks/{block_id}."""
    store = call.store
    block = call.store.node(call.params["block_id"])
    trash = read_trash(call)
    store.refuse_trashed(block, kind_of(block), lifted=trash is False)
    _update_payload(call, block)
    if trash is not None:
        set_trash(store, block, trash, call.actor)
    return block_object(store, block, call.version)


def _update_payload(call: Call, block: Record) -> None:
    keys = [
        key
        for key in call.body
        if key not in ("in_trash", "archived", "type", "object", "id")
    ]
    if not keys:
        return
    if not isinstance(block, Block) or keys != [block.type]:
        kind = block.type if isinstance(block, Block) else kind_of(block)
        raise invalid(
            f"body failed validation: the block is of type {kind} and cannot be updated as {keys[0]}."
        )
    given = call.body[block.type]
    if not isinstance(given, dict):
        raise should_be(f"body.{block.type}", "an object", given)
    # Recorded: no children may be said, though children cannot be changed here.
    if given.get("children", []) != []:
        path = f"body.{block.type}.children"
        raise should_be(path, "not present", given["children"])
    edit_block(call.store, block, given, call.actor)


def edit_block(store: Store, block: Block, given: dict[str, Any], actor: str) -> None:
    """Change the fields of a block that `given` names."""
    payload = merge_payload(store, block.type, block.payload, given, "body")
    table = store.blocks.get(block.parent.id)
    if block.type == "table_row" and table is not None and table.type == "table":
        _check_width(table.payload, payload)
    store.touch(block, actor)
    block.payload = payload


def delete_block(call: Call) -> Answer:
    """DELETE /v1/blocks/{block_id}: to the trash."""
    block = call.store.node(call.params["block_id"])
    call.store.refuse_trashed(block, kind_of(block))
    set_trash(call.store, block, True, call.actor)
    return block_object(call.store, block, call.version)


ROUTES = (
    Route("GET", "/v1/blocks/{block_id}", retrieve_block, "blocks.retrieve"),
    Route(
        "PATCH",
        "/v1/blocks/{block_id}",
        update_block,
        "blocks.update",
        "update",
        write=True,
    ),
    Route(
        "DELETE",
        "/v1/blocks/{block_id}",
        delete_block,
        "blocks.delete",
        "update",
        write=True,
    ),
    Route(
        "GET", "/v1/blocks/{block_id}/children", list_children, "blocks.children.list"
    ),
    Route(
        "PATCH",
        "/v1/blocks/{block_id}/children",
        append_children,
        "blocks.children.append",
        "insert",
        write=True,
        keys=frozenset({"children", "after", "position"}),
    ),
)
