"""Changes to issues: what they leave in the history, the dates they move, the lists that are cut short, booked time."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site
from jira_specs import problems


@pytest.fixture
def site() -> Site:
    return small_site()


def fields_of(site: Site, key: str) -> dict[str, Any]:
    fields: dict[str, Any] = site.ask("GET", f"issue/{key}")["fields"]
    return fields


def changes_of(site: Site, key: str) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = site.ask("GET", f"issue/{key}/changelog")["values"]
    return values


def test_finishing_an_issue_resolves_it_and_reopening_takes_it_back(site: Site) -> None:
    site.act("transition", issue="WEB-10", status="Done", user="grace")
    done = fields_of(site, "WEB-10")
    assert done["resolution"]["name"] == "Done"
    assert {
        done[name] for name in ("resolutiondate", "updated", "statuscategorychangedate")
    } == {"2026-11-21T15:00:00.000+0300"}
    (entry,) = changes_of(site, "WEB-10")
    assert entry["author"]["displayName"] == "Grace Hopper"
    assert [(i["field"], i["fromString"], i["toString"]) for i in entry["items"]] == [
        ("resolution", None, "Done"),
        ("status", "To Do", "Done"),
    ]
    site.act("advance", seconds=60)
    site.act("transition", issue="WEB-10", status="In Progress")
    again = fields_of(site, "WEB-10")
    assert (again["resolution"], again["resolutiondate"]) == (None, None)
    assert again["statuscategorychangedate"] == "2026-11-21T15:01:00.000+0300"


@pytest.mark.parametrize("resolution", ["Won't Do", "Not Our Bug"])
def test_people_say_how_an_issue_ended(site: Site, resolution: str) -> None:
    site.act("transition", issue="WEB-10", status="Done", resolution=resolution)
    assert fields_of(site, "WEB-10")["resolution"]["name"] == resolution
    (entry,) = changes_of(site, "WEB-10")
    assert entry["items"][0]["toString"] == resolution


def test_a_move_within_a_category_leaves_its_date(site: Site) -> None:
    before = fields_of(site, "WEB-3")["statuscategorychangedate"]
    site.act("transition", issue="WEB-3", status="In Progress")
    assert fields_of(site, "WEB-3")["statuscategorychangedate"] == before


def test_the_inline_changelog_is_newest_first_and_stops_at_forty(site: Site) -> None:
    for number in range(45):
        site.act("advance", seconds=1)
        site.act("edit", issue="WEB-2", fields={"summary": f"Name {number}"})
    inline = site.ask("GET", "issue/WEB-2", expand="changelog", fields="summary")[
        "changelog"
    ]
    assert (inline["maxResults"], inline["total"], len(inline["histories"])) == (
        40,
        47,
        40,
    )
    assert inline["histories"][0]["items"][0]["toString"] == "Name 44"
    pages = [
        site.ask("GET", "issue/WEB-2/changelog", startAt=start, maxResults=20)
        for start in (0, 20, 40)
    ]
    assert [len(page["values"]) for page in pages] == [20, 20, 7]
    assert [page["isLast"] for page in pages] == [False, False, True]
    assert pages[0]["values"][0]["items"][0]["toString"] == "In Progress"


def test_bulk_changelogs_are_oldest_first_across_issues_and_filtered_by_field(
    site: Site,
) -> None:
    site.act("edit", issue="WEB-3", fields={"duedate": "2026-12-01"})
    site.act("transition", issue="WEB-3", status="Done")
    asked = {"issueIdsOrKeys": ["WEB-2", "WEB-3"], "maxResults": 2}
    first = site.ask("POST", "changelog/bulkfetch", asked)
    second = site.ask(
        "POST",
        "changelog/bulkfetch",
        {**asked, "nextPageToken": first["nextPageToken"]},
    )
    assert [log["issueId"] for log in first["issueChangeLogs"]] == [
        site.ask("GET", "issue/WEB-2")["id"]
    ]
    assert len(second["issueChangeLogs"][0]["changeHistories"]) == 2
    assert "nextPageToken" not in second
    only = site.ask(
        "POST",
        "changelog/bulkfetch",
        {"issueIdsOrKeys": ["WEB-3"], "fieldIds": ["status"]},
    )
    (log,) = only["issueChangeLogs"]
    assert [
        item["field"] for entry in log["changeHistories"] for item in entry["items"]
    ] == ["resolution", "status"]
    assert (
        site.refused(
            "POST", "changelog/bulkfetch", {"issueIdsOrKeys": ["WEB-1"] * 1001}
        )[0]
        == 400
    )
    assert (
        site.refused(
            "POST", "changelog/bulkfetch", {**asked, "nextPageToken": "made-up"}
        )[0]
        == 400
    )


@pytest.mark.shared
def test_bulk_changelogs_agree_with_the_document_but_for_numeric_instants(
    site: Site,
) -> None:
    answer = site.ask("POST", "changelog/bulkfetch", {"issueIdsOrKeys": ["WEB-2"]})
    found = problems(
        "jira-cloud-v3", "/rest/api/3/changelog/bulkfetch", "post", 200, body=answer
    )
    assert found
    assert all("created" in text for text in found)


def test_only_the_newest_twenty_comments_and_the_first_twenty_worklogs_come_inline(
    site: Site,
) -> None:
    for number in range(25):
        site.ask(
            "POST",
            "issue/WEB-10/comment",
            {
                "body": {
                    "type": "doc",
                    "version": 1,
                    "content": [
                        {
                            "type": "paragraph",
                            "content": [{"type": "text", "text": f"Remark {number}"}],
                        }
                    ],
                }
            },
        )
        site.act(
            "worklog",
            issue="WEB-10",
            author="ada",
            started="2026-11-20T10:00:00Z",
            seconds=60,
        )
    fields = fields_of(site, "WEB-10")
    assert (
        fields["comment"]["total"],
        fields["comment"]["startAt"],
        len(fields["comment"]["comments"]),
    ) == (25, 5, 20)
    assert (fields["worklog"]["total"], len(fields["worklog"]["worklogs"])) == (25, 20)
    assert fields["timespent"] == 1500
    assert (
        site.ask("GET", "/rest/api/2/issue/WEB-10")["fields"]["comment"]["comments"][
            -1
        ]["body"]
        == "Remark 24"
    )


def test_booking_time_lowers_what_remains_and_leaves_three_items(site: Site) -> None:
    site.act("edit", issue="WEB-10", fields={"estimate": 7200})
    made = site.ask(
        "POST",
        "issue/WEB-10/worklog",
        {"started": "2026-01-02T09:00:00.000+0000", "timeSpent": "1h 30m"},
    )
    assert (made["timeSpentSeconds"], made["started"]) == (
        5400,
        "2026-01-02T12:00:00.000+0300",
    )
    tracking = fields_of(site, "WEB-10")["timetracking"]
    assert (tracking["remainingEstimateSeconds"], tracking["timeSpentSeconds"]) == (
        1800,
        5400,
    )
    fields = [item["field"] for item in changes_of(site, "WEB-10")[-1]["items"]]
    assert fields == ["timeestimate", "timespent", "WorklogId"]
    site.ask("DELETE", f"issue/WEB-10/worklog/{made['id']}")
    assert fields_of(site, "WEB-10")["timetracking"]["timeSpentSeconds"] == 0


def test_worklog_feeds_withhold_the_last_minute_and_list_deleted_ones(
    site: Site,
) -> None:
    since = 1795262400000
    made = site.act(
        "worklog",
        issue="WEB-10",
        author="ada",
        started="2026-11-20T10:00:00Z",
        seconds=60,
    )["id"]
    assert site.ask("GET", "worklog/updated", since=since)["values"] == []
    site.act("advance", seconds=61)
    feed = site.ask("GET", "worklog/updated", since=since)
    assert [str(entry["worklogId"]) for entry in feed["values"]] == [made]
    assert (feed["until"], feed["lastPage"]) == (since, True)
    (entry,) = site.ask("POST", "worklog/list", {"ids": [int(made), 99999]})
    assert entry["issueId"] == site.ask("GET", "issue/WEB-10")["id"]
    site.act("delete_worklog", id=made)
    site.act("advance", seconds=61)
    assert [
        str(each["worklogId"])
        for each in site.ask("GET", "worklog/deleted", since=since)["values"]
    ] == [made]
    assert site.ask("GET", "worklog/updated", since=since)["values"] == []


def test_worklog_feeds_come_a_thousand_at_a_time_and_ties_come_back() -> None:
    site = Site()
    site.act(
        "load",
        issues=[{"key": "A-1", "created": 0}],
        worklogs=[
            {
                "issue": "A-1",
                "author": "ada",
                "started": 1000 * (number // 2),
                "seconds": 60,
            }
            for number in range(1500)
        ],
    )
    first = site.ask("GET", "worklog/updated", since=0)
    assert (len(first["values"]), first["lastPage"], first["until"]) == (
        1000,
        False,
        499_000,
    )
    second = site.ask("GET", "worklog/updated", since=first["until"])
    ids = {entry["worklogId"] for entry in (*first["values"], *second["values"])}
    assert (len(ids), len(second["values"]), second["lastPage"]) == (1500, 502, True)
    assert first["nextPage"].endswith("since=499000")


def test_restricted_worklogs_are_left_out_though_the_sum_counts_them(
    site: Site,
) -> None:
    site.act(
        "worklog",
        issue="WEB-10",
        author="ada",
        started="2026-11-20T10:00:00Z",
        seconds=600,
        restricted=True,
    )
    site.act("advance", seconds=61)
    assert site.ask("GET", "issue/WEB-10/worklog")["worklogs"] == []
    assert fields_of(site, "WEB-10")["timespent"] == 600
    assert site.ask("GET", "worklog/updated", since=1795262400000)["values"] == []


def test_a_created_issue_is_what_was_asked_and_wrong_fields_are_named(
    site: Site,
) -> None:
    fields = {
        "project": {"key": "WEB"},
        "issuetype": {"name": "Story"},
        "summary": "Wish list",
        "parent": {"key": "WEB-1"},
        "labels": ["seo"],
        "duedate": "2026-12-01",
        "customfield_10024": 3,
        "timetracking": {"originalEstimate": "1d"},
        "assignee": {"accountId": site.jira._site.me.account},
    }
    made = site.ask("POST", "issue", {"fields": fields})
    assert made["key"] == "WEB-11"
    shown = fields_of(site, "WEB-11")
    assert (
        shown["customfield_10024"],
        shown["timeoriginalestimate"],
        shown["parent"]["key"],
    ) == (3.0, 28800, "WEB-1")
    assert site.keys("assignee = currentUser()") == ["WEB-11"]
    for wrong in (
        {"summary": ""},
        {"duedate": "soon"},
        {"labels": ["a b"]},
        {"project": {"key": "NO"}},
        {"issuetype": {"name": "Sub-task"}, "parent": None},
        {"parent": {"key": "WEB-2"}},
        {"assignee": {"accountId": "nobody"}},
        {"votes": 3},
    ):
        assert site.refused("POST", "issue", {"fields": {**fields, **wrong}})[0] == 400
    assert site.keys("project = WEB and key > WEB-10") == ["WEB-11"]


def test_bulk_creation_reports_failures_by_place(site: Site) -> None:
    good = {
        "fields": {
            "project": {"key": "APP"},
            "issuetype": {"name": "Task"},
            "summary": "Fine",
        }
    }
    answer = site.ask(
        "POST",
        "issue/bulk",
        {"issueUpdates": [good, {"fields": {"summary": "No project"}}, good]},
    )
    assert [issue["key"] for issue in answer["issues"]] == ["APP-3", "APP-4"]
    assert [error["failedElementNumber"] for error in answer["errors"]] == [1]


def test_a_refused_edit_changes_nothing(site: Site) -> None:
    before = fields_of(site, "WEB-3")
    assert (
        site.refused(
            "PUT", "issue/WEB-3", {"fields": {"summary": "New", "duedate": "soon"}}
        )[0]
        == 400
    )
    assert fields_of(site, "WEB-3") == before


def test_operations_add_and_remove_single_values(site: Site) -> None:
    site.ask(
        "PUT",
        "issue/WEB-2",
        {"update": {"labels": [{"add": "new"}, {"remove": "seo"}]}},
    )
    assert fields_of(site, "WEB-2")["labels"] == ["front", "new"]
    assert site.keys("labels = new") == ["WEB-2"]


def test_deleting_a_parent_needs_consent_and_frees_an_epics_issues(site: Site) -> None:
    status, message = site.refused("DELETE", "issue/WEB-3")
    assert (status, "has subtasks" in message) == (400, True)
    site.ask("DELETE", "issue/WEB-3", deleteSubtasks="true")
    assert site.refused("GET", "issue/WEB-4")[0] == 404
    site.ask("DELETE", "issue/WEB-1")
    assert fields_of(site, "WEB-2")["parent"] is None


def test_a_moved_issue_keeps_its_id_and_answers_to_both_keys(site: Site) -> None:
    identity = site.ask("GET", "issue/WEB-3")["id"]
    assert site.act("move", issue="WEB-3", project="APP") == {"key": "APP-3"}
    moved = site.ask("GET", "issue/WEB-3", fields="project")
    assert (moved["id"], moved["key"], moved["fields"]["project"]["key"]) == (
        identity,
        "APP-3",
        "APP",
    )
    assert site.keys("project = APP order by key") == [
        "APP-1",
        "APP-2",
        "APP-3",
        "APP-4",
    ]
    fetched = site.ask(
        "POST",
        "issue/bulkfetch",
        {"issueIdsOrKeys": ["WEB-3", "WEB-99", "APP-1", identity]},
    )
    assert [issue["key"] for issue in fetched["issues"]] == ["APP-3", "APP-1"]
    assert fetched["issueErrors"] == []
    assert {item["field"] for item in changes_of(site, "APP-3")[-1]["items"]} == {
        "project",
        "Key",
    }


def test_a_bulk_move_is_a_task_that_reports_what_it_moved(site: Site) -> None:
    identity = int(site.ask("GET", "issue/WEB-10")["id"])
    mapping = {"APP,10002": {"issueIdsOrKeys": ["WEB-10"]}}
    task = site.ask("POST", "bulk/issues/move", {"targetToSourcesMapping": mapping})
    assert site.ask("GET", f"bulk/queue/{task['taskId']}")[
        "processedAccessibleIssues"
    ] == [identity]
    assert site.ask("GET", "issue/WEB-10", fields="summary")["key"] == "APP-3"
    assert (
        site.refused("POST", "bulk/issues/move", {"targetToSourcesMapping": {}})[0]
        == 400
    )


def test_transitions_over_the_api_are_the_projects_statuses(site: Site) -> None:
    offered = site.ask("GET", "issue/WEB-10/transitions")["transitions"]
    assert [each["to"]["name"] for each in offered] == [
        "To Do",
        "In Progress",
        "In Review",
        "Done",
    ]
    site.ask(
        "POST",
        "issue/WEB-10/transitions",
        {
            "transition": {"id": offered[3]["id"]},
            "fields": {"resolution": {"name": "Won't Do"}},
        },
    )
    assert fields_of(site, "WEB-10")["resolution"]["name"] == "Won't Do"
    assert (
        site.refused("POST", "issue/WEB-10/transitions", {"transition": {"id": "999"}})[
            0
        ]
        == 400
    )


def test_rich_text_is_a_document_in_v3_and_text_in_v2(site: Site) -> None:
    assert fields_of(site, "APP-1")["description"]["type"] == "doc"
    assert (
        site.ask("GET", "/rest/api/2/issue/APP-1")["fields"]["description"]
        == "Ask the store about quotas"
    )
