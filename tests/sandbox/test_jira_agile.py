"""Boards, sprints and epics, and the cursor lists that replace the offset ones."""

from __future__ import annotations

import pytest
from jira_rig import Site, small_site
from jira_specs import problems

AGILE = "/rest/agile/1.0"


@pytest.fixture
def site() -> Site:
    return small_site()


def test_boards_are_found_by_project_and_vanish_with_permission(site: Site) -> None:
    assert [
        b["name"]
        for b in site.ask("GET", f"{AGILE}/board", projectKeyOrId="WEB")["values"]
    ] == ["WEB board"]
    assert site.ask("GET", f"{AGILE}/board")["total"] == 2
    site.act("hide_project", key="WEB")
    assert site.ask("GET", f"{AGILE}/board")["total"] == 1
    assert site.refused("GET", f"{AGILE}/board/1")[0] == 404


def test_a_board_tells_its_estimation_field_and_its_columns_in_order(
    site: Site,
) -> None:
    scrum = site.ask("GET", f"{AGILE}/board/1/configuration")
    assert scrum["estimation"]["field"] == {
        "fieldId": "customfield_10024",
        "displayName": "Story Points",
    }
    assert [column["name"] for column in scrum["columnConfig"]["columns"]] == [
        "To Do",
        "In Progress",
        "Done",
    ]
    assert "estimation" not in site.ask("GET", f"{AGILE}/board/2/configuration")
    made = site.act(
        "add_board",
        project="WEB",
        name="Test",
        columns={"Doing": ["In Progress"], "Ready": ["In Review"]},
    )
    columns = site.ask("GET", f"{AGILE}/board/{made['id']}/configuration")[
        "columnConfig"
    ]["columns"]
    assert [(c["name"], [s["id"] for s in c["statuses"]]) for c in columns] == [
        ("Doing", ["3"]),
        ("Ready", ["10002"]),
    ]


def test_sprints_are_listed_by_state_and_refused_for_kanban(site: Site) -> None:
    every = site.ask("GET", f"{AGILE}/board/1/sprint")["values"]
    assert [sprint["state"] for sprint in every] == ["closed", "active", "future"]
    assert every[0]["completeDate"] == "2026-11-06T10:00:00.000Z"
    some = site.ask("GET", f"{AGILE}/board/1/sprint", state="active,future")["values"]
    assert [sprint["id"] for sprint in some] == [2, 3]
    assert site.refused("GET", f"{AGILE}/board/2/sprint")[0] == 400
    assert site.refused("GET", f"{AGILE}/board/1/sprint", state="odd")[0] == 400


def test_a_sprint_lives_from_future_to_active_to_closed_and_no_further(
    site: Site,
) -> None:
    made = site.ask("POST", f"{AGILE}/sprint", {"name": "Sprint 4", "originBoardId": 1})
    path = f"{AGILE}/sprint/{made['id']}"
    assert made["state"] == "future"
    assert site.refused("POST", path, {"state": "active"})[0] == 400
    dates = {
        "startDate": "2026-11-23T09:00:00Z",
        "endDate": "2026-12-04T09:00:00+10:00",
    }
    started = site.ask("POST", path, {"state": "active", **dates, "goal": "Ship"})
    assert (started["state"], started["endDate"]) == (
        "active",
        "2026-12-03T23:00:00.000Z",
    )
    closed = site.ask("POST", path, {"state": "closed"})
    assert closed["completeDate"] == "2026-11-21T12:00:00.000Z"
    assert site.refused("POST", path, {"state": "active"})[0] == 400
    assert (
        site.refused(
            "POST", f"{AGILE}/sprint", {"name": "No board", "originBoardId": 2}
        )[0]
        == 400
    )


def test_putting_an_issue_in_a_sprint_keeps_closed_ones_and_leaves_history(
    site: Site,
) -> None:
    site.ask("POST", f"{AGILE}/sprint/3/issue", {"issues": ["WEB-3"]})
    value = site.ask("GET", "issue/WEB-3", fields="customfield_10020")["fields"][
        "customfield_10020"
    ]
    assert [(sprint["id"], sprint["state"]) for sprint in value] == [
        (1, "closed"),
        (3, "future"),
    ]
    item = site.ask("GET", "issue/WEB-3/changelog")["values"][-1]["items"][0]
    assert (item["field"], item["from"], item["to"]) == ("Sprint", "1, 2", "1, 3")
    assert item["toString"] == "Sprint 1, Sprint 3"
    assert (
        site.refused("POST", f"{AGILE}/sprint/1/issue", {"issues": ["WEB-3"]})[0] == 400
    )
    site.ask("POST", f"{AGILE}/backlog/issue", {"issues": ["WEB-3"]})
    assert site.keys("sprint = 3") == []
    assert site.keys("sprint = 1 order by key") == ["WEB-2", "WEB-3"]


def test_issue_lists_by_offset_and_by_cursor_agree(site: Site) -> None:
    site.act("create", project="WEB", fields={"summary": "Some day"})
    for path in (
        "board/1/issue",
        "board/1/backlog",
        "sprint/1/issue",
        "epic/WEB-1/issue",
        "board/1/sprint/2/issue",
    ):
        listed = [
            issue["key"] for issue in site.ask("GET", f"{AGILE}/{path}")["issues"]
        ]
        walked, token = [], None
        while True:
            query = {"maxResults": 1, **({"nextPageToken": token} if token else {})}
            page = site.ask("GET", f"/rest/software/1.0/{path}", **query)
            walked += [issue["key"] for issue in page["issues"]]
            token = page.get("nextPageToken")
            if token is None:
                break
        assert walked == listed != []
        assert page["isLast"] is True
    assert [
        i["key"]
        for i in site.ask("GET", f"{AGILE}/board/1/issue", jql="status = Done")[
            "issues"
        ]
    ] == ["WEB-2"]


def test_epics_gather_and_release_issues(site: Site) -> None:
    assert [
        epic["key"]
        for epic in site.ask("GET", f"{AGILE}/board/1/epic", done="false")["values"]
    ] == ["WEB-1"]
    site.ask("POST", f"{AGILE}/epic/WEB-1/issue", {"issues": ["WEB-10"]})
    assert site.keys("parent = WEB-1 order by key") == ["WEB-2", "WEB-3", "WEB-10"]
    site.ask("POST", f"{AGILE}/epic/none/issue", {"issues": ["WEB-10"]})
    assert site.keys("parent = WEB-1 order by key") == ["WEB-2", "WEB-3"]
    assert site.refused("GET", f"{AGILE}/epic/WEB-2")[0] == 404


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/rest/agile/1.0/board", "/rest/agile/1.0/board"),
        ("/rest/agile/1.0/board/{boardId}", "/rest/agile/1.0/board/1"),
        (
            "/rest/agile/1.0/board/{boardId}/configuration",
            "/rest/agile/1.0/board/1/configuration",
        ),
        ("/rest/agile/1.0/board/{boardId}/issue", "/rest/agile/1.0/board/1/issue"),
    ],
)
def test_answers_agree_with_the_official_agile_document(
    site: Site, path: str, real: str
) -> None:
    assert (
        problems("jira-agile-cloud", path, "get", 200, body=site.ask("GET", real)) == []
    )
