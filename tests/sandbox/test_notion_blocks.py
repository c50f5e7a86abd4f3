"""Page bodies of the Notion emulator: append, order, nesting, limits, update, delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from notion_rig import Rig


def text(content: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": content}}]


def paragraph(content: str, **more: Any) -> dict[str, Any]:
    return {"type": "paragraph", "paragraph": {"rich_text": text(content), **more}}


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def page(rig: Rig) -> str:
    found: str = rig.page()["id"]
    return found


def body(rig: Rig, block: str) -> list[str]:
    found = rig.ok("GET", f"blocks/{block}/children")["results"]
    return [
        "".join(part["plain_text"] for part in one[one["type"]].get("rich_text", []))
        or one["type"]
        for one in found
    ]


def append(rig: Rig, block: str, *children: dict[str, Any], **more: Any) -> list[str]:
    answer = rig.ok(
        "PATCH", f"blocks/{block}/children", {"children": list(children), **more}
    )
    return [one["id"] for one in answer["results"]]


IMAGE = {"external": {"url": "https://example.com/a.png"}}
BLOCKS: list[tuple[str, dict[str, Any]]] = [
    ("paragraph", {"rich_text": text("x")}),
    ("heading_1", {"rich_text": text("x"), "is_toggleable": True}),
    ("heading_2", {"rich_text": text("x")}),
    ("heading_3", {"rich_text": text("x")}),
    ("heading_4", {"rich_text": text("x")}),
    ("bulleted_list_item", {"rich_text": text("x")}),
    ("numbered_list_item", {"rich_text": text("x")}),
    ("to_do", {"rich_text": text("x"), "checked": True}),
    ("toggle", {"rich_text": text("x")}),
    ("quote", {"rich_text": text("x")}),
    ("callout", {"rich_text": text("x"), "icon": {"type": "emoji", "emoji": "⭐"}}),
    ("divider", {}),
    ("code", {"rich_text": text("x = 1"), "language": "python"}),
    ("equation", {"expression": "e=mc^2"}),
    ("image", IMAGE),
    ("video", IMAGE),
    ("file", IMAGE),
    ("pdf", IMAGE),
    ("audio", IMAGE),
    ("bookmark", {"url": "https://example.com"}),
    ("embed", {"url": "https://example.com"}),
    ("table_of_contents", {}),
    ("breadcrumb", {}),
    ("synced_block", {"synced_from": None}),
    ("table", {"table_width": 1, "children": [{"table_row": {"cells": [text("x")]}}]}),
    (
        "column_list",
        {
            "children": [
                {"column": {"children": [paragraph(side)]}}
                for side in ("left", "right")
            ]
        },
    ),
]


@pytest.mark.parametrize(("kind", "payload"), BLOCKS, ids=[one[0] for one in BLOCKS])
def test_each_block_type_is_kept_as_given(
    rig: Rig, page: str, kind: str, payload: dict[str, Any]
) -> None:
    made = append(rig, page, {kind: payload})[0]
    read = rig.ok("GET", f"blocks/{made}")
    assert (read["type"], read["parent"]) == (
        kind,
        {"type": "page_id", "page_id": page},
    )
    plain = {
        key: value
        for key, value in payload.items()
        if key not in ("rich_text", "children")
    }
    assert {key: read[kind][key] for key in plain} == plain
    assert read["has_children"] is ("children" in payload)


def test_blocks_append_at_the_end_the_start_or_after_another(
    rig: Rig, page: str
) -> None:
    first, _ = append(rig, page, paragraph("a"), paragraph("b"))
    append(rig, page, paragraph("start"), position={"type": "start"})
    append(
        rig,
        page,
        paragraph("after a"),
        position={"type": "after_block", "after_block": {"id": first}},
    )
    append(rig, page, paragraph("end"), position={"type": "end"})
    assert body(rig, page) == ["start", "a", "after a", "b", "end"]


def test_after_belongs_to_the_old_version() -> None:
    old, new = Rig("2025-09-03"), Rig("2026-03-11")
    for rig, allowed in ((old, True), (new, False)):
        page = rig.page()["id"]
        first, _ = append(rig, page, paragraph("a"), paragraph("b"))
        request = {"children": [paragraph("between")], "after": first}
        if allowed:
            rig.ok("PATCH", f"blocks/{page}/children", request)
            assert body(rig, page) == ["a", "between", "b"]
        else:
            assert rig.refused("PATCH", f"blocks/{page}/children", request) == (
                400,
                "validation_error",
            )


AFTER: dict[str, Callable[[str], dict[str, Any]]] = {
    "2025-09-03": lambda one: {"after": one},
    "2026-03-11": lambda one: {
        "position": {"type": "after_block", "after_block": {"id": one}}
    },
}


@pytest.mark.parametrize("version", AFTER)
@pytest.mark.parametrize(("sent", "at"), [(1, 0), (1, 4), (3, 2), (2, 16)])
def test_an_append_after_a_block_answers_the_new_blocks_and_all_that_follow(
    version: str, sent: int, at: int
) -> None:
    rig = Rig(version)
    page = rig.page()["id"]
    made = append(rig, page, *(paragraph(f"old {n}") for n in range(18)))
    rig.ok("DELETE", f"blocks/{made[17]}")
    answer = rig.ok(
        "PATCH",
        f"blocks/{page}/children",
        {
            "children": [paragraph(f"new {n}") for n in range(sent)],
            **AFTER[version](made[at]),
        },
    )
    told = [one["paragraph"]["rich_text"][0]["plain_text"] for one in answer["results"]]
    news = [f"new {n}" for n in range(sent)]
    assert told == [*news, *(f"old {n}" for n in range(at + 1, 17))]
    assert (answer["has_more"], answer["next_cursor"]) == (False, None)


def test_an_append_at_the_start_or_the_end_answers_the_new_blocks_only(
    rig: Rig, page: str
) -> None:
    append(rig, page, paragraph("a"), paragraph("b"))
    for position in (
        {},
        {"position": {"type": "start"}},
        {"position": {"type": "end"}},
    ):
        assert len(append(rig, page, paragraph("new"), **position)) == 1


def nested(depth: int) -> dict[str, Any]:
    block = paragraph(f"level {depth}")
    for level in range(depth - 1, -1, -1):
        block = {"toggle": {"rich_text": text(f"level {level}"), "children": [block]}}
    return block


def test_two_levels_of_nesting_go_in_one_call_and_three_do_not(
    rig: Rig, page: str
) -> None:
    outer = append(rig, page, nested(2))[0]
    inner = rig.ok("GET", f"blocks/{outer}/children")["results"][0]
    assert inner["parent"] == {"type": "block_id", "block_id": outer}
    assert body(rig, inner["id"]) == ["level 2"]
    assert rig.refused(
        "PATCH", f"blocks/{page}/children", {"children": [nested(3)]}
    ) == (400, "validation_error")


@pytest.mark.parametrize(
    "children",
    [
        [paragraph("x")] * 101,
        [paragraph("x" * 2001)],
        [{"paragraph": {}}],
        [{"mystery": {}}],
        [{"child_page": {"title": "x"}}],
        [
            {
                "table": {
                    "table_width": 2,
                    "children": [{"table_row": {"cells": [text("x")]}}],
                }
            }
        ],
        [{"table": {"table_width": 2}}],
        [{"divider": {"children": [paragraph("x")]}}],
        [{"toggle": {"rich_text": text("x"), "children": [paragraph("y")] * 10}}] * 100,
        "paragraph",
        [7],
    ],
)
def test_children_that_break_a_rule_are_refused_whole(
    rig: Rig, page: str, children: Any
) -> None:
    assert rig.refused("PATCH", f"blocks/{page}/children", {"children": children}) == (
        400,
        "validation_error",
    )
    assert body(rig, page) == []


def test_children_come_in_pages(rig: Rig, page: str) -> None:
    append(rig, page, *(paragraph(str(index)) for index in range(5)))
    first = rig.ok("GET", f"blocks/{page}/children?page_size=3")
    rest = rig.ok(
        "GET", f"blocks/{page}/children?page_size=3&start_cursor={first['next_cursor']}"
    )
    assert (len(first["results"]), len(rest["results"]), rest["has_more"]) == (
        3,
        2,
        False,
    )
    assert rig.refused("GET", f"blocks/{page}/children?start_cursor=nonsense") == (
        400,
        "validation_error",
    )


def test_an_update_changes_the_fields_named(rig: Rig, page: str) -> None:
    block = append(rig, page, {"to_do": {"rich_text": text("call"), "checked": False}})[
        0
    ]
    after = rig.ok("PATCH", f"blocks/{block}", {"to_do": {"checked": True}})
    assert (
        after["to_do"]["checked"],
        after["to_do"]["rich_text"][0]["plain_text"],
    ) == (True, "call")
    assert rig.refused(
        "PATCH", f"blocks/{block}", {"paragraph": {"rich_text": []}}
    ) == (400, "validation_error")


def test_deleted_blocks_leave_the_body_and_return_on_restore(
    rig: Rig, page: str
) -> None:
    first, _ = append(rig, page, paragraph("a"), paragraph("b"))
    assert rig.ok("DELETE", f"blocks/{first}")["in_trash"] is True
    assert body(rig, page) == ["b"]
    assert rig.refused("DELETE", f"blocks/{first}") == (400, "validation_error")
    rig.ok("PATCH", f"blocks/{first}", {"in_trash": False})
    assert body(rig, page) == ["a", "b"]


def test_body_edits_through_the_api_leave_the_pages_edit_time_alone_and_peoples_do_not(
    rig: Rig,
) -> None:
    page = rig.page()
    rig.sandbox.control("advance", {"seconds": 120})
    block = append(rig, page["id"], paragraph("a"))[0]
    assert (
        rig.ok("GET", f"pages/{page['id']}")["last_edited_time"]
        == page["last_edited_time"]
    )
    rig.sandbox.control("edit_block", {"block_id": block, "text": "by hand"})
    assert (
        rig.ok("GET", f"pages/{page['id']}")["last_edited_by"]["id"]
        == rig.sandbox.owner_id
    )
    assert body(rig, page["id"]) == ["by hand"]


def test_child_pages_and_databases_stand_in_the_body(rig: Rig, page: str) -> None:
    rig.ok(
        "POST",
        "pages",
        {"parent": {"page_id": page}, "properties": {"title": text("Sub")}},
    )
    rig.ok(
        "POST",
        "databases",
        {"parent": {"type": "page_id", "page_id": page}, "title": text("Data")},
    )
    found = rig.ok("GET", f"blocks/{page}/children")["results"]
    assert [(one["type"], one[one["type"]]["title"]) for one in found] == [
        ("child_page", "Sub"),
        ("child_database", "Data"),
    ]


def test_mentions_show_the_name_of_what_they_point_at(rig: Rig, page: str) -> None:
    made = append(
        rig,
        page,
        {"paragraph": {"rich_text": [{"mention": {"page": {"id": rig.root}}}]}},
    )[0]
    item = rig.ok("GET", f"blocks/{made}")["paragraph"]["rich_text"][0]
    assert (item["type"], item["plain_text"], item["mention"]["type"]) == (
        "mention",
        "Rayline",
        "page",
    )


def test_a_body_over_half_a_megabyte_is_refused(rig: Rig, page: str) -> None:
    response = rig.send(
        "PATCH",
        f"/v1/blocks/{page}/children",
        {"children": [paragraph("x" * 1900)] * 300},
    )
    assert (response.status, json.loads(response.body)["code"]) == (
        400,
        "validation_error",
    )
