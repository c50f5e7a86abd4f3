"""Answers that are not what was asked for: reads are repeated, writes are never taken as done, nothing else escapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from gateway_rig import Script, listing, make, page
from test_gateway_sockets import answer, serving
from test_gateway_sockets import make as make_over_sockets

from worker.errors import ApiError, Transient, Unknown
from worker.notion.gateway import NotionGateway

Call = Callable[[NotionGateway], Any]
READS: dict[str, Call] = {
    "me": lambda gateway: gateway.me(),
    "query": lambda gateway: gateway.query("s"),
    "find": lambda gateway: gateway.find("s", property_id="p", text="x"),
    "page": lambda gateway: gateway.page("p"),
    "items": lambda gateway: gateway.property_items("p", "x"),
    "source": lambda gateway: gateway.data_source("s"),
    "database": lambda gateway: gateway.database("d"),
    "views": lambda gateway: gateway.views(database_id="d"),
    "children": lambda gateway: gateway.children("b"),
    "search": lambda gateway: gateway.search("", kind="data_source"),
}
REPEATABLE: dict[str, Call] = {
    "update": lambda gateway: gateway.update_page("p", {}),
    "archive": lambda gateway: gateway.archive_page("p"),
    "schema": lambda gateway: gateway.update_data_source("s", {}),
    "view": lambda gateway: gateway.update_view("v", {}),
    "block": lambda gateway: gateway.update_block("b", {}),
    "delete": lambda gateway: gateway.delete_block("b"),
    "upload": lambda gateway: gateway.upload("a.png", b"x", content_type="image/png"),
}
UNREPEATABLE: dict[str, Call] = {
    "create": lambda gateway: gateway.create_page("s", {}),
    "database": lambda gateway: gateway.create_database({}),
    "view": lambda gateway: gateway.create_view({}),
    "append": lambda gateway: gateway.append_children("b", []),
}
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a number": b"7",
    "a list": b"[]",
    "an empty object": b"{}",
    "half an object": b'{"id": "x", "prop',
    "a deep list": b"[" * 50_000 + b"]" * 50_000,
    "a wrong byte": b"\xff",
    "an id of another kind": b'{"id": {}, "results": {}, "object": 7}',
    "an empty id": b'{"id": "", "results": null, "object": ""}',
}


@pytest.mark.parametrize("body", sorted(BODIES))
@pytest.mark.parametrize("name", sorted({**READS, **REPEATABLE}))
def test_what_may_be_repeated_is_and_ends_as_transient_naming_the_endpoint(
    name: str, body: str
) -> None:
    script = Script(httpx.Response(200, content=BODIES[body]))
    with pytest.raises(Transient, match="/v1/") as caught:
        {**READS, **REPEATABLE}[name](make(script))
    assert len(script.requests) == 6
    assert caught.value.detail


@pytest.mark.parametrize("body", sorted(BODIES))
@pytest.mark.parametrize("name", sorted(UNREPEATABLE))
def test_what_may_not_be_repeated_is_of_unknown_outcome(name: str, body: str) -> None:
    script = Script(httpx.Response(200, content=BODIES[body]))
    with pytest.raises(Unknown):
        UNREPEATABLE[name](make(script))
    assert len(script.requests) == 1


def test_a_malformed_answer_to_a_create_that_names_the_page_says_what_was_made() -> (
    None
):
    script = Script(httpx.Response(200, json={"id": "page-7", "properties": None}))
    with pytest.raises(Unknown) as caught:
        make(script).create_page("source", {})
    assert caught.value.committed_id == "page-7"


def test_a_page_that_is_not_in_the_trash_afterwards_was_not_archived() -> None:
    with pytest.raises(Transient, match="trash"):
        make(Script(httpx.Response(200, json=page(1)))).archive_page("page-1")


@pytest.mark.parametrize(
    "envelope",
    [
        {"has_more": None},
        {"has_more": "no"},
        {"results": {}},
        {"next_cursor": 7},
        {"request_status": "complete"},
        {"request_status": {"type": None}},
    ],
    ids=repr,
)
def test_a_list_whose_frame_is_malformed_is_asked_for_again(
    envelope: dict[str, Any],
) -> None:
    whole = {"results": [page(1)], "has_more": False, "next_cursor": None}
    spoilt = httpx.Response(200, json={**whole, **envelope})
    batch = make(Script(spoilt, listing([page(1)]))).query("source")
    assert batch.complete
    assert [row.id for row in batch.pages] == ["page-1"]
    with pytest.raises(Transient, match="data_sources/source/query"):
        make(Script(spoilt)).query("source")


ODD_ROWS: tuple[Any, ...] = (
    None,
    [],
    7,
    "row",
    {},
    {"id": "odd"},
    {"id": "odd", "properties": []},
    {"id": 7, "properties": {}},
    page(2, in_trash="no"),
    page(2, url={}),
    page(2, created_by=7),
)


@pytest.mark.parametrize("row", ODD_ROWS, ids=repr)
def test_a_malformed_row_is_set_aside_and_the_others_are_read(row: Any) -> None:
    batch = make(Script(listing([page(1), row, page(3)]))).query("source")
    assert [one.id for one in batch.pages] == ["page-1", "page-3"]
    (unread,) = batch.unread
    assert unread.said
    assert batch.complete == bool(unread.id)


@pytest.mark.parametrize("row", ODD_ROWS, ids=repr)
def test_looking_for_a_row_never_takes_one_that_cannot_be_read_for_none(
    row: Any,
) -> None:
    with pytest.raises(Transient):
        make(Script(listing([row]))).find("source", property_id="p", text="x")


@pytest.mark.parametrize("block", [None, {}, {"id": "b"}, {"id": "b", "type": 7}])
def test_blocks_are_read_whole_or_not_at_all(block: Any) -> None:
    good = {"id": "a", "type": "divider", "divider": {}}
    with pytest.raises(Transient, match="children"):
        make(Script(listing([good, block]))).children("page")
    with pytest.raises(Unknown):
        make(Script(listing([good, block]))).append_children("page", [good])


@pytest.mark.parametrize(
    "error",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"code": {}, "message": [], "additional_data": 7, "request_id": {}}',
        b'{"additional_data": {"retry_after": {}, "committed_resource_id": []}}',
        b"[" * 50_000,
        b'{"message": "\\ud83d"}',
        b'{"message": "\xff"}',
    ],
    ids=lambda body: str(body[:30]),
)
@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 503])
def test_refusals_of_any_content_are_refusals(status: int, error: bytes) -> None:
    for call in (*READS.values(), *UNREPEATABLE.values()):
        with pytest.raises(ApiError):
            call(make(Script(httpx.Response(status, content=error))))


@pytest.mark.parametrize(
    "spoilt", [b"wrong \xff byte", b"half \\ud83d", b"\\udc00 half"]
)
def test_a_wrong_byte_or_half_a_character_costs_one_cell_over_a_real_connection(
    spoilt: bytes,
) -> None:
    cell = {"id": "title", "type": "title", "title": [{"plain_text": "@"}]}
    body = {
        "results": [
            page(1, properties={"Name": cell}),
            page(2, properties={"Name": {**cell, "title": []}}),
        ],
        "has_more": False,
        "next_cursor": None,
    }
    sent = json.dumps(body).encode().replace(b"@", spoilt)
    with serving(answer(sent)) as (url, received):
        batch = make_over_sockets(url, timeout=60).query("source")
    assert len(received) == 1
    assert batch.complete
    assert [one.id for one in batch.pages] == ["page-1", "page-2"]
    name = batch.pages[0].properties["Name"]
    assert (name["id"], "title" in name) == ("title", False)
    assert "half of a character" in name["unread"]
    assert batch.pages[1].properties["Name"]["title"] == []
