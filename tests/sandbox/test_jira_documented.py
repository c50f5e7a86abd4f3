"""Every operation of the official documents: answered as its schema says, or named as not there."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from clients import documented
from jira_rig import Site, small_site
from jira_specs import SPECS, problems

from rayline_sandbox.jira.catalogue import ALL_ROUTES
from rayline_sandbox.routing import Routes

DOCUMENTS = ("jira-cloud-v3", "jira-agile-cloud")
VALUES = {
    "issueIdOrKey": "WEB-2",
    "projectIdOrKey": "WEB",
    "boardId": "1",
    "sprintId": "2",
    "epicIdOrKey": "WEB-1",
    "epicId": "WEB-1",
    "filterId": "10000",
    "worklogId": "10000",
    "statusId": "10000",
    "projectId": "10000",
    "quickFilterId": "1",
    "propertyKey": "scan",
    "idOrName": "3",
    "idOrKey": "new",
}
IDS = {
    "/rest/api/3/project/{projectIdOrKey}/role/{id}": "10001",
    "/rest/api/3/issue/{issueIdOrKey}/worklog/{id}": "10000",
}
QUERIES: dict[str, dict[str, str]] = {
    "/rest/api/3/search/jql": {"jql": "project = WEB", "fields": "*all"},
    "/rest/api/3/user": {"accountId": "$ada"},
    "/rest/api/3/statuses": {"id": "10000"},
    "/rest/api/3/statuses/byNames": {"name": "Done"},
    "/rest/api/3/issue/{issueIdOrKey}/remotelink": {"globalId": "plan"},
}
ABSENT = frozenset(
    {
        *("GET statuses/{statusId}/project/{projectId}/issueTypeUsages",),
        *("GET statuses/{statusId}/projectUsages", "POST jql/pdcleaner"),
        *("GET statuses/{statusId}/workflowUsages", "PUT board/{boardId}/features"),
        *("POST issue/{issueIdOrKey}/worklog/move",),
        *("DELETE issue/{issueIdOrKey}/worklog",),
    }
)
"""Operations of the documents that are not there."""
FOR_OTHERS = frozenset({"webhook", "webhook/failed", "jql/function/computation"})
"""What is read by apps alone: accounts are refused."""
UNSHAPED = frozenset(
    {
        "GET /rest/api/3/search",
        "GET /rest/agile/1.0/board/{boardId}/quickfilter/{quickFilterId}",
        "GET /rest/api/3/issue/{issueIdOrKey}/remotelink",
    }
)
"""What answers no record here, or one record where the document speaks of a list."""


@cache
def operations() -> list[tuple[str, str, str]]:
    """Return document, method and address of every operation there is."""
    found = []
    for name in DOCUMENTS:
        path = SPECS / f"{name}.json"
        if not path.exists():
            return []
        for address, methods in json.loads(path.read_text())["paths"].items():
            kinds = [
                each for each in methods if each in ("get", "post", "put", "delete")
            ]
            found += [(name, each.upper(), address) for each in kinds]
    return found


TABLE = Routes(
    (route.method, f"/{route.root}/{route.template}", route)
    for route in ALL_ROUTES
    if "cloud" in route.on
)


def shortened(address: str) -> str:
    """Return an address below the root of its API."""
    for root in ("/rest/api/3/", "/rest/agile/1.0/"):
        address = address.removeprefix(root)
    return address


def filled(address: str) -> str:
    """Return an address with the values of a small site."""
    for name, value in {"id": IDS.get(address, "10000"), **VALUES}.items():
        address = address.replace("{" + name + "}", value)
    return address


def is_absent(method: str, address: str) -> bool:
    return f"{method} {shortened(address)}" in ABSENT


def is_routed(method: str, address: str) -> bool:
    root = "agile" if "/agile/" in address else "api"
    return TABLE.find(method, f"/{root}/{shortened(filled(address))}") is not None


@pytest.fixture
def site() -> Site:
    site = small_site()
    for path in (
        "issue/WEB-2/worklog/10000/properties/scan",
        "/rest/agile/1.0/board/1/properties/scan",
        "/rest/agile/1.0/sprint/2/properties/scan",
    ):
        site.ask("PUT", path, {"score": 7})
    return site


@pytest.mark.shared
@pytest.mark.parametrize(("name", "method", "address"), operations())
def test_a_documented_operation_is_there_or_named(
    name: str, method: str, address: str
) -> None:
    assert is_routed(method, address) is not is_absent(method, address)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "address"),
    [
        (name, address)
        for name, method, address in operations()
        if method == "GET"
        and not is_absent(method, address)
        and f"GET {address}" not in UNSHAPED
    ],
)
def test_what_is_read_has_the_documented_shape(
    site: Site, name: str, address: str
) -> None:
    if shortened(address) in FOR_OTHERS:
        assert site.refused("GET", filled(address))[0] == 403
        return
    users = site.act("dump")["users"]
    ada = next(each["account"] for each in users if each["name"] == "ada")
    query = {
        key: ada if value == "$ada" else value
        for key, value in QUERIES.get(address, {}).items()
    }
    answer = site.ask("GET", filled(address), **query)
    if has_schema(name, address):
        assert problems(name, address, "get", 200, body=answer) == []


def has_schema(name: str, address: str) -> bool:
    """Tell whether a document says what a read answers."""
    path = SPECS / f"{name}.json"
    operation: dict[str, Any] = json.loads(path.read_text())["paths"][address]["get"]
    content = operation["responses"].get("200", {}).get("content", {})
    return bool(content.get("application/json", {}).get("schema"))


@pytest.mark.shared
def test_the_documentation_tells_how_much_of_the_documents_is_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    every = operations()
    if not every:
        pytest.skip("the shared specifications are absent")
    there = [each for each in every if is_routed(*each[1:])]
    share = f"{len(there)} of {len(every)}"
    with capsys.disabled():
        print(f"\nJira, documented operations: {share}")  # noqa: T201
    assert documented(f"{share} documented operations")
