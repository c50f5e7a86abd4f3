"""Shapes of icons, blocks and texts in requests to the Notion emulator: what is not of its type is refused whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from notion_rig import Rig

MISSING_ID = "00000000-0000-4000-8000-000000000000"
WORDS = [{"text": {"content": "x"}}]
BAD_ICONS: list[Any] = [
    {"emoji": 5},
    {"emoji": ""},
    {"external": {}},
    {"external": "x"},
    {"external": {"url": 5}},
    {"icon": "pizza"},
    {"icon": {"name": "pizza", "color": "blond"}},
    {"file_upload": "x"},
    {"file_upload": {}},
    {"custom_emoji": {}},
    {"type": "emoji", "external": {"url": "https://example.com"}},
    {"type": "photo"},
    {},
    "z",
    5,
    [],
]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def page(rig: Rig) -> str:
    found: str = rig.page()["id"]
    return found


def uploaded(rig: Rig) -> str:
    upload = rig.ok("POST", "file_uploads", {"filename": "a.png"})["id"]
    form = (
        b'--e\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx'
        b"\r\n--e--\r\n"
    )
    rig.ok(
        "POST",
        f"file_uploads/{upload}/send",
        form,
        content_type="multipart/form-data; boundary=e",
    )
    return str(upload)


def mention(kind: str, value: Any) -> dict[str, Any]:
    return {"paragraph": {"rich_text": [{"mention": {kind: value}}]}}


@pytest.mark.parametrize("icon", BAD_ICONS)
def test_an_icon_that_is_none_is_refused_wherever_it_stands(
    rig: Rig, page: str, icon: Any
) -> None:
    database, source = rig.database({})
    for path in (f"pages/{page}", f"databases/{database}", f"data_sources/{source}"):
        assert rig.refused("PATCH", path, {"icon": icon}) == (400, "validation_error")
    for kind in ("callout", "paragraph"):
        body = {"children": [{kind: {"rich_text": WORDS, "icon": icon}}]}
        assert rig.refused("PATCH", f"blocks/{page}/children", body) == (
            400,
            "validation_error",
        )


@pytest.mark.parametrize(
    "cover", [{"external": {}}, {"file_upload": "x"}, {"emoji": "🔥"}, "x"]
)
def test_a_cover_that_is_none_is_refused(rig: Rig, page: str, cover: Any) -> None:
    assert rig.refused("PATCH", f"pages/{page}", {"cover": cover}) == (
        400,
        "validation_error",
    )


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"emoji": "🔥"}, {"type": "emoji", "emoji": "🔥"}),
        (
            {"external": {"url": "https://example.com/a.png"}},
            {"type": "external", "external": {"url": "https://example.com/a.png"}},
        ),
        (
            {"type": "icon", "icon": {"name": "table", "color": "purple"}},
            {"type": "icon", "icon": {"name": "table", "color": "purple"}},
        ),
        (None, None),
    ],
)
def test_an_icon_is_shown_with_its_type(
    rig: Rig, page: str, given: Any, shown: Any
) -> None:
    assert rig.ok("PATCH", f"pages/{page}", {"icon": given})["icon"] == shown
    (callout,) = rig.ok(
        "PATCH",
        f"blocks/{page}/children",
        {"children": [{"callout": {"rich_text": WORDS, "icon": given}}]},
    )["results"]
    assert callout["callout"]["icon"] == shown


def test_an_uploaded_icon_is_shown_as_a_hosted_file_and_outlives_the_upload(
    rig: Rig, page: str
) -> None:
    icon = {"type": "file_upload", "file_upload": {"id": uploaded(rig)}}
    (made,) = rig.ok(
        "PATCH",
        f"blocks/{page}/children",
        {"children": [{"callout": {"rich_text": WORDS, "icon": icon}}]},
    )["results"]
    rig.sandbox.control("advance", {"seconds": 7200})
    shown = rig.ok("PATCH", f"blocks/{made['id']}", {"callout": {"color": "red"}})[
        "callout"
    ]["icon"]
    assert shown["type"] == "file"
    assert shown["file"].keys() == {"url", "expiry_time"}


def test_an_icon_of_an_unknown_upload_is_not_found(rig: Rig, page: str) -> None:
    icon = {"file_upload": {"id": MISSING_ID}}
    assert rig.refused("PATCH", f"pages/{page}", {"icon": icon}) == (
        404,
        "object_not_found",
    )
    body = {"children": [{"callout": {"rich_text": WORDS, "icon": icon}}]}
    assert rig.refused("PATCH", f"blocks/{page}/children", body) == (
        404,
        "object_not_found",
    )


@pytest.mark.parametrize(
    "block",
    [
        {"to_do": {"rich_text": WORDS, "checked": "yes"}},
        {"code": {"rich_text": WORDS, "language": "klingon"}},
        {"heading_1": {"rich_text": WORDS, "is_toggleable": "no"}},
        {
            "paragraph": {
                "rich_text": [
                    {"text": {"content": "x"}, "annotations": {"bold": "yes"}}
                ]
            }
        },
        {"paragraph": {"rich_text": [{"type": "equation", "text": {"content": "x"}}]}},
        mention("date", {}),
        mention("date", {"start": "soon"}),
        mention("date", {"start": "2026-01-01", "end": 5}),
        mention("user", {}),
        mention("page", {"id": 5}),
        mention("custom_emoji", "x"),
        {"file": {"external": {"url": "https://example.com/a.pdf"}, "name": 5}},
        {"image": {"external": {}}},
        {
            "table": {
                "table_width": True,
                "children": [{"table_row": {"cells": [WORDS]}}],
            }
        },
        {
            "table": {
                "table_width": 1,
                "has_row_header": "no",
                "children": [{"table_row": {"cells": [WORDS]}}],
            }
        },
        {
            "column_list": {
                "children": [
                    {"column": {"width_ratio": "wide", "children": [{"divider": {}}]}}
                ]
                * 2
            }
        },
    ],
)
def test_a_field_of_a_block_has_its_type(
    rig: Rig, page: str, block: dict[str, Any]
) -> None:
    assert rig.refused("PATCH", f"blocks/{page}/children", {"children": [block]}) == (
        400,
        "validation_error",
    )
    assert rig.ok("GET", f"blocks/{page}/children")["results"] == []


@pytest.mark.parametrize(
    "column",
    [
        {"number": {"format": 5}},
        {"unique_id": {"prefix": 5}},
        {"rich_text": {}, "description": 5},
    ],
)
def test_a_column_is_made_of_texts(rig: Rig, column: dict[str, Any]) -> None:
    _, source = rig.database({})
    body = {"properties": {"New": column}}
    assert rig.refused("PATCH", f"data_sources/{source}", body) == (
        400,
        "validation_error",
    )


@pytest.mark.parametrize(
    ("fence", "language"),
    [
        ("klingon", "plain text"),
        ("py", "python"),
        ("visual basic", "visual basic"),
        ("", "plain text"),
    ],
)
def test_a_fence_in_a_language_unknown_to_notion_is_plain_text(
    rig: Rig, fence: str, language: str
) -> None:
    page = rig.page(markdown=f"```{fence}\nx\n```")["id"]
    (block,) = rig.ok("GET", f"blocks/{page}/children")["results"]
    assert block["code"]["language"] == language


@pytest.mark.parametrize("name", ["Bob", {}, {"name": 5}])
def test_a_display_name_of_ones_own_is_an_object_with_a_name(
    rig: Rig, page: str, name: Any
) -> None:
    body = {
        "parent": {"page_id": page},
        "rich_text": WORDS,
        "display_name": {"type": "custom", "custom": name},
    }
    assert rig.refused("POST", "comments", body) == (400, "validation_error")


@pytest.mark.parametrize("position", ["start", {"type": "middle"}, 5])
def test_markdown_is_inserted_at_the_start_or_the_end(
    rig: Rig, page: str, position: Any
) -> None:
    body = {
        "type": "insert_content",
        "insert_content": {"content": "x", "position": position},
    }
    assert rig.refused("PATCH", f"pages/{page}/markdown", body) == (
        400,
        "validation_error",
    )


@pytest.mark.parametrize("depth", [150, 500, 900, 5000, 100_000])
def test_json_nested_beyond_measure_is_refused(rig: Rig, depth: int) -> None:
    nested = b'{"filter":' + b'{"and":[' * depth + b"]}" * depth + b"}"
    for path in ("search", f"data_sources/{rig.database({})[1]}/query"):
        response = rig.send("POST", f"/v1/{path}", nested)
        assert (response.status, json.loads(response.body)["object"]) == (400, "error")
