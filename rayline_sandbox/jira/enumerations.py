"""What a site counts up: statuses, priorities, resolutions, issue types and roles, in lists and one by one."""

from __future__ import annotations

from collections.abc import Iterable

from rayline_sandbox.jira.errors import missing
from rayline_sandbox.jira.model import CATEGORIES, ROLES, Json, Project, User
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, table
from rayline_sandbox.jira.site import Call, Site

# Lists ----------------------------------------------------------------------


def get_all_statuses(site: Site, call: Call) -> list[Json]:
    """Answer all statuses; names repeat."""
    renderer = Renderer(site, call)
    return [renderer.status(status) for status in site.store.statuses.values()]


def get_categories(site: Site, call: Call) -> list[Json]:
    """Answer the status categories."""
    renderer = Renderer(site, call)
    return [renderer.category(key) for key in CATEGORIES]


def get_kinds(site: Site, call: Call) -> list[Json]:
    """Answer the issue types."""
    renderer = Renderer(site, call)
    return [renderer.kind(kind) for kind in site.store.kinds.values()]


def get_priorities(site: Site, call: Call) -> list[Json | None]:
    """Answer the priorities."""
    renderer = Renderer(site, call)
    return [renderer.priority(identity) for identity in site.store.priorities]


def get_resolutions(site: Site, call: Call) -> list[Json | None]:
    """Answer the resolutions."""
    renderer = Renderer(site, call)
    return [renderer.resolution(identity) for identity in site.store.resolutions]


# Pages ----------------------------------------------------------------------


def search_priorities(site: Site, call: Call) -> Json:
    """Answer priorities a page at a time, by id or a part of the name."""
    return _searched(site, call, get_priorities(site, call), "priorityName")


def search_resolutions(site: Site, call: Call) -> Json:
    """Answer resolutions a page at a time, by id."""
    return _searched(site, call, get_resolutions(site, call), "")


def _searched(site: Site, call: Call, known: Iterable[Json | None], name: str) -> Json:
    ids = call.listed("id")
    text = call.text(name).casefold() if name else ""
    chosen: list[Json] = []
    for entry in known:
        if entry is None or (ids and entry["id"] not in ids):
            continue
        if text in entry["name"].casefold():
            chosen.append({**entry, "isDefault": False})
    return offset_page(chosen, *call.page(50, 50))


# One by one -----------------------------------------------------------------


def get_status(site: Site, call: Call) -> Json:
    """Answer one status by id or name."""
    ref = call.parameters["status"]
    found = site.store.statuses.get(ref) or site.store.status_named(ref)
    if found is None:
        raise missing("status", ref)
    return Renderer(site, call).status(found)


def get_category(site: Site, call: Call) -> Json:
    """Answer one status category by id or key."""
    ref = call.parameters["category"]
    for key, category in CATEGORIES.items():
        if ref in (key, str(category.id)):
            return Renderer(site, call).category(key)
    raise missing("status category", ref)


def get_kind(site: Site, call: Call) -> Json:
    """Answer one issue type."""
    ref = call.parameters["kind"]
    if ref not in site.store.kinds:
        raise missing("issue type", ref)
    return Renderer(site, call).kind(site.store.kinds[ref])


def get_priority(site: Site, call: Call) -> Json | None:
    """Answer one priority."""
    ref = call.parameters["priority"]
    if ref not in site.store.priorities:
        raise missing("priority", ref)
    return Renderer(site, call).priority(ref)


def get_resolution(site: Site, call: Call) -> Json | None:
    """Answer one resolution."""
    ref = call.parameters["resolution"]
    if ref not in site.store.resolutions:
        raise missing("resolution", ref)
    return Renderer(site, call).resolution(ref)


# Roles ----------------------------------------------------------------------


def get_roles(site: Site, call: Call) -> list[Json]:
    """Answer the roles of the site."""
    rest = Renderer(site, call).rest
    return [
        {
            "self": f"{rest}/role/{each}",
            "id": int(each),
            "name": name,
            "description": "",
        }
        for each, name in ROLES.items()
    ]


def role_links(renderer: Renderer, project: Project) -> Json:
    """Return the addresses of a project's roles by their names."""
    return {
        name: f"{renderer.rest}/project/{project.id}/role/{each}"
        for each, name in ROLES.items()
    }


def get_project_roles(site: Site, call: Call) -> Json:
    """Answer where the roles of a project are."""
    project = site.project(call.parameters["project"])
    return role_links(Renderer(site, call), project)


def get_role_details(site: Site, call: Call) -> list[Json]:
    """Answer the roles of a project without who has them."""
    project = site.project(call.parameters["project"])
    addresses = role_links(Renderer(site, call), project)
    return [
        {"self": addresses[name], "id": int(each), "name": name, "description": ""}
        for each, name in ROLES.items()
    ]


def get_project_role(site: Site, call: Call) -> Json:
    """Answer one role of a project: everybody active has it, only the lead administers."""
    project = site.project(call.parameters["project"])
    ref = call.parameters["role"]
    name = ROLES.get(ref)
    if name is None:
        raise missing("role", ref)
    renderer = Renderer(site, call)
    users = [user for user in site.store.users.values() if user.active]
    if name == "Administrators":
        users = [each for each in users if each.account == project.lead]
    return {
        "self": role_links(renderer, project)[name],
        "name": name,
        "id": int(ref),
        "description": "",
        "actors": [_actor(renderer, user) for user in users],
    }


def _actor(renderer: Renderer, user: User) -> Json:
    number = int(user.key.removeprefix("JIRAUSER"))
    shown: Json = {
        "id": number,
        "displayName": user.display,
        "type": "atlassian-user-role-actor",
    }
    if renderer.cloud:
        return {**shown, "actorUser": {"accountId": user.account}}
    return {**shown, "name": user.name}


ROUTES = (
    *table(
        {
            "GET priority/search": search_priorities,
            "GET resolution/search": search_resolutions,
        },
        on=CLOUD,
    ),
    *table(
        {
            "GET status": get_all_statuses,
            "GET status/{status}": get_status,
            "GET statuscategory": get_categories,
            "GET statuscategory/{category}": get_category,
            "GET issuetype": get_kinds,
            "GET issuetype/{kind}": get_kind,
            "GET priority": get_priorities,
            "GET priority/{priority}": get_priority,
            "GET resolution": get_resolutions,
            "GET resolution/{resolution}": get_resolution,
            "GET role": get_roles,
            "GET project/{project}/role": get_project_roles,
            "GET project/{project}/roledetails": get_role_details,
            "GET project/{project}/role/{role}": get_project_role,
        }
    ),
)
