"""What the calling account may do: the documented permissions of Jira, each a whole site's or a project's."""

from __future__ import annotations

from typing import NamedTuple

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Json
from rayline_sandbox.jira.routes import Route
from rayline_sandbox.jira.site import Call, Site


class Permission(NamedTuple):
    """One built-in permission under its number, as both deployments list it."""

    id: str
    key: str
    name: str


_GLOBAL = (
    Permission("0", "ADMINISTER", "Administer Jira"),
    Permission("44", "SYSTEM_ADMIN", "Jira System Administrators"),
    Permission("22", "CREATE_SHARED_OBJECTS", "Share dashboards and filters"),
    Permission("24", "MANAGE_GROUP_FILTER_SUBSCRIPTIONS", "Manage group filters"),
    Permission("27", "USER_PICKER", "Browse users and groups"),
    Permission("33", "BULK_CHANGE", "Make bulk changes"),
    Permission("-1", "CREATE_PROJECT", "Create projects"),
)
_PROJECT = (
    Permission("10", "BROWSE_PROJECTS", "Browse Projects"),
    Permission("11", "CREATE_ISSUES", "Create Issues"),
    Permission("12", "EDIT_ISSUES", "Edit Issues"),
    Permission("46", "TRANSITION_ISSUES", "Transition Issues"),
    Permission("16", "DELETE_ISSUES", "Delete Issues"),
    Permission("20", "WORK_ON_ISSUES", "Work On Issues"),
    Permission("15", "ADD_COMMENTS", "Add Comments"),
    Permission("13", "ASSIGN_ISSUES", "Assign Issues"),
    Permission("25", "MOVE_ISSUES", "Move Issues"),
    Permission("-1", "MANAGE_SPRINTS_PERMISSION", "Manage sprints"),
    Permission("23", "ADMINISTER_PROJECTS", "Administer Projects"),
    Permission("17", "ASSIGNABLE_USER", "Assignable User"),
    Permission("18", "CLOSE_ISSUES", "Close Issues"),
    Permission("21", "LINK_ISSUES", "Link Issues"),
    Permission("30", "MODIFY_REPORTER", "Modify Reporter"),
    Permission("14", "RESOLVE_ISSUES", "Resolve Issues"),
    Permission("28", "SCHEDULE_ISSUES", "Schedule Issues"),
    Permission("26", "SET_ISSUE_SECURITY", "Set Issue Security"),
    Permission("-1", "ARCHIVE_ISSUES", "Archive Issues"),
    Permission("-1", "UNARCHIVE_ISSUES", "Restore Issues"),
    Permission("32", "MANAGE_WATCHERS", "Manage Watchers"),
    Permission("31", "VIEW_VOTERS_AND_WATCHERS", "View Voters and Watchers"),
    Permission("29", "VIEW_DEV_TOOLS", "View Development Tools"),
    Permission("45", "VIEW_READONLY_WORKFLOW", "View Read-Only Workflow"),
    Permission("-1", "SERVICEDESK_AGENT", "Service Project Agent"),
    Permission("34", "EDIT_ALL_COMMENTS", "Edit All Comments"),
    Permission("35", "EDIT_OWN_COMMENTS", "Edit Own Comments"),
    Permission("36", "DELETE_ALL_COMMENTS", "Delete All Comments"),
    Permission("37", "DELETE_OWN_COMMENTS", "Delete Own Comments"),
    Permission("19", "CREATE_ATTACHMENTS", "Create Attachments"),
    Permission("38", "DELETE_ALL_ATTACHMENTS", "Delete All Attachments"),
    Permission("39", "DELETE_OWN_ATTACHMENTS", "Delete Own Attachments"),
    Permission("40", "EDIT_OWN_WORKLOGS", "Edit Own Worklogs"),
    Permission("41", "EDIT_ALL_WORKLOGS", "Edit All Worklogs"),
    Permission("42", "DELETE_OWN_WORKLOGS", "Delete Own Worklogs"),
    Permission("43", "DELETE_ALL_WORKLOGS", "Delete All Worklogs"),
)
_KNOWN = {permission.key: permission for permission in (*_PROJECT, *_GLOBAL)}
_SITE_WIDE = frozenset(permission.key for permission in _GLOBAL)
_NOT_HELD = frozenset(
    {
        "ADMINISTER",
        "SYSTEM_ADMIN",
        "CREATE_PROJECT",
        "SET_ISSUE_SECURITY",
        "ARCHIVE_ISSUES",
        "UNARCHIVE_ISSUES",
        "SERVICEDESK_AGENT",
        "CREATE_ATTACHMENTS",
    }
)
"""What a service account has not, or what nothing here can be done with."""


def my_permissions(site: Site, call: Call) -> Json:
    """Answer what the account may do, in one project or on one issue when one is named."""
    key = call.request.first("projectKey") or call.request.first("projectId")
    if key is not None:
        site.project(key)
    issue = call.request.first("issueKey") or call.request.first("issueId")
    if issue is not None:
        site.issue(issue)
    wanted = call.listed("permissions") or tuple(_KNOWN)
    strange = [name for name in wanted if name not in _KNOWN]
    if strange:
        raise Refusal(400, f"Unrecognized permission: {strange[0]}")
    return {"permissions": {name: _shown(_KNOWN[name]) for name in wanted}}


def _shown(permission: Permission) -> Json:
    return {
        "id": permission.id,
        "key": permission.key,
        "name": permission.name,
        "type": "GLOBAL" if permission.key in _SITE_WIDE else "PROJECT",
        "description": "",
        "havePermission": permission.key not in _NOT_HELD,
    }


ROUTES = (Route("GET", "mypermissions", my_permissions),)
