"""The published `jira` package as a client of the emulator, over real sockets: a client not written here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jira import JIRA, JIRAError
from jira_rig import Site, small_site

from rayline_sandbox.server import Listener
from tests.support.waiting import LONG


def listen(site: Site) -> Iterator[str]:
    """Yield the address of a site on a real socket."""
    listener = Listener(site.jira.handle, name="jira", host="127.0.0.1", port=0)
    listener.start()
    try:
        yield listener.url
    finally:
        listener.ask_to_stop()
        listener.join()


@pytest.fixture
def cloud() -> Iterator[tuple[Site, JIRA]]:
    site = small_site()
    site.act(
        "load",
        issues=[
            {"key": f"BIG-{n}", "created": 1_790_000_000_000} for n in range(1, 231)
        ],
    )
    for url in listen(site):
        yield (
            site,
            JIRA(
                url,
                basic_auth=(site.jira.email, site.jira.token),
                max_retries=0,
                timeout=LONG,
            ),
        )


@pytest.fixture
def server() -> Iterator[tuple[Site, JIRA]]:
    site = small_site("datacenter")
    site.act(
        "load",
        issues=[
            {"key": f"BIG-{n}", "created": 1_790_000_000_000} for n in range(1, 231)
        ],
    )
    for url in listen(site):
        yield site, JIRA(url, token_auth=site.jira.token, max_retries=0, timeout=LONG)


def test_it_pages_through_a_cloud_search_by_token(cloud: tuple[Site, JIRA]) -> None:
    _, client = cloud
    every = client.search_issues(
        "project = BIG order by key", maxResults=False, fields="summary"
    )
    assert [issue.key for issue in every] == [f"BIG-{n}" for n in range(1, 231)]
    assert (
        len(client.search_issues("project = BIG", maxResults=200, fields="summary"))
        == 100
    )
    assert client.approximate_issue_count("project = BIG") == 230


def test_it_pages_through_a_data_center_search_by_offset(
    server: tuple[Site, JIRA],
) -> None:
    _, client = server
    every = client.search_issues(
        "project = BIG order by key", maxResults=False, fields="summary"
    )
    assert [issue.key for issue in every] == [f"BIG-{n}" for n in range(1, 231)]
    page = client.search_issues(
        "project = BIG order by key", startAt=225, maxResults=50
    )
    assert (page.total, len(page)) == (230, 5)


@pytest.mark.parametrize("deployment", ["cloud", "server"])
def test_it_reads_and_changes_issues(
    deployment: str, request: pytest.FixtureRequest
) -> None:
    site, client = request.getfixturevalue(deployment)
    issue = client.issue("WEB-10", expand="changelog")
    assert issue.fields.status.name == "To Do"
    by_name = {each["name"]: each["id"] for each in client.transitions(issue)}
    client.transition_issue(issue, by_name["Done"])
    client.add_worklog(issue, timeSpent="1h", comment="Done")
    client.add_comment(issue, "Shipped")
    issue.update(fields={"summary": "Cart keeps goods", "labels": ["fixed"]})
    fresh = client.issue("WEB-10")
    assert (fresh.fields.status.name, fresh.fields.summary) == (
        "Done",
        "Cart keeps goods",
    )
    assert fresh.fields.timespent == 3600
    assert [comment.body for comment in client.comments("WEB-10")] == ["Shipped"]
    made = client.create_issue(project="WEB", summary="New", issuetype={"name": "Task"})
    assert site.act("counts")["issues"] == 238
    made.delete()
    assert site.act("counts")["issues"] == 237


@pytest.mark.parametrize("deployment", ["cloud", "server"])
def test_it_reads_projects_boards_and_sprints(
    deployment: str, request: pytest.FixtureRequest
) -> None:
    _, client = request.getfixturevalue(deployment)
    assert [project.key for project in client.projects()] == ["WEB", "APP", "BIG"]
    assert [version.name for version in client.project_versions("WEB")] == [
        "1.0",
        "2.0",
    ]
    (board,) = client.boards(projectKeyOrID="WEB")
    assert [sprint.name for sprint in client.sprints(board.id, state="active")] == [
        "Sprint 2"
    ]
    made = client.create_sprint("Sprint 9", board.id)
    client.add_issues_to_sprint(made.id, ["WEB-10"])
    assert client.sprint(made.id).name == "Sprint 9"
    assert {status.name for status in client.statuses()} >= {"To Do", "Done"}
    assert client.myself()["timeZone"] == "Europe/Moscow"


def test_it_reports_refusals_as_its_own_errors(cloud: tuple[Site, JIRA]) -> None:
    _, client = cloud
    with pytest.raises(JIRAError) as caught:
        client.issue("WEB-999")
    assert (caught.value.status_code, "does not exist" in str(caught.value.text)) == (
        404,
        True,
    )
