"""What stands beside issues: votes, remote links, files, properties, pickers, and what only administrators may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jira_rig import Site, small_site

from rayline_sandbox.wire import Request, Response

AGILE = "/rest/agile/1.0"
FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="plan.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nOne\r\n--edge--\r\n"
)


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Site:
    return small_site(request.param)


def is_cloud(site: Site) -> bool:
    return site.root.endswith("3")


# Properties -----------------------------------------------------------------


def owners(site: Site) -> list[str]:
    """Return the addresses of the properties of one record of each kind."""
    worklog = site.ask("GET", "issue/WEB-2/worklog")["worklogs"][0]["id"]
    comment = site.ask("POST", "issue/WEB-2/comment", {"body": text(site)})["id"]
    return [
        "issue/WEB-2/properties",
        f"issue/WEB-2/worklog/{worklog}/properties",
        f"comment/{comment}/properties",
        "project/WEB/properties",
        "issuetype/10001/properties",
        "user/properties",
        f"{AGILE}/board/1/properties",
        f"{AGILE}/sprint/2/properties",
    ]


def text(site: Site) -> Any:
    if not is_cloud(site):
        return "Said"
    words = [{"type": "text", "text": "Said"}]
    paragraph = {"type": "paragraph", "content": words}
    return {"type": "doc", "version": 1, "content": [paragraph]}


@pytest.mark.parametrize("value", [{"a": [1]}, "text", 7, True, [], None])
def test_every_record_keeps_properties(site: Site, value: Any) -> None:
    for path in owners(site):
        assert site.ask("GET", path)["keys"] == []
        assert site.raw("PUT", f"{path}/scan", "first").status == 201
        body = json.dumps(value).encode()
        headers = {"host": "site.invalid", "authorization": site.authorization}
        full = path if path.startswith("/") else f"{site.root}/{path}"
        again = site.jira.handle(Request("PUT", f"{full}/scan", (), headers, body))
        assert again.status == 200
        assert site.ask("GET", f"{path}/scan") == {"key": "scan", "value": value}
        (listed,) = site.ask("GET", path)["keys"]
        assert listed["self"].endswith(f"{full}/scan")
        site.ask("DELETE", f"{path}/scan")
        assert site.refused("GET", f"{path}/scan")[0] == 404
        assert site.refused("DELETE", f"{path}/scan")[0] == 404


def test_a_property_needs_a_value_of_bounded_size(site: Site) -> None:
    path = "issue/WEB-2/properties"
    assert site.refused("PUT", f"{path}/scan")[0] == 400
    assert site.refused("PUT", f"{path}/scan", "x" * 40_000)[0] == 400
    assert site.refused("PUT", f"{path}/{'k' * 256}", 1)[0] == 400
    assert site.refused("GET", "issue/WEB-99/properties")[0] == 404


def test_an_issue_shows_the_properties_asked_for(site: Site) -> None:
    for key in ("one", "two"):
        site.ask("PUT", f"issue/WEB-2/properties/{key}", key)
    shown = site.ask("GET", "issue/WEB-2", properties="two")
    assert shown["properties"] == {"two": "two"}
    assert "properties" not in site.ask("GET", "issue/WEB-2")


# Votes, links, files --------------------------------------------------------


def test_one_votes_for_open_issues_of_others(site: Site) -> None:
    site.ask("POST", "issue/WEB-3/votes")
    told = site.ask("GET", "issue/WEB-3/votes")
    assert (told["votes"], told["hasVoted"], len(told["voters"])) == (1, True, 1)
    assert site.ask("GET", "issue/WEB-3")["fields"]["votes"]["votes"] == 1
    site.ask("DELETE", "issue/WEB-3/votes")
    assert site.refused("DELETE", "issue/WEB-3/votes")[0] == 404
    own = site.act("create", project="WEB", fields={"summary": "Mine"})["key"]
    for key in (own, "WEB-2", "WEB-99"):
        assert site.refused("POST", f"issue/{key}/votes")[0] == 404


def test_remote_links_are_found_by_their_global_id(site: Site) -> None:
    path = "issue/WEB-2/remotelink"
    target = {"url": "https://plan.invalid", "title": "Plan"}
    body = {"globalId": "plan=1", "relationship": "is planned by", "object": target}
    first = site.raw("POST", path, body)
    again = site.raw("POST", path, {**body, "object": {**target, "title": "Plan B"}})
    assert (first.status, again.status) == (201, 200)
    assert json.loads(first.body) == json.loads(again.body)
    link = site.ask("GET", path, globalId="plan=1")
    assert (link["object"]["title"], link["relationship"]) == (
        "Plan B",
        "is planned by",
    )
    assert site.ask("GET", f"{path}/{link['id']}") == link
    site.ask("DELETE", path, globalId="plan=1")
    assert site.ask("GET", path) == []
    for wrong in ({}, {"object": {"url": "https://a.invalid"}}, {"object": "x"}):
        assert site.refused("POST", path, wrong)[0] == 400


def send(site: Site, **headers: str) -> Response:
    own = {"host": "site.invalid", "authorization": site.authorization}
    kind = "multipart/form-data; boundary=edge"
    path = f"{site.root}/issue/WEB-2/attachments"
    sent = {**own, "content-type": kind, **headers}
    return site.jira.handle(Request("POST", path, (), sent, FORM))


def test_a_file_is_attached_told_of_and_read(site: Site) -> None:
    assert send(site).status == 403
    (made,) = json.loads(send(site, **{"x-atlassian-token": "no-check"}).body)
    assert (made["filename"], made["size"], made["mimeType"]) == (
        "plan.txt",
        3,
        "text/plain",
    )
    (shown,) = site.ask("GET", "issue/WEB-2", fields="attachment")["fields"][
        "attachment"
    ]
    assert shown == made
    _, _, path = made["content"].partition("site.invalid")
    assert site.raw("GET", path).body == b"One"
    site.ask("DELETE", f"attachment/{made['id']}")
    assert site.refused("GET", f"attachment/{made['id']}")[0] == 404
    assert site.ask("GET", "issue/WEB-2")["fields"]["attachment"] == []


def test_a_form_that_is_none_attaches_nothing(site: Site) -> None:
    unchecked = {"x-atlassian-token": "no-check"}
    assert send(site, **unchecked, **{"content-type": "text/plain"}).status == 415
    odd = "multipart/form-data; boundary=other"
    assert send(site, **unchecked, **{"content-type": odd}).status == 400
    assert site.ask("GET", "issue/WEB-2")["fields"]["attachment"] == []


# Releases and components ----------------------------------------------------


def names(site: Site) -> list[str]:
    return [each["name"] for each in site.ask("GET", "project/WEB/versions")]


@pytest.mark.parametrize(
    ("move", "order"),
    [
        ({"position": "First"}, ["3.0", "1.0", "2.0"]),
        ({"position": "Earlier"}, ["1.0", "3.0", "2.0"]),
        ({"position": "Later"}, ["1.0", "2.0", "3.0"]),
        ({"after": "1.0"}, ["1.0", "3.0", "2.0"]),
    ],
)
def test_releases_change_their_places(
    site: Site, move: dict[str, str], order: list[str]
) -> None:
    made = site.ask("POST", "version", {"name": "3.0", "project": "WEB"})
    addresses = {
        each["name"]: each["self"] for each in site.ask("GET", "project/WEB/versions")
    }
    if "after" in move:
        move = {"after": addresses[move["after"]]}
    site.ask("POST", f"version/{made['id']}/move", move)
    assert names(site) == order
    page = site.ask("GET", "project/WEB/version", orderBy="-sequence")["values"]
    assert [each["name"] for each in page] == order[::-1]


def test_a_release_is_dropped_in_favour_of_another(site: Site) -> None:
    first, second = site.ask("GET", "project/WEB/versions")
    body = {"moveFixIssuesTo": int(second["id"])}
    site.ask("POST", f"version/{first['id']}/removeAndSwap", body)
    (kept,) = site.ask("GET", "issue/WEB-2")["fields"]["fixVersions"]
    assert kept["name"] == "2.0"
    made = site.ask("POST", "version", {"name": "3.0", "project": "WEB"})
    site.ask("PUT", f"version/{second['id']}/mergeto/{made['id']}")
    (kept,) = site.ask("GET", "issue/WEB-2")["fields"]["fixVersions"]
    assert (kept["name"], names(site)) == ("3.0", ["3.0"])
    wrong = {"moveFixIssuesTo": 99}
    path = f"version/{made['id']}/removeAndSwap"
    assert site.refused("POST", path, wrong)[0] == 400


def test_a_component_has_a_lead_who_gets_its_issues(site: Site) -> None:
    users = site.act("dump")["users"]
    grace = next(each for each in users if each["name"] == "grace")
    lead = {"leadAccountId": grace["account"]}
    if not is_cloud(site):
        lead = {"leadUserName": "grace"}
    body = {"name": "ui", "project": "WEB", "assigneeType": "COMPONENT_LEAD", **lead}
    made = site.ask("POST", "component", body)
    assert made["lead"]["displayName"] == made["realAssignee"]["displayName"]
    assert made["lead"]["displayName"] == "Grace Hopper"
    (api, _) = site.ask("GET", "project/WEB/components")
    counted = site.ask("GET", f"component/{api['id']}/relatedIssueCounts")
    assert counted["issueCount"] == 1
    site.ask("DELETE", f"component/{api['id']}", moveIssuesTo=made["id"])
    (kept,) = site.ask("GET", "issue/WEB-2")["fields"]["components"]
    assert kept["name"] == "ui"


# Administration -------------------------------------------------------------

FORBIDDEN = [
    ("POST", "issueLinkType", {"name": "N", "inward": "i", "outward": "o"}),
    ("POST", "project", {"key": "NEW", "name": "New", "lead": "ada"}),
    ("DELETE", "project/WEB", None),
    ("GET", "application-properties", None),
    ("GET", "auditing/record", None),
    ("POST", "group", {"name": "crew"}),
    ("GET", "screens", None),
    ("GET", "workflow", None),
]


@pytest.mark.parametrize(("method", "path", "body"), FORBIDDEN)
def test_what_only_administrators_may_is_refused_to_others(
    site: Site, method: str, path: str, body: Any
) -> None:
    assert site.refused(method, path, body)[0] == 403


def test_an_administrator_makes_changes_and_drops_link_types(site: Site) -> None:
    site.act("set_administrator", administers=True)
    texts = {"name": "Feeds", "inward": "is fed by", "outward": "feeds"}
    made = site.ask("POST", "issueLinkType", texts)
    ends = {"inwardIssue": {"key": "WEB-2"}, "outwardIssue": {"key": "WEB-3"}}
    site.ask("POST", "issueLink", {"type": {"name": "Feeds"}, **ends})
    site.ask("PUT", f"issueLinkType/{made['id']}", {"name": "Nourishes"})
    (link,) = site.ask("GET", "issue/WEB-2")["fields"]["issuelinks"]
    assert (link["type"]["name"], link["type"]["inward"]) == ("Nourishes", "is fed by")
    blocks = {"name": "Blocks", "inward": "a", "outward": "b"}
    assert site.refused("POST", "issueLinkType", blocks)[0] == 400
    site.ask("DELETE", f"issueLinkType/{made['id']}")
    assert site.ask("GET", "issue/WEB-2")["fields"]["issuelinks"] == []


def test_an_administrator_makes_a_project_with_a_board(site: Site) -> None:
    site.act("set_administrator", administers=True)
    users = site.act("dump")["users"]
    ada = next(each["account"] for each in users if each["name"] == "ada")
    lead = {"leadAccountId": ada} if is_cloud(site) else {"lead": "ada"}
    body = {"key": "NEW", "name": "New one", "projectTypeKey": "software", **lead}
    made = site.ask("POST", "project", body)
    assert site.ask("GET", f"project/{made['id']}")["lead"]["displayName"] == (
        "Ada Lovelace"
    )
    boards = site.ask("GET", f"{AGILE}/board", projectKeyOrId="NEW")["values"]
    assert [each["name"] for each in boards] == ["NEW board"]
    for wrong in ({"key": "WEB"}, {"key": "new"}, {"name": ""}, {"key": "X2" * 9}):
        assert site.refused("POST", "project", {**body, **wrong})[0] == 400
    key = {"key": "NEWER", "name": "Newer"}
    site.ask("PUT", "project/NEW", key)
    assert site.ask("GET", "project/NEW")["key"] == "NEWER"


# Pickers and forms ----------------------------------------------------------


def test_people_and_groups_are_picked(site: Site) -> None:
    picked = site.ask("GET", "user/picker", query="love")
    assert (picked["total"], picked["users"][0]["html"]) == (
        1,
        "Ada <strong>Love</strong>lace",
    )
    groups = site.ask("GET", "groups/picker", query="software")["groups"]
    assert [each["name"] for each in groups] == ["jira-software-users"]
    both = site.ask("GET", "groupuserpicker", query="a")
    assert set(both) == {"users", "groups"}
    members = site.ask("GET", "group/member", groupname="jira-software-users")
    assert members["total"] == 3
    for query in ({}, {"groupname": "crew"}):
        assert site.refused("GET", "group/member", **query)[0] in (400, 404)
    assert site.refused("GET", "user/picker")[0] == 400


@pytest.mark.parametrize(
    ("key", "is_free"), [("NEW", True), ("WEB", False), ("new", False), ("1A", False)]
)
def test_a_key_is_checked_before_a_project_is_made(
    site: Site, key: str, is_free: bool
) -> None:
    errors = site.ask("GET", "projectvalidate/key", key=key)["errors"]
    assert (errors == {}) is is_free
    assert site.ask("GET", "projectvalidate/validProjectKey", key="WEB") == "WEB1"
    free = site.ask("GET", "projectvalidate/validProjectName", name="Web site")
    assert free == "Web site 2"


def test_queries_are_matched_against_issues() -> None:
    site = small_site()
    ids = [int(site.ask("GET", f"issue/{key}")["id"]) for key in ("WEB-2", "APP-1")]
    body = {"issueIds": ids, "jqls": ["project = WEB", "assignee = ada", "x ="]}
    first, second, third = site.ask("POST", "jql/match", body)["matches"]
    assert first["matchedIssues"] == ids[:1]
    assert second["matchedIssues"] == sorted(ids)
    assert third["errors"]
