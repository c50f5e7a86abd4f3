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


@pytest.mark.parametrize("deployment", ["cloud", "server"])
def test_it_reads_single_records_and_metadata(
    deployment: str, request: pytest.FixtureRequest
) -> None:
    _, client = request.getfixturevalue(deployment)
    assert client.project("WEB").lead.displayName == "Ada Lovelace"
    assert client.status("3").name == "In Progress"
    assert client.priority("1").name == "Highest"
    assert client.resolution("10000").name == "Done"
    assert client.issue_type("10001").name == "Story"
    assert client.statuscategory(4).key == "indeterminate"
    assert client.project_role("WEB", "10001").name == "Developers"
    assert client.editmeta("WEB-2")["fields"]["summary"]["required"] is True
    assert client.issue_link_type("10000").inward == "is blocked by"
    permissions = client.my_permissions(projectKey="WEB", permissions="LINK_ISSUES")
    assert permissions["permissions"]["LINK_ISSUES"]["havePermission"] is True
    shown = client.issue("APP-1", expand="renderedFields")
    assert shown.renderedFields.description == "<p>Ask the store about quotas</p>"


@pytest.mark.parametrize("deployment", ["cloud", "server"])
def test_it_writes_links_comments_filters_releases_and_boards(
    deployment: str, request: pytest.FixtureRequest
) -> None:
    _, client = request.getfixturevalue(deployment)
    client.create_issue_link("Blocks", "WEB-2", "WEB-3")
    (link,) = client.issue("WEB-2").fields.issuelinks
    assert link.outwardIssue.key == "WEB-3"
    client.delete_issue_link(link.id)
    assert client.issue("WEB-2").fields.issuelinks == []
    developers = {"type": "role", "value": "Developers"}
    comment = client.add_comment("WEB-2", "Quietly", visibility=developers)
    assert comment.visibility.value == "Developers"
    comment.update(body="Loudly")
    assert client.comment("WEB-2", comment.id).body == "Loudly"
    client.assign_issue("WEB-10", "-1")
    assert client.issue("WEB-10").fields.assignee.displayName == "Ada Lovelace"
    release = client.create_version("3.0", "WEB", releaseDate="2026-12-24")
    release.update(released=True)
    assert client.version(release.id).released is True
    component = client.create_component("ui", "WEB")
    assert client.component(component.id).name == "ui"
    saved = client.create_filter("Web", jql="project = WEB")
    assert client.filter(saved.id).jql == "project = WEB"
    board = client.create_board("Second", saved.id)
    assert board.name == "Second"


def test_it_reads_whose_session_it_is_on_data_center(server: tuple[Site, JIRA]) -> None:
    _, client = server
    assert client.session().name == "rayline"
    assert {kind.name for kind in client.project_issue_types("WEB")} >= {"Story", "Bug"}
    fields = client.project_issue_fields("WEB", "10002", maxResults=False)
    assert "summary" in {field.fieldId for field in fields}


def test_it_reports_refusals_as_its_own_errors(cloud: tuple[Site, JIRA]) -> None:
    _, client = cloud
    with pytest.raises(JIRAError) as caught:
        client.issue("WEB-999")
    assert (caught.value.status_code, "does not exist" in str(caught.value.text)) == (
        404,
        True,
    )
