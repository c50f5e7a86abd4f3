"""Recorded answers of the real service pass through the gateway without loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from gateway_rig import Script, make

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
            assert list(batch.pages) == rows
            seen += len(rows)
    assert seen > 5


def test_recorded_pages_sources_and_databases_come_back_as_sent() -> None:
    seen = set()
    for method, _, status, body in exchanges():
        if (
            status == 200
            and body.get("object") in ("page", "data_source", "database", "user")
            and method == "GET"
        ):
            assert make(Script(httpx.Response(200, json=body))).page("any") == body
            seen.add(body["object"])
    assert {"page", "data_source", "database", "user"} <= seen


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
