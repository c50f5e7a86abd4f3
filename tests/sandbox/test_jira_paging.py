"""Pages, orders and filters of Jira's lists: what is asked for is given, what makes no page is refused."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from jira_rig import Site, small_site

CLOUD_LISTS = [
    "project/search",
    "project/WEB/version",
    "issue/WEB-2/changelog",
    "issue/WEB-2/comment",
    "issue/WEB-2/worklog",
    "field/search",
    "statuses/search",
    "filter/search",
    "users/search",
    "user/search",
    "/rest/agile/1.0/board",
    "/rest/agile/1.0/board/1/sprint",
    "/rest/agile/1.0/board/1/epic",
    "/rest/software/1.0/board/1/issue",
]


@pytest.fixture
def site() -> Site:
    return small_site()


@pytest.mark.parametrize("path", CLOUD_LISTS)
def test_a_page_that_begins_before_the_first_or_holds_nothing_is_refused(
    site: Site, path: str
) -> None:
    for wrong in (
        {"startAt": -1},
        {"maxResults": 0},
        {"maxResults": -1},
        {"maxResults": "²"},
    ):
        assert site.refused("GET", path, **wrong)[0] == 400, wrong
    assert site.ask("GET", path, maxResults=100_000)


@pytest.mark.parametrize(
    "path", ["board/1/issue", "sprint/1/issue", "epic/WEB-1/issue"]
)
@pytest.mark.parametrize("deployment", ["cloud", "datacenter"])
def test_a_list_of_issues_may_be_asked_for_its_total_alone(
    deployment: str, path: str
) -> None:
    site = small_site(deployment)
    page = site.ask("GET", f"/rest/agile/1.0/{path}", maxResults=0)
    assert (page["issues"], page["total"] > 0) == ([], True)
    assert site.refused("GET", f"/rest/agile/1.0/{path}", maxResults=-1)[0] == 400


@pytest.mark.parametrize("path", ["project/search", "issue/WEB-2/changelog"])
def test_following_next_pages_ends(site: Site, path: str) -> None:
    seen, link = 0, f"/rest/api/3/{path}?maxResults=1&startAt=0"
    while link:
        path, _, query = link[link.index("/rest/") :].partition("?")
        page = site.ask(
            "GET", path, **dict(pair.split("=") for pair in query.split("&"))
        )
        seen, link = seen + len(page["values"]), page.get("nextPage", "")
        assert seen <= 10
    assert seen == 2


# Orders and filters ---------------------------------------------------------


@pytest.fixture
def three() -> Site:
    site = small_site()
    site.act(
        "add_project",
        key="OPS",
        name="Administration",
        lead="grace",
        category="Internal",
    )
    for name, more in (
        ("10.0", {"releaseDate": "2026-09-01", "startDate": "2026-08-01"}),
        ("Zulu", {"description": "First light"}),
    ):
        site.act("add_version", project="WEB", name=name, **more)
    return site


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, "APP OPS WEB"),
        ({"orderBy": "key"}, "APP OPS WEB"),
        ({"orderBy": "-key"}, "WEB OPS APP"),
        ({"orderBy": "+key"}, "APP OPS WEB"),
        ({"orderBy": " key"}, "APP OPS WEB"),
        ({"orderBy": "name"}, "OPS APP WEB"),
        ({"orderBy": "-issueCount"}, "WEB APP OPS"),
        ({"orderBy": "category"}, "OPS APP WEB"),
        ({"orderBy": "owner"}, "WEB OPS APP"),
        ({"orderBy": "lastIssueUpdatedDate"}, "APP WEB OPS"),
        ({"orderBy": "-lastIssueUpdatedDate"}, "WEB APP OPS"),
        ({"typeKey": "business"}, ""),
        ({"typeKey": "business,software"}, "APP OPS WEB"),
        ({"categoryId": 10000}, "OPS"),
        ({"categoryId": 5}, ""),
        ({"propertyQuery": "[x].y=1"}, ""),
        ({"action": "edit"}, "APP OPS WEB"),
        ({"query": "app"}, "APP"),
    ],
)
def test_projects_come_in_the_order_and_selection_asked_for(
    three: Site, query: dict[str, Any], keys: str
) -> None:
    assert [
        project["key"]
        for project in three.ask("GET", "project/search", **query)["values"]
    ] == keys.split()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, "1.0 2.0 10.0 Zulu"),
        ({"orderBy": "-sequence"}, "Zulu 10.0 2.0 1.0"),
        ({"orderBy": "name"}, "1.0 10.0 2.0 Zulu"),
        ({"orderBy": "-name"}, "Zulu 2.0 10.0 1.0"),
        ({"orderBy": "releaseDate"}, "10.0 1.0 2.0 Zulu"),
        ({"orderBy": "-releaseDate"}, "1.0 10.0 2.0 Zulu"),
        ({"orderBy": "startDate"}, "10.0 1.0 2.0 Zulu"),
        ({"query": "ZU"}, "Zulu"),
        ({"query": "light"}, "Zulu"),
        ({"query": ".0", "status": "released"}, "2.0"),
    ],
)
def test_versions_come_in_the_order_and_selection_asked_for(
    three: Site, query: dict[str, Any], names: str
) -> None:
    found = three.ask("GET", "project/WEB/version", **query)["values"]
    assert [version["name"] for version in found] == names.split()


def test_boards_come_by_name_or_by_filter(site: Site) -> None:
    by_name = site.ask("GET", "/rest/agile/1.0/board", orderBy="-name")["values"]
    assert [board["name"] for board in by_name] == ["WEB board", "APP flow"]
    saved = site.ask("GET", "/rest/agile/1.0/board/2/configuration")["filter"]["id"]
    assert [
        board["id"]
        for board in site.ask("GET", "/rest/agile/1.0/board", filterId=saved)["values"]
    ] == [2]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("project/search", {"orderBy": "size"}),
        ("project/search", {"orderBy": "--key"}),
        ("project/search", {"action": "destroy"}),
        ("project/WEB/version", {"orderBy": "key"}),
        ("issue/WEB-2/comment", {"orderBy": "updated"}),
        ("/rest/agile/1.0/board", {"orderBy": "kind"}),
    ],
)
def test_an_order_or_action_nobody_knows_is_refused(
    site: Site, path: str, query: dict[str, Any]
) -> None:
    assert site.refused("GET", path, **query)[0] == 400


def test_a_project_shows_what_is_expanded(site: Site) -> None:
    plain, *_ = site.ask("GET", "project/search")["values"]
    full, *_ = site.ask("GET", "project/search", expand="description,issueTypes")[
        "values"
    ]
    assert set(full) - set(plain) == {"description", "issueTypes"}


# Bare issues ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("deployment", "path"),
    [
        ("datacenter", "search?jql=key=WEB-2"),
        ("datacenter", "/rest/agile/1.0/board/1/issue?jql=key=WEB-2"),
        ("cloud", "/rest/agile/1.0/board/1/issue?jql=key=WEB-2"),
        ("cloud", "/rest/software/1.0/board/1/issue?jql=key=WEB-2"),
    ],
)
def test_only_the_token_search_of_cloud_leaves_the_key_out(
    deployment: str, path: str
) -> None:
    site = small_site(deployment)
    where, _, jql = path.partition("?jql=")
    (issue,) = site.ask("GET", where, jql=jql, fields="id")["issues"]
    assert (issue["key"], {"self", "expand"} <= set(issue), "fields" in issue) == (
        "WEB-2",
        True,
        False,
    )
    if deployment == "cloud":
        assert set(
            site.ask("GET", "search/jql", jql=jql, fields="id")["issues"][0]
        ) == {"id"}


# Sprints and failures -------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {
            "name": "Other",
            "goal": "Ship",
            "state": "active",
            "startDate": "2026-11-28T09:00:00.000Z",
        },
        {"name": "Other", "startDate": "2026-11-28T09:00:00.000Z", "endDate": "soon"},
        {"name": "Other", "state": "closed"},
        {"name": "Other", "state": "started"},
    ],
)
def test_a_refused_change_of_a_sprint_changes_nothing(
    site: Site, asked: dict[str, Any]
) -> None:
    before = site.ask("GET", "/rest/agile/1.0/sprint/3")
    assert site.refused("POST", "/rest/agile/1.0/sprint/3", asked)[0] == 400
    assert site.ask("GET", "/rest/agile/1.0/sprint/3") == before


@pytest.mark.parametrize("last", ["WEB-4", "NO-1", "WEB-1"])
def test_issues_go_under_an_epic_all_or_none(site: Site, last: str) -> None:
    path = "/rest/agile/1.0/epic/WEB-1/issue"
    assert site.refused("POST", path, {"issues": ["WEB-10", last]})[0] in (400, 404)
    assert site.keys("parent = WEB-1 order by key") == ["WEB-2", "WEB-3"]
    site.ask("POST", path, {"issues": ["WEB-10"]})
    assert site.keys("parent = WEB-1 order by key") == ["WEB-2", "WEB-3", "WEB-10"]


def test_a_sprint_is_started_with_both_dates(site: Site) -> None:
    dates = {
        "startDate": "2026-11-28T09:00:00.000Z",
        "endDate": "2026-12-11T09:00:00.000Z",
    }
    started = site.ask("POST", "/rest/agile/1.0/sprint/3", {"state": "active", **dates})
    assert (started["state"], started["endDate"]) == ("active", dates["endDate"])
    assert site.ask("GET", "/rest/agile/1.0/sprint/3") == started


def test_what_nobody_foresaw_is_logged_with_its_trace(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.jira._site.store.priorities.clear()
    with caplog.at_level(logging.ERROR), pytest.raises(KeyError):
        site.ask("GET", "issue/WEB-2")
    (record,) = caplog.records
    assert (record.getMessage(), record.exc_info is not None) == (
        "GET /rest/api/3/issue/WEB-2 could not be answered",
        True,
    )
