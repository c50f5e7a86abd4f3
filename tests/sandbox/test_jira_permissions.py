"""What the account may do, and who gets what is assigned automatically."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site
from jira_specs import problems


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Site:
    return small_site(request.param)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("ADMINISTER_PROJECTS", "PROJECT"),
        ("LINK_ISSUES", "PROJECT"),
        ("BULK_CHANGE", "GLOBAL"),
        ("EDIT_OWN_WORKLOGS", "PROJECT"),
        ("MANAGE_WATCHERS", "PROJECT"),
        ("CREATE_SHARED_OBJECTS", "GLOBAL"),
    ],
)
def test_documented_permissions_are_known(site: Site, key: str, kind: str) -> None:
    told = site.ask("GET", "mypermissions", permissions=key)["permissions"]
    assert set(told) == {key}
    assert (told[key]["type"], told[key]["havePermission"]) == (kind, True)


def test_the_account_administers_no_site(site: Site) -> None:
    told = site.ask("GET", "mypermissions", permissions="ADMINISTER,SYSTEM_ADMIN")
    held = [each["havePermission"] for each in told["permissions"].values()]
    assert held == [False, False]


def test_permissions_of_what_is_not_seen_are_refused(site: Site) -> None:
    asked = {"permissions": "EDIT_ISSUES"}
    assert site.refused("GET", "mypermissions", permissions="FLY")[0] == 400
    assert site.refused("GET", "mypermissions", projectKey="NO", **asked)[0] == 404
    assert site.refused("GET", "mypermissions", issueKey="NO-1", **asked)[0] == 404


@pytest.mark.shared
def test_permissions_agree_with_the_official_document() -> None:
    body = small_site().ask("GET", "mypermissions", permissions="LINK_ISSUES")
    told = problems("jira-cloud-v3", "/rest/api/3/mypermissions", "get", 200, body=body)
    assert told == []


def assignee(site: Site, issue: str) -> Any:
    fields = site.ask("GET", f"issue/{issue}", fields="assignee")["fields"]
    person = fields["assignee"]
    return person and person["displayName"]


def assigned(site: Site, ref: str | None) -> dict[str, Any]:
    return {"accountId" if site.root.endswith("3") else "name": ref}


def test_minus_one_assigns_the_lead_of_the_project(site: Site) -> None:
    site.ask("PUT", "issue/WEB-10/assignee", assigned(site, "-1"))
    assert assignee(site, "WEB-10") == "Ada Lovelace"
    site.ask("PUT", "issue/WEB-10/assignee", assigned(site, None))
    assert assignee(site, "WEB-10") is None


def test_minus_one_assigns_in_an_edit_and_at_birth_too(site: Site) -> None:
    fields = {"assignee": assigned(site, "-1")}
    site.ask("PUT", "issue/WEB-3", {"fields": fields})
    assert assignee(site, "WEB-3") == "Ada Lovelace"
    born = {
        "project": {"key": "WEB"},
        "summary": "Terms",
        "issuetype": {"name": "Task"},
        **fields,
    }
    made = site.ask("POST", "issue", {"fields": born})
    assert assignee(site, made["key"]) == "Ada Lovelace"


def test_a_project_always_has_a_lead(site: Site) -> None:
    lead = site.ask("GET", "project/APP")["lead"]
    assert lead["displayName"] == "Rayline Service"
    site.ask("PUT", "issue/APP-2/assignee", assigned(site, "-1"))
    assert assignee(site, "APP-2") == "Rayline Service"


def test_a_lead_who_left_is_not_assigned_automatically(site: Site) -> None:
    site.act("deactivate_user", user="ada")
    path = "issue/WEB-10/assignee"
    status, message = site.refused("PUT", path, assigned(site, "-1"))
    assert (status, "default assignee" in message) == (400, True)
    assert assignee(site, "WEB-10") is None
