"""Single releases and components: read, made, changed, dropped."""

from __future__ import annotations

import re
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

_OF_COMPONENTS = {
    "name",
    "project",
    "isAssigneeTypeValid",  # what answers carry and nobody can set
}
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
        raise Refusal(400, errors={"project": "You must specify a project."})
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
        raise Refusal(400, errors={"name": "You must specify a valid version name"})
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


def delete_version(site: Site, call: Call) -> Outcome:
    """Drop a release; its issues no longer name it."""
    version = _version_of(site, call)
    for identity in site.store.by_project[version.project]:
        issue = site.store.issues[identity]
        issue.fix_versions = _without(issue.fix_versions, version.id)
        issue.versions = _without(issue.versions, version.id)
    del site.store.versions[version.id]
    return Outcome(204)


def _without(identities: tuple[int, ...], gone: int) -> tuple[int, ...]:
    return tuple(each for each in identities if each != gone)


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
    """Make a component of a project: a name, nothing else is kept here."""
    asked = call.object()
    ref = asked.get("project")
    if ref is None:
        raise Refusal(400, errors={"project": "You must specify a project."})
    project = site.project(ref)
    identity = site.store.counters.take("component")
    component = _named(site, Component(identity, project.id, ""), asked)
    site.store.components[identity] = component
    return Outcome(201, _component(site, call, component))


def update_component(site: Site, call: Call) -> Json:
    """Give a component another name."""
    component = _named(site, _component_of(site, call), call.object())
    site.store.components[component.id] = component
    return _component(site, call, component)


def _named(site: Site, component: Component, asked: Json) -> Component:
    """Return a component with the name a body says; 400 for one that cannot be and for what is not kept."""
    strange = sorted(set(asked) - _OF_COMPONENTS)
    if strange:
        raise Refusal(
            400, errors={strange[0]: "This part of a component is not supported."}
        )
    name = asked.get("name", component.name)
    if not isinstance(name, str) or not name.strip():
        raise Refusal(400, errors={"name": "The component name specified is invalid."})
    for other in site.store.components.values():
        is_sibling = other.project == component.project and other.id != component.id
        if is_sibling and other.name == name:
            raise Refusal(
                400,
                errors={
                    "name": "A component with this name already exists in this project."
                },
            )
    return component._replace(name=name)


def delete_component(site: Site, call: Call) -> Outcome:
    """Drop a component; its issues no longer name it."""
    component = _component_of(site, call)
    for identity in site.store.by_project[component.project]:
        issue = site.store.issues[identity]
        issue.components = _without(issue.components, component.id)
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
        "POST component": create_component,
        "GET component/{component}": get_component,
        "PUT component/{component}": update_component,
        "DELETE component/{component}": delete_component,
    }
)
