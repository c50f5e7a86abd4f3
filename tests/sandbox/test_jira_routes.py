"""Routes that published clients read and write: single records, metadata, links, filters, boards, releases, watchers."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site
from jira_specs import problems

AGILE = "/rest/agile/1.0"


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Site:
    return small_site(request.param)


def is_cloud(site: Site) -> bool:
    return site.root.endswith("3")


# Enumerations ---------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["status", "priority", "resolution", "statuscategory", "issuetype"]
)
def test_every_entry_of_an_enumeration_is_found_by_its_id(
    site: Site, path: str
) -> None:
    listed = site.ask("GET", path)
    assert len(listed) >= 3
    for entry in listed:
        assert site.ask("GET", f"{path}/{entry['id']}") == entry
        assert entry["self"].endswith(f"/{path}/{entry['id']}")
    assert site.refused("GET", f"{path}/987654")[0] == 404
    assert site.refused("GET", f"{path}/no such")[0] == 404


def test_statuses_are_found_by_name_and_categories_by_key(site: Site) -> None:
    by_name = site.ask("GET", "status/In Review")
    assert by_name["id"] == "10002"
    assert site.ask("GET", "statuscategory/indeterminate")["id"] == 4


@pytest.mark.parametrize("path", ["priority", "resolution"])
def test_priorities_and_resolutions_are_searched_by_page(path: str) -> None:
    site = small_site()
    names = [each["name"] for each in site.ask("GET", path)]
    page = site.ask("GET", f"{path}/search", startAt=1, maxResults=2)
    assert [each["name"] for each in page["values"]] == names[1:3]
    assert (page["total"], page["isLast"]) == (len(names), False)
    first = site.ask("GET", path)[0]["id"]
    found = site.ask("GET", f"{path}/search", id=first)["values"]
    assert [each["id"] for each in found] == [first]


def test_roles_of_a_project_lead_to_their_actors(site: Site) -> None:
    roles = site.ask("GET", "project/WEB/role")
    assert set(roles) == {"Administrators", "Developers", "Users"}
    assert site.ask("GET", "project/WEB")["roles"] == roles
    _, _, path = roles["Developers"].partition(site.root + "/")
    role = site.ask("GET", path)
    assert (role["name"], role["self"]) == ("Developers", roles["Developers"])
    names = {actor["displayName"] for actor in role["actors"]}
    assert {"Ada Lovelace", "Rayline Service"} <= names
    assert {each["name"] for each in site.ask("GET", "role")} == set(roles)
    assert site.refused("GET", "project/WEB/role/1")[0] == 404
    assert site.refused("GET", "project/NO/role")[0] == 404


# Metadata -------------------------------------------------------------------


def test_what_can_be_made_in_a_project_is_told(site: Site) -> None:
    page = site.ask("GET", "issue/createmeta/WEB/issuetypes")
    kinds = page["issueTypes" if is_cloud(site) else "values"]
    assert {each["name"] for each in kinds} >= {"Epic", "Story", "Sub-task"}
    for kind in kinds:
        path = f"issue/createmeta/WEB/issuetypes/{kind['id']}"
        told = site.ask("GET", path, maxResults=100)
        fields = told["fields" if is_cloud(site) else "values"]
        required = {each["fieldId"] for each in fields if each["required"]}
        beside = {"parent"} if kind["subtask"] else set()
        assert required - beside == {"summary", "issuetype", "project"}
    assert site.refused("GET", "issue/createmeta/NO/issuetypes")[0] == 404
    assert site.refused("GET", "issue/createmeta/WEB/issuetypes/9")[0] == 404


def test_metadata_come_in_pages(site: Site) -> None:
    path = "issue/createmeta/WEB/issuetypes"
    page = site.ask("GET", path, startAt=1, maxResults=2)
    kinds = page["issueTypes" if is_cloud(site) else "values"]
    assert (len(kinds), page["startAt"], page["total"]) == (2, 1, 5)


def test_the_old_metadata_are_of_cloud_only() -> None:
    cloud = small_site()
    asked = {"projectKeys": "WEB", "expand": "projects.issuetypes.fields"}
    (project,) = cloud.ask("GET", "issue/createmeta", **asked)["projects"]
    assert "summary" in project["issuetypes"][0]["fields"]
    plain = cloud.ask("GET", "issue/createmeta", projectKeys="WEB")
    assert "fields" not in plain["projects"][0]["issuetypes"][0]
    assert small_site("datacenter").refused("GET", "issue/createmeta")[0] == 404


def test_people_who_can_be_assigned_are_searched(site: Site) -> None:
    site.act("deactivate_user", user="grace")
    name = "query" if is_cloud(site) else "username"
    found = site.ask("GET", "user/assignable/search", project="WEB")
    assert {each["displayName"] for each in found} == {
        "Ada Lovelace",
        "Rayline Service",
    }
    asked = {"issueKey": "WEB-2", name: "ada"}
    (ada,) = site.ask("GET", "user/assignable/search", **asked)
    assert ada["displayName"] == "Ada Lovelace"
    assert site.refused("GET", "user/assignable/search")[0] == 400
    assert site.refused("GET", "user/assignable/search", project="NO")[0] == 404


# Links ----------------------------------------------------------------------


def test_link_types_are_listed_and_found(site: Site) -> None:
    types = site.ask("GET", "issueLinkType")["issueLinkTypes"]
    assert [each["name"] for each in types] == [
        "Blocks",
        "Cloners",
        "Duplicate",
        "Relates",
    ]
    assert site.ask("GET", "issueLinkType/10000") == types[0]
    assert types[0]["inward"] == "is blocked by"
    assert site.refused("GET", "issueLinkType/1")[0] == 404


def linked(site: Site, kind: str, first: str, second: str) -> dict[str, Any]:
    return {
        "type": {"name": kind},
        "inwardIssue": {"key": first},
        "outwardIssue": {"key": second},
    }


def links_of(site: Site, issue: str) -> list[Any]:
    fields = site.ask("GET", f"issue/{issue}", fields="issuelinks")["fields"]
    links: list[Any] = fields["issuelinks"]
    return links


def test_issues_are_linked_from_both_ends_and_let_go(site: Site) -> None:
    site.ask("POST", "issueLink", linked(site, "Blocks", "WEB-2", "WEB-3"))
    (outward,) = links_of(site, "WEB-2")
    (inward,) = links_of(site, "WEB-3")
    assert outward["outwardIssue"]["key"] == "WEB-3"
    assert inward["inwardIssue"]["key"] == "WEB-2"
    assert outward["id"] == inward["id"]
    assert outward["type"] == site.ask("GET", "issueLinkType/10000")
    link = site.ask("GET", f"issueLink/{outward['id']}")
    assert (link["inwardIssue"]["key"], link["outwardIssue"]["key"]) == (
        "WEB-2",
        "WEB-3",
    )
    changelog = site.ask("GET", "issue/WEB-3", expand="changelog")["changelog"]
    texts = [
        item["toString"]
        for history in changelog["histories"]
        for item in history["items"]
        if item["field"] == "Link"
    ]
    assert texts == ["This issue is blocked by WEB-2"]
    site.ask("DELETE", f"issueLink/{outward['id']}")
    assert links_of(site, "WEB-2") == links_of(site, "WEB-3") == []
    assert site.refused("GET", f"issueLink/{outward['id']}")[0] == 404


@pytest.mark.parametrize(
    ("kind", "first", "second", "status"),
    [
        ("Marries", "WEB-2", "WEB-3", 404),
        ("Blocks", "WEB-2", "WEB-99", 404),
        ("Blocks", "WEB-2", "WEB-2", 400),
    ],
)
def test_a_link_that_cannot_be_is_refused(
    site: Site, kind: str, first: str, second: str, status: int
) -> None:
    body = linked(site, kind, first, second)
    assert site.refused("POST", "issueLink", body)[0] == status
    assert links_of(site, "WEB-2") == []


def test_a_link_brings_its_comment(site: Site) -> None:
    body = linked(site, "Relates", "WEB-2", "WEB-3")
    words: Any = "Look there"
    if is_cloud(site):
        text = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
        words = {"type": "doc", "version": 1, "content": [text]}
    site.ask("POST", "issueLink", {**body, "comment": {"body": words}})
    (comment,) = site.ask("GET", "issue/WEB-2/comment")["comments"]
    assert comment["body"] == words


# Comments, watchers ---------------------------------------------------------


def test_a_comment_is_changed_and_shows_it(site: Site) -> None:
    old = {"body": site.ask("GET", "issue/APP-1")["fields"]["description"]}
    new: dict[str, Any] = {"body": "New words"}
    if is_cloud(site):
        text = {"type": "paragraph", "content": [{"type": "text", "text": "New words"}]}
        new = {"body": {"type": "doc", "version": 1, "content": [text]}}
    made = site.ask("POST", "issue/WEB-2/comment", old)
    site.act("advance", seconds=60)
    path = f"issue/WEB-2/comment/{made['id']}"
    changed = site.ask("PUT", path, new)
    assert changed["body"] == new["body"]
    assert changed["created"] == made["created"] < changed["updated"]
    assert site.ask("GET", path) == changed
    assert site.refused("PUT", path, {"body": ""})[0] == 400
    assert site.refused("PUT", "issue/WEB-2/comment/1", new)[0] == 404


def test_people_watch_issues_and_stop(site: Site) -> None:
    who = site.ask("GET", "user/search", query="ada", username="ada")[0]
    ref = who["accountId"] if is_cloud(site) else who["name"]
    site.ask("POST", "issue/WEB-2/watchers", ref)
    site.ask("POST", "issue/WEB-2/watchers", ref)
    watchers = site.ask("GET", "issue/WEB-2/watchers")
    assert (watchers["watchCount"], watchers["isWatching"]) == (1, False)
    assert watchers["watchers"][0]["displayName"] == "Ada Lovelace"
    name = "accountId" if is_cloud(site) else "username"
    site.ask("DELETE", "issue/WEB-2/watchers", **{name: ref})
    assert site.ask("GET", "issue/WEB-2/watchers")["watchCount"] == 0
    site.ask("POST", "issue/WEB-2/watchers")
    assert site.ask("GET", "issue/WEB-2/watchers")["isWatching"] is True
    assert site.refused("POST", "issue/WEB-2/watchers", "nobody")[0] in (400, 404)


# Filters and boards ---------------------------------------------------------


def test_a_filter_is_saved_changed_and_dropped(site: Site) -> None:
    body = {"name": "Late", "jql": "duedate < now()", "description": "What is late"}
    made = site.ask("POST", "filter", body)
    assert made.items() >= body.items()
    path = f"filter/{made['id']}"
    assert site.ask("GET", path) == made
    changed = site.ask("PUT", path, {"name": "Later", "jql": "project = WEB"})
    assert (changed["name"], changed["jql"]) == ("Later", "project = WEB")
    assert len(site.keys(f"filter = {made['id']}")) == 5
    site.ask("DELETE", path)
    assert site.refused("GET", path)[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {"jql": "project = WEB"},
        {"name": " ", "jql": "project = WEB"},
        {"name": "Odd", "jql": "project ="},
        {"name": "Same", "jql": "project = WEB"},
    ],
)
def test_a_filter_that_cannot_be_is_refused(site: Site, body: dict[str, str]) -> None:
    site.ask("POST", "filter", {"name": "Same", "jql": "project = APP"})
    assert site.refused("POST", "filter", body)[0] == 400


def test_favourite_filters_are_listed(site: Site) -> None:
    body = {"name": "Late", "jql": "duedate < now()"}
    site.ask("POST", "filter", {**body, "favourite": True})
    site.ask("POST", "filter", {**body, "name": "Later"})
    names = [each["name"] for each in site.ask("GET", "filter/favourite")]
    assert names == ["Late"]


def test_a_board_is_made_over_a_filter_and_dropped(site: Site) -> None:
    saved = site.ask("POST", "filter", {"name": "Web", "jql": "project = WEB"})
    body = {
        "name": "Second",
        "type": "scrum",
        "filterId": int(saved["id"]),
        "location": {"type": "project", "projectKeyOrId": "WEB"},
    }
    made = site.ask("POST", f"{AGILE}/board", body)
    path = f"{AGILE}/board/{made['id']}"
    assert site.ask("GET", path) == made
    configuration = site.ask("GET", f"{path}/configuration")
    assert configuration["filter"]["id"] == saved["id"]
    sprint = {"name": "Sprint 9", "originBoardId": made["id"]}
    assert site.ask("POST", f"{AGILE}/sprint", sprint)["state"] == "future"
    site.ask("DELETE", path)
    assert site.refused("GET", path)[0] == 404


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 255},
        {"type": "circle"},
        {"filterId": 1},
        {"filterId": None},
        {"location": {"type": "project", "projectKeyOrId": "NO"}},
    ],
)
def test_a_board_that_cannot_be_is_refused(site: Site, change: dict[str, Any]) -> None:
    saved = site.ask("POST", "filter", {"name": "Web", "jql": "project = WEB"})
    body = {"name": "Second", "type": "kanban", "filterId": int(saved["id"])}
    before = site.ask("GET", f"{AGILE}/board")["total"]
    status, _ = site.refused("POST", f"{AGILE}/board", {**body, **change})
    assert status in (400, 404)
    assert site.ask("GET", f"{AGILE}/board")["total"] == before


def test_a_board_tells_its_projects_releases_and_filters(site: Site) -> None:
    projects = site.ask("GET", f"{AGILE}/board/1/project")
    assert [each["key"] for each in projects["values"]] == ["WEB"]
    versions = site.ask("GET", f"{AGILE}/board/1/version")["values"]
    assert [each["name"] for each in versions] == ["1.0", "2.0"]
    out = site.ask("GET", f"{AGILE}/board/1/version", released="true")["values"]
    assert [each["name"] for each in out] == ["2.0"]
    assert site.ask("GET", f"{AGILE}/board/1/quickfilter")["values"] == []
    assert site.refused("GET", f"{AGILE}/board/1/quickfilter/1")[0] == 404
    for part in ("project", "version", "quickfilter"):
        assert site.refused("GET", f"{AGILE}/board/99/{part}")[0] == 404


def test_a_future_sprint_can_be_dropped(site: Site) -> None:
    body = {"name": "Sprint 9", "originBoardId": 1}
    made = site.ask("POST", f"{AGILE}/sprint", body)
    path = f"{AGILE}/sprint/{made['id']}"
    site.ask("POST", f"{path}/issue", {"issues": ["WEB-10"]})
    site.ask("DELETE", path)
    assert site.refused("GET", path)[0] == 404
    fields = site.ask("GET", f"{AGILE}/issue/WEB-10")["fields"]
    assert fields["sprint"] is None


# Releases, session ----------------------------------------------------------


def test_a_release_is_made_changed_and_dropped(site: Site) -> None:
    body = {"name": "3.0", "project": "WEB", "releaseDate": "2026-12-24"}
    made = site.ask("POST", "version", body)
    assert (made["name"], made["releaseDate"]) == ("3.0", "2026-12-24")
    path = f"version/{made['id']}"
    assert site.ask("GET", path) == made
    changed = site.ask("PUT", path, {"released": True, "description": "Winter"})
    assert (changed["released"], changed["description"]) == (True, "Winter")
    site.ask("PUT", "issue/WEB-10", {"fields": {"fixVersions": [{"name": "3.0"}]}})
    site.ask("DELETE", path)
    assert site.refused("GET", path)[0] == 404
    fields = site.ask("GET", "issue/WEB-10", fields="fixVersions")["fields"]
    assert fields["fixVersions"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": "3.0"},
        {"project": "WEB"},
        {"name": "1.0", "project": "WEB"},
        {"name": "3.0", "project": "NO"},
        {"name": "3.0", "project": "WEB", "releaseDate": "Christmas"},
    ],
)
def test_a_release_that_cannot_be_is_refused(site: Site, body: dict[str, str]) -> None:
    assert site.refused("POST", "version", body)[0] in (400, 404)
    assert len(site.ask("GET", "project/WEB/versions")) == 2


def test_components_are_found_by_id(site: Site) -> None:
    (component,) = site.ask("GET", "project/WEB/components")
    assert site.ask("GET", f"component/{component['id']}") == component
    assert site.refused("GET", "component/1")[0] == 404


def test_a_component_is_made_renamed_and_dropped(site: Site) -> None:
    made = site.ask("POST", "component", {"name": "ui", "project": "WEB"})
    path = f"component/{made['id']}"
    assert site.ask("GET", path) == made
    assert site.ask("PUT", path, {"name": "view"})["name"] == "view"
    site.ask("PUT", "issue/WEB-10", {"fields": {"components": [{"name": "view"}]}})
    site.ask("DELETE", path)
    assert site.refused("GET", path)[0] == 404
    fields = site.ask("GET", "issue/WEB-10", fields="components")["fields"]
    assert fields["components"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ui"},
        {"project": "WEB"},
        {"name": "api", "project": "WEB"},
        {"name": "ui", "project": "NO"},
        {"name": "ui", "project": "WEB", "assigneeType": "NOBODY"},
        {"name": "ui", "project": "WEB", "colour": "red"},
    ],
)
def test_a_component_that_cannot_be_is_refused(
    site: Site, body: dict[str, str]
) -> None:
    assert site.refused("POST", "component", body)[0] in (400, 404)
    assert len(site.ask("GET", "project/WEB/components")) == 1


def test_the_issues_of_a_release_are_counted(site: Site) -> None:
    first = site.ask("GET", "project/WEB/versions")[0]
    path = f"version/{first['id']}"
    site.ask("PUT", "issue/WEB-10", {"fields": {"fixVersions": [{"name": "1.0"}]}})
    site.ask("PUT", "issue/WEB-3", {"fields": {"versions": [{"name": "1.0"}]}})
    counts = site.ask("GET", f"{path}/relatedIssueCounts")
    assert counts["issuesFixedCount"] == 2
    assert counts["issuesAffectedCount"] == 1
    open_ones = site.ask("GET", f"{path}/unresolvedIssueCount")
    assert open_ones["issuesUnresolvedCount"] == 1
    assert site.refused("GET", "version/1/relatedIssueCounts")[0] == 404


def test_boards_are_found_by_their_filter(site: Site) -> None:
    configuration = site.ask("GET", f"{AGILE}/board/1/configuration")
    path = f"{AGILE}/board/filter/{configuration['filter']['id']}"
    (board,) = site.ask("GET", path)["values"]
    assert (board["id"], board["name"]) == (1, "WEB board")
    assert site.ask("GET", f"{AGILE}/board/filter/1")["values"] == []


def test_people_are_searched_for_several_projects(site: Site) -> None:
    path = "user/assignable/multiProjectSearch"
    name = "query" if is_cloud(site) else "username"
    people = site.ask("GET", path, projectKeys="WEB,APP", **{name: "gra"})
    assert [each["displayName"] for each in people] == ["Grace Hopper"]
    assert site.refused("GET", path, projectKeys="WEB,NO")[0] == 404
    assert site.refused("GET", path)[0] == 400


def test_data_center_tells_whose_session_it_is_and_cloud_does_not() -> None:
    path = "/rest/auth/1/session"
    session = small_site("datacenter").ask("GET", path)
    assert session["name"] == "rayline"
    assert session["self"].endswith("/rest/api/latest/user?username=rayline")
    assert small_site().refused("GET", path)[0] == 404
    wrong = small_site("datacenter").raw("GET", path, authorization="Bearer no")
    assert wrong.status == 401


@pytest.mark.shared
@pytest.mark.parametrize(
    ("document", "path", "real"),
    [
        ("jira-cloud-v3", "status/{idOrName}", "status/3"),
        ("jira-cloud-v3", "statuscategory/{idOrKey}", "statuscategory/4"),
        ("jira-cloud-v3", "issueLinkType", "issueLinkType"),
        ("jira-cloud-v3", "project/{projectIdOrKey}/role", "project/WEB/role"),
        (
            "jira-cloud-v3",
            "project/{projectIdOrKey}/role/{id}",
            "project/WEB/role/10001",
        ),
        ("jira-agile-cloud", "board/{boardId}/quickfilter", "board/1/quickfilter"),
    ],
)
def test_answers_agree_with_the_official_documents(
    document: str, path: str, real: str
) -> None:
    root = AGILE if document == "jira-agile-cloud" else "/rest/api/3"
    body = small_site().ask("GET", f"{root}/{real}")
    assert problems(document, f"{root}/{path}", "get", 200, body=body) == []
