"""Schemes of projects: the one of each kind that all projects share here."""

from __future__ import annotations

from rayline_sandbox.jira.errors import missing
from rayline_sandbox.jira.model import Json
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import table
from rayline_sandbox.jira.site import Call, Site

_PERMISSIONS = 0
_NOTIFICATIONS = 10000


def _permission_scheme(site: Site, call: Call) -> Json:
    return {
        "expand": "permissions,user,group,projectRole,field,all",
        "id": _PERMISSIONS,
        "self": f"{Renderer(site, call).rest}/permissionscheme/{_PERMISSIONS}",
        "name": "Default Permission Scheme",
        "description": "",
    }


def _notification_scheme(site: Site, call: Call) -> Json:
    return {
        "expand": "notificationSchemeEvents,user,group,projectRole,field,all",
        "id": _NOTIFICATIONS,
        "self": f"{Renderer(site, call).rest}/notificationscheme/{_NOTIFICATIONS}",
        "name": "Default Notification Scheme",
        "description": "",
        "notificationSchemeEvents": [],
    }


def get_permission_schemes(site: Site, call: Call) -> Json:
    """Answer the permission schemes."""
    return {"permissionSchemes": [_permission_scheme(site, call)]}


def get_permission_scheme(site: Site, call: Call) -> Json:
    """Answer one permission scheme."""
    if call.parameters["scheme"] != str(_PERMISSIONS):
        raise missing("permission scheme", call.parameters["scheme"])
    return _permission_scheme(site, call)


def get_permissions_of_project(site: Site, call: Call) -> Json:
    """Answer the permission scheme of a project."""
    site.project(call.parameters["project"])
    return _permission_scheme(site, call)


def page_notification_schemes(site: Site, call: Call) -> Json:
    """Answer the notification schemes, a page at a time."""
    return offset_page([_notification_scheme(site, call)], *call.page(50, 50))


def get_notification_scheme(site: Site, call: Call) -> Json:
    """Answer one notification scheme."""
    if call.parameters["scheme"] != str(_NOTIFICATIONS):
        raise missing("notification scheme", call.parameters["scheme"])
    return _notification_scheme(site, call)


def get_notifications_of_project(site: Site, call: Call) -> Json:
    """Answer the notification scheme of a project."""
    site.project(call.parameters["project"])
    return _notification_scheme(site, call)


ROUTES = table(
    {
        "GET permissionscheme": get_permission_schemes,
        "GET permissionscheme/{scheme}": get_permission_scheme,
        "GET project/{project}/permissionscheme": get_permissions_of_project,
        "GET notificationscheme": page_notification_schemes,
        "GET notificationscheme/{scheme}": get_notification_scheme,
        "GET project/{project}/notificationscheme": get_notifications_of_project,
    }
)
