"""What may stand in what: blocks in blocks, and the parts of a request that makes a page of the Notion emulator."""

from __future__ import annotations

from typing import Any

import pytest
from notion_rig import Rig

MISSING_ID = "00000000-0000-4000-8000-000000000000"


def text(content: str) -> list[dict[str, Any]]:
    return [{"text": {"content": content}}]


def paragraph(content: str, **more: Any) -> dict[str, Any]:
    return {"paragraph": {"rich_text": text(content)}, **more}


def row(*cells: str) -> dict[str, Any]:
    return {"table_row": {"cells": [text(cell) for cell in cells]}}


def column(*children: dict[str, Any]) -> dict[str, Any]:
    return {"column": {"children": list(children)}}


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def page(rig: Rig) -> str:
    found: str = rig.page()["id"]
    return found


def append(rig: Rig, block: str, *children: dict[str, Any]) -> list[str]:
    made = rig.ok("PATCH", f"blocks/{block}/children", {"children": list(children)})
    return [one["id"] for one in made["results"]]


def refused(rig: Rig, block: str, *children: dict[str, Any]) -> bool:
    before = rig.ok("GET", f"blocks/{block}/children")["results"]
    answer = rig.refused(
        "PATCH", f"blocks/{block}/children", {"children": list(children)}
    )
    return (
        answer == (400, "validation_error")
        and rig.ok("GET", f"blocks/{block}/children")["results"] == before
    )


def body(rig: Rig, page: str) -> list[str]:
    found = rig.ok("GET", f"blocks/{page}/children")["results"]
    return [
        "".join(part["plain_text"] for part in one[one["type"]].get("rich_text", []))
        or one[one["type"]]["title"]
        for one in found
    ]


@pytest.mark.parametrize(
    "stray",
    [
        {"is_archived": False},
        {"id": MISSING_ID},
        {"created_time": "2026-01-01T00:00:00.000Z"},
        {"has_children": False},
        {"mystery": 1},
        {"to_do": {"rich_text": []}},
        {"type": "to_do"},
        {"object": "page"},
    ],
)
def test_a_block_says_what_it_is_once_and_nothing_only_answers_say(
    rig: Rig, page: str, stray: dict[str, Any]
) -> None:
    assert refused(rig, page, paragraph("x", **stray))
    assert refused(
        rig,
        page,
        {"toggle": {"rich_text": text("x"), "children": [paragraph("y", **stray)]}},
    )


@pytest.mark.parametrize(
    "block",
    [
        {"column_list": {"children": [paragraph("x"), paragraph("y")]}},
        {"column_list": {"children": [column(paragraph("x"))]}},
        {"column_list": {"children": [{"column": {}}] * 2}},
        {"table": {"table_width": 1, "children": [paragraph("x")]}},
        {"tab": {"children": [{"divider": {}}]}},
    ],
)
def test_columns_rows_and_tabs_stand_in_what_is_made_of_them(
    rig: Rig, page: str, block: dict[str, Any]
) -> None:
    assert refused(rig, page, block)


def test_columns_may_be_empty(rig: Rig, page: str) -> None:
    (made,) = append(rig, page, {"column_list": {"children": [column(), column()]}})
    assert [
        one["type"] for one in rig.ok("GET", f"blocks/{made}/children")["results"]
    ] == ["column", "column"]


def test_a_table_takes_rows_of_its_width_and_nothing_else(rig: Rig, page: str) -> None:
    (table,) = append(
        rig, page, {"table": {"table_width": 2, "children": [row("a", "b")]}}
    )
    assert refused(rig, table, paragraph("x"))
    assert refused(rig, table, row("c", "d"), row("e"))
    (second,) = append(rig, table, row("c", "d"))
    wrong = {"table_row": {"cells": [text("only")]}}
    assert rig.refused("PATCH", f"blocks/{second}", wrong) == (400, "validation_error")
    rig.ok(
        "PATCH", f"blocks/{second}", {"table_row": {"cells": [text("e"), text("f")]}}
    )


def test_a_list_of_columns_takes_columns_and_nothing_else(rig: Rig, page: str) -> None:
    (columns,) = append(rig, page, {"column_list": {"children": [column(), column()]}})
    assert refused(rig, columns, paragraph("x"))
    append(rig, columns, column(paragraph("x")))


def test_a_new_page_goes_where_its_position_says(rig: Rig, page: str) -> None:
    first, _ = append(rig, page, paragraph("a"), paragraph("b"))
    for title, position in (
        ("last", {"type": "page_end"}),
        ("start", {"type": "page_start"}),
        ("end", None),
        ("after a", {"type": "after_block", "after_block": {"id": first}}),
    ):
        rig.ok(
            "POST",
            "pages",
            {
                "parent": {"page_id": page},
                "properties": {"title": text(title)},
                "position": position,
            },
        )
    assert body(rig, page) == ["start", "a", "after a", "b", "last", "end"]


@pytest.mark.parametrize(
    "more",
    [
        {"position": {"type": "banana"}},
        {"position": {"type": "start"}},
        {"position": "page_start"},
        {"position": {}},
        {"position": {"type": "after_block"}},
        {"position": {"type": "after_block", "after_block": {"id": MISSING_ID}}},
        {"properties": []},
        {"properties": ""},
        {"children": {}},
        {"content": "x"},
        {"allow_async": "yes"},
        {"content": [paragraph("x")], "markdown": "x"},
        {"content": [paragraph("x")], "children": [paragraph("x")]},
    ],
)
def test_a_page_with_a_part_out_of_shape_is_not_made(
    rig: Rig, page: str, more: dict[str, Any]
) -> None:
    assert rig.refused("POST", "pages", {"parent": {"page_id": page}, **more}) == (
        400,
        "validation_error",
    )
    assert body(rig, page) == []


def test_properties_are_an_object_in_a_change_too(rig: Rig, page: str) -> None:
    assert rig.refused("PATCH", f"pages/{page}", {"properties": []}) == (
        400,
        "validation_error",
    )


def test_the_body_of_a_new_page_may_be_called_its_content(rig: Rig) -> None:
    assert body(rig, rig.page(content=[paragraph("a"), paragraph("b")])["id"]) == [
        "a",
        "b",
    ]


def test_a_page_from_markdown_may_be_answered_with_a_task_that_tells_the_page(
    rig: Rig, page: str
) -> None:
    request = {
        "parent": {"page_id": page},
        "properties": {"title": text("Digest")},
        "allow_async": True,
    }
    response = rig.send("POST", "/v1/pages", request | {"markdown": "# a"})
    assert response.status == 202
    (made,) = rig.ok("GET", f"blocks/{page}/children")["results"]
    task = rig.ok("POST", "pages", request | {"markdown": "b"})
    done = rig.ok("GET", f"async_tasks/{task['id']}")
    assert (task["object"], task["status"], done["status"]) == (
        "async_task",
        "queued",
        "succeeded",
    )
    assert (made["child_page"]["title"], done["result"]["object"]) == ("Digest", "page")
    assert rig.send("POST", "/v1/pages", request).status == 200
