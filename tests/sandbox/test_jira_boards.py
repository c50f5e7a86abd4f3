"""What is on a board: what its filter finds, less what the board leaves out; ranks, sprints, epics."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site

AGILE = "/rest/agile/1.0"


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Site:
    return small_site(request.param)


def keys(site: Site, path: str, **query: Any) -> list[str]:
    asked = {"maxResults": 100, "fields": "summary", **query}
    page = site.ask("GET", f"{AGILE}/{path}", **asked)
    return [issue["key"] for issue in page["issues"]]


def board(site: Site, jql: str, **more: Any) -> int:
    made = site.act("add_board", name="New", project="WEB", jql=jql, **more)
    return int(made["id"])


@pytest.mark.parametrize(
    ("jql", "found"),
    [
        ("project = WEB ORDER BY Rank ASC", ["WEB-2", "WEB-3", "WEB-4", "WEB-10"]),
        ("project in (WEB, APP) and assignee = ada", ["WEB-2", "APP-1"]),
        ("labels = seo ORDER BY key", ["WEB-2", "WEB-10"]),
        ("project = APP", ["APP-1", "APP-2"]),
        ("issuetype = Epic", []),
        ("project = WEB AND project = APP", []),
    ],
)
def test_a_board_holds_what_its_filter_finds_without_epics(
    site: Site, jql: str, found: list[str]
) -> None:
    number = board(site, jql)
    assert sorted(keys(site, f"board/{number}/issue")) == sorted(found)


def test_a_kanban_board_holds_epics_and_honours_its_sub_filter(site: Site) -> None:
    plain = board(site, "project = WEB", type="kanban")
    assert "WEB-1" in keys(site, f"board/{plain}/issue")
    unreleased = "fixVersion in unreleasedVersions() OR fixVersion is EMPTY"
    narrow = board(
        site, "project = WEB", type="kanban", sub_filter="fixVersion is EMPTY"
    )
    assert set(keys(site, f"board/{plain}/issue")) - set(
        keys(site, f"board/{narrow}/issue")
    ) == {"WEB-2"}
    told = site.ask("GET", f"{AGILE}/board/{narrow}/configuration")
    assert told["subQuery"] == {"query": "fixVersion is EMPTY"}
    saved = site.ask("POST", "filter", {"name": "Web", "jql": "project = WEB"})
    asked = {"name": "K", "type": "kanban", "filterId": int(saved["id"])}
    made = site.ask("POST", f"{AGILE}/board", asked)
    told = site.ask("GET", f"{AGILE}/board/{made['id']}/configuration")
    assert told["subQuery"] == {"query": unreleased}


def test_an_issue_of_a_status_without_a_column_is_not_on_the_board(site: Site) -> None:
    number = board(site, "project = WEB", columns={"Doing": ["In Review"]})
    assert keys(site, f"board/{number}/issue") == ["WEB-3"]


def test_a_board_changes_with_its_filter(site: Site) -> None:
    saved = site.ask("POST", "filter", {"name": "Mine", "jql": "project = WEB"})
    asked = {"name": "Mine", "type": "scrum", "filterId": int(saved["id"])}
    number = site.ask("POST", f"{AGILE}/board", asked)["id"]
    assert len(keys(site, f"board/{number}/issue")) == 4
    site.ask("PUT", f"filter/{saved['id']}", {"name": "Mine", "jql": "project = APP"})
    assert keys(site, f"board/{number}/issue") == ["APP-1", "APP-2"]


@pytest.mark.parametrize(
    ("jql", "referred", "all_of_them"),
    [
        ("project in (WEB, APP) AND reporter = ada", ["APP", "WEB"], ["APP", "WEB"]),
        ("project = WEB OR labels = seo", [], ["WEB"]),
        ("assignee = ada", [], ["APP", "WEB"]),
        ("NOT project = WEB", [], ["APP"]),
        ("project in (WEB, APP) AND project = WEB", ["WEB"], ["WEB"]),
    ],
)
def test_the_projects_of_a_board_are_those_its_filter_cannot_leave(
    site: Site, jql: str, referred: list[str], all_of_them: list[str]
) -> None:
    number = board(site, jql)
    path = f"{AGILE}/board/{number}/project"
    full = site.ask("GET", f"{path}/full")["values"]
    every = site.ask("GET", path)["values"]
    assert sorted(each["key"] for each in full) == referred
    assert sorted(each["key"] for each in every) == all_of_them


def test_boards_are_found_by_a_project_their_filter_names(site: Site) -> None:
    number = board(site, "project in (WEB, APP)")
    found = site.ask("GET", f"{AGILE}/board", projectKeyOrId="APP")["values"]
    assert number in {each["id"] for each in found}


def test_a_backlog_holds_open_issues_of_no_open_sprint(site: Site) -> None:
    assert keys(site, "board/1/backlog") == []
    site.ask("POST", f"{AGILE}/backlog/issue", {"issues": ["WEB-3"]})
    assert keys(site, "board/1/backlog") == ["WEB-3"]
    site.ask("POST", f"{AGILE}/sprint/3/issue", {"issues": ["WEB-3"]})
    assert keys(site, "board/1/backlog") == []


def test_issues_travel_between_backlog_and_board(site: Site) -> None:
    site.ask("POST", f"{AGILE}/backlog/1/issue", {"issues": ["WEB-10"]})
    assert "WEB-10" in keys(site, "board/1/backlog")
    site.ask("POST", f"{AGILE}/board/1/issue", {"issues": ["WEB-10"]})
    assert "WEB-10" in keys(site, "sprint/2/issue")
    stranger = {"issues": ["APP-1"]}
    assert site.refused("POST", f"{AGILE}/board/1/issue", stranger)[0] == 400
    site.ask("POST", f"{AGILE}/board/2/issue", {"issues": ["APP-2"]})
    shown = site.ask("GET", "issue/APP-2", fields="status")
    assert shown["fields"]["status"]["name"] == "To Do"


@pytest.mark.parametrize(
    ("moved", "side", "anchor", "order"),
    [
        (["WEB-10"], "rankBeforeIssue", "WEB-2", ["WEB-10", "WEB-2", "WEB-3"]),
        (["WEB-2"], "rankAfterIssue", "WEB-3", ["WEB-3", "WEB-2", "WEB-10"]),
        (["WEB-10", "WEB-3"], "rankBeforeIssue", "WEB-2", ["WEB-10", "WEB-3", "WEB-2"]),
    ],
)
def test_issues_are_ranked_beside_others(
    site: Site, moved: list[str], side: str, anchor: str, order: list[str]
) -> None:
    site.ask("PUT", f"{AGILE}/issue/rank", {"issues": moved, side: anchor})
    assert site.keys("key in (WEB-2, WEB-3, WEB-10) order by rank") == order
    made = site.act("create", project="WEB", fields={"summary": "Last"})["key"]
    assert site.keys("project = WEB order by rank desc")[0] == made


@pytest.mark.parametrize(
    "body",
    [
        {"issues": [], "rankBeforeIssue": "WEB-2"},
        {"issues": ["WEB-2"]},
        {"issues": ["WEB-2"], "rankBeforeIssue": "WEB-2"},
        {"issues": ["WEB-2"], "rankBeforeIssue": "WEB-3", "rankAfterIssue": "WEB-10"},
        {"issues": ["WEB-2"], "rankBeforeIssue": "WEB-3", "rankCustomFieldId": 1},
        {"issues": ["WEB-2"] * 51, "rankBeforeIssue": "WEB-3"},
    ],
)
def test_a_rank_that_cannot_be_is_refused(site: Site, body: dict[str, Any]) -> None:
    assert site.refused("PUT", f"{AGILE}/issue/rank", body)[0] == 400


def test_epics_are_ranked_marked_and_told_apart_from_issues(site: Site) -> None:
    fields = {"summary": "Checkout", "issuetype": {"name": "Epic"}}
    other = site.act("create", project="WEB", fields=fields)["key"]
    site.ask("PUT", f"{AGILE}/epic/{other}/rank", {"rankBeforeEpic": "WEB-1"})
    assert site.keys("issuetype = Epic order by rank") == [other, "WEB-1"]
    no_epic = {"rankBeforeEpic": "WEB-2"}
    assert site.refused("PUT", f"{AGILE}/epic/{other}/rank", no_epic)[0] == 404
    asked = {"color": {"key": "color_7"}, "done": True, "name": "Goods"}
    epic = site.ask("POST", f"{AGILE}/epic/WEB-1", asked)
    assert (epic["color"]["key"], epic["done"], epic["name"]) == (
        "color_7",
        True,
        "Goods",
    )
    done = site.ask("GET", f"{AGILE}/board/1/epic", done="true")["values"]
    assert [each["key"] for each in done] == ["WEB-1"]
    refused: list[dict[str, Any]] = [{"color": {"key": "red"}}, {"done": "yes"}]
    for wrong in (*refused, {"size": 1}):
        assert site.refused("POST", f"{AGILE}/epic/WEB-1", wrong)[0] == 400


def test_sprints_change_places(site: Site) -> None:
    site.act("add_sprint", id=4, name="Sprint 4", board="WEB board")
    site.ask("POST", f"{AGILE}/sprint/4/swap", {"sprintToSwapWith": 3})
    future = site.ask("GET", f"{AGILE}/board/1/sprint", state="future")["values"]
    assert [each["id"] for each in future] == [4, 3]
