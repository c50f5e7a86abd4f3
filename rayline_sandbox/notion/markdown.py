"""The markdown face of page bodies: `GET` and `PATCH /v1/pages/{id}/markdown` (docs/facts/notion-api.md 3.15, 3.16).

A change is made on the text; blocks whose text stays keep their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Any

from rayline_sandbox.notion.block_types import parse_payload
from rayline_sandbox.notion.blocks import Draft, block_object, insert_blocks, set_trash
from rayline_sandbox.notion.call import NEW, Answer, Call, Reply, Route
from rayline_sandbox.notion.errors import MISSING, an_object, invalid, should_be
from rayline_sandbox.notion.files import base_url
from rayline_sandbox.notion.markdown_reader import blocks_from_markdown, read_markdown
from rayline_sandbox.notion.markdown_writer import (
    children_of,
    markdown_from_blocks,
    unknown_block_ids,
)
from rayline_sandbox.notion.store import Page, Store, exact

__all__ = [
    "ROUTES",
    "asked_later",
    "blocks_from_markdown",
    "body_tree",
    "drafts_of",
    "markdown_from_blocks",
    "queued",
]

Block = dict[str, Any]

CHILD_TYPES = ("child_page", "child_database")
BLOCK_CAP = 20_000
POLL_SECONDS = 2


def body_tree(store: Store, container: str) -> list[Block]:
    """Return the live blocks of a body as answered, each with its `children`; child pages are not entered."""
    blocks = [
        block_object(store, record, NEW)
        for block_id in store.body_of(container)
        if (record := store.find(block_id))
    ]
    return [
        block
        if block["type"] in CHILD_TYPES
        else block | {"children": body_tree(store, block["id"])}
        for block in blocks
    ]


def drafts_of(
    store: Store, blocks: Sequence[Block], path: str = "body.markdown"
) -> tuple[Draft, ...]:
    """Return drafts for blocks read from markdown, of any number and depth: it knows no limits on `children`."""
    return tuple(
        Draft(
            block["type"],
            parse_payload(store, block["type"], block[block["type"]], path),
            drafts_of(store, children_of(block), path),
        )
        for block in blocks
    )


def page_markdown(store: Store, page: Page) -> dict[str, Any]:
    """Return the page_markdown object of a page."""
    tree = body_tree(store, page.id)
    return {
        "object": "page_markdown",
        "id": page.id,
        "markdown": markdown_from_blocks(tree[:BLOCK_CAP]),
        "truncated": len(tree) > BLOCK_CAP,
        "unknown_block_ids": unknown_block_ids(tree),
    }


def retrieve(call: Call) -> Answer:
    """GET /v1/pages/{id}/markdown."""
    return page_markdown(call.store, call.store.page(call.params["page_id"]))


def update(call: Call) -> Answer:
    """PATCH /v1/pages/{id}/markdown."""
    page = call.store.page(call.params["page_id"])
    call.store.refuse_trashed(page, "page")
    kind = call.body.get("type")
    command = COMMANDS.get(str(kind))
    if command is None:
        raise should_be(
            "body.type", ", ".join(f'`"{one}"`' for one in COMMANDS), kind or MISSING
        )
    given = call.body.get(str(kind))
    if not isinstance(given, dict):
        raise should_be(
            f"body.{kind}", "an object", given if given is not None else MISSING
        )
    later = asked_later(call)
    before = markdown_from_blocks(body_tree(call.store, page.id))
    after = command(before, given, f"body.{kind}")
    rewrite(
        call.store,
        page,
        after,
        call.actor,
        allow_deleting=bool(given.get("allow_deleting_content")),
    )
    value = page_markdown(call.store, page)
    if later:
        return queued(call, value, "PATCH /v1/pages/:page_id/markdown")
    return value


# The text commands.


def _text(given: dict[str, Any], key: str, path: str) -> str:
    value = given.get(key, MISSING)
    if not isinstance(value, str):
        raise should_be(f"{path}.{key}", "a string", value)
    return value


def _insert(before: str, given: dict[str, Any], path: str) -> str:
    content = _text(given, "content", path)
    if isinstance(given.get("after"), str):
        _, end = _selection(before, given["after"])
        line_end = before.find("\n", end)
        at = len(before) if line_end < 0 else line_end
        return _joined(before[:at], content, before[at:])
    where = an_object(given.get("position"), f"{path}.position").get("type", "end")
    if where not in ("start", "end"):
        raise should_be(f"{path}.position.type", '`"start"` or `"end"`', where)
    if where == "start":
        return _joined(content, before)
    return _joined(before, content)


def _joined(*parts: str) -> str:
    return "\n".join(part.strip("\n") for part in parts if part.strip("\n"))


def _replace(before: str, given: dict[str, Any], path: str) -> str:
    return _text(given, "new_str", path)


def _replace_range(before: str, given: dict[str, Any], path: str) -> str:
    start, end = _selection(before, _text(given, "content_range", path))
    return before[:start] + _text(given, "content", path) + before[end:]


def _update(before: str, given: dict[str, Any], path: str) -> str:
    updates = given.get("content_updates")
    if not isinstance(updates, list):
        raise should_be(f"{path}.content_updates", "an array", updates)
    text = before
    for index, one in enumerate(updates):
        text = _replaced(text, one, f"{path}.content_updates[{index}]")
    return text


def _replaced(text: str, given: Any, path: str) -> str:
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    old = _text(given, "old_str", path)
    new = _text(given, "new_str", path)
    count = text.count(old) if old else 0
    if count == 0:
        raise invalid(f"{path}.old_str was not found in the page content.")
    if count > 1 and not given.get("replace_all_matches"):
        raise invalid(
            f"{path}.old_str was found {count} times in the page content; make it unique or set "
            "replace_all_matches."
        )
    return text.replace(old, new)


def _selection(text: str, span: str) -> tuple[int, int]:
    """Return where a `first words...last words` selection lies in a text."""
    first, dots, last = span.partition("...")
    start = text.find(first)
    end = text.find(last, start + len(first)) if dots else start
    if start < 0 or end < 0 or not first:
        raise invalid(
            f'The selection "{span[:100]}" was not found in the page content.'
        )
    return start, end + len(last) if dots else start + len(first)


COMMANDS: dict[str, Callable[[str, dict[str, Any], str], str]] = {
    "update_content": _update,
    "replace_content": _replace,
    "insert_content": _insert,
    "replace_content_range": _replace_range,
}


# From the new text back to blocks.


def _key(block: Block) -> str:
    return (
        f"{block['type']}:{block['id']}"
        if block["type"] in CHILD_TYPES
        else markdown_from_blocks([block])
    )


def rewrite(
    store: Store, page: Page, text: str, actor: str, *, allow_deleting: bool
) -> None:
    """Make a page's body read as `text`; 400 if that drops a child page or database without leave."""
    old = body_tree(store, page.id)
    new = read_markdown(text)
    new = [
        block
        for block in new
        if block["type"] not in CHILD_TYPES
        or _key(block) in {_key(former) for former in old}
    ]
    _check_children(old, new, allow_deleting=allow_deleting)
    steps = SequenceMatcher(
        None,
        [_key(block) for block in old],
        [_key(block) for block in new],
        autojunk=False,
    ).get_opcodes()
    drafts = {
        index: drafts_of(store, [block])
        for tag, _, _, start, end in steps
        if tag in ("insert", "replace")
        for index, block in enumerate(new[start:end], start)
        if block["type"] not in CHILD_TYPES
    }
    kept = {block["id"] for block in new if block["type"] in CHILD_TYPES}
    order: list[str] = []
    for tag, left, right, start, end in steps:
        gone = (
            []
            if tag == "equal"
            else [block["id"] for block in old[left:right] if block["id"] not in kept]
        )
        for block_id in gone:
            _trash(store, block_id, actor)
        order += gone
        order += (
            [block["id"] for block in old[left:right]]
            if tag == "equal"
            else [
                made
                for index in range(start, end)
                for made in _placed(store, page, new[index], drafts.get(index), actor)
            ]
        )
    trashed = [
        block_id
        for block_id in store.children.get(page.id, [])
        if block_id not in set(order)
    ]
    store.children[page.id] = order + trashed


def _placed(
    store: Store, page: Page, block: Block, drafts: tuple[Draft, ...] | None, actor: str
) -> list[str]:
    if drafts is None:
        return [block["id"]]
    return [made.id for made in insert_blocks(store, page, drafts, actor)]


def _trash(store: Store, record_id: str, actor: str) -> None:
    record = store.find(record_id)
    if record is not None:
        set_trash(store, record, True, actor)


def _check_children(
    old: Sequence[Block], new: Sequence[Block], *, allow_deleting: bool
) -> None:
    kept = {_key(block) for block in new}
    lost = [
        block
        for block in old
        if block["type"] in CHILD_TYPES and _key(block) not in kept
    ]
    if lost and not allow_deleting:
        names = ", ".join(str(block[block["type"]]["title"]) for block in lost)
        raise invalid(
            f"This would delete child pages or databases ({names}). Set allow_deleting_content to true to "
            "do so."
        )


# Asynchronous tasks: done at once, told in Notion's two steps.


def asked_later(call: Call) -> bool:
    """Return whether a request may be answered with a task to poll."""
    asked = call.body.get("allow_async", False)
    if not isinstance(asked, bool):
        raise should_be("body.allow_async", "a boolean", asked)
    return asked


def queued(call: Call, value: dict[str, Any], name: str) -> Reply:
    """Return the 202 for what is done already; `value` is what its task tells as the result, `name` the endpoint."""
    task_id = f"task_{call.store.ids.content().replace('-', '')}"
    task = {
        "object": "async_task",
        "id": task_id,
        "status": "queued",
        "status_url": f"{base_url(call.request)}/v1/async_tasks/{task_id}",
        "created_time": exact(call.store.now()).replace("+00:00", "Z"),
    }
    operation = {"operation": {"surface": "rest", "name": name}}
    call.store.shelf("async_tasks")[task_id] = (
        task | {"status": "succeeded"} | operation | {"result": value}
    )
    return Reply(202, task | {"poll_after_seconds": POLL_SECONDS} | operation)


def retrieve_task(call: Call) -> Answer:
    """GET /v1/async_tasks/{id}."""
    task: dict[str, Any] | None = call.store.shelf("async_tasks").get(
        call.params["task_id"]
    )
    if task is None:
        raise call.store.missing("async task", call.params["task_id"])
    return dict(task)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/pages/{page_id}/markdown", retrieve, "pages.markdown.retrieve"),
    Route(
        "PATCH",
        "/v1/pages/{page_id}/markdown",
        update,
        "pages.markdown.update",
        "update",
        True,
        frozenset({"type", "allow_async", *COMMANDS}),
    ),
    Route("GET", "/v1/async_tasks/{task_id}", retrieve_task, "async_tasks.retrieve"),
)
