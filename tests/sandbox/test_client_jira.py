"""The published `jira` package, method by method, over real sockets against both deployments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from io import BytesIO
from typing import Any

import pytest
from clients import Client, Desk, Stage, documented, person, untold
from jira import JIRA, JIRAError

from tests.support.waiting import LONG

CLIENT_SIDE = frozenset(
    {
        *("async_do", "client_info", "close", "find", "kill_websudo"),
        *("supports_service_desk", "get_igrid", "applicationlinks"),
        *("templates", "delete_board"),
    }
)
"""What makes no request, one to an add-on, or none that could be answered: it deletes a board at an empty address."""
SERVICE_DESK = "Jira Service Management"
INTERNAL = "routes no documentation names"
SCHEMES = "workflow and priority schemes, indexing"
AVATARS = "pictures that are sent"


def _add_attachment(desk: Desk) -> object:
    made = desk.client.add_attachment("WEB-2", BytesIO(b"\x89PNG"), "chart.png")
    shown = desk.client.issue("WEB-2").fields.attachment
    return made.get() == b"\x89PNG" and [each.filename for each in shown]


def _attachment(desk: Desk) -> object:
    made = desk.client.add_attachment("WEB-2", BytesIO(b"one"), "one.txt")
    return desk.client.attachment(made.id).size == 3


def _delete_attachment(desk: Desk) -> object:
    made = desk.client.add_attachment("WEB-2", BytesIO(b"one"), "one.txt")
    desk.client.delete_attachment(made.id)
    return not desk.client.issue("WEB-2").fields.attachment


def _refused(desk: Desk, method: str, *arguments: Any, status: int = 403) -> bool:
    """Tell whether a call is refused as the service refuses it to who administers nothing."""
    with pytest.raises(JIRAError) as caught:
        getattr(desk.client, method)(*arguments)
    return bool(caught.value.status_code == status)


def _add_vote(desk: Desk) -> object:
    desk.client.add_vote("WEB-3")
    return desk.client.votes("WEB-3").votes == 1


def _remove_vote(desk: Desk) -> object:
    desk.client.add_vote("WEB-3")
    desk.client.remove_vote("WEB-3")
    return desk.client.votes("WEB-3").hasVoted is False


def _add_watcher(desk: Desk) -> object:
    desk.client.add_watcher("WEB-2", person(desk))
    (watcher,) = desk.client.watchers("WEB-2").watchers
    return watcher.displayName == "Ada Lovelace"


def _remove_watcher(desk: Desk) -> object:
    desk.client.add_watcher("WEB-2", person(desk))
    desk.client.remove_watcher("WEB-2", person(desk))
    return desk.client.watchers("WEB-2").watchCount == 0


def _add_remote_link(desk: Desk) -> object:
    target = {"url": "https://plan.invalid/1", "title": "Plan"}
    made = desk.client.add_remote_link("WEB-2", target, globalId="plan=1")
    made.update({"url": "https://plan.invalid/2", "title": "Plan B"}, globalId="plan=1")
    again = desk.client.remote_link("WEB-2", made.id)
    return (again.object.title, again.globalId) == ("Plan B", "plan=1")


def _remote_links(desk: Desk) -> object:
    desk.client.add_simple_link("WEB-2", {"url": "https://a.invalid", "title": "A"})
    (link,) = desk.client.remote_links("WEB-2")
    return link.object.url == "https://a.invalid"


def _delete_remote_link(desk: Desk) -> object:
    for key in ("one", "two"):
        target = {"url": "https://a.invalid", "title": key}
        desk.client.add_remote_link("WEB-2", target, globalId=key)
    first = desk.client.remote_links("WEB-2")[0]
    desk.client.delete_remote_link("WEB-2", internal_id=first.id)
    desk.client.delete_remote_link("WEB-2", global_id="two")
    return desk.client.remote_links("WEB-2") == []


def _issue_property(desk: Desk) -> object:
    desk.client.add_issue_property("WEB-2", "scan", {"score": 7})
    return desk.client.issue_property("WEB-2", "scan").value.score == 7


def _issue_properties(desk: Desk) -> object:
    desk.client.add_issue_property("WEB-2", "scan", {"score": 7})
    return [each.key for each in desk.client.issue_properties("WEB-2")] == ["scan"]


def _add_worklog(desk: Desk) -> object:
    made = desk.client.add_worklog("WEB-10", timeSpent="1h 30m", comment="Cart")
    return desk.client.worklog("WEB-10", made.id).timeSpentSeconds == 5400


def _assign(desk: Desk) -> object:
    who = desk.pick("Grace Hopper", "grace")
    desk.client.assign_issue("WEB-10", who)
    return desk.client.issue("WEB-10").fields.assignee.displayName == "Grace Hopper"


def _comment(desk: Desk) -> object:
    made = desk.client.add_comment("WEB-2", "Shipped")
    return desk.client.comment("WEB-2", made.id).body == "Shipped"


def _comments(desk: Desk) -> object:
    desk.client.add_comment("WEB-2", "One")
    return [each.body for each in desk.client.comments("WEB-2")] == ["One"]


def _pin(desk: Desk) -> object:
    made = desk.client.add_comment("WEB-2", "First of all")
    desk.client.pin_comment("WEB-2", made.id, True)
    (pinned,) = desk.client.pinned_comments("WEB-2")
    desk.client.pin_comment("WEB-2", made.id, False)
    is_right = pinned.comment.body == "First of all"
    return is_right and desk.client.pinned_comments("WEB-2") == []


def _component(desk: Desk) -> object:
    made = desk.client.create_component("ui", "WEB", description="Screens")
    made.update(description="All screens")
    return desk.client.component(made.id).description == "All screens"


def _delete_component(desk: Desk) -> object:
    (component,) = desk.client.project_components("WEB")
    desk.client.delete_component(component.id)
    return desk.client.issue("WEB-2").fields.components == []


def _component_count(desk: Desk) -> object:
    (component,) = desk.client.project_components("WEB")
    return desk.client.component_count_related_issues(component.id) == 1


def _version(desk: Desk, name: str = "1.0") -> Any:
    return desk.client.get_project_version_by_name("WEB", name)


def _move_version(desk: Desk) -> object:
    desk.client.move_version(_version(desk).id, position="Last")
    names = [each.name for each in desk.client.project_versions("WEB")]
    return names == ["2.0", "1.0"]


def _create_version(desk: Desk) -> object:
    made = desk.client.create_version("3.0", "WEB", releaseDate="2026-12-24")
    return desk.client.version(made.id).releaseDate == "2026-12-24"


def _rename_version(desk: Desk) -> object:
    desk.client.rename_version("WEB", "1.0", "1.1")
    return _version(desk, "1.1").name == "1.1"


def _create_issue(desk: Desk) -> object:
    kind = {"name": "Task"}
    made = desk.client.create_issue(project="WEB", summary="New", issuetype=kind)
    return made.fields.summary == "New"


def _create_issues(desk: Desk) -> object:
    fields = {"project": "WEB", "summary": "N", "issuetype": {"name": "Task"}}
    made = desk.client.create_issues([fields, {**fields, "summary": ""}])
    return [each["status"] for each in made] == ["Success", "Error"]


def _create_link(desk: Desk) -> object:
    desk.client.create_issue_link("Blocks", "WEB-2", "WEB-3")
    (link,) = desk.client.issue("WEB-2").fields.issuelinks
    return desk.client.issue_link(link.id).outwardIssue.key == "WEB-3"


def _delete_link(desk: Desk) -> object:
    desk.client.create_issue_link("Blocks", "WEB-2", "WEB-3")
    (link,) = desk.client.issue("WEB-2").fields.issuelinks
    desk.client.delete_issue_link(link.id)
    return desk.client.issue("WEB-3").fields.issuelinks == []


def _create_project(desk: Desk) -> object:
    desk.site.act("set_administrator", administers=True)
    identity = desk.client.create_project(
        "NEW", "New one", person(desk), issueSecurityScheme=0
    )
    return identity and desk.client.project("NEW").name == "New one"


def _delete_project(desk: Desk) -> object:
    desk.site.act("set_administrator", administers=True)
    desk.client.delete_project("APP")
    return [each.key for each in desk.client.projects()] == ["WEB"]


def _dashboard(desk: Desk) -> object:
    made = desk.client.create_dashboard("Mine", share_permissions=[])
    copied = desk.client.copy_dashboard(made.id, "Yours", share_permissions=[])
    names = {each.name for each in desk.client.dashboards()}
    copied.delete()
    left = {each.name for each in desk.client.dashboards()}
    return names - left == {"Yours"} and desk.client.dashboard(made.id).name == "Mine"


def _gadgets(desk: Desk) -> object:
    made = desk.client.create_dashboard("Mine", share_permissions=[])
    address = "rest/gadgets/1.0/g/pie.xml"
    gadget = desk.client.add_gadget_to_dashboard(made.id, uri=address)
    (found,) = desk.client.dashboard_gadgets(made.id)
    return (found.id, found.uri) == (gadget.id, address)


def _item_property(desk: Desk) -> object:
    made = desk.client.create_dashboard("Mine", share_permissions=[])
    address = "rest/gadgets/1.0/g/pie.xml"
    item = str(desk.client.add_gadget_to_dashboard(made.id, uri=address).id)
    desk.client.set_dashboard_item_property(made.id, item, "config", {"stat": "x"})
    keys = desk.client.dashboard_item_property_keys(made.id, item)
    value = desk.client.dashboard_item_property(made.id, item, "config").value
    return [each.key for each in keys] == ["config"] and value.stat == "x"


def _filter(desk: Desk) -> object:
    made = desk.client.create_filter("Web", jql="project = WEB", favourite=True)
    desk.client.update_filter(made.id, name="Website")
    return desk.client.filter(made.id).name == "Website"


def _favourites(desk: Desk) -> object:
    desk.client.create_filter("Web", jql="project = WEB", favourite=True)
    return [each.name for each in desk.client.favourite_filters()] == ["Web"]


def _create_board(desk: Desk) -> object:
    saved = desk.client.create_filter("Web", jql="project = WEB")
    made = desk.client.create_board("Second", saved.id)
    return made.name in {each.name for each in desk.client.boards()}


def _sprint(desk: Desk) -> object:
    made = desk.client.create_sprint("Sprint 9", 1, goal="Ship")
    desk.client.update_sprint(made.id, name="Sprint 10")
    return desk.client.sprint(made.id).name == "Sprint 10"


def _to_sprint(desk: Desk) -> object:
    desk.client.add_issues_to_sprint(3, ["WEB-10"])
    return len(desk.client.search_issues("sprint = 3")) == 1


def _to_backlog(desk: Desk) -> object:
    desk.client.move_to_backlog(["WEB-10"])
    return len(desk.client.search_issues("key = WEB-10 and sprint is EMPTY")) == 1


def _to_epic(desk: Desk) -> object:
    epic = desk.client.issue("WEB-1")
    desk.client.add_issues_to_epic(epic.id, ["WEB-10"])
    asked = desk.pick("parent = WEB-1", '"Epic Link" = WEB-1')
    found = desk.client.search_issues(f"{asked} and key = WEB-10")
    return [issue.key for issue in found] == ["WEB-10"]


def _rank(desk: Desk) -> object:
    desk.client.rank("WEB-10", next_issue="WEB-2")
    found = desk.client.search_issues("key in (WEB-2, WEB-10) order by rank")
    return [issue.key for issue in found] == ["WEB-10", "WEB-2"]


def _transition(desk: Desk) -> object:
    identity = desk.client.find_transitionid_by_name("WEB-10", "Done")
    desk.client.transition_issue("WEB-10", identity, comment="Over")
    return desk.client.issue("WEB-10").fields.status.name == "Done"


def _createmeta_fields(desk: Desk) -> object:
    told = desk.client.createmeta_fieldtypes("WEB", "10002", maxResults=100)
    return "summary" in {each["fieldId"] for each in told["values"]}


CLAIMS: dict[str, Any] = {
    "add_attachment": _add_attachment,
    "add_comment": _comment,
    "add_gadget_to_dashboard": _gadgets,
    "add_group": lambda d: _refused(d, "add_group", "crew"),
    "add_issue_property": _issue_property,
    "add_issues_to_epic": _to_epic,
    "add_issues_to_sprint": _to_sprint,
    "add_remote_link": _add_remote_link,
    "add_simple_link": _remote_links,
    "add_user": lambda d: _refused(d, "add_user", "eve", "eve@studio.invalid"),
    "add_user_to_group": lambda d: _refused(
        d, "add_user_to_group", "ada", "jira-administrators"
    ),
    "add_vote": _add_vote,
    "add_watcher": _add_watcher,
    "add_worklog": _add_worklog,
    "all_dashboard_gadgets": lambda d: d.client.all_dashboard_gadgets(),
    "application_properties": lambda d: _refused(d, "application_properties"),
    "approximate_issue_count": lambda d: (
        d.client.approximate_issue_count("project = WEB") == 5
    ),
    "assign_issue": _assign,
    "attachment": _attachment,
    "attachment_meta": lambda d: d.client.attachment_meta()["enabled"],
    "boards": lambda d: len(d.client.boards()) == 2,
    "comment": _comment,
    "comments": _comments,
    "component": _component,
    "component_count_related_issues": _component_count,
    "copy_dashboard": _dashboard,
    "create_board": _create_board,
    "create_component": _component,
    "create_dashboard": _dashboard,
    "create_filter": _filter,
    "create_issue": _create_issue,
    "create_issue_link": _create_link,
    "create_issues": _create_issues,
    "create_project": _create_project,
    "create_sprint": _sprint,
    "create_version": _create_version,
    "createmeta": lambda d: (
        d.client.createmeta(projectKeys="WEB")["projects"][0]["key"] == "WEB"
    ),
    "createmeta_fieldtypes": _createmeta_fields,
    "createmeta_issuetypes": lambda d: (
        d.client.createmeta_issuetypes("WEB")["total"] == 5
    ),
    "current_user": lambda d: d.client.current_user() == person(d, "rayline"),
    "custom_field_option": lambda d: (
        d.client.custom_field_option("10019").value == "Impediment"
    ),
    "dashboard": lambda d: d.client.dashboard("10000").name == "System dashboard",
    "dashboard_gadgets": _gadgets,
    "dashboard_item_property": _item_property,
    "dashboard_item_property_keys": _item_property,
    "dashboards": lambda d: [e.id for e in d.client.dashboards()] == ["10000"],
    "delete_attachment": _delete_attachment,
    "delete_component": _delete_component,
    "delete_issue_link": _delete_link,
    "delete_permissionscheme": lambda d: _refused(d, "delete_permissionscheme", "1"),
    "delete_project": _delete_project,
    "delete_remote_link": _delete_remote_link,
    "delete_screen": lambda d: _refused(d, "delete_screen", "1"),
    "delete_user": lambda d: _refused(d, "delete_user", "grace"),
    "editmeta": lambda d: d.client.editmeta("WEB-2")["fields"]["summary"]["required"],
    "enhanced_search_issues": lambda d: (
        len(d.client.enhanced_search_issues("project = APP")) == 2
    ),
    "favourite_filters": _favourites,
    "fields": lambda d: "summary" in {field["id"] for field in d.client.fields()},
    "filter": _filter,
    "find_transitionid_by_name": _transition,
    "get_project_version_by_name": lambda d: _version(d).name == "1.0",
    "group": lambda d: (
        d.client.group("jira-software-users").name == "jira-software-users"
    ),
    "group_members": lambda d: len(d.client.group_members("jira-software-users")) == 3,
    "groups": lambda d: "jira-software-users" in d.client.groups(),
    "issue": lambda d: d.client.issue("WEB-2").fields.summary == "Product page",
    "issue_link": _create_link,
    "issue_link_type": lambda d: (
        d.client.issue_link_type("10000").inward == "is blocked by"
    ),
    "issue_link_types": lambda d: (
        "Blocks" in {e.name for e in d.client.issue_link_types()}
    ),
    "issue_properties": _issue_properties,
    "issue_property": _issue_property,
    "issue_type": lambda d: d.client.issue_type("10001").name == "Story",
    "issue_type_by_name": lambda d: d.client.issue_type_by_name("Bug").id == "10004",
    "issue_types": lambda d: len(d.client.issue_types()) == 5,
    "issue_types_for_project": lambda d: (
        "Bug" in {e.name for e in d.client.issue_types_for_project("WEB")}
    ),
    "kill_session": lambda d: d.client.kill_session().status_code == 204,
    "move_to_backlog": _to_backlog,
    "move_version": _move_version,
    "my_permissions": lambda d: d.client.my_permissions(
        projectKey="WEB", permissions="EDIT_ISSUES"
    )["permissions"]["EDIT_ISSUES"]["havePermission"],
    "myself": lambda d: d.client.myself()["displayName"] == "Rayline Service",
    "pin_comment": _pin,
    "pinned_comments": _pin,
    "priorities": lambda d: len(d.client.priorities()) == 5,
    "priority": lambda d: d.client.priority("1").name == "Highest",
    "project": lambda d: d.client.project("WEB").lead.displayName == "Ada Lovelace",
    "project_avatars": lambda d: d.client.project_avatars("WEB")["system"],
    "project_components": lambda d: (
        [e.name for e in d.client.project_components("WEB")] == ["api"]
    ),
    "project_issue_fields": lambda d: d.client.project_issue_fields("WEB", "10002"),
    "project_issue_security_level_scheme": lambda d: _refused(
        d, "project_issue_security_level_scheme", "WEB", status=404
    ),
    "project_issue_types": lambda d: len(d.client.project_issue_types("WEB")) == 5,
    "project_role": lambda d: d.client.project_role("WEB", "10001").name,
    "project_roles": lambda d: "Developers" in d.client.project_roles("WEB"),
    "project_versions": lambda d: (
        [e.name for e in d.client.project_versions("WEB")] == ["1.0", "2.0"]
    ),
    "project_notification_scheme": lambda d: (
        d.client.project_notification_scheme("WEB").name
        == "Default Notification Scheme"
    ),
    "project_permissionscheme": lambda d: (
        d.client.project_permissionscheme("WEB").name == "Default Permission Scheme"
    ),
    "projectcategories": lambda d: d.client.projectcategories() == [],
    "permissionschemes": lambda d: d.client.permissionschemes()[0]["id"] == 0,
    "notificationschemes": lambda d: d.client.notificationschemes()[0]["id"] == 10000,
    "issuesecurityschemes": lambda d: _refused(d, "issuesecurityschemes"),
    "issue_type_schemes": lambda d: _refused(d, "issue_type_schemes"),
    "get_issue_type_scheme_associations": lambda d: _refused(
        d, "get_issue_type_scheme_associations", "1"
    ),
    "screens": lambda d: _refused(d, "screens"),
    "workflows": lambda d: _refused(d, "workflows"),
    "avatars": lambda d: d.client.avatars(),
    "projects": lambda d: [e.key for e in d.client.projects()] == ["WEB", "APP"],
    "rank": _rank,
    "remote_link": _add_remote_link,
    "remote_links": _remote_links,
    "remove_group": lambda d: _refused(d, "remove_group", "jira-software-users"),
    "remove_user_from_group": lambda d: _refused(
        d, "remove_user_from_group", "ada", "jira-software-users"
    ),
    "remove_vote": _remove_vote,
    "remove_watcher": _remove_watcher,
    "rename_user": lambda d: _refused(d, "rename_user", "ada", "eve"),
    "rename_version": _rename_version,
    "resolution": lambda d: d.client.resolution("10000").name == "Done",
    "resolutions": lambda d: len(d.client.resolutions()) == 5,
    "role": lambda d: "Developers" in {each["name"] for each in d.client.role()},
    "search_allowed_users_for_issue": lambda d: d.client.search_allowed_users_for_issue(
        "ada", issueKey="WEB-2"
    ),
    "search_assignable_users_for_issues": lambda d: (
        d.client.search_assignable_users_for_issues(
            project="WEB", **{d.pick("query", "username"): "ada"}
        )[0].displayName
        == "Ada Lovelace"
    ),
    "search_assignable_users_for_projects": lambda d: (
        d.client.search_assignable_users_for_projects("ada", "WEB,APP")
    ),
    "search_issues": lambda d: len(d.client.search_issues("project = WEB")) == 5,
    "search_users": lambda d: (
        d.client.search_users(**{d.pick("query", "user"): "ada"})[0].displayName
        == "Ada Lovelace"
    ),
    "security_level": lambda d: _refused(d, "security_level", "1", status=404),
    "server_info": lambda d: d.client.server_info()["serverTitle"] == "Jira",
    "session": lambda d: d.client.session().name == "rayline",
    "set_application_property": lambda d: _refused(
        d, "set_application_property", "jira.title", "J"
    ),
    "set_dashboard_item_property": _item_property,
    "sprint": _sprint,
    "sprints": lambda d: [e.id for e in d.client.sprints(1, state="active")] == [2],
    "sprints_by_name": lambda d: "Sprint 2" in d.client.sprints_by_name(1),
    "status": lambda d: d.client.status("3").name == "In Progress",
    "statuscategories": lambda d: len(d.client.statuscategories()) == 4,
    "statuscategory": lambda d: d.client.statuscategory(4).key == "indeterminate",
    "statuses": lambda d: "Done" in {e.name for e in d.client.statuses()},
    "transition_issue": _transition,
    "transitions": lambda d: (
        "Done" in {e["name"] for e in d.client.transitions("WEB-10")}
    ),
    "update_filter": _filter,
    "update_sprint": _sprint,
    "user": lambda d: d.client.user(person(d)).displayName == "Ada Lovelace",
    "user_avatars": lambda d: d.client.user_avatars("ada")["system"],
    "version": _create_version,
    "version_count_related_issues": lambda d: (
        d.client.version_count_related_issues(_version(d).id)["issuesFixedCount"] == 1
    ),
    "version_count_unresolved_issues": lambda d: (
        d.client.version_count_unresolved_issues(_version(d).id) == 0
    ),
    "votes": _add_vote,
    "watchers": _add_watcher,
    "worklog": _add_worklog,
    "worklogs": lambda d: len(d.client.worklogs("WEB-2")) == 2,
}
MISSING = {
    **dict.fromkeys(
        (
            *("create_customer", "create_customer_request", "request_type_by_name"),
            *("request_types", "service_desk", "service_desks"),
        ),
        SERVICE_DESK,
    ),
    **dict.fromkeys(
        (
            *("backup", "backup_complete", "backup_download", "backup_progress"),
            *("incompletedIssuesEstimateSum", "removedIssuesEstimateSum"),
            *("removed_issues", "sprint_info", "deactivate_user"),
            "update_dashboard_automatic_refresh_minutes",
        ),
        INTERNAL,
    ),
    **dict.fromkeys(
        (
            *("confirm_project_avatar", "confirm_user_avatar"),
            *("create_temp_project_avatar", "create_temp_user_avatar"),
            *("delete_project_avatar", "delete_user_avatar"),
            *("set_project_avatar", "set_user_avatar"),
        ),
        AVATARS,
    ),
    **dict.fromkeys(
        (
            *("project_priority_scheme", "project_workflow_scheme"),
            *("workflowscheme", "reindex"),
        ),
        SCHEMES,
    ),
}
ONLY = {
    **dict.fromkeys(
        (
            *("add_gadget_to_dashboard", "all_dashboard_gadgets", "copy_dashboard"),
            *("create_dashboard", "dashboard_gadgets", "dashboard_item_property"),
            *("dashboard_item_property_keys", "set_dashboard_item_property"),
            *("approximate_issue_count", "enhanced_search_issues", "createmeta"),
            *("backup", "backup_complete", "backup_download", "backup_progress"),
            "update_dashboard_automatic_refresh_minutes",
        ),
        "cloud",
    ),
    **dict.fromkeys(
        (
            *("pin_comment", "pinned_comments", "session", "kill_session", "reindex"),
            *("rename_user", "user_avatars", "add_user_to_group", "group_members"),
            *("createmeta_fieldtypes", "createmeta_issuetypes"),
            *("search_assignable_users_for_projects", "project_priority_scheme"),
            *("project_issue_fields", "project_issue_types"),
            *("search_allowed_users_for_issue", "delete_user", "deactivate_user"),
        ),
        "datacenter",
    ),
}
PACKAGE = Client("jira", JIRA, CLAIMS, MISSING, CLIENT_SIDE, ONLY)
FACES = ("cloud", "datacenter")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def desk_on(stage: Stage, face: str) -> Desk:
    """Return the client beside a new small site."""
    site = stage.play(face)
    options: dict[str, Any] = {"max_retries": 0, "timeout": LONG}
    if face == "cloud":
        account = (site.jira.email, site.jira.token)
        return Desk(JIRA(stage.url, basic_auth=account, **options), site, True)
    token = site.jira.token
    return Desk(JIRA(stage.url, token_auth=token, **options), site, False)


@pytest.mark.parametrize(
    ("face", "method"), [(face, name) for face in FACES for name in PACKAGE.tried(face)]
)
def test_a_method_of_the_package_works(stage: Stage, face: str, method: str) -> None:
    desk = desk_on(stage, face)
    with closing(desk.client):
        assert PACKAGE.claims[method](desk)


def test_every_method_of_the_package_is_tried_or_named() -> None:
    assert PACKAGE.methods() == PACKAGE.claims.keys() | PACKAGE.missing.keys()
    assert PACKAGE.claims.keys().isdisjoint(PACKAGE.missing)
    assert untold(PACKAGE.missing.values()) == []


@pytest.mark.parametrize("face", FACES)
def test_the_documentation_tells_the_share_that_works(
    face: str, capsys: pytest.CaptureFixture[str]
) -> None:
    share = PACKAGE.share(face)
    with capsys.disabled():
        print(  # noqa: T201
            f"\njira {version('jira')} on {face}: {share} methods"
        )
    assert documented(f"`jira` {share} on {face}")
