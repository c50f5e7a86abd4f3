"""Recorded answers of the real service pass through the gateway without loss."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from gateway_rig import Script, make

from worker.notion.gateway import NotionGateway

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "notion"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings beside the repo"),
]


def exchanges() -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """Return method, path, status and body of every recorded exchange with a JSON object as answer."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in sorted(RECORDINGS.rglob("*.yaml")):
        for each in yaml.load(file.read_text("utf-8"), Loader=loader)["interactions"]:
            try:
                body = json.loads(
                    each["response"]["content"]
                    if "content" in each["response"]
                    else each["response"]["body"]["string"]
                )
            except (ValueError, KeyError, TypeError):
                continue
            if isinstance(body, dict):
                status = (
                    each["response"].get("status_code")
                    or each["response"]["status"]["code"]
                )
                yield (
                    each["request"]["method"],
                    each["request"]["uri"],
                    int(status),
                    body,
                )


def test_recorded_lists_of_pages_are_read_whole() -> None:
    seen = 0
    for _, _, status, body in exchanges():
        rows = body.get("results")
        if status == 200 and rows and all(row["object"] == "page" for row in rows):
            alone = {**body, "has_more": False, "next_cursor": None}
            batch = make(Script(httpx.Response(200, json=alone))).query("source")
            assert batch.complete
            assert [page.id for page in batch.pages] == [row["id"] for row in rows]
            assert [page.properties for page in batch.pages] == [
                row["properties"] for row in rows
            ]
            assert batch.unread == ()
            seen += len(rows)
    assert seen > 5


READ: dict[str, Callable[[NotionGateway], Any]] = {
    "page": lambda gateway: gateway.page("any"),
    "data_source": lambda gateway: gateway.data_source("any"),
    "database": lambda gateway: gateway.database("any"),
    "user": lambda gateway: gateway.me(),
}


def test_recorded_pages_sources_databases_and_users_lose_nothing_that_is_read() -> None:
    seen = set()
    for method, _, status, body in exchanges():
        kind = body.get("object")
        if status == 200 and kind in READ and method == "GET":
            found = READ[kind](make(Script(httpx.Response(200, json=body))))
            assert found.id == body["id"]
            seen.add(kind)
            if kind == "page":
                assert found.properties == body["properties"]
            if kind == "data_source":
                assert found.unread == ()
                assert {one.name for one in found.properties} == set(body["properties"])
    assert set(READ) == seen


def test_recorded_blocks_are_read_whole() -> None:
    seen = 0
    for _, _, status, body in exchanges():
        rows = body.get("results")
        if status == 200 and rows and all(row["object"] == "block" for row in rows):
            alone = {**body, "has_more": False, "next_cursor": None}
            assert (
                list(make(Script(httpx.Response(200, json=alone))).children("x"))
                == rows
            )
            seen += len(rows)
    assert seen > 5


def test_recorded_refusals_keep_their_status_and_request_id() -> None:
    seen = 0
    for _, _, status, body in exchanges():
        if status in (400, 401, 404):
            with pytest.raises(Exception, match="notion") as caught:
                make(Script(httpx.Response(status, json=body))).me()
            assert getattr(caught.value, "status", None) == status
            assert getattr(caught.value, "request_id", None) == body.get(
                "request_id", ""
            )
            seen += 1
    assert seen >= 10
