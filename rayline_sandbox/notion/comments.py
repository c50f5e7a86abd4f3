"""The comments endpoints (docs/facts/notion-api.md 3.20): discussions on pages and blocks; only own comments change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rayline_sandbox.notion.call import Answer, Call, Route, listing, paginate
from rayline_sandbox.notion.errors import (
    MISSING,
    an_object,
    invalid,
    restricted,
    should_be,
    too_long,
)
from rayline_sandbox.notion.files import hosted_file, resolve_upload
from rayline_sandbox.notion.markdown_text import rich_text_from_markdown
from rayline_sandbox.notion.richtext import RichText, parse_rich_text
from rayline_sandbox.notion.store import (
    Parent,
    Store,
    author,
    minute,
    parent_object,
    plain_id,
)

ATTACHMENTS = 3
CATEGORIES = ("audio", "image", "pdf", "productivity", "video")


@dataclass(slots=True)
class Comment:
    """One comment; `attachments` are upload ids; a resolved discussion leaves listings."""

    id: str
    parent: Parent
    discussion_id: str
    created: datetime
    edited: datetime
    created_by: str
    rich_text: RichText
    display_name: dict[str, str | None]
    attachments: list[str] = field(default_factory=list)
    resolved: bool = False


def all_comments(store: Store) -> dict[str, Comment]:
    """Return all comments by id, oldest first."""
    return store.shelf("comments")


def add_comment(
    store: Store, parent: Parent, text: RichText, actor: str, *, discussion_id: str = ""
) -> Comment:
    """Add a comment by a member or the connection.

    One that names no discussion begins its own on a block, and joins that of the page on a page (recorded).
    """
    now = store.now()
    user = store.users[actor]
    kind = "integration" if user.is_bot else "user"
    name = store.integration if user.is_bot else user.name
    comment = Comment(
        store.ids.content(),
        parent,
        discussion_id or _page_discussion(store, parent) or store.ids.content(),
        now,
        now,
        actor,
        text,
        {"type": kind, "resolved_name": name},
    )
    all_comments(store)[comment.id] = comment
    return comment


def _page_discussion(store: Store, parent: Parent) -> str:
    """Return the open discussion on a page; empty when there is none."""
    open_ones = (
        one.discussion_id
        for one in all_comments(store).values()
        if parent.kind == "page_id" and one.parent == parent and not one.resolved
    )
    return next(open_ones, "")


def shown(store: Store, comment: Comment) -> dict[str, Any]:
    """Return a comment as answers show it."""
    value = {
        "object": "comment",
        "id": comment.id,
        "parent": parent_object(comment.parent),
        "discussion_id": comment.discussion_id,
        "created_time": minute(comment.created),
        "last_edited_time": minute(comment.edited),
        "created_by": author(comment.created_by),
        "rich_text": comment.rich_text,
        "display_name": comment.display_name,
    }
    if comment.attachments:
        value["attachments"] = [
            {"category": _category(store, one), "file": hosted_file(store, one)}
            for one in comment.attachments
        ]
    return value


def _category(store: Store, upload_id: str) -> str:
    content_type = store.shelf("file_uploads")[upload_id].content_type or ""
    main = content_type.partition("/")[0]
    if content_type.endswith("/pdf"):
        return "pdf"
    return main if main in CATEGORIES else "productivity"


def create(call: Call) -> Answer:
    """POST /v1/comments: on a page, on a block, or in a discussion."""
    parent, discussion_id = _place(call)
    text = _text(call)
    attachments = _attachments(call)
    comment = add_comment(
        call.store, parent, text, call.actor, discussion_id=discussion_id
    )
    comment.attachments = attachments
    comment.display_name = _display_name(call, comment.display_name)
    return shown(call.store, comment)


def _place(call: Call) -> tuple[Parent, str]:
    parent = call.body.get("parent")
    discussion_id = call.body.get("discussion_id")
    if (parent is None) == (discussion_id is None):
        raise invalid(
            "body failed validation: exactly one of body.parent and body.discussion_id should be defined."
        )
    if isinstance(discussion_id, str):
        known = _discussion(call.store, plain_id(discussion_id))
        return known.parent, known.discussion_id
    if not isinstance(parent, dict) or not (
        "page_id" in parent or "block_id" in parent
    ):
        raise should_be("body.parent.page_id", "defined", MISSING)
    if "page_id" in parent:
        page = call.store.page(str(parent["page_id"]))
        call.store.refuse_trashed(page, "page")
        return Parent("page_id", page.id), ""
    node = call.store.node(str(parent["block_id"]))
    call.store.refuse_trashed(node, "block")
    return Parent("page_id" if node.id in call.store.pages else "block_id", node.id), ""


def _discussion(store: Store, discussion_id: str) -> Comment:
    known = next(
        (
            one
            for one in all_comments(store).values()
            if one.discussion_id == discussion_id
        ),
        None,
    )
    if known is None or not store.visible(store.node(known.parent.id)):
        raise store.missing("discussion", discussion_id)
    return known


def _text(call: Call) -> RichText:
    body = call.body
    if ("rich_text" in body) == ("markdown" in body):
        raise invalid(
            "body failed validation: exactly one of body.rich_text and body.markdown should be defined."
        )
    if "rich_text" in body:
        return parse_rich_text(call.store, body["rich_text"], "body.rich_text")
    if not isinstance(body["markdown"], str):
        raise should_be("body.markdown", "a string", body["markdown"])
    inline = rich_text_from_markdown(body["markdown"].strip().replace("\n", "<br>"))
    return parse_rich_text(call.store, inline, "body.markdown")


def _attachments(call: Call) -> list[str]:
    given = call.body.get("attachments", [])
    if not isinstance(given, list):
        raise should_be("body.attachments", "an array", given)
    if len(given) > ATTACHMENTS:
        raise too_long("body.attachments", ATTACHMENTS, len(given))
    if any(not isinstance(one, dict) or "file_upload_id" not in one for one in given):
        raise should_be("body.attachments[0].file_upload_id", "defined", MISSING)
    return [resolve_upload(call.store, str(one["file_upload_id"])).id for one in given]


def _display_name(call: Call, default: dict[str, str | None]) -> dict[str, str | None]:
    given = call.body.get("display_name")
    if not isinstance(given, dict) or given.get("type", "integration") == "integration":
        return default
    if given["type"] == "custom":
        name = an_object(given.get("custom"), "body.display_name.custom").get(
            "name", MISSING
        )
        if not isinstance(name, str):
            raise should_be("body.display_name.custom.name", "a string", name)
        return {"type": "custom", "resolved_name": name}
    return {"type": "user", "resolved_name": call.store.users[call.actor].name}


def find_comment(call: Call) -> Comment:
    """Return the comment a path names or raise the 404."""
    comment_id = plain_id(call.params["comment_id"])
    comment = all_comments(call.store).get(comment_id)
    parent = call.store.find(comment.parent.id) if comment else None
    if comment is None or parent is None or not call.store.visible(parent):
        raise call.store.missing("comment", comment_id)
    return comment


def retrieve(call: Call) -> Answer:
    """GET /v1/comments/{id}."""
    return shown(call.store, find_comment(call))


def list_comments(call: Call) -> Answer:
    """GET /v1/comments?block_id=: open discussions of one page or block, oldest first."""
    block_id = call.request.first("block_id")
    if not block_id:
        raise should_be("query.block_id", "defined", MISSING)
    node = call.store.node(block_id)
    unresolved = [
        comment.id
        for comment in all_comments(call.store).values()
        if comment.parent.id == node.id and not comment.resolved
    ]
    ids, cursor = paginate(call, unresolved)
    return listing(
        "comment",
        [shown(call.store, all_comments(call.store)[comment_id]) for comment_id in ids],
        cursor,
    )


def update(call: Call) -> Answer:
    """PATCH /v1/comments/{id}."""
    comment = _own(call)
    comment.rich_text = _text(call)
    comment.edited = call.store.now()
    return shown(call.store, comment)


def delete(call: Call) -> Answer:
    """DELETE /v1/comments/{id}; answers with the comment as it was."""
    comment = _own(call)
    del all_comments(call.store)[comment.id]
    return shown(call.store, comment)


def _own(call: Call) -> Comment:
    comment = find_comment(call)
    if comment.created_by != call.actor:
        raise restricted()
    return comment


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/comments",
        create,
        "comments.create",
        "comments",
        True,
        frozenset(
            {
                "parent",
                "discussion_id",
                "rich_text",
                "markdown",
                "attachments",
                "display_name",
            }
        ),
    ),
    Route("GET", "/v1/comments", list_comments, "comments.list", "comments"),
    Route(
        "GET", "/v1/comments/{comment_id}", retrieve, "comments.retrieve", "comments"
    ),
    Route(
        "PATCH",
        "/v1/comments/{comment_id}",
        update,
        "comments.update",
        "comments",
        True,
        frozenset({"rich_text", "markdown"}),
    ),
    Route(
        "DELETE",
        "/v1/comments/{comment_id}",
        delete,
        "comments.delete",
        "comments",
        True,
    ),
)
