"""Issues as the agile API shows them: with their sprint, closed sprints, epic and flag."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site

AGILE = "/rest/agile/1.0"
OWN = {"sprint", "epic", "flagged"}


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Site:
    return small_site(request.param)


def fields_of(site: Site, issue: str, **query: Any) -> dict[str, Any]:
    fields: dict[str, Any] = site.ask("GET", f"{AGILE}/issue/{issue}", **query)[
        "fields"
    ]
    return fields


@pytest.mark.parametrize(
    "path",
    [
        "board/1/issue",
        "board/1/backlog",
        "sprint/2/issue",
        "board/1/sprint/2/issue",
        "epic/WEB-1/issue",
        "epic/none/issue",
        "board/1/epic/WEB-1/issue",
        "board/1/epic/none/issue",
    ],
)
def test_every_list_shows_the_agile_fields(site: Site, path: str) -> None:
    site.act("create", project="WEB", fields={"summary": "Some day"})
    issues = site.ask("GET", f"{AGILE}/{path}")["issues"]
    assert issues != []
    for issue in issues:
        assert set(issue["fields"]) >= OWN


def test_an_open_sprint_is_told_apart_from_closed_ones(site: Site) -> None:
    fields = fields_of(site, "WEB-3")
    assert (fields["sprint"]["id"], fields["sprint"]["state"]) == (2, "active")
    assert fields["sprint"] == site.ask("GET", f"{AGILE}/sprint/2")
    assert [each["name"] for each in fields["closedSprints"]] == ["Sprint 1"]
    closed = fields_of(site, "WEB-2")
    assert closed["sprint"] is None
    assert [each["id"] for each in closed["closedSprints"]] == [1]
    assert "closedSprints" not in fields_of(site, "WEB-10")


def test_an_issue_tells_its_epic_and_whether_it_is_flagged(site: Site) -> None:
    fields = fields_of(site, "WEB-3")
    assert fields["epic"] == site.ask("GET", f"{AGILE}/epic/WEB-1")
    assert fields["flagged"] is True
    other = fields_of(site, "WEB-10")
    assert (other["epic"], other["flagged"]) == (None, False)
    assert fields_of(site, "WEB-4")["epic"] is None


def test_only_the_fields_asked_for_are_shown(site: Site) -> None:
    assert set(fields_of(site, "WEB-3", fields="sprint,summary")) == {
        "sprint",
        "summary",
    }
    assert set(fields_of(site, "WEB-3", fields="flagged")) == {"flagged"}
    fewer = fields_of(site, "WEB-3", fields="-epic")
    assert "epic" not in fewer
    assert {"sprint", "flagged", "summary"} <= set(fewer)
    listed = site.ask("GET", f"{AGILE}/sprint/2/issue", fields="epic")["issues"]
    assert all(set(issue["fields"]) == {"epic"} for issue in listed)


def test_an_issue_is_found_by_id_and_key_alone_when_it_is_seen(site: Site) -> None:
    issue = site.ask("GET", f"{AGILE}/issue/WEB-2")
    assert site.ask("GET", f"{AGILE}/issue/{issue['id']}") == issue
    site.act("hide_project", key="WEB")
    assert site.refused("GET", f"{AGILE}/issue/WEB-2")[0] == 404


def test_the_plain_api_does_not_have_the_agile_fields(site: Site) -> None:
    assert not OWN & set(site.ask("GET", "issue/WEB-3")["fields"])


def test_cursor_lists_show_them_too() -> None:
    site = small_site()
    page = site.ask("GET", "/rest/software/1.0/sprint/2/issue")
    assert all(set(issue["fields"]) >= OWN for issue in page["issues"])
