"""The Data Center face: offset search, its limits, whole histories, and what it does not have."""

from __future__ import annotations

import base64

import pytest
from jira_rig import Site, small_site


@pytest.fixture
def site() -> Site:
    return small_site("datacenter")


def test_search_pages_by_offset_with_a_total(site: Site) -> None:
    page = site.ask(
        "GET", "search", jql="project = WEB order by key", startAt=1, maxResults=2
    )
    assert (page["startAt"], page["maxResults"], page["total"]) == (1, 2, 5)
    assert [issue["key"] for issue in page["issues"]] == ["WEB-2", "WEB-3"]
    assert (
        site.ask("POST", "search", {"jql": "project = WEB", "maxResults": 0})["issues"]
        == []
    )


def test_beyond_the_result_window_search_fails(site: Site) -> None:
    assert (
        site.refused(
            "GET", "search", jql="project = WEB", startAt=10_000, maxResults=1
        )[0]
        == 400
    )
    assert (
        site.ask("GET", "search", jql="project = WEB", startAt=9_950, maxResults=50)[
            "issues"
        ]
        == []
    )


def test_search_drops_milliseconds_and_reading_an_issue_does_not(site: Site) -> None:
    (found,) = site.ask("GET", "search", jql="key = WEB-2", fields="updated")["issues"]
    assert found["fields"]["updated"] == "2026-11-06T12:30:15.000+0300"
    assert (
        site.ask("GET", "issue/WEB-2")["fields"]["updated"]
        == "2026-11-06T12:30:15.250+0300"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "search/jql"),
        ("POST", "issue/bulkfetch"),
        ("GET", "issue/WEB-2/changelog"),
        ("POST", "changelog/bulkfetch"),
        ("POST", "jql/parse"),
        ("GET", "/rest/api/3/myself"),
        ("GET", "/rest/software/1.0/board/1/issue"),
        ("GET", "project/search"),
        ("GET", "/_edge/tenant_info"),
    ],
)
def test_routes_of_cloud_are_absent(site: Site, method: str, path: str) -> None:
    status, _ = site.refused(method, path, {} if method == "POST" else None)
    assert status in (404, 405)


def test_history_comes_whole_and_oldest_first_with_the_issue(site: Site) -> None:
    for number in range(45):
        site.act("edit", issue="WEB-2", fields={"summary": f"Name {number}"})
    changelog = site.ask("GET", "issue/WEB-2", expand="changelog")["changelog"]
    assert (changelog["total"], len(changelog["histories"])) == (47, 47)
    assert changelog["histories"][0]["items"][0] == {
        "field": "status",
        "fieldtype": "jira",
        "from": "10000",
        "fromString": "To Do",
        "to": "3",
        "toString": "In Progress",
    }


def test_only_a_bearer_token_opens_the_site(site: Site) -> None:
    basic = base64.b64encode(f"{site.jira.email}:{site.jira.token}".encode()).decode()
    response = site.raw("GET", "serverInfo", authorization=f"Basic {basic}")
    assert response.status == 403
    assert b"Basic Authentication has been disabled" in response.body
    assert site.raw("GET", "myself", authorization="Bearer wrong").status == 401
    assert site.ask("GET", "serverInfo")["deploymentType"] == "Server"


def test_people_have_names_and_keys_not_account_ids(site: Site) -> None:
    me = site.ask("GET", "myself")
    assert (me["name"], me["timeZone"]) == ("rayline", "Europe/Moscow")
    assert me["key"].startswith("JIRAUSER")
    assert "accountId" not in me
    assert (
        site.ask("GET", "user/search", username="gra")[0]["displayName"]
        == "Grace Hopper"
    )


def test_epics_are_linked_by_a_custom_field_and_parents_are_of_sub_tasks_only(
    site: Site,
) -> None:
    link = next(
        field
        for field in site.ask("GET", "field")
        if field.get("schema", {}).get("custom")
        == "com.pyxis.greenhopper.jira:gh-epic-link"
    )
    story = site.ask("GET", "issue/WEB-2")["fields"]
    assert (story[link["id"]], story["parent"]) == ("WEB-1", None)
    assert site.ask("GET", "issue/WEB-4")["fields"]["parent"]["key"] == "WEB-3"
    assert site.keys("'Epic Link' = WEB-1 order by key") == ["WEB-2", "WEB-3"]
    assert site.keys("parent = WEB-1") == []


def test_sprints_are_printed_records(site: Site) -> None:
    (text,) = site.ask("GET", "issue/WEB-2")["fields"]["customfield_10101"]
    assert text.startswith("com.atlassian.greenhopper.service.sprint.Sprint@")
    assert "state=CLOSED,name=Sprint 1,startDate=2026-10-26T09:00:00.000Z" in text


def test_the_worklog_feed_names_its_flag_twice(site: Site) -> None:
    feed = site.ask("GET", "worklog/updated", since=0)
    assert feed["lastPage"] is feed["isLastPage"] is True
    assert len(feed["values"]) == 2


def test_unvalidated_queries_forgive_unknown_names(site: Site) -> None:
    asked = {"jql": "project = NOSUCH", "validateQuery": False}
    assert site.ask("POST", "search", asked)["total"] == 0
    assert site.refused("POST", "search", {**asked, "validateQuery": True}) == (
        400,
        "The value 'NOSUCH' does not exist for the field 'project'.",
    )


def test_key_set_paging_reaches_everything(site: Site) -> None:
    seen: list[str] = []
    bound = ""
    while page := site.ask(
        "GET", "search", jql=f"project = WEB {bound} order by key desc", maxResults=2
    )["issues"]:
        seen += [issue["key"] for issue in page]
        bound = f"and key < {seen[-1]}"
    assert seen == ["WEB-10", "WEB-4", "WEB-3", "WEB-2", "WEB-1"]
