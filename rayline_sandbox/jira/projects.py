"""Projects, their releases, components and statuses (docs/facts/jira-api.md 2.3, 2.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from rayline_sandbox.jira.enumerations import role_links
from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Component, Json, Project, Version
from rayline_sandbox.jira.render import Renderer, linked_page, offset_page
from rayline_sandbox.jira.routes import CLOUD, table
from rayline_sandbox.jira.site import Call, Site, honour

PAGE_LIMIT = 100
_ACTIONS = ("view", "browse", "edit", "create")
_CATEGORY = "10000"
_NOT_EXPANDED = frozenset({"permissions", "issueTypeHierarchy", "url"})
_NOT_COUNTED = frozenset({"operations", "driver", "approvers"})
_VERSION_ORDERS: dict[str, Callable[[Version], Any]] = {
    "name": lambda v: v.name.casefold(),
    "description": lambda v: v.description.casefold(),
    "releaseDate": lambda v: v.release,
    "startDate": lambda v: v.start,
}
_STATES = frozenset({"live", "archived", "deleted"})


def search_projects(site: Site, call: Call) -> Json:
    """Answer the projects the account sees, a page at a time; presence here is the permission check."""
    states = frozenset(call.listed("status")) or frozenset({"live"})
    strange = states - _STATES
    if strange:
        first = min(strange)
        raise Refusal(
            400, f"The status '{first}' is not one of live, archived, deleted."
        )
    action = call.text("action", "view")
    if action not in _ACTIONS:
        known = ", ".join(_ACTIONS)
        raise Refusal(400, f"The action '{action}' is not one of {known}.")
    projects = []
    for project in site.store.projects.values():
        if project.hidden or project.state not in states:
            continue
        if _wanted(call, project):
            projects.append(project)
    projects.sort(key=lambda project: project.key)
    projects = call.ordered(projects, _project_orders(site), "key")
    start, size = call.page(50, PAGE_LIMIT)
    renderer = Renderer(site, call)
    page = offset_page(projects, start, size)
    page["values"] = [
        _project(site, renderer, project, call) for project in page["values"]
    ]
    link = f"{renderer.rest}/project/search?maxResults={size}&startAt="
    return linked_page(page, link)


def _wanted(call: Call, project: Project) -> bool:
    keys = call.request.every("keys")
    ids = call.request.every("id")
    query = call.text("query").casefold()
    kinds = call.listed("typeKey")
    category = call.request.first("categoryId")
    # No project here has properties.
    if call.text("propertyQuery"):
        return False
    if keys and project.key not in keys:
        return False
    if ids and str(project.id) not in ids:
        return False
    if kinds and project.kind not in kinds:
        return False
    if category is not None and _category(project) != category:
        return False
    return query in project.key.casefold() or query in project.name.casefold()


def _category(project: Project) -> str | None:
    return _CATEGORY if project.category else None


def _project_orders(site: Site) -> dict[str, Callable[[Project], Any]]:
    store = site.store

    def touched(project: Project) -> int | None:
        return _last_update(site, project)

    def owner(project: Project) -> str | None:
        if not project.lead:
            return None
        return store.users[project.lead].display.casefold()

    return {
        "key": lambda p: p.key,
        "name": lambda p: p.name.casefold(),
        "category": lambda p: p.category,
        "owner": owner,
        "issueCount": lambda p: len(store.by_project[p.id]),
        "lastIssueUpdatedDate": touched,
        "lastIssueUpdatedTime": touched,
        "archivedDate": lambda _: None,
        "deletedDate": lambda _: None,
    }


def _project(site: Site, renderer: Renderer, project: Project, call: Call) -> Json:
    expand = honour(call.listed("expand"), _NOT_EXPANDED)
    shown: Json = {
        "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
        **renderer.project(project),
    }
    if site.cloud:
        shown |= {
            "style": "next-gen" if project.simplified else "classic",
            "isPrivate": False,
            "properties": {},
            "archived": project.state == "archived",
            "deleted": project.state == "deleted",
        }
    else:
        shown["archived"] = project.state == "archived"
    if project.category:
        shown["projectCategory"] = {
            "id": _CATEGORY,
            "name": project.category,
            "description": "",
            "self": f"{renderer.rest}/projectCategory/{_CATEGORY}",
        }
    if "lead" in expand and project.lead:
        shown["lead"] = renderer.person(project.lead)
    if "description" in expand:
        shown["description"] = project.description
    if "issueTypes" in expand:
        shown["issueTypes"] = [
            renderer.kind(kind) for kind in site.store.kinds.values()
        ]
    if "projectKeys" in expand:
        shown["projectKeys"] = [project.key, *project.former_keys]
    if "insight" in expand:
        shown["insight"] = _insight(site, renderer, project)
    return shown


def _insight(site: Site, renderer: Renderer, project: Project) -> Json:
    insight: Json = {"totalIssueCount": len(site.store.by_project[project.id])}
    last = _last_update(site, project)
    if last is not None:
        insight["lastIssueUpdateTime"] = renderer.stamp(last)
    return insight


def _last_update(site: Site, project: Project) -> int | None:
    store = site.store
    updates = [store.issues[each].updated for each in store.by_project[project.id]]
    return max(updates, default=None)


def all_projects(site: Site, call: Call) -> list[Json]:
    """Answer all live projects the account sees, unpaged."""
    renderer = Renderer(site, call)
    return [
        _project(site, renderer, p, call)
        for p in site.store.projects.values()
        if not p.hidden and p.state == "live"
    ]


def get_project(site: Site, call: Call) -> Json:
    """Answer one project by id, key or former key."""
    project = site.project(call.parameters["project"])
    renderer = Renderer(site, call)
    shown = _project(site, renderer, project, call)
    lead = {}
    if project.lead:
        lead["lead"] = renderer.person(project.lead)
    return {
        **shown,
        **lead,
        "description": project.description,
        "assigneeType": "PROJECT_LEAD",
        "roles": role_links(renderer, project),
        "components": components_of(site, renderer, project),
        "issueTypes": [renderer.kind(kind) for kind in site.store.kinds.values()],
        "versions": [renderer.release(version) for version in _versions(site, project)],
    }


def _versions(site: Site, project: Project) -> list[Version]:
    return [
        version
        for version in site.store.versions.values()
        if version.project == project.id
    ]


def components_of(site: Site, renderer: Renderer, project: Project) -> list[Json]:
    """Return the components of a project."""
    known = site.store.components.values()
    return [
        show_component(renderer, each, project)
        for each in known
        if each.project == project.id
    ]


def show_component(renderer: Renderer, component: Component, project: Project) -> Json:
    """Return a component with who gets its issues: the project's lead unless it says otherwise."""
    shown: Json = {
        **renderer.component(component.id),
        "description": component.description,
        "assigneeType": component.assigned,
        "realAssigneeType": component.assigned,
    }
    if component.lead:
        shown["lead"] = renderer.person(component.lead)
    who = _assigned(component, project)
    if who:
        person = renderer.person(who)
        shown |= {"assignee": person, "realAssignee": person}
    shown |= {
        "isAssigneeTypeValid": bool(who) or component.assigned == "UNASSIGNED",
        "project": project.key,
        "projectId": project.id,
    }
    if not renderer.cloud:
        shown |= {"archived": False, "deleted": False}
    return shown


def _assigned(component: Component, project: Project) -> str | None:
    if component.assigned == "UNASSIGNED":
        return None
    if component.assigned == "COMPONENT_LEAD":
        return component.lead
    return project.lead


def get_components(site: Site, call: Call) -> list[Json]:
    """Answer a project's components."""
    return components_of(
        site, Renderer(site, call), site.project(call.parameters["project"])
    )


def get_versions(site: Site, call: Call) -> list[Json]:
    """Answer all versions of a project."""
    project = site.project(call.parameters["project"])
    renderer = Renderer(site, call)
    return [renderer.release(version) for version in _versions(site, project)]


def page_versions(site: Site, call: Call) -> Json:
    """Answer versions of a project, a page at a time; `expand=issuesstatus` counts issues per category."""
    project = site.project(call.parameters["project"])
    states = frozenset(call.listed("status"))
    text = call.text("query").casefold()
    versions = []
    for version in _versions(site, project):
        if states and not states & _states(version):
            continue
        described = (version.name.casefold(), version.description.casefold())
        if any(text in part for part in described):
            versions.append(version)
    places = {each: place for place, each in enumerate(site.store.versions)}
    orders = {"sequence": lambda v: places[v.id], **_VERSION_ORDERS}
    versions = call.ordered(versions, orders, "sequence")
    start, size = call.page(50, 50)
    renderer = Renderer(site, call)
    page = offset_page(versions, start, size)
    counted = "issuesstatus" in honour(call.listed("expand"), _NOT_COUNTED)
    values = []
    for version in page["values"]:
        shown = renderer.release(version)
        if counted:
            shown |= _issue_counts(site, version)
        values.append(shown)
    page["values"] = values
    return {
        "self": f"{renderer.rest}/project/{project.key}/version?startAt={start}&maxResults={size}",
        **page,
    }


def _states(version: Version) -> set[str]:
    if version.archived:
        return {"archived"}
    return {"released" if version.released else "unreleased"}


def _issue_counts(site: Site, version: Version) -> Json:
    store = site.store
    counts = Counter(
        store.statuses[store.issues[each].status].category
        for each in store.by_project[version.project]
        if version.id in store.issues[each].fix_versions
    )
    return {
        "issuesStatusForFixVersion": {
            "unmapped": counts["undefined"],
            "toDo": counts["new"],
            "inProgress": counts["indeterminate"],
            "done": counts["done"],
        }
    }


def get_statuses(site: Site, call: Call) -> list[Json]:
    """Answer a project's statuses per issue type."""
    project = site.project(call.parameters["project"])
    renderer = Renderer(site, call)
    known = site.store.statuses
    statuses = [renderer.status(known[each]) for each in project.statuses]
    return [
        {
            "self": f"{renderer.rest}/issuetype/{kind.id}",
            "id": kind.id,
            "name": kind.name,
            "subtask": kind.level < 0,
            "statuses": statuses,
        }
        for kind in site.store.kinds.values()
    ]


ROUTES = (
    *table({"GET project/search": search_projects}, on=CLOUD),
    *table(
        {
            "GET project": all_projects,
            "GET project/{project}": get_project,
            "GET project/{project}/components": get_components,
            "GET project/{project}/versions": get_versions,
            "GET project/{project}/version": page_versions,
            "GET project/{project}/statuses": get_statuses,
        }
    ),
)
