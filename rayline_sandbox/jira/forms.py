"""What forms ask before they send: valid names, words to complete a query, options, avatars, security levels."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.fields import fields_of
from rayline_sandbox.jira.jql_evaluate import find
from rayline_sandbox.jira.model import Field, Json
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import CLOUD, SERVER, table
from rayline_sandbox.jira.screens import FLAG, flag_option
from rayline_sandbox.jira.search import compile_text
from rayline_sandbox.jira.site import Call, Site, strings, whole

_TYPES = {
    "software": "Software",
    "business": "Business",
    "service_desk": "Service Management",
}
_OPERATORS = ("=", "!=", "in", "not in", "is", "is not")
_ORDERED = (*_OPERATORS, "<", "<=", ">", ">=")
_BY_SIZE = frozenset({"number", "date", "datetime"})
_FUNCTIONS = {
    "currentUser()": "com.atlassian.jira.user.ApplicationUser",
    "openSprints()": "com.atlassian.greenhopper.service.sprint.Sprint",
    "closedSprints()": "com.atlassian.greenhopper.service.sprint.Sprint",
    "futureSprints()": "com.atlassian.greenhopper.service.sprint.Sprint",
    "now()": "java.util.Date",
    "startOfDay()": "java.util.Date",
    "endOfDay()": "java.util.Date",
    "releasedVersions()": "com.atlassian.jira.project.version.Version",
    "unreleasedVersions()": "com.atlassian.jira.project.version.Version",
}
_WORDS = ("and", "or", "not", "in", "is", "empty", "null", "order", "by", "asc", "desc")
_AVATARS = ("issuetype", "project", "user", "priority")


# Names of projects ----------------------------------------------------------


def check_key(site: Site, call: Call) -> Json:
    """Answer what is wrong with a key for a new project."""
    key = call.text("key")
    errors = {}
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,9}", key):
        errors["projectKey"] = "Project keys must start with an uppercase letter."
    elif site.store.find_project(key):
        errors["projectKey"] = f"Project '{key}' uses this project key."
    return {"errorMessages": [], "errors": errors}


def suggest_key(site: Site, call: Call) -> str:
    """Answer a free key like the one given."""
    letters = re.sub(r"[^A-Z0-9]", "", call.text("key").upper()) or "PROJ"
    number = 0
    free = letters
    while site.store.find_project(free):
        number += 1
        free = f"{letters[:8]}{number}"
    return free


def suggest_name(site: Site, call: Call) -> str:
    """Answer a free name like the one given."""
    name = call.text("name")
    taken = {project.name.casefold() for project in site.store.projects.values()}
    number = 2
    free = name
    while free.casefold() in taken:
        free = f"{name} {number}"
        number += 1
    return free


def get_types(site: Site, call: Call) -> list[Json]:
    """Answer the types of projects."""
    return [
        {
            "key": key,
            "formattedKey": name,
            "descriptionI18nKey": f"jira.project.type.{key}.description",
            "icon": "",
            "color": "#AAAAAA",
        }
        for key, name in _TYPES.items()
    ]


def get_categories(site: Site, call: Call) -> list[Json]:
    """Answer the categories of projects; all here share one number."""
    rest = Renderer(site, call).rest
    projects = site.store.projects.values()
    names = dict.fromkeys(project.category for project in projects if project.category)
    return [
        {
            "self": f"{rest}/projectCategory/10000",
            "id": "10000",
            "name": name,
            "description": "",
        }
        for name in list(names)[:1]
    ]


# Queries --------------------------------------------------------------------


def get_words(site: Site, call: Call) -> Json:
    """Answer the names, functions and words a query may be completed with."""
    fields = [_completed(field) for field in fields_of(site.store)]
    functions = [
        {
            "value": name,
            "displayName": name,
            "isList": "true" if name.endswith("s()") else "false",
            "types": [kind],
        }
        for name, kind in _FUNCTIONS.items()
    ]
    return {
        "visibleFieldNames": fields,
        "visibleFunctionNames": functions,
        "jqlReservedWords": list(_WORDS),
    }


def _completed(field: Field) -> Json:
    number = field.id.rpartition("_")[2]
    shown: Json = {
        "value": field.clauses[0] if field.clauses else field.id,
        "displayName": field.name,
        "orderable": "true",
        "searchable": "true",
        "operators": list(_ORDERED if field.kind in _BY_SIZE else _OPERATORS),
        "types": ["java.lang.String"],
    }
    if field.custom:
        shown |= {"value": f'"{field.name}"', "cfid": f"cf[{number}]"}
    return shown


def suggest_values(site: Site, call: Call) -> Json:
    """Answer values of a field that begin with a text."""
    store = site.store
    known: dict[str, Iterable[str]] = {
        "status": (each.name for each in store.statuses.values()),
        "priority": (each.name for each in store.priorities.values()),
        "issuetype": (each.name for each in store.kinds.values()),
        "project": (
            each.name for each in store.projects.values() if store.seen(each.id)
        ),
        "assignee": (each.display for each in store.users.values()),
        "reporter": (each.display for each in store.users.values()),
    }
    text = call.text("fieldValue").casefold()
    names = known.get(call.text("fieldName").casefold(), ())
    fitting = [
        each for each in dict.fromkeys(names) if each.casefold().startswith(text)
    ]
    return {"results": [{"value": each, "displayName": each} for each in fitting[:15]]}


def match_issues(site: Site, call: Call) -> Json:
    """Answer which of some issues each of some queries finds."""
    asked = call.object()
    refs = strings(asked.get("issueIds"), "issueIds")
    ids = {whole(each, "issueIds", 0) for each in refs}
    matches: list[Json] = []
    for text in strings(asked.get("jqls"), "jqls"):
        try:
            matching = find(compile_text(site, text), site.sight())
        except Refusal as refusal:
            matches.append({"matchedIssues": [], "errors": list(refusal.messages)})
            continue
        matched = sorted(ids.intersection(matching))
        matches.append({"matchedIssues": matched, "errors": []})
    return {"matches": matches}


# Options, avatars, security -------------------------------------------------


def get_option(site: Site, call: Call) -> Json:
    """Answer one option of a custom field: there is one."""
    ref = call.parameters["option"]
    if ref != FLAG:
        raise missing("custom field option", ref)
    shown = flag_option(Renderer(site, call))
    return {name: shown[name] for name in ("self", "value")}


def get_project_avatars(site: Site, call: Call) -> Json:
    """Answer the pictures of a project: one of the system's."""
    site.project(call.parameters["project"])
    return {"system": [_avatar(site, call)], "custom": []}


def get_user_avatars(site: Site, call: Call) -> Json:
    """Answer the pictures of a person: one of the system's."""
    name = call.request.first("username")
    if name is not None and site.store.find_user(name) is None:
        raise missing("user", name)
    return {"system": [_avatar(site, call)], "custom": []}


def get_system_avatars(site: Site, call: Call) -> Json:
    """Answer the pictures the system has for a kind of record."""
    if call.parameters["type"] not in _AVATARS:
        raise missing("avatar type", call.parameters["type"])
    return {"system": [_avatar(site, call)]}


def _avatar(site: Site, call: Call) -> Json:
    return {
        "id": "10200",
        "isSystemAvatar": True,
        "isSelected": True,
        "isDeletable": False,
        "urls": Renderer(site, call).avatars(),
    }


def get_security_levels(site: Site, call: Call) -> Json:
    """Answer the security levels of a project: none here."""
    site.project(call.parameters["project"])
    return {"levels": []}


def get_security_level(site: Site, call: Call) -> Json:
    """Refuse: there are no security levels."""
    raise missing("security level", call.parameters["level"])


def get_security_scheme(site: Site, call: Call) -> Json:
    """Refuse: no project has a security scheme."""
    site.project(call.parameters["project"])
    raise Refusal(
        404, "The project has no issue security scheme, or you do not administer it."
    )


ROUTES = (
    *table({"POST jql/match": match_issues}, on=CLOUD),
    *table({"GET user/avatars": get_user_avatars}, on=SERVER),
    *table(
        {
            "GET projectvalidate/key": check_key,
            "GET projectvalidate/validProjectKey": suggest_key,
            "GET projectvalidate/validProjectName": suggest_name,
            "GET project/type": get_types,
            "GET projectCategory": get_categories,
            "GET jql/autocompletedata": get_words,
            "POST jql/autocompletedata": get_words,
            "GET jql/autocompletedata/suggestions": suggest_values,
            "GET customFieldOption/{option}": get_option,
            "GET project/{project}/avatars": get_project_avatars,
            "GET avatar/{type}/system": get_system_avatars,
            "GET project/{project}/securitylevel": get_security_levels,
            "GET project/{project}/issuesecuritylevelscheme": get_security_scheme,
            "GET securitylevel/{level}": get_security_level,
        }
    ),
)
