"""What may be set when an issue is made or edited: the fields of a screen with their operations and allowed values."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rayline_sandbox.jira.fields import field_schema, fields_of
from rayline_sandbox.jira.model import Field, Issue, Json, Kind, Project
from rayline_sandbox.jira.render import Renderer

_ON_SCREEN = (
    "summary",
    "issuetype",
    "parent",
    "reporter",
    "assignee",
    "priority",
    "labels",
    "components",
    "fixVersions",
    "versions",
    "description",
    "duedate",
    "timetracking",
)
_REQUIRED = frozenset({"summary", "issuetype", "project"})
_PEOPLE = frozenset({"assignee", "reporter"})
_OPERATIONS = {"timetracking": ["set", "edit"], "comment": ["add"], "worklog": ["add"]}
_MANY = ["add", "set", "remove"]
_SEVERAL = frozenset({"labels", "components", "fixVersions", "versions"})
FLAG = "10019"
"""The one option of the field Flagged."""
Allowed = Callable[[Renderer, Project, Kind], Iterable[Json | None]]


def flag_option(renderer: Renderer) -> Json:
    """Return the option that flags an issue."""
    address = f"{renderer.rest}/customFieldOption/{FLAG}"
    return {"self": address, "value": "Impediment", "id": FLAG}


def edit_metadata(renderer: Renderer, issue: Issue) -> Json:
    """Return the fields an edit of an issue may set."""
    store = renderer.store
    project = store.projects[issue.project]
    kind = store.kinds[issue.kind]
    fields = {}
    for field in _screen(renderer, project, kind, beside=("comment",)):
        fields[field.id] = _field(renderer, field, project, kind) | {"key": field.id}
    return {"fields": fields}


def create_fields(renderer: Renderer, project: Project, kind: Kind) -> list[Json]:
    """Return the fields an issue of a type may be born with."""
    shown = []
    for field in _screen(renderer, project, kind, beside=("project",)):
        described = _field(renderer, field, project, kind)
        described |= {"fieldId": field.id, "hasDefaultValue": field.id == "priority"}
        if renderer.cloud:
            described["key"] = field.id
        shown.append(described)
    return shown


def _screen(
    renderer: Renderer, project: Project, kind: Kind, *, beside: tuple[str, ...]
) -> list[Field]:
    names = renderer.store.fields
    customs = [names.estimate if project.simplified else names.points]
    customs += [names.sprint, names.flagged]
    if kind.level == 0 and not project.simplified:
        customs.append(names.epic_link)
    wanted = {*_ON_SCREEN, *customs, *beside}
    if not renderer.cloud and kind.level >= 0:
        wanted.discard("parent")
    return [field for field in fields_of(renderer.store) if field.id in wanted]


def _field(renderer: Renderer, field: Field, project: Project, kind: Kind) -> Json:
    usual = _MANY if field.id in _SEVERAL else ["set"]
    shown: Json = {
        "required": field.id in _REQUIRED or (field.id == "parent" and kind.level < 0),
        "schema": field_schema(*field[:5]),
        "name": field.name,
        "operations": _OPERATIONS.get(field.id, usual),
    }
    if field.id in _PEOPLE:
        asked = "query" if renderer.cloud else "username"
        shown["autoCompleteUrl"] = f"{renderer.rest}/user/search?{asked}="
    allowed = _ALLOWED.get(field.id)
    if field.id == renderer.store.fields.flagged:
        shown["allowedValues"] = [flag_option(renderer)]
    if allowed:
        shown["allowedValues"] = list(allowed(renderer, project, kind))
    return shown


def _priorities(renderer: Renderer, project: Project, kind: Kind) -> list[Json | None]:
    return [renderer.priority(each) for each in renderer.store.priorities]


def _kinds(renderer: Renderer, project: Project, kind: Kind) -> list[Json]:
    kinds = renderer.store.kinds.values()
    return [renderer.kind(each) for each in kinds if each.level == kind.level]


def _releases(renderer: Renderer, project: Project, kind: Kind) -> list[Json]:
    known = renderer.store.versions.values()
    return [renderer.release(each) for each in known if each.project == project.id]


def _components(renderer: Renderer, project: Project, kind: Kind) -> list[Json]:
    known = renderer.store.components.values()
    own = [each.id for each in known if each.project == project.id]
    return [renderer.component(each) for each in own]


def _project(renderer: Renderer, project: Project, kind: Kind) -> list[Json]:
    return [renderer.project(project)]


_ALLOWED: dict[str, Allowed] = {
    "priority": _priorities,
    "issuetype": _kinds,
    "fixVersions": _releases,
    "versions": _releases,
    "components": _components,
    "project": _project,
}
