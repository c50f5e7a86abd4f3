"""Every operation of the official document of Notion is there or named, and takes no key it does not know."""

from __future__ import annotations

import json

import pytest
from clients import documented
from notion_rig import Rig
from notion_schemas import SCHEMAS

from rayline_sandbox.notion.call import Route
from rayline_sandbox.notion.router import ROUTES
from rayline_sandbox.routing import Routes

DOCUMENT = SCHEMAS.parent / "notion-openapi-2026-03.json"
TABLE = Routes((route.method, route.pattern, route) for route in ROUTES)
ABSENT = frozenset({"/v1/oauth/token", "/v1/oauth/introspect", "/v1/oauth/revoke"})
WRITES = [route for route in ROUTES if route.method in ("POST", "PATCH")]


def operations() -> list[tuple[str, str]]:
    if not DOCUMENT.exists():
        return []
    paths = json.loads(DOCUMENT.read_text())["paths"]
    return [
        (method.upper(), address)
        for address, methods in paths.items()
        for method in methods
        if method in ("get", "post", "patch", "delete")
    ]


@pytest.mark.shared
@pytest.mark.parametrize(("method", "address"), operations())
def test_a_documented_operation_is_there_or_named(method: str, address: str) -> None:
    assert (TABLE.find(method, address) is None) is (address in ABSENT)


@pytest.mark.shared
def test_the_documentation_tells_how_much_of_the_document_is_there() -> None:
    every = operations()
    if not every:
        pytest.skip("the shared specification is absent")
    there = [each for each in every if each[1] not in ABSENT]
    assert documented(f"{len(there)} of {len(every)} operations of Notion's")


@pytest.fixture
def known() -> tuple[Rig, dict[str, str]]:
    """Return a workspace, and the id of one record of each kind by the name addresses have for it."""
    rig = Rig()
    database, source = rig.database({"Stage": {"select": {}}})
    page = rig.page("Page")["id"]
    words = [{"text": {"content": "x"}}]
    children = {"children": [{"paragraph": {"rich_text": words}}]}
    block = rig.ok("PATCH", f"blocks/{page}/children", children)["results"][0]["id"]
    comment = {"parent": {"page_id": page}, "rich_text": words}
    view = rig.ok("GET", f"views?database_id={database}")["results"][0]["id"]
    file = {"mode": "single_part", "filename": "a.txt", "content_type": "text/plain"}
    return rig, {
        "page_id": page,
        "block_id": block,
        "database_id": database,
        "data_source_id": source,
        "comment_id": rig.ok("POST", "comments", comment)["id"],
        "view_id": view,
        "file_upload_id": rig.ok("POST", "file_uploads", file)["id"],
    }


@pytest.mark.parametrize(
    "route", WRITES, ids=[f"{each.method} {each.pattern}" for each in WRITES]
)
@pytest.mark.parametrize("key", ["nonsense", "Title", "propertys"])
def test_a_key_nobody_knows_is_refused(
    known: tuple[Rig, dict[str, str]], route: Route, key: str
) -> None:
    rig, ids = known
    method = route.method
    path = route.pattern
    for name, identity in ids.items():
        path = path.replace("{" + name + "}", identity)
    before = rig.sandbox.control("dump", {})
    response = rig.send(method, path, {key: 1})
    body = json.loads(response.body)
    assert (response.status, body["code"]) == (400, "validation_error")
    assert rig.sandbox.control("dump", {}) == before
