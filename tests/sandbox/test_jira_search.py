"""Search on Cloud: tokens, limits, short pages, validation, and the answers' conformance to the official documents."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from jira_rig import Site, small_site
from jira_specs import problems

SAMPLE = (
    Path(__file__).parents[2]
    / ".."
    / "shared"
    / "jira-data"
    / "titanium-sample-2000.jsonl.gz"
)


def many(count: int, **settings: Any) -> Site:
    """Return a site with `count` issues in one project, updated a minute apart."""
    site = Site(**settings)
    start = 1_790_000_000_000
    site.act(
        "load",
        issues=[
            {"key": f"BIG-{n}", "created": start, "updated": start + n * 60_000}
            for n in range(1, count + 1)
        ],
    )
    return site


def test_a_status_of_another_site_keeps_its_name_and_category_where_its_number_is_taken() -> (
    None
):
    site = small_site()
    taken, _, _ = (one["id"] for one in site.ask("GET", "status")[:3])
    line = json.dumps(
        {
            "key": "OLD-1",
            "fields": {
                "summary": "From elsewhere",
                "created": "2026-01-05T10:00:00.000+0000",
                "project": {"key": "OLD"},
                "issuetype": {"name": "Task"},
                "status": {
                    "name": "Shipped",
                    "id": taken,
                    "statusCategory": {"key": "done"},
                },
            },
        }
    )
    site.act("load_jsonl", lines=[line, line.replace("OLD-1", "OLD-2")])
    found = site.ask(
        "POST", "search/jql", {"jql": "project = OLD", "fields": ["status"]}
    )["issues"]
    statuses = {
        (
            one["fields"]["status"]["name"],
            one["fields"]["status"]["statusCategory"]["key"],
            one["fields"]["status"]["id"],
        )
        for one in found
    }
    assert [found[:2] for found in statuses] == [("Shipped", "done")]
    assert taken not in {identity for _, _, identity in statuses}


def test_without_fields_an_issue_is_only_its_id() -> None:
    page = small_site().ask("POST", "search/jql", {"jql": "key = WEB-2"})
    (issue,) = page["issues"]
    assert set(issue) == {"id"}
    assert set(page) == {"issues", "isLast"}


def test_pages_with_fields_hold_at_most_a_hundred_and_pages_of_ids_five_thousand() -> (
    None
):
    site = many(250)
    sizes = [
        len(page["issues"])
        for page in site.pages("project = BIG", fields=["summary"], maxResults=5000)
    ]
    assert sizes == [100, 100, 50]
    assert [
        len(page["issues"]) for page in site.pages("project = BIG", maxResults=5000)
    ] == [250]
    assert (
        site.refused(
            "POST", "search/jql", {"jql": "project = BIG", "maxResults": 5001}
        )[0]
        == 400
    )
    assert (
        site.refused("GET", "search/jql", jql="project = BIG", maxResults=0)[0] == 400
    )


def test_a_token_is_bound_to_its_query_cannot_be_made_up_and_dies_after_a_week() -> (
    None
):
    site = many(5)
    first = site.ask(
        "GET", "search/jql", jql="project = BIG order by key", maxResults=2
    )
    token = first["nextPageToken"]
    assert first["isLast"] is False
    assert (
        site.refused(
            "GET", "search/jql", jql="project = BIG", maxResults=2, nextPageToken=token
        )[0]
        == 400
    )
    assert (
        site.refused(
            "GET",
            "search/jql",
            jql="project = BIG order by key",
            nextPageToken=token + "x",
        )[0]
        == 400
    )
    assert (
        site.refused(
            "GET", "search/jql", jql="project = BIG order by key", nextPageToken="Mi4w"
        )[0]
        == 400
    )
    again = site.ask(
        "GET",
        "search/jql",
        jql="project = BIG order by key",
        maxResults=2,
        nextPageToken=token,
    )
    site.act("advance", seconds=7 * 86_400 + 1)
    assert len(again["issues"]) == 2
    assert (
        site.refused(
            "GET", "search/jql", jql="project = BIG order by key", nextPageToken=token
        )[0]
        == 400
    )


def test_a_walk_keeps_its_order_while_issues_move_and_leaves_out_deleted_ones() -> None:
    site = many(6)
    pages = site.pages("project = BIG order by updated", fields=["key"], maxResults=2)
    seen = [issue["key"] for issue in next(pages)["issues"]]
    site.act("edit", issue="BIG-1", fields={"summary": "Touched"})
    site.act("delete", issue="BIG-4")
    rest = [[issue["key"] for issue in page["issues"]] for page in pages]
    assert seen == ["BIG-1", "BIG-2"]
    assert rest == [["BIG-3"], ["BIG-5", "BIG-6"]]


@pytest.mark.parametrize("jql", ["", "order by key"])
def test_an_unbounded_query_is_refused(jql: str) -> None:
    assert small_site().refused("POST", "search/jql", {"jql": jql})[0] == 400


def test_the_removed_search_says_where_to_go() -> None:
    status, message = small_site().refused(
        "GET", "/rest/api/2/search", jql="project = WEB"
    )
    assert status == 410
    assert "CHANGE-2046" in message


def test_counts_agree_with_pages() -> None:
    site = small_site()
    assert site.ask("POST", "search/approximate-count", {"jql": "project = WEB"}) == {
        "count": 5
    }
    assert site.refused("POST", "search/approximate-count", {"jql": ""})[0] == 400


def test_strict_parsing_names_what_a_search_would_swallow() -> None:
    queries = [
        "project = WEB order by key desc",
        "project = NOSUCH",
        "project =",
        "assignee = nobody",
    ]
    good, unknown, broken, person = small_site().ask(
        "POST", "jql/parse", {"queries": queries}, validation="strict"
    )["queries"]
    assert good["structure"]["where"]["operand"] == {"value": "WEB"}
    assert "errors" not in good
    assert unknown["errors"] == [
        "The value 'NOSUCH' does not exist for the field 'project'."
    ]
    assert "Expecting" in broken["errors"][0]
    assert "errors" not in person
    assert "nobody" in person["warnings"][0]


def test_a_lagging_index_hides_a_change_unless_the_issue_is_reconciled() -> None:
    site = small_site()
    site.act("set_lag", seconds=60)
    made = site.act("create", project="WEB", fields={"summary": "Fresh"})
    site.act("transition", issue="WEB-10", status="Done")
    open_ = "project = WEB and status = 'To Do' order by key"
    assert site.keys(open_) == ["WEB-10"]
    assert site.ask("GET", f"issue/{made['key']}")["fields"]["summary"] == "Fresh"
    asked = {"jql": open_, "fields": ["key"], "reconcileIssues": [int(made["id"])]}
    assert [
        issue["key"] for issue in site.ask("POST", "search/jql", asked)["issues"]
    ] == ["WEB-10", made["key"]]
    site.act("advance", seconds=61)
    assert site.keys(open_) == [made["key"]]


def test_a_lagging_index_still_lists_a_deleted_issue() -> None:
    site = small_site()
    site.act("set_lag", seconds=60)
    site.act("delete", issue="WEB-2")
    assert "WEB-2" in site.keys("project = WEB")
    assert site.refused("GET", "issue/WEB-2")[0] == 404
    site.act("advance", seconds=61)
    assert "WEB-2" not in site.keys("project = WEB")


def test_a_field_that_cannot_be_loaded_is_silently_missing_unless_fail_fast() -> None:
    site = small_site()
    site.act(
        "faults",
        rules=[
            {
                "match": {"path_regex": "search/jql"},
                "kind": "unloaded_field",
                "field": "status",
                "times": 2,
            }
        ],
    )
    asked = {"jql": "key = WEB-2", "fields": ["summary", "status"]}
    assert set(site.ask("POST", "search/jql", asked)["issues"][0]["fields"]) == {
        "summary"
    }
    assert site.refused("POST", "search/jql", {**asked, "failFast": True})[0] == 500
    assert set(site.ask("POST", "search/jql", asked)["issues"][0]["fields"]) == {
        "summary",
        "status",
    }


def test_names_and_schema_come_when_asked_for() -> None:
    page = small_site().ask(
        "GET",
        "search/jql",
        jql="key = WEB-2",
        fields="customfield_10024",
        expand="names,schema",
    )
    assert page["names"] == {"customfield_10024": "Story Points"}
    assert page["schema"]["customfield_10024"]["customId"] == 10024
    assert page["issues"][0]["fields"] == {"customfield_10024": 5.0}


def test_issues_of_hidden_and_archived_projects_are_nowhere() -> None:
    site = small_site()
    site.act("hide_project", key="APP")
    assert site.keys("created >= '1970-01-01' and project != WEB") == []
    assert site.keys("project = APP") == []
    assert site.refused("GET", "issue/APP-1")[0] == 404
    assert site.refused("GET", "project/APP")[0] == 404
    assert [p["key"] for p in site.ask("GET", "project/search")["values"]] == ["WEB"]
    site.act("show_project", key="APP")
    site.act("archive_project", key="APP")
    assert site.keys("project = APP") == []
    assert [
        p["key"] for p in site.ask("GET", "project/search", status="archived")["values"]
    ] == ["APP"]


def test_wrong_credentials_are_refused_and_server_info_proves_nothing() -> None:
    site = small_site()
    assert site.raw("GET", "myself", authorization="Basic eDp5").status == 401
    assert site.raw("GET", "myself", authorization="").status == 401
    assert site.raw("GET", "serverInfo", authorization="").status == 200


CLOUD = [
    (
        "GET",
        "/rest/api/3/search/jql",
        {"jql": "project = WEB", "fields": "*all", "expand": "names,schema,changelog"},
        None,
    ),
    ("POST", "/rest/api/3/search/approximate-count", {}, {"jql": "project = WEB"}),
    (
        "POST",
        "/rest/api/3/jql/parse",
        {"validation": "strict"},
        {
            "queries": [
                "project in (WEB, APP) and not key = WEB-1 and due is empty and updated > now() order by key",
                "x =",
            ]
        },
    ),
    (
        "POST",
        "/rest/api/3/issue/bulkfetch",
        {},
        {"issueIdsOrKeys": ["WEB-1", "WEB-3"], "fields": ["*all"]},
    ),
    ("GET", "/rest/api/3/issue/{issueIdOrKey}", {"expand": "changelog,names"}, None),
    ("GET", "/rest/api/3/issue/{issueIdOrKey}/changelog", {}, None),
    ("GET", "/rest/api/3/issue/{issueIdOrKey}/comment", {}, None),
    ("GET", "/rest/api/3/issue/{issueIdOrKey}/transitions", {}, None),
    ("GET", "/rest/api/3/issue/{issueIdOrKey}/worklog", {}, None),
    ("GET", "/rest/api/3/worklog/updated", {"since": 0}, None),
    ("GET", "/rest/api/3/worklog/deleted", {"since": 0}, None),
    ("POST", "/rest/api/3/worklog/list", {}, {"ids": [10000, 10001]}),
    ("GET", "/rest/api/3/project/search", {"expand": "insight,lead,projectKeys"}, None),
    ("GET", "/rest/api/3/project", {}, None),
    ("GET", "/rest/api/3/project/{projectIdOrKey}", {}, None),
    (
        "GET",
        "/rest/api/3/project/{projectIdOrKey}/version",
        {"expand": "issuesstatus"},
        None,
    ),
    ("GET", "/rest/api/3/project/{projectIdOrKey}/versions", {}, None),
    ("GET", "/rest/api/3/project/{projectIdOrKey}/statuses", {}, None),
    ("GET", "/rest/api/3/field", {}, None),
    ("GET", "/rest/api/3/field/search", {}, None),
    ("GET", "/rest/api/3/status", {}, None),
    ("GET", "/rest/api/3/statuses/search", {}, None),
    ("GET", "/rest/api/3/statuscategory", {}, None),
    ("GET", "/rest/api/3/issuetype", {}, None),
    ("GET", "/rest/api/3/priority", {}, None),
    ("GET", "/rest/api/3/users/search", {}, None),
    ("GET", "/rest/api/3/myself", {}, None),
    ("GET", "/rest/api/3/serverInfo", {}, None),
    ("GET", "/rest/api/3/configuration", {}, None),
    ("GET", "/rest/api/3/mypermissions", {"permissions": "BROWSE_PROJECTS"}, None),
]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("method", "path", "query", "body"), CLOUD, ids=[path for _, path, _, _ in CLOUD]
)
def test_answers_agree_with_the_official_cloud_document(
    method: str, path: str, query: dict[str, Any], body: Any
) -> None:
    site = small_site()
    filled = path.replace("{issueIdOrKey}", "WEB-2").replace("{projectIdOrKey}", "WEB")
    answer = site.ask(method, filled, body, **query)
    assert problems("jira-cloud-v3", path, method.lower(), 200, body=answer) == []


@pytest.mark.shared
def test_two_thousand_real_issues_load_and_are_found() -> None:
    if not SAMPLE.exists():
        pytest.skip("the shared sample is absent")
    site = Site()
    with gzip.open(SAMPLE) as lines:
        assert (
            site.jira.load_jsonl([*lines, b"not json", b'{"key": "X-1"}', b""]) == 2000
        )
    reported = site.act("problems")["problems"]
    assert any(text.startswith("line 2001") for text in reported)
    assert any(text.startswith("line 2002") for text in reported)
    ids = [
        issue["id"]
        for page in site.pages(
            "created >= '1970-01-01' order by updated, key", maxResults=700
        )
        for issue in page["issues"]
    ]
    assert len(ids) == len(set(ids)) == 2000
    assert site.ask(
        "POST", "search/approximate-count", {"jql": "statusCategory = Done"}
    ) == {"count": 1874}
    below = {"jql": "issuetype in (Sub-task, 'Technical task')"}
    assert site.ask("POST", "search/approximate-count", below)["count"] == 319


def test_bulk_loading_reports_what_it_left_out() -> None:
    site = Site()
    report = site.act(
        "load",
        issues=[
            {"key": "A-1", "created": "2026-01-01T00:00:00Z"},
            {"key": "A-2"},
            {"key": "A-1", "created": 0},
            {"key": "A-3", "created": "51502-01-01"},
            {"key": "A-4", "created": 5, "parent": "A-99"},
        ],
    )
    assert report["issues"] == 2
    assert report["problem_count"] == 4
    assert site.keys("project = A order by key") == ["A-1", "A-4"]


def test_a_page_of_a_large_site_costs_no_walk_over_it() -> None:
    site = many(20_000)
    list(site.pages("project = BIG order by key", maxResults=5000))
    first = site.ask(
        "POST",
        "search/jql",
        {"jql": "project = BIG order by key", "fields": ["key"], "maxResults": 50},
    )
    tested = 0
    issues = site.jira._site.store.issues

    class Counting(dict[int, Any]):
        def __getitem__(self, key: int) -> Any:
            nonlocal tested
            tested += 1
            return super().__getitem__(key)

        def get(self, key: int, default: Any = None) -> Any:
            nonlocal tested
            tested += 1
            return super().get(key, default)

    site.jira._site.store.issues = Counting(issues)
    site.ask(
        "POST",
        "search/jql",
        {
            "jql": "project = BIG order by key",
            "fields": ["key"],
            "maxResults": 50,
            "nextPageToken": first["nextPageToken"],
        },
    )
    page_cost, tested = tested, 0
    recent = site.keys("updated >= 1791199940000")
    assert page_cost <= 100
    assert len(recent) < 10
    assert tested <= 4 * len(recent) + 10
