"""Junk in every place of requests about views, comments, files and markdown: refused or done, never a crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from notion_rig import Rig
from notion_schemas import SCHEMAS, assert_valid

JUNK: list[Any] = [
    None,
    1,
    -1,
    "",
    "x",
    [],
    {},
    [1],
    [None],
    {"a": 1},
    True,
    1e99,
    "x" * 2500,
    [[]],
    {"id": 1},
    {"type": "x"},
    "00000000-0000-4000-8000-000000000000",
]
TEXT: list[Any] = [
    {
        "text": {"content": "x", "link": {"url": "https://example.com"}},
        "annotations": {"bold": True},
    }
]
FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx'
    b"\r\n--edge--\r\n"
)


def requests(rig: Rig) -> list[tuple[str, str, dict[str, Any]]]:
    """Return well-formed requests against a small workspace."""
    database, source = rig.database(
        {"S": {"status": {}}, "D": {"date": {}}, "N": {"number": {}}}
    )
    page = rig.page(markdown="# a\n\nb")["id"]
    place = {"database_id": database, "data_source_id": source, "name": "v"}
    view = rig.ok("POST", "views", {**place, "type": "table"})["id"]
    comment = rig.ok(
        "POST", "comments", {"parent": {"page_id": page}, "rich_text": TEXT}
    )
    return [
        (
            "POST",
            "views",
            {
                **place,
                "type": "board",
                "filter": {"property": "N", "number": {"equals": 1}},
                "sorts": [{"property": "N", "direction": "ascending"}],
                "quick_filters": {"N": {}},
                "position": {"type": "after_view", "view_id": view},
                "configuration": {
                    "type": "board",
                    "properties": [{"property_id": "title", "visible": True}],
                    "group_by": {
                        "type": "status",
                        "property_id": "S",
                        "sort": {"type": "manual"},
                    },
                },
            },
        ),
        (
            "POST",
            "views",
            {
                **place,
                "type": "timeline",
                "configuration": {
                    "type": "timeline",
                    "date_property_id": "D",
                    "end_date_property_id": "D",
                    "table_properties": [{"property_id": "title"}],
                },
            },
        ),
        (
            "PATCH",
            f"views/{view}",
            {"name": "w", "configuration": {"type": "table", "wrap_cells": True}},
        ),
        ("POST", f"views/{view}/queries", {"page_size": 2}),
        (
            "POST",
            "comments",
            {
                "parent": {"page_id": page},
                "rich_text": TEXT,
                "attachments": [{"file_upload_id": "x"}],
                "display_name": {"type": "custom", "custom": {"name": "n"}},
            },
        ),
        (
            "POST",
            "comments",
            {"discussion_id": comment["discussion_id"], "markdown": "**x**"},
        ),
        ("PATCH", f"comments/{comment['id']}", {"rich_text": TEXT}),
        (
            "POST",
            "file_uploads",
            {
                "mode": "multi_part",
                "filename": "a",
                "number_of_parts": 2,
                "content_type": "image/png",
            },
        ),
        (
            "POST",
            "file_uploads",
            {
                "mode": "external_url",
                "filename": "a",
                "external_url": "https://example.com",
            },
        ),
        (
            "PATCH",
            f"pages/{page}/markdown",
            {
                "type": "update_content",
                "allow_async": True,
                "update_content": {
                    "content_updates": [
                        {"old_str": "a", "new_str": "b", "replace_all_matches": True}
                    ],
                    "allow_deleting_content": True,
                },
            },
        ),
        (
            "PATCH",
            f"pages/{page}/markdown",
            {
                "type": "insert_content",
                "insert_content": {
                    "content": "b",
                    "position": {"type": "start"},
                    "after": "a",
                },
            },
        ),
        (
            "PATCH",
            f"pages/{page}/markdown",
            {
                "type": "replace_content_range",
                "replace_content_range": {"content": "b", "content_range": "a...b"},
            },
        ),
        (
            "PATCH",
            f"pages/{page}/markdown",
            {"type": "replace_content", "replace_content": {"new_str": "b"}},
        ),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every place below a value."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in pairs:
        yield (*path, key)
        yield from places(inner, (*path, key))


def with_junk(body: dict[str, Any], path: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    """Return a copy of a body with junk at a place."""
    changed = copy.deepcopy(body)
    target: Any = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = junk
    return changed


def check_views(values: list[dict[str, Any]]) -> None:
    """Validate accepted views where the official types are at hand (they leave quick filters no content)."""
    for value in values if SCHEMAS.exists() else ():
        if value["object"] == "view":
            assert_valid("view", value | {"quick_filters": None})


@pytest.mark.parametrize("index", range(13))
def test_junk_anywhere_in_a_request_is_no_crash(index: int) -> None:
    rig = Rig()
    method, path, body = requests(rig)[index]
    bodies = [with_junk(body, place, junk) for place in places(body) for junk in JUNK]
    answers = [rig.send(method, f"/v1/{path}", one) for one in bodies]
    statuses = {answer.status for answer in answers}
    assert 400 in statuses
    assert statuses <= {200, 202, 400, 404}
    check_views([json.loads(answer.body) for answer in answers if answer.status == 200])


@pytest.mark.parametrize(
    "path",
    [
        "views",
        "views?database_id=x",
        "views?data_source_id=",
        "views/x",
        "views/x/queries/y",
        "comments",
        "comments?block_id=x",
        "comments/x",
        "file_uploads/x",
        "file_uploads?status=x",
        "file_uploads?page_size=x",
        "file_uploads?start_cursor=x",
        "pages/x/markdown",
        "async_tasks/x",
    ],
)
def test_junk_in_an_address_is_refused(path: str) -> None:
    status, code = Rig().refused("GET", path)
    assert (status, code) in {(400, "validation_error"), (404, "object_not_found")}


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"--edge", b"--edge\r\n\r\n--edge--", FORM[:40], FORM[40:]],
)
def test_a_broken_form_is_refused(body: bytes) -> None:
    rig = Rig()
    upload = rig.ok("POST", "file_uploads", {"filename": "a.png"})["id"]
    path = f"file_uploads/{upload}/send"
    for content_type in (
        "multipart/form-data; boundary=edge",
        "multipart/form-data",
        "text/plain",
    ):
        assert rig.refused("POST", path, body, content_type=content_type) == (
            400,
            "validation_error",
        )


@pytest.mark.parametrize(
    "path",
    [
        "/_files/",
        "/_files/x",
        "/_files/x/y?expires=z",
        "/_files/x/y?expires=9" + "9" * 13,
    ],
)
def test_an_address_of_no_file_is_not_found(path: str) -> None:
    assert Rig().send("GET", path).status == 404
