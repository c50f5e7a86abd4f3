"""People on the control channel, injected faults, rate limits."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest
from jira_rig import Site, small_site

from rayline_sandbox.jira.catalogue import ALL_ROUTES
from rayline_sandbox.wire import HandlerTransport


@pytest.fixture
def site() -> Site:
    return small_site()


def fault(site: Site, kind: str, **more: Any) -> None:
    match = {
        name: more.pop(name) for name in ("method", "path_regex", "nth") if name in more
    }
    site.act("faults", rules=[{"match": match, "kind": kind, **more}])


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("429", 429),
        ("500", 500),
        ("502_html", 502),
        ("503", 503),
        ("504", 504),
        ("401", 401),
    ],
)
def test_a_replacing_fault_answers_once_and_does_no_work(
    site: Site, kind: str, status: int
) -> None:
    fault(site, kind, method="POST")
    body = {
        "fields": {
            "project": {"key": "WEB"},
            "summary": "New",
            "issuetype": {"name": "Task"},
        }
    }
    assert site.raw("POST", "issue", body).status == status
    assert site.act("counts")["issues"] == 7
    assert site.raw("POST", "issue", body).status == 201


def test_a_429_says_why_and_how_long(site: Site) -> None:
    fault(site, "429", retry_after=1847, reason="jira-quota-tenant-based")
    headers = site.raw("GET", "myself").headers
    assert (headers["Retry-After"], headers["RateLimit-Reason"]) == (
        "1847",
        "jira-quota-tenant-based",
    )
    assert headers["X-RateLimit-Reset"] == "2026-11-21T12:30Z"
    assert headers["X-RateLimit-Remaining"] == "0"


@pytest.mark.parametrize("kind", ["reset_after", "hang_after"])
def test_a_fault_after_the_work_leaves_the_work_done(site: Site, kind: str) -> None:
    fault(site, kind, method="POST", path_regex="/worklog$")
    client = httpx.Client(
        transport=HandlerTransport(site.jira.handle),
        base_url="https://site.invalid",
        headers={"authorization": site.authorization},
    )
    with pytest.raises(httpx.TransportError):
        client.post("/rest/api/3/issue/WEB-10/worklog", json={"timeSpentSeconds": 60})
    assert site.ask("GET", "issue/WEB-10/worklog")["total"] == 1


def test_a_fault_before_the_work_prevents_it(site: Site) -> None:
    fault(site, "reset_before", method="POST", path_regex="/worklog$")
    assert (
        site.raw("POST", "issue/WEB-10/worklog", {"timeSpentSeconds": 60}).fault
        == "reset"
    )
    assert site.ask("GET", "issue/WEB-10/worklog")["total"] == 0


def test_a_truncated_body_is_no_json(site: Site) -> None:
    fault(site, "truncate")
    client = httpx.Client(
        transport=HandlerTransport(site.jira.handle), base_url="https://site.invalid"
    )
    with pytest.raises(json.JSONDecodeError):
        client.get(
            "/rest/api/3/myself", headers={"authorization": site.authorization}
        ).json()


def test_the_nth_matching_request_fails(site: Site) -> None:
    fault(site, "500", path_regex="/myself$", nth=2)
    assert [
        site.raw("GET", path).status for path in ("myself", "field", "myself", "myself")
    ] == [200, 200, 500, 200]


def test_page_faults_shape_a_search_and_clear(site: Site) -> None:
    asked: dict[str, Any] = {
        "jql": "project = WEB order by key",
        "fields": ["key"],
        "maxResults": 2,
    }
    fault(site, "repeat_token", times=0)
    first = site.ask("POST", "search/jql", asked)
    again = site.ask(
        "POST", "search/jql", {**asked, "nextPageToken": first["nextPageToken"]}
    )
    assert again == first
    site.act("clear_faults")
    fault(site, "empty_page_with_token")
    empty = site.ask("POST", "search/jql", asked)
    assert (empty["issues"], empty["isLast"]) == ([], False)
    assert (
        len(
            site.ask(
                "POST", "search/jql", {**asked, "nextPageToken": empty["nextPageToken"]}
            )["issues"]
        )
        == 2
    )
    fault(site, "warnings", type="CLAUSE_LIMIT_EXCEEDED")
    assert (
        site.ask("POST", "search/jql", asked)["warnings"][0]["type"]
        == "CLAUSE_LIMIT_EXCEEDED"
    )
    fault(site, "short_pages", size=1, times=0)
    assert [len(page["issues"]) for page in site.pages(**asked)] == [1, 1, 1, 1, 1]


def test_page_faults_shape_the_cursor_lists_of_boards_too(site: Site) -> None:
    fault(site, "repeat_token", path_regex="/rest/software/")
    page = site.ask("GET", "/rest/software/1.0/board/1/issue", maxResults=5)
    assert (len(page["issues"]), page["isLast"], "nextPageToken" in page) == (
        4,
        False,
        True,
    )


def test_a_wrong_rule_is_refused_whole(site: Site) -> None:
    for rule in ({"kind": "418"}, {"kind": "500", "match": {"url": "x"}}):
        with pytest.raises(ValueError, match="unknown"):
            site.act("faults", rules=[{"kind": "500"}, rule])
    assert site.raw("GET", "myself").status == 200


def test_bursts_are_limited_per_endpoint_on_real_seconds() -> None:
    seconds = [0.0]
    site = small_site(limit=5, real=lambda: seconds[0])
    statuses = [site.raw("GET", "myself").status for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    refused = site.raw("GET", "myself")
    assert (refused.headers["Retry-After"], refused.headers["RateLimit-Reason"]) == (
        "1",
        "jira-burst-based",
    )
    assert site.raw("GET", "field").headers["X-RateLimit-Remaining"] == "4"
    seconds[0] = 1.0
    assert site.raw("GET", "myself").status == 200


def test_writes_to_one_issue_are_limited_to_twenty_in_two_seconds() -> None:
    seconds = [0.0]
    site = small_site(limit=1000, real=lambda: seconds[0])
    writes = [
        site.raw("PUT", "issue/WEB-1", {"fields": {"labels": [f"n{number}"]}})
        for number in range(21)
    ]
    assert [write.status for write in writes] == [204] * 20 + [429]
    assert writes[-1].headers["RateLimit-Reason"] == "jira-per-issue-on-write"
    assert site.raw("PUT", "issue/WEB-2", {"fields": {"labels": []}}).status == 204


def test_renamed_projects_and_people_keep_their_identity(site: Site) -> None:
    site.act("rename_project", key="APP", new_key="MOB", name="Mobile")
    assert site.ask("GET", "issue/APP-1", fields="summary")["key"] == "MOB-1"
    assert site.keys("project = APP order by key") == ["MOB-1", "MOB-2"]
    (project,) = site.ask("GET", "project/search", expand="projectKeys", keys="MOB")[
        "values"
    ]
    assert project["projectKeys"] == ["MOB", "APP"]
    before = site.ask("GET", "user/search", query="grace")[0]["accountId"]
    site.act("rename_user", user="grace", name="Grace Murray Hopper")
    assert (
        site.ask("GET", "user", accountId=before)["displayName"]
        == "Grace Murray Hopper"
    )


def test_a_deactivated_person_keeps_work_but_gets_no_more(site: Site) -> None:
    site.act("deactivate_user", user="grace")
    assignee = site.ask("GET", "issue/WEB-3")["fields"]["assignee"]
    assert assignee["active"] is False
    assert (
        site.refused(
            "PUT", "issue/WEB-2/assignee", {"accountId": assignee["accountId"]}
        )[0]
        == 400
    )
    with pytest.raises(ValueError, match="cannot be assigned"):
        site.act("edit", issue="WEB-2", fields={"assignee": "grace"})


def test_a_new_project_is_whole_at_once(site: Site) -> None:
    statuses = ["Идея", {"name": "Готово", "category": "done"}]
    made = site.act("add_project", key="NEW", name="Newcomer", statuses=statuses)
    key = site.act(
        "create", project="NEW", fields={"summary": "First", "issuetype": "Story"}
    )["key"]
    site.act("transition", issue=key, status="Готово")
    assert site.keys("project = NEW and statusCategory = Done") == ["NEW-1"]
    assert (
        site.ask("GET", f"/rest/agile/1.0/board/{made['board']}")["location"][
            "projectKey"
        ]
        == "NEW"
    )
    with pytest.raises(ValueError, match="no transition"):
        site.act("transition", issue=key, status="In Review")


def test_links_can_point_at_another_host_than_the_one_asked(site: Site) -> None:
    site.act("set_self_base", url="https://api.atlassian.com/ex/jira/abc")
    assert site.ask("GET", "issue/WEB-1")["self"].startswith(
        "https://api.atlassian.com/ex/jira/abc/rest/api/3/issue/"
    )
    cloud = site.ask("GET", "/_edge/tenant_info")["cloudId"]
    assert site.ask("GET", f"/ex/jira/{cloud}/rest/api/3/issue/WEB-1")["key"] == "WEB-1"


def test_requests_are_logged_and_counted_without_secrets(site: Site) -> None:
    site.ask("GET", "myself")
    fault(site, "500")
    site.raw("GET", "issue/WEB-1")
    entries = site.act("log")["entries"]
    assert [(e["endpoint"], e["status"], e["fault"]) for e in entries] == [
        ("GET api:myself", 200, ""),
        ("GET api:issue/{issue}", 500, "500"),
    ]
    assert site.act("counts")["requests"] == {
        "GET api:myself": 1,
        "GET api:issue/{issue}": 1,
    }
    assert site.jira.token not in json.dumps(entries)


def test_the_same_seed_and_acts_give_the_same_site() -> None:
    dumps = []
    for _ in range(2):
        site = small_site()
        site.act("create", project="WEB", fields={"summary": "One"})
        site.act("transition", issue="WEB-3", status="Done")
        dumps.append(site.act("dump"))
    assert dumps[0] == dumps[1]
    assert len(dumps[0]["issues"]) == 8


_ODD: tuple[Any, ...] = (
    None,
    "x",
    5,
    -1,
    1.5,
    True,
    [],
    ["a"],
    [1],
    [{}],
    {},
    {"id": "1"},
    {"name": "Done"},
    {"key": "WEB"},
    "WEB-1",
    [{"set": 1}],
    {"labels": [1]},
    {"a": {}},
    {"transition": 1},
)
_NAMES = (
    "jql",
    "expand",
    "maxResults",
    "nextPageToken",
    "reconcileIssues",
    "issueIdsOrKeys",
    "fieldIds",
    "queries",
    "update",
    "transition",
    "body",
    "started",
    "timeSpent",
    "timeSpentSeconds",
    "comment",
    "ids",
    "issueUpdates",
    "name",
    "originBoardId",
    "startDate",
    "state",
    "issues",
    "changelogIds",
    "targetToSourcesMapping",
    "startAt",
    "object",
    "globalId",
    "application",
    "relationship",
    "position",
    "after",
    "moveFixIssuesTo",
    "sharePermissions",
    "editPermissions",
    "color",
    "uri",
    "done",
    "inward",
    "outward",
    "key",
    "description",
    "leadAccountId",
    "lead",
    "leadUserName",
    "assigneeType",
    "project",
    "projectTypeKey",
    "rankBeforeIssue",
    "rankAfterEpic",
    "rankCustomFieldId",
    "sprintToSwapWith",
    "issueIds",
    "jqls",
    "type",
    "filterId",
    "location",
    "query",
    "accountId",
    "groupname",
)
_FIELDS = (
    "summary",
    "issuetype",
    "labels",
    "assignee",
    "parent",
    "fixVersions",
    "components",
    "duedate",
    "priority",
    "customfield_10020",
    "customfield_10024",
    "timetracking",
    "description",
)
_ROOTS = {
    "api": "",
    "agile": "/rest/agile/1.0/",
    "auth": "/rest/auth/1/",
    "software": "/rest/software/1.0/",
    "webhooks": "/rest/webhooks/1.0/",
    "": "/",
}
_PLACES = {
    "{version}": "10000",
    "{other}": "10001",
    "{component}": "10000",
    "{type}": "10000",
    "{kind}": "10002",
    "{dashboard}": "10000",
    "{property}": "scan",
    "{worklog}": "10000",
    "{comment}": "10000",
    "{scheme}": "0",
    "{issue}": "WEB-2",
    "{id}": "10000",
    "{project}": "WEB",
    "{board}": "1",
    "{sprint}": "2",
    "{epic}": "WEB-1",
}


@pytest.mark.parametrize("administers", [False, True])
@pytest.mark.parametrize("deployment", ["cloud", "datacenter"])
def test_bodies_of_a_wrong_shape_are_refused_and_never_break_the_site(
    deployment: str, administers: bool
) -> None:
    chance = random.Random(5)
    site = small_site(deployment)
    site.act("set_administrator", administers=administers)
    routes = [
        route
        for route in ALL_ROUTES
        if deployment in route.on and route.method != "DELETE"
    ]
    for route in routes * 12:
        path = _ROOTS[route.root] + route.template
        for name, value in _PLACES.items():
            path = path.replace(name, value)
        body: Any = {name: chance.choice(_ODD) for name in chance.sample(_NAMES, 9)}
        body["fields"] = {
            name: chance.choice(_ODD) for name in chance.sample(_FIELDS, 3)
        } | {"project": {"key": "WEB"}}
        if route.method == "GET":
            query = {
                name: chance.choice(("x", "-1", "5", "", "WEB"))
                for name in chance.sample(_NAMES, 3)
            }
            assert site.raw("GET", path, query=query).status < 500
        else:
            assert (
                site.raw(
                    route.method, path, chance.choice((body, body, chance.choice(_ODD)))
                ).status
                < 500
            )
    assert site.act("counts")["total"] == len(routes) * 12


def test_an_unknown_action_is_refused(site: Site) -> None:
    with pytest.raises(ValueError, match="unknown action"):
        site.act("dance")
