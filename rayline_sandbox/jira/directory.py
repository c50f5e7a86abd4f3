"""The site itself: who one is, what it is, its people, fields, enumerations and saved searches."""

from __future__ import annotations

from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.fields import field_schema, fields_of
from rayline_sandbox.jira.model import Field, Json, Status, User
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, SERVER, Outcome, Route, table
from rayline_sandbox.jira.site import Call, Site

# Site -----------------------------------------------------------------------


def server_info(site: Site, call: Call) -> Json:
    """Answer what the site is; anonymous, so it proves nothing about credentials (section 4)."""
    renderer = Renderer(site, call)
    now = renderer.stamp(site.now())
    shared = {
        "baseUrl": call.base,
        "buildDate": "2026-08-14T02:42:04.000+0000",
        "serverTime": now,
        "scmInfo": "56412dadeaf927dd37709c84cb8df7dee7ac7123",
        "serverTitle": "Jira",
    }
    if site.cloud:
        return {
            **shared,
            "displayUrl": call.base,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": 100293,
            "defaultLocale": {"locale": "en_US"},
            "serverTimeZone": "Etc/UTC",
        }
    return {
        **shared,
        "version": "10.4.0",
        "versionNumbers": [10, 4, 0],
        "deploymentType": "Server",
        "buildNumber": 10040000,
        "databaseBuildNumber": 10040000,
    }


def tenant_info(site: Site, call: Call) -> Json:
    """Answer the site's cloud id, which scoped tokens need."""
    return {"cloudId": site.cloud_id}


def configuration(site: Site, call: Call) -> Json:
    """Answer the site's settings; durations in text depend on its hours per day."""
    return {
        "votingEnabled": True,
        "watchingEnabled": True,
        "unassignedIssuesAllowed": True,
        "subTasksEnabled": True,
        "issueLinkingEnabled": True,
        "timeTrackingEnabled": True,
        "attachmentsEnabled": True,
        "timeTrackingConfiguration": {
            "workingHoursPerDay": site.hours_per_day,
            "workingDaysPerWeek": site.days_per_week,
            "timeFormat": "pretty",
            "defaultUnit": "minute",
        },
    }


# People ---------------------------------------------------------------------


def myself(site: Site, call: Call) -> Json:
    """Answer the calling account with its time zone, in which quoted JQL dates are read."""
    person = Renderer(site, call).user(site.me)
    deleted = {} if site.cloud else {"deleted": False}
    return {
        **person,
        **deleted,
        "locale": "en_US",
        "groups": {"size": 1, "items": []},
        "applicationRoles": {"size": 1, "items": []},
        "expand": "groups,applicationRoles",
    }


def session(site: Site, call: Call) -> Json:
    """Answer whose session it is; Cloud has none."""
    renderer = Renderer(site, call)
    address = f"{renderer.base}/rest/api/latest/user"
    return {
        "self": f"{address}?username={site.me.name}",
        "name": site.me.name,
        "loginInfo": {
            "loginCount": 1,
            "failedLoginCount": 0,
            "previousLoginTime": renderer.stamp(site.now()),
        },
    }


def end_session(site: Site, call: Call) -> Outcome:
    """Let a session end: none is kept here."""
    return Outcome(204)


def get_user(site: Site, call: Call) -> Json:
    """Answer one user."""
    names = ("accountId",) if site.cloud else ("username", "key")
    given = [call.request.first(name) for name in names]
    ref = next(filter(None, given), None)
    found = site.store.find_user(ref) if ref else None
    if found is None:
        raise missing("user", ref)
    return Renderer(site, call).user(found)


def search_users(site: Site, call: Call) -> list[Json]:
    """Answer users whose name or e-mail begins with a text."""
    text = (
        call.text("query") or call.text("username") or call.text("accountId")
    ).casefold()
    users = [
        user
        for user in site.store.users.values()
        if user.active and _matches(user, text)
    ]
    start, size = call.page(50, 1000)
    renderer = Renderer(site, call)
    beside = {} if site.cloud else {"deleted": False, "locale": "en_US"}
    end = start + size
    return [{**renderer.user(user), **beside} for user in users[start:end]]


def search_assignable(site: Site, call: Call) -> list[Json]:
    """Answer people who can be assigned issues of a project, or one issue."""
    return _search_beside(site, call, "project")


def _search_beside(site: Site, call: Call, name: str) -> list[Json]:
    project = call.request.first(name)
    issue = call.request.first("issueKey") or call.request.first("issueId")
    if project is None and issue is None:
        raise Refusal(400, "A project or an issue must be provided.")
    if project is not None:
        site.project(project)
    if issue is not None:
        site.issue(issue)
    return search_users(site, call)


def search_viewing(site: Site, call: Call) -> list[Json]:
    """Answer people who may see the issues of a project, or one issue: everybody here."""
    return _search_beside(site, call, "projectKey")


def search_assignable_everywhere(site: Site, call: Call) -> list[Json]:
    """Answer people who can be assigned issues of several projects."""
    keys = call.listed("projectKeys")
    if not keys:
        raise Refusal(400, "The list of project keys must not be empty.")
    for key in keys:
        site.project(key)
    return search_users(site, call)


def _matches(user: User, text: str) -> bool:
    if text in ("", "."):
        return True
    texts = [user.display, user.email, user.name, user.account]
    texts += user.display.split()
    return any(each.casefold().startswith(text) for each in texts)


def all_users(site: Site, call: Call) -> list[Json]:
    """Answer all users, also deactivated ones and apps."""
    start, size = call.page(50, 1000)
    renderer = Renderer(site, call)
    users = list(site.store.users.values())
    return [renderer.user(user) for user in users[start : start + size]]


# Enumerations ---------------------------------------------------------------


def get_fields(site: Site, call: Call) -> list[Json]:
    """Answer all fields; custom ones are found by `schema.custom`."""
    return [_field(field) for field in fields_of(site.store)]


def _field(field: Field) -> Json:
    number = field.id.rpartition("_")[2]
    clauses = (
        [f"cf[{number}]", field.name]
        if field.custom
        else list(field.clauses or (field.id,))
    )
    schema = field_schema(*field[:5])
    return {
        "id": field.id,
        "key": field.id,
        "name": field.name,
        "custom": bool(field.custom),
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": clauses,
        **({"schema": schema} if schema else {}),
    }


def page_fields(site: Site, call: Call) -> Json:
    """Answer fields a page at a time, by type, id or name."""
    kinds = call.listed("type")
    ids = call.listed("id")
    query = call.text("query").casefold()
    fields = [
        f
        for f in fields_of(site.store)
        if (not kinds or ("custom" if f.custom else "system") in kinds)
        and (not ids or f.id in ids)
        and query in f.name.casefold()
    ]
    page = offset_page(fields, *call.page(50, 50))
    page["values"] = [
        {
            "id": f.id,
            "name": f.name,
            **({"schema": schema} if (schema := field_schema(*f[:5])) else {}),
        }
        for f in page["values"]
    ]
    return page


def search_statuses(site: Site, call: Call) -> Json:
    """Answer statuses a page at a time, with their category as a word."""
    project = call.request.first("projectId")
    text = call.text("searchString").casefold()
    statuses = [
        s
        for s in site.store.statuses.values()
        if text in s.name.casefold()
        and (project is None or s.id in site.project(project).statuses)
    ]
    page = offset_page(statuses, *call.page(200, 200))
    page["values"] = [_worded(status) for status in page["values"]]
    return {"self": f"{Renderer(site, call).rest}/statuses/search", **page}


_WORDS = {
    "new": "TODO",
    "indeterminate": "IN_PROGRESS",
    "done": "DONE",
    "undefined": "TODO",
}


def _worded(status: Status) -> Json:
    """Return a status with its category as a word."""
    scope: Json = {"type": "GLOBAL"}
    if status.project:
        scope = {"type": "PROJECT", "project": {"id": str(status.project)}}
    return {
        "id": status.id,
        "name": status.name,
        "statusCategory": _WORDS[status.category],
        "description": "",
        "scope": scope,
    }


def get_statuses(site: Site, call: Call) -> list[Json]:
    """Answer statuses by their ids; those that are not there are left out."""
    ids = call.listed("id")
    known = site.store.statuses.values()
    return [_worded(status) for status in known if status.id in ids]


def get_statuses_named(site: Site, call: Call) -> list[Json]:
    """Answer statuses by their names; those that are not there are left out."""
    names = call.request.every("name")
    known = site.store.statuses.values()
    return [_worded(status) for status in known if status.name in names]


ROUTES = (
    *table(
        {
            "GET users/search": all_users,
            "GET field/search": page_fields,
            "GET statuses": get_statuses,
            "GET statuses/byNames": get_statuses_named,
            "GET statuses/search": search_statuses,
        },
        on=CLOUD,
    ),
    *table(
        {
            "GET session": session,
            "DELETE session": end_session,
            "DELETE websudo": end_session,
        },
        on=SERVER,
        root="auth",
    ),
    *table(
        {
            "GET configuration": configuration,
            "GET myself": myself,
            "GET user": get_user,
            "GET user/search": search_users,
            "GET user/assignable/search": search_assignable,
            "GET user/viewissue/search": search_viewing,
            "GET user/assignable/multiProjectSearch": search_assignable_everywhere,
            "GET field": get_fields,
        }
    ),
    Route("GET", "serverInfo", server_info, anonymous=True),
    Route("GET", "_edge/tenant_info", tenant_info, CLOUD, root="", anonymous=True),
)
