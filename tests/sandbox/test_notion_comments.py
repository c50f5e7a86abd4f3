"""Comments: discussions on pages and blocks, own and others'."""

from __future__ import annotations

from typing import Any

import pytest
from notion_rig import Rig

from rayline_sandbox.notion.comments import add_comment
from rayline_sandbox.notion.richtext import plain_rich_text
from rayline_sandbox.notion.store import Parent


@pytest.fixture
def rig() -> Rig:
    return Rig()


def said(rig: Rig, text: str, **where: Any) -> dict[str, Any]:
    return rig.ok(
        "POST", "comments", {**where, "rich_text": [{"text": {"content": text}}]}
    )


def words(rig: Rig, block_id: str) -> list[str]:
    found = rig.ok("GET", f"comments?block_id={block_id}")["results"]
    return [one["rich_text"][0]["plain_text"] for one in found]


def test_a_page_lists_its_comments_oldest_first(rig: Rig) -> None:
    first = said(rig, "one", parent={"page_id": rig.root})
    said(rig, "two", discussion_id=first["discussion_id"])
    said(rig, "other thread", parent={"page_id": rig.root})
    assert words(rig, rig.root) == ["one", "two", "other thread"]


def test_a_reply_joins_its_discussion(rig: Rig) -> None:
    first = said(rig, "one", parent={"page_id": rig.root})
    reply = said(rig, "two", discussion_id=first["discussion_id"])
    assert (reply["discussion_id"], reply["parent"]) == (
        first["discussion_id"],
        first["parent"],
    )


def test_a_comment_on_a_block_is_not_among_the_page_s(rig: Rig) -> None:
    block = rig.ok(
        "PATCH", f"blocks/{rig.root}/children", {"children": [{"divider": {}}]}
    )["results"][0]
    comment = said(rig, "here", parent={"block_id": block["id"]})
    assert comment["parent"] == {"type": "block_id", "block_id": block["id"]}
    assert (words(rig, rig.root), words(rig, block["id"])) == ([], ["here"])


def test_markdown_becomes_rich_text(rig: Rig) -> None:
    comment = rig.ok(
        "POST",
        "comments",
        {"parent": {"page_id": rig.root}, "markdown": "**Bold** move"},
    )
    assert [
        (item["plain_text"], item["annotations"]["bold"])
        for item in comment["rich_text"]
    ] == [("Bold", True), (" move", False)]


def test_an_update_changes_the_words_only(rig: Rig) -> None:
    comment = said(rig, "one", parent={"page_id": rig.root})
    changed = rig.ok(
        "PATCH",
        f"comments/{comment['id']}",
        {"rich_text": [{"text": {"content": "two"}}]},
    )
    assert changed["discussion_id"] == comment["discussion_id"]
    assert words(rig, rig.root) == ["two"]


def test_a_deleted_comment_is_gone(rig: Rig) -> None:
    comment = said(rig, "one", parent={"page_id": rig.root})
    assert rig.ok("DELETE", f"comments/{comment['id']}")["id"] == comment["id"]
    assert rig.refused("GET", f"comments/{comment['id']}") == (404, "object_not_found")
    assert words(rig, rig.root) == []


def test_a_person_s_comment_is_read_but_not_changed(rig: Rig) -> None:
    store = rig.sandbox.store
    comment = add_comment(
        store,
        Parent("page_id", rig.root),
        plain_rich_text("hands off"),
        rig.sandbox.owner_id,
    )
    assert rig.ok("GET", f"comments/{comment.id}")["display_name"]["type"] == "user"
    assert rig.refused("DELETE", f"comments/{comment.id}") == (
        403,
        "restricted_resource",
    )
    assert rig.refused("PATCH", f"comments/{comment.id}", {"markdown": "x"}) == (
        403,
        "restricted_resource",
    )


def test_resolved_discussions_leave_the_list(rig: Rig) -> None:
    store = rig.sandbox.store
    comment = add_comment(
        store,
        Parent("page_id", rig.root),
        plain_rich_text("settled"),
        rig.sandbox.owner_id,
    )
    comment.resolved = True
    assert words(rig, rig.root) == []


def test_without_the_capability_comments_are_closed(rig: Rig) -> None:
    rig.sandbox.store.capabilities.comments = False
    assert rig.refused("GET", f"comments?block_id={rig.root}") == (
        403,
        "restricted_resource",
    )
    assert rig.refused(
        "POST", "comments", {"parent": {"page_id": rig.root}, "markdown": "x"}
    ) == (403, "restricted_resource")


@pytest.mark.parametrize(
    "body",
    [
        {"markdown": "x"},
        {"parent": {}, "markdown": "x"},
        {"parent": {"page_id": "ROOT"}},
        {"parent": {"page_id": "ROOT"}, "markdown": "x", "rich_text": []},
        {"parent": {"page_id": "ROOT"}, "markdown": "x", "attachments": [{}]},
    ],
)
def test_a_malformed_comment_is_refused(rig: Rig, body: dict[str, Any]) -> None:
    if "page_id" in body.get("parent", {}):
        body = {**body, "parent": {"page_id": rig.root}}
    assert rig.refused("POST", "comments", body) == (400, "validation_error")


def test_a_comment_on_something_unseen_is_not_found(rig: Rig) -> None:
    missing = "00000000-0000-4000-8000-000000000000"
    assert rig.refused(
        "POST", "comments", {"parent": {"page_id": missing}, "markdown": "x"}
    ) == (404, "object_not_found")


def test_a_person_comments_a_page_and_deletes_what_they_said(rig: Rig) -> None:
    control = rig.sandbox.control
    user = control("add_user", {"name": "Mia", "email": "mia@example.com"})["id"]
    comment = {"page_id": rig.root, "text": "hello", "user": user}
    made = control("comment", comment)
    said(rig, "ours", parent={"page_id": rig.root})
    first = rig.ok("GET", f"comments?block_id={rig.root}")["results"][0]
    assert first["created_by"]["id"] == user
    assert first["display_name"]["resolved_name"] == "Mia"
    control("delete_comment", {"id": made["id"], "user": user})
    assert words(rig, rig.root) == ["ours"]
    with pytest.raises(ValueError, match="delete_comment"):
        control("delete_comment", {"id": made["id"], "user": user})


def test_addresses_lead_to_the_site_that_was_named(rig: Rig) -> None:
    assert rig.ok("GET", f"pages/{rig.root}")["url"].startswith(
        "https://app.notion.com/p/"
    )
    rig.sandbox.control("set_site", {"url": "http://127.0.0.1:4000/"})
    bare = rig.root.replace("-", "")
    address = rig.ok("GET", f"pages/{rig.root}")["url"]
    assert address == f"http://127.0.0.1:4000/p/Rayline-{bare}"
