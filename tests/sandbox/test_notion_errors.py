"""Refusals of the Notion emulator: token, version, route, rights, sharing, and the envelope they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from notion_rig import Rig

from rayline_sandbox.wire import from_parts


@pytest.fixture
def rig() -> Rig:
    return Rig()


def send(
    rig: Rig, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, Any]]:
    base = {
        "authorization": f"Bearer {rig.sandbox.token}",
        "notion-version": "2026-03-11",
    }
    response = rig.sandbox.handle(from_parts(method, path, {**base, **headers}, body))
    return response.status, json.loads(response.body)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "code"),
    [
        (
            "GET",
            "/v1/users/me",
            b"",
            {"authorization": "Bearer wrong"},
            401,
            "unauthorized",
        ),
        ("GET", "/v1/users/me", b"", {"authorization": ""}, 401, "unauthorized"),
        ("GET", "/v1/users/me", b"", {"notion-version": ""}, 400, "missing_version"),
        (
            "GET",
            "/v1/users/me",
            b"",
            {"notion-version": "2022-06-28"},
            400,
            "validation_error",
        ),
        ("GET", "/v1/invalid", b"", {}, 400, "invalid_request_url"),
        (
            "DELETE",
            "/v1/pages/00000000-0000-4000-8000-000000000000",
            b"",
            {},
            400,
            "invalid_request_url",
        ),
        ("POST", "/v1/search", b"{", {}, 400, "invalid_json"),
        ("POST", "/v1/search", b"[]", {}, 400, "validation_error"),
        ("POST", "/v1/search", b'{"querry":"x"}', {}, 400, "validation_error"),
        ("GET", "/v1/pages/nonsense", b"", {}, 400, "validation_error"),
        (
            "GET",
            "/v1/pages/00000000-0000-4000-8000-000000000000",
            b"",
            {},
            404,
            "object_not_found",
        ),
        (
            "GET",
            "/v1/databases/00000000-0000-4000-8000-000000000000",
            b"",
            {},
            404,
            "object_not_found",
        ),
        (
            "GET",
            "/v1/blocks/00000000-0000-4000-8000-000000000000",
            b"",
            {},
            404,
            "object_not_found",
        ),
        ("POST", "/v1/pages", b"{}", {}, 400, "validation_error"),
    ],
)
def test_each_mistake_gets_its_code(
    rig: Rig,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    found, answer = send(rig, method, path, body, **headers)
    assert (found, answer["status"], answer["code"], answer["object"]) == (
        status,
        status,
        code,
        "error",
    )
    assert answer["message"]
    assert answer["request_id"]


def test_not_found_names_the_integration(rig: Rig) -> None:
    _, answer = send(rig, "GET", "/v1/pages/00000000-0000-4000-8000-000000000000")
    assert answer["additional_data"] == {
        "integration_id": rig.sandbox.store.integration_id
    }
    assert answer["message"].startswith(
        "Could not find page with ID: 00000000-0000-4000-8000-000000000000. Make sure"
    )


def test_validation_messages_name_the_place(rig: Rig) -> None:
    _, answer = send(rig, "POST", "/v1/pages", b'{"parent":{}}')
    assert answer["message"] == (
        "body failed validation: body.parent.page_id should be defined, "
        "instead was `undefined`."
    )


def test_a_database_id_is_no_page_id(rig: Rig) -> None:
    database, _ = rig.database({})
    assert rig.refused("GET", f"pages/{database}") == (400, "validation_error")


def test_an_unshared_subtree_looks_missing_until_shared_again(rig: Rig) -> None:
    database, source = rig.database({})
    page = rig.row(source, "x")["id"]
    rig.sandbox.control("unshare", {"id": database})
    for path in (
        f"databases/{database}",
        f"data_sources/{source}",
        f"pages/{page}",
        f"blocks/{page}/children",
    ):
        assert rig.refused("GET", path) == (404, "object_not_found")
    assert rig.refused("POST", f"data_sources/{source}/query", {}) == (
        404,
        "object_not_found",
    )
    assert all(one["id"] != page for one in rig.ok("POST", "search", {})["results"])
    rig.sandbox.control("share", {"id": database})
    assert rig.ok("GET", f"pages/{page}")["id"] == page


@pytest.mark.parametrize(
    ("lost", "method", "path"),
    [
        ("read", "GET", "pages/{root}"),
        ("read", "POST", "search"),
        ("insert", "POST", "pages"),
        ("insert", "PATCH", "blocks/{root}/children"),
        ("update", "PATCH", "pages/{root}"),
        ("update", "DELETE", "blocks/{root}"),
    ],
)
def test_a_lost_capability_is_forbidden(
    rig: Rig, lost: str, method: str, path: str
) -> None:
    rig.sandbox.control("set_capabilities", {lost: False})
    body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
    assert rig.refused(method, path.format(root=rig.root), body) == (
        403,
        "restricted_resource",
    )


def test_what_the_connection_learns_of_people_depends_on_its_level(rig: Rig) -> None:
    user = rig.sandbox.control("add_user", {"name": "Vera", "email": "v@example.com"})[
        "id"
    ]
    assert rig.ok("GET", f"users/{user}")["person"]["email"] == "v@example.com"
    rig.sandbox.control("set_capabilities", {"users": "basic"})
    assert rig.ok("GET", f"users/{user}")["person"] == {}
    rig.sandbox.control("set_capabilities", {"users": "none"})
    assert rig.refused("GET", "users") == (403, "restricted_resource")
    assert rig.ok("GET", "users/me")["type"] == "bot"


def test_a_revoked_token_is_refused_mid_run(rig: Rig) -> None:
    assert rig.ok("GET", "users/me")
    rig.sandbox.control("revoke_token", {})
    assert rig.refused("GET", "users/me") == (401, "unauthorized")


def test_control_mistakes_are_said_in_words(rig: Rig) -> None:
    for action, payload, words in (
        ("dance", {}, "unknown action"),
        ("edit", {}, "page_id"),
        ("trash", {"id": "x"}, "nothing with id x"),
        ("faults", {"rules": [{"kind": "tea"}]}, "unknown fault kind"),
        ("set_lag", {"speed": 1}, "unknown key"),
    ):
        with pytest.raises(ValueError, match=words):
            rig.sandbox.control(action, payload)


def test_search_finds_by_title_and_kind_and_lags_when_told(rig: Rig) -> None:
    database, _ = rig.database({}, "Contracts")
    page = rig.page("Contract one")["id"]
    assert {
        one["id"] for one in rig.ok("POST", "search", {"query": "contract"})["results"]
    } >= {page}
    only = rig.ok(
        "POST",
        "search",
        {"query": "contract", "filter": {"property": "object", "value": "data_source"}},
    )
    assert [one["parent"]["database_id"] for one in only["results"]] == [database]
    rig.sandbox.control("set_lag", {"search": 10})
    late = rig.page("Contract two")["id"]
    assert late not in {
        one["id"] for one in rig.ok("POST", "search", {"query": "contract"})["results"]
    }
    rig.sandbox.control("advance", {"seconds": 11})
    assert late in {
        one["id"] for one in rig.ok("POST", "search", {"query": "contract"})["results"]
    }
