"""Single releases and components: read, made, changed, dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.model import Component, Issue, Json, Version
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.projects import components_of
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site

_OF_COMPONENTS = frozenset(
    {
        *("id", "self", "name", "description", "project", "projectId", "assigneeType"),
        *("lead", "leadAccountId", "leadUserName", "assignee", "realAssignee"),
        *("realAssigneeType", "isAssigneeTypeValid", "archived", "deleted"),
    }
)
"""What a component has; what of it nobody can set may be sent back."""
_ASSIGNED = ("PROJECT_DEFAULT", "COMPONENT_LEAD", "PROJECT_LEAD", "UNASSIGNED")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _version_of(site: Site, call: Call) -> Version:
    ref = call.parameters["version"]
    version = site.store.versions.get(as_identity(ref) or 0)
    if version is None or not site.store.seen(version.project):
        raise missing("version", ref)
    return version


def get_version(site: Site, call: Call) -> Json:
    """Answer one release."""
    return Renderer(site, call).release(_version_of(site, call))


def create_version(site: Site, call: Call) -> Outcome:
    """Make a release of a project."""
    asked = call.object()
    ref = asked.get("projectId", asked.get("project"))
    if ref is None:
        raise Refusal(
            400,
            errors={
                "project": "You must specify the project it belongs to, by id or key."
            },
        )
    project = site.project(ref)
    version = _changed(site, Version(0, project.id, ""), asked)
    version.id = site.store.counters.take("version")
    site.store.versions[version.id] = version
    return Outcome(201, Renderer(site, call).release(version))


def update_version(site: Site, call: Call) -> Json:
    """Change a release; what is not said stays."""
    version = _changed(site, _version_of(site, call), call.object())
    site.store.versions[version.id] = version
    return Renderer(site, call).release(version)


def _changed(site: Site, version: Version, asked: Json) -> Version:
    name = asked.get("name", version.name)
    if not isinstance(name, str) or not name.strip():
        raise Refusal(
            400,
            errors={
                "name": "You must specify a valid version name, one that is not empty."
            },
        )
    for other in site.store.versions.values():
        is_sibling = other.project == version.project and other.id != version.id
        if is_sibling and other.name == name:
            raise Refusal(
                400,
                errors={
                    "name": "A version with this name already exists in this project."
                },
            )
    return replace(
        version,
        name=name,
        description=str(asked.get("description", version.description) or ""),
        released=bool(asked.get("released", version.released)),
        archived=bool(asked.get("archived", version.archived)),
        start=_day(asked.get("startDate", version.start), "startDate"),
        release=_day(asked.get("releaseDate", version.release), "releaseDate"),
    )


def _day(value: Any, name: str) -> str | None:
    if value in (None, ""):
        return None
    text = str(value)
    try:
        # `fromisoformat` alone would take week dates, which Jira does not.
        return date.fromisoformat(text if _DAY.fullmatch(text) else "").isoformat()
    except ValueError:
        raise Refusal(
            400, errors={name: f"Error parsing date string: {text}"}
        ) from None


def remove_version(site: Site, call: Call) -> Outcome:
    """Drop a release, another in its place where one is named."""
    return _swapped(
        site, call, call.object(), ("moveFixIssuesTo", "moveAffectedIssuesTo")
    )


def delete_version(site: Site, call: Call) -> Outcome:
    """Drop a release; its issues no longer name it, or another where one is named."""
    names = ("moveFixIssuesTo", "moveAffectedIssuesTo")
    asked = {name: call.request.first(name) for name in names}
    return _swapped(site, call, asked, names)


def merge_version(site: Site, call: Call) -> Outcome:
    """Drop a release after its issues were given another."""
    target = call.parameters["other"]
    return _swapped(site, call, {"to": target}, ("to", "to"))


def _swapped(site: Site, call: Call, asked: Json, names: tuple[str, str]) -> Outcome:
    version = _version_of(site, call)
    fixing, affecting = (_heir(site, version, asked.get(name)) for name in names)
    for identity in site.store.by_project[version.project]:
        issue = site.store.issues[identity]
        issue.fix_versions = _without(issue.fix_versions, version.id, fixing)
        issue.versions = _without(issue.versions, version.id, affecting)
    del site.store.versions[version.id]
    return Outcome(204)


def _heir(site: Site, version: Version, ref: Any) -> int | None:
    """Return the release that takes the place of one; 400 for one of another project."""
    if ref in (None, ""):
        return None
    heir = site.store.versions.get(as_identity(str(ref)) or 0)
    if heir is None or heir.project != version.project or heir.id == version.id:
        raise Refusal(
            400, f"The version with id '{ref}' does not exist in the same project."
        )
    return heir.id


def move_version(site: Site, call: Call) -> Json:
    """Give a release another place in its project: after another, or by a word."""
    version = _version_of(site, call)
    asked = call.object()
    known = site.store.versions
    rest = [
        each.id
        for each in known.values()
        if each.project == version.project and each.id != version.id
    ]
    place = _place_asked(site, version, asked, rest)
    order = [*rest[:place], version.id, *rest[place:]]
    others = [each for each in known if known[each].project != version.project]
    site.store.versions = {each: known[each] for each in [*others, *order]}
    return Renderer(site, call).release(version)


def _place_asked(site: Site, version: Version, asked: Json, rest: Sequence[int]) -> int:
    after = asked.get("after")
    if after is not None:
        heir = _heir(site, version, str(after).rpartition("/")[2])
        return rest.index(heir or 0) + 1
    siblings = [
        each.id
        for each in site.store.versions.values()
        if each.project == version.project
    ]
    now = siblings.index(version.id)
    places = {"First": 0, "Last": len(rest), "Earlier": now - 1, "Later": now + 1}
    wish = asked.get("position")
    if wish not in places:
        raise Refusal(
            400,
            "Either 'after' or 'position' must be given: Earlier, Later, First or Last.",
        )
    return min(max(places[wish], 0), len(rest))


def _without(
    identities: tuple[int, ...], gone: int, heir: int | None
) -> tuple[int, ...]:
    """Return identities without one, another at its place where there is one."""
    swapped = (heir if each == gone else each for each in identities)
    return tuple(dict.fromkeys(each for each in swapped if each is not None))


def _component_of(site: Site, call: Call) -> Component:
    ref = call.parameters["component"]
    component = site.store.components.get(as_identity(ref) or 0)
    if component is None or not site.store.seen(component.project):
        raise missing("component", ref)
    return component


def _component(site: Site, call: Call, component: Component) -> Json:
    project = site.store.projects[component.project]
    known = components_of(site, Renderer(site, call), project)
    return next(each for each in known if each["id"] == str(component.id))


def get_component(site: Site, call: Call) -> Json:
    """Answer one component."""
    return _component(site, call, _component_of(site, call))


def create_component(site: Site, call: Call) -> Outcome:
    """Make a component of a project."""
    asked = call.object()
    ref = asked.get("project")
    if ref is None:
        raise Refusal(
            400,
            errors={
                "project": "You must specify the project it belongs to, by id or key."
            },
        )
    project = site.project(ref)
    identity = site.store.counters.take("component")
    component = _said(site, Component(identity, project.id, ""), asked)
    site.store.components[identity] = component
    return Outcome(201, _component(site, call, component))


def update_component(site: Site, call: Call) -> Json:
    """Change a component; what is not said stays."""
    component = _said(site, _component_of(site, call), call.object())
    site.store.components[component.id] = component
    return _component(site, call, component)


def _said(site: Site, component: Component, asked: Json) -> Component:
    """Return a component with what a body says; 400 for what cannot be."""
    strange = sorted(set(asked) - _OF_COMPONENTS)
    if strange:
        raise Refusal(
            400,
            errors={strange[0]: "Unrecognized field of a component: it cannot be set."},
        )
    name = asked.get("name", component.name)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 255:
        raise Refusal(
            400,
            errors={
                "name": "The component name specified is invalid: it has 1 to 255 characters."
            },
        )
    for other in site.store.components.values():
        is_sibling = other.project == component.project and other.id != component.id
        if is_sibling and other.name == name:
            raise Refusal(
                400,
                errors={
                    "name": "A component with this name already exists in this project."
                },
            )
    assigned = asked.get("assigneeType") or component.assigned
    if assigned not in _ASSIGNED:
        raise Refusal(
            400,
            errors={
                "assigneeType": "The assignee type is invalid: it is one of "
                + ", ".join(_ASSIGNED)
            },
        )
    return component._replace(
        name=name,
        description=str(asked.get("description", component.description) or ""),
        lead=_lead(site, component, asked),
        assigned=assigned,
    )


def _lead(site: Site, component: Component, asked: Json) -> str | None:
    """Return the account of the lead a body names; an empty text is nobody."""
    name = "leadAccountId" if site.cloud else "leadUserName"
    if asked.get(name) is None:
        return component.lead
    if not asked[name]:
        return None
    user = site.store.find_user(asked[name])
    if user is None:
        raise Refusal(
            400,
            errors={name: f"The user {asked[name]} does not exist, or cannot be seen."},
        )
    return user.account


def delete_component(site: Site, call: Call) -> Outcome:
    """Drop a component; its issues no longer name it, or another where one is named."""
    component = _component_of(site, call)
    heir = None
    ref = call.request.first("moveIssuesTo")
    if ref:
        heir = as_identity(ref)
        if heir not in site.store.components or heir == component.id:
            raise missing("component", ref)
    for identity in site.store.by_project[component.project]:
        issue = site.store.issues[identity]
        issue.components = _without(issue.components, component.id, heir)
    del site.store.components[component.id]
    return Outcome(204)


# Counts ---------------------------------------------------------------------


def count_related(site: Site, call: Call) -> Json:
    """Answer how many issues name a release."""
    version = _version_of(site, call)
    issues = _issues_beside(site, version)
    fixed = [issue for issue in issues if version.id in issue.fix_versions]
    affected = [issue for issue in issues if version.id in issue.versions]
    return {
        "self": f"{Renderer(site, call).rest}/version/{version.id}",
        "issuesFixedCount": len(fixed),
        "issuesAffectedCount": len(affected),
        "issueCountWithCustomFieldsShowingVersion": 0,
        "customFieldUsage": [],
    }


def count_of_component(site: Site, call: Call) -> Json:
    """Answer how many issues name a component."""
    component = _component_of(site, call)
    known = site.store.issues
    issues = [known[each] for each in site.store.by_project[component.project]]
    return {
        "self": f"{Renderer(site, call).rest}/component/{component.id}",
        "issueCount": sum(component.id in issue.components for issue in issues),
    }


def count_unresolved(site: Site, call: Call) -> Json:
    """Answer how many issues a release still waits for."""
    version = _version_of(site, call)
    issues = _issues_beside(site, version)
    fixed = [issue for issue in issues if version.id in issue.fix_versions]
    unresolved = [issue for issue in fixed if issue.resolution is None]
    return {
        "self": f"{Renderer(site, call).rest}/version/{version.id}",
        "issuesCount": len(fixed),
        "issuesUnresolvedCount": len(unresolved),
    }


def _issues_beside(site: Site, version: Version) -> list[Issue]:
    """Return the issues of a release's project."""
    known = site.store.issues
    return [known[each] for each in site.store.by_project[version.project]]


ROUTES = table(
    {
        "POST version": create_version,
        "GET version/{version}": get_version,
        "PUT version/{version}": update_version,
        "DELETE version/{version}": delete_version,
        "GET version/{version}/relatedIssueCounts": count_related,
        "GET version/{version}/unresolvedIssueCount": count_unresolved,
        "POST version/{version}/move": move_version,
        "POST version/{version}/removeAndSwap": remove_version,
        "PUT version/{version}/mergeto/{other}": merge_version,
        "GET component/{component}/relatedIssueCounts": count_of_component,
        "POST component": create_component,
        "GET component/{component}": get_component,
        "PUT component/{component}": update_component,
        "DELETE component/{component}": delete_component,
    }
)
