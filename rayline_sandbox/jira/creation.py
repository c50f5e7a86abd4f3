"""What can be made in a project and what it takes: issue types and the fields of their screens."""

from __future__ import annotations

from collections.abc import Sequence

from rayline_sandbox.jira.errors import missing
from rayline_sandbox.jira.model import Json, Project
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, table
from rayline_sandbox.jira.screens import create_fields
from rayline_sandbox.jira.site import Call, Site

_PAGE = 50
_LONGEST = 200


def page_kinds(site: Site, call: Call) -> Json:
    """Answer the issue types of a project, a page at a time."""
    site.project(call.parameters["project"])
    renderer = Renderer(site, call)
    kinds = [renderer.kind(kind) for kind in site.store.kinds.values()]
    return _paged(site, call, kinds, "issueTypes")


def page_fields(site: Site, call: Call) -> Json:
    """Answer the fields an issue of a type is made with, a page at a time."""
    project = site.project(call.parameters["project"])
    ref = call.parameters["kind"]
    if ref not in site.store.kinds:
        raise missing("issue type", ref)
    fields = create_fields(Renderer(site, call), project, site.store.kinds[ref])
    return _paged(site, call, fields, "fields")


def _paged(site: Site, call: Call, entries: Sequence[Json], name: str) -> Json:
    """Return a page under the name each deployment has for what is on it."""
    page = offset_page(entries, *call.page(_PAGE, _LONGEST))
    if not site.cloud:
        return page
    return {
        "startAt": page["startAt"],
        "maxResults": page["maxResults"],
        "total": page["total"],
        name: page["values"],
    }


def get_metadata(site: Site, call: Call) -> Json:
    """Answer projects with their issue types at once, with the fields too when they are asked for."""
    keys = call.listed("projectKeys")
    ids = call.listed("projectIds")
    projects = []
    for project in site.store.projects.values():
        is_asked = project.key in keys or str(project.id) in ids
        if site.store.seen(project.id) and (is_asked or not (keys or ids)):
            projects.append(_with_kinds(site, call, project))
    return {"expand": "projects", "projects": projects}


def _with_kinds(site: Site, call: Call, project: Project) -> Json:
    renderer = Renderer(site, call)
    names = call.listed("issuetypeNames")
    ids = call.listed("issuetypeIds")
    kinds = []
    for kind in site.store.kinds.values():
        if (names or ids) and kind.name not in names and kind.id not in ids:
            continue
        shown = {"expand": "fields", **renderer.kind(kind)}
        if "projects.issuetypes.fields" in call.listed("expand"):
            fields = create_fields(renderer, project, kind)
            shown["fields"] = {field["key"]: field for field in fields}
        kinds.append(shown)
    return {"expand": "issuetypes", **renderer.project(project), "issuetypes": kinds}


ROUTES = (
    *table({"GET issue/createmeta": get_metadata}, on=CLOUD),
    *table(
        {
            "GET issue/createmeta/{project}/issuetypes": page_kinds,
            "GET issue/createmeta/{project}/issuetypes/{kind}": page_fields,
        }
    ),
)
