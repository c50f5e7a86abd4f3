"""What the calling account may do: the documented permissions of Jira, each a whole site's or a project's."""

from __future__ import annotations

from typing import NamedTuple

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Json
from rayline_sandbox.jira.routes import table
from rayline_sandbox.jira.site import Call, Site


class Permission(NamedTuple):
    """One built-in permission under its number, as both deployments list it."""

    id: str
    key: str
    name: str


_GLOBAL = """
ADMINISTER 0 Administer Jira
SYSTEM_ADMIN 44 Jira System Administrators
CREATE_SHARED_OBJECTS 22 Share dashboards and filters
MANAGE_GROUP_FILTER_SUBSCRIPTIONS 24 Manage group filters
USER_PICKER 27 Browse users and groups
BULK_CHANGE 33 Make bulk changes
CREATE_PROJECT -1 Create projects
"""
_PROJECT = """
BROWSE_PROJECTS 10 Browse Projects
CREATE_ISSUES 11 Create Issues
EDIT_ISSUES 12 Edit Issues
TRANSITION_ISSUES 46 Transition Issues
DELETE_ISSUES 16 Delete Issues
WORK_ON_ISSUES 20 Work On Issues
ADD_COMMENTS 15 Add Comments
ASSIGN_ISSUES 13 Assign Issues
MOVE_ISSUES 25 Move Issues
MANAGE_SPRINTS_PERMISSION -1 Manage sprints
ADMINISTER_PROJECTS 23 Administer Projects
ASSIGNABLE_USER 17 Assignable User
CLOSE_ISSUES 18 Close Issues
LINK_ISSUES 21 Link Issues
MODIFY_REPORTER 30 Modify Reporter
RESOLVE_ISSUES 14 Resolve Issues
SCHEDULE_ISSUES 28 Schedule Issues
SET_ISSUE_SECURITY 26 Set Issue Security
ARCHIVE_ISSUES -1 Archive Issues
UNARCHIVE_ISSUES -1 Restore Issues
MANAGE_WATCHERS 32 Manage Watchers
VIEW_VOTERS_AND_WATCHERS 31 View Voters and Watchers
VIEW_DEV_TOOLS 29 View Development Tools
VIEW_READONLY_WORKFLOW 45 View Read-Only Workflow
SERVICEDESK_AGENT -1 Service Project Agent
EDIT_ALL_COMMENTS 34 Edit All Comments
EDIT_OWN_COMMENTS 35 Edit Own Comments
DELETE_ALL_COMMENTS 36 Delete All Comments
DELETE_OWN_COMMENTS 37 Delete Own Comments
CREATE_ATTACHMENTS 19 Create Attachments
DELETE_ALL_ATTACHMENTS 38 Delete All Attachments
DELETE_OWN_ATTACHMENTS 39 Delete Own Attachments
EDIT_OWN_WORKLOGS 40 Edit Own Worklogs
EDIT_ALL_WORKLOGS 41 Edit All Worklogs
DELETE_OWN_WORKLOGS 42 Delete Own Worklogs
DELETE_ALL_WORKLOGS 43 Delete All Worklogs
"""


def _read(table: str) -> dict[str, Permission]:
    """Return the permissions of a table by their keys."""
    rows = [line.split(" ", 2) for line in table.split("\n") if line]
    return {key: Permission(number, key, name) for key, number, name in rows}


_SITE_WIDE = _read(_GLOBAL)
_KNOWN = _read(_PROJECT) | _SITE_WIDE
_OF_ADMINISTRATORS = frozenset({"ADMINISTER", "SYSTEM_ADMIN", "CREATE_PROJECT"})
_NOT_HELD = frozenset(
    {"SET_ISSUE_SECURITY", "ARCHIVE_ISSUES", "UNARCHIVE_ISSUES", "SERVICEDESK_AGENT"}
)
"""What nothing here can be done with."""


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
    lacking = _NOT_HELD if site.administers else _NOT_HELD | _OF_ADMINISTRATORS
    shown = {}
    for name in wanted:
        shown[name] = {**_shown(_KNOWN[name]), "havePermission": name not in lacking}
    return {"permissions": shown}


def all_permissions(site: Site, call: Call) -> Json:
    """Answer every permission there is."""
    return {"permissions": {name: _shown(known) for name, known in _KNOWN.items()}}


def _shown(permission: Permission) -> Json:
    return {
        "id": permission.id,
        "key": permission.key,
        "name": permission.name,
        "type": "GLOBAL" if permission.key in _SITE_WIDE else "PROJECT",
        "description": "",
    }


ROUTES = table(
    {"GET mypermissions": my_permissions, "GET permissions": all_permissions}
)
