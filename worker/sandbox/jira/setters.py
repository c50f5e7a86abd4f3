"""How each field of an issue is set: the value is read, checked, stored, and the change is returned for the history.

Values come as the REST API takes them (`{"name": ...}`, `{"accountId": ...}`) or plainly (a name, an e-mail, seconds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from worker.sandbox.jira.errors import Refusal
from worker.sandbox.jira.instants import parse_spent
from worker.sandbox.jira.items import record
from worker.sandbox.jira.model import Component, Issue, Item, Version
from worker.sandbox.jira.store import Store

Setter = Callable[[Store, Issue, Any], list[Item]]
_ALIASES = {"due": "duedate", "estimate": "timeoriginalestimate", "remaining": "timeestimate", "type": "issuetype",
            "fix_versions": "fixVersions"}


def set_field(store: Store, issue: Issue, name: str, *, value: Any) -> list[Item]:
    """Set one field and return the items of the change (none if nothing changed); 400 for what cannot be set."""
    setter = _table(store).get(_ALIASES.get(name, name))
    if setter is None:
        raise Refusal(400, errors={name: f"Field '{name}' cannot be set. It is not on the appropriate screen, "
                                         "or unknown."})
    return setter(store, issue, value)


def refuse(field: str, message: str) -> Refusal:
    """Return the refusal of one field's value."""
    return Refusal(400, errors={field: message})


def _ref(value: Any, *keys: str) -> Any:
    if isinstance(value, Mapping):
        return next((value[key] for key in keys if value.get(key) is not None), None)
    return value


def _plain(attribute: str, field: str, read: Callable[[Any], Any]) -> Setter:
    def setter(store: Store, issue: Issue, value: Any) -> list[Item]:
        old, new = getattr(issue, attribute), read(value)
        setattr(issue, attribute, new)
        return [] if old == new else [record(store, field, old, new)]
    return setter


def _summary(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refuse("summary", "You must specify a summary of the issue.")
    if len(value) > 255 or "\n" in value:
        raise refuse("summary", "The summary is invalid because it contains newline characters or is too long.")
    return value


def _due(value: Any) -> str | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise refuse("duedate", f"Error parsing date string: {value}") from None


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse("story_points", "Operation value must be a number")
    return float(value)


def _seconds(value: Any) -> int | None:
    if value is None or isinstance(value, int):
        return value
    try:
        return parse_spent(str(value))
    except ValueError:
        raise refuse("timetracking", "The value is not a valid duration.") from None


def _person(attribute: str) -> Setter:
    def setter(store: Store, issue: Issue, value: Any) -> list[Item]:
        ref = _ref(value, "accountId", "id", "key", "name", "emailAddress")
        user = store.find_user(ref) if ref is not None else None
        if ref is not None and (user is None or not user.active):
            raise refuse(attribute, f"User '{ref}' cannot be assigned issues." if user else
                         f"User '{ref}' does not exist.")
        old, new = getattr(issue, attribute), user.account if user else None
        setattr(issue, attribute, new)
        return [] if old == new else [record(store, attribute, old, new)]
    return setter


def _priority(store: Store, issue: Issue, value: Any) -> list[Item]:
    ref = _ref(value, "id", "name")
    new = None if ref is None else next(
        (p.id for p in store.priorities.values() if str(ref) in (p.id, p.name)), "")
    if new == "":
        raise refuse("priority", "The priority selected is invalid.")
    old, issue.priority = issue.priority, new
    return [] if old == new else [record(store, "priority", old, new)]


def _kind(store: Store, issue: Issue, value: Any) -> list[Item]:
    kind = store.kind_named(str(_ref(value, "id", "name")))
    if kind is None:
        raise refuse("issuetype", "The issue type selected is invalid.")
    old, issue.kind = issue.kind, kind.id
    return [] if old == kind.id else [record(store, "issuetype", old, kind.id)]


def _list(value: Any, field: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise refuse(field, "data was not an array")
    return list(value)


def rich(value: Any) -> Any:
    """Return rich text that is a text, a document or nothing; 400 for anything else."""
    if value is not None and not isinstance(value, str | dict):
        raise refuse("description", "Operation value must be a string or an Atlassian Document")
    return value


def _labels(store: Store, issue: Issue, value: Any) -> list[Item]:
    names = _list(value, "labels")
    if any(not isinstance(name, str) or " " in name or not name for name in names):
        raise refuse("labels", "The label contains spaces which is invalid.")
    old, issue.labels = issue.labels, tuple(dict.fromkeys(names))
    return [] if set(old) == set(issue.labels) else [record(store, "labels", " ".join(old), " ".join(issue.labels))]


def _members(attribute: str, field: str, label: str) -> Setter:
    def setter(store: Store, issue: Issue, value: Any) -> list[Item]:
        known: Mapping[int, Version | Component] = store.components if attribute == "components" else store.versions
        old = getattr(issue, attribute)
        new = tuple(_member(known, issue.project, _ref(each, "id", "name"), field) for each in _list(value, field))
        setattr(issue, attribute, new)
        gone = [Item(label, field, "jira", str(v), known[v].name, None, None) for v in old if v not in new]
        come = [Item(label, field, "jira", None, None, str(v), known[v].name) for v in new if v not in old]
        return gone + come
    return setter


def _member(known: Mapping[int, Version | Component], project: int, ref: Any, field: str) -> int:
    for record_ in known.values():
        if record_.project == project and str(ref) in (str(record_.id), record_.name):
            return record_.id
    raise refuse(field, f"'{ref}' is not valid")


def _parent(store: Store, issue: Issue, value: Any) -> list[Item]:
    ref = _ref(value, "id", "key")
    parent = store.find_issue(ref) if ref is not None else None
    if ref is not None and parent is None:
        raise refuse("parent", f"Could not find issue by id or key: {ref}")
    if parent is not None and store.kinds[parent.kind].level != store.kinds[issue.kind].level + 1:
        raise refuse("parent", "Given parent work item does not belong to appropriate hierarchy.")
    if parent is None and store.kinds[issue.kind].level < 0:
        raise refuse("parent", "A sub-task must have a parent.")
    old, new = issue.parent, parent.id if parent else None
    if issue.id in store.issues:
        store.adopt(issue, new)
    else:
        issue.parent = new
    return [] if old == new else [record(store, "parent", old, new)]


def _flagged(store: Store, issue: Issue, value: Any) -> list[Item]:
    old, issue.flagged = issue.flagged, bool(value)
    return [] if old == issue.flagged else [record(store, "flagged", old, issue.flagged)]


def _points(store: Store, issue: Issue, value: Any) -> list[Item]:
    old, issue.points = issue.points, _number(value)
    name = "Story point estimate" if store.projects[issue.project].simplified else "Story Points"
    return [] if old == issue.points else [record(store, name, old, issue.points)]


def _estimate(store: Store, issue: Issue, value: Any) -> list[Item]:
    items = _plain("estimate", "timeoriginalestimate", _seconds)(store, issue, value)
    if items and issue.spent is None:
        items += _plain("remaining", "timeestimate", _seconds)(store, issue, issue.estimate)
    return items


def _tracking(store: Store, issue: Issue, value: Any) -> list[Item]:
    given = value if isinstance(value, Mapping) else {}
    items: list[Item] = []
    for name, setter in (("originalEstimate", _estimate),
                         ("remainingEstimate", _plain("remaining", "timeestimate", _seconds))):
        seconds = given.get(f"{name}Seconds", given.get(name))
        items += setter(store, issue, seconds) if seconds is not None else []
    return items


def _sprints(store: Store, issue: Issue, value: Any) -> list[Item]:
    refs = value if isinstance(value, Sequence) and not isinstance(value, str) else [] if value is None else [value]
    return put_in_sprint(store, issue, [_sprint(store, _ref(each, "id", "name")) for each in refs])


def _sprint(store: Store, ref: Any) -> int:
    found = next((s.id for s in store.sprints.values() if str(ref) in (str(s.id), s.name)), None)
    if found is None:
        raise refuse("Sprint", f"Sprint {ref} does not exist.")
    return found


def put_in_sprint(store: Store, issue: Issue, sprints: Sequence[int]) -> list[Item]:
    """Put an issue into sprints (none: the backlog); closed sprints it was in stay listed."""
    closed = [s for s in issue.sprints if store.sprints[s].state == "closed" and s not in sprints]
    old, issue.sprints = issue.sprints, tuple(closed) + tuple(sprints)
    return [] if old == issue.sprints else [record(store, "sprint", old or None, issue.sprints or None)]


_SYSTEM: dict[str, Setter] = {
    "summary": _plain("summary", "summary", _summary),
    "description": _plain("description", "description", rich),
    "duedate": _plain("due", "duedate", _due),
    "assignee": _person("assignee"), "reporter": _person("reporter"),
    "priority": _priority, "issuetype": _kind, "labels": _labels,
    "fixVersions": _members("fix_versions", "fixVersions", "Fix Version"),
    "versions": _members("versions", "versions", "Version"),
    "components": _members("components", "components", "Component"),
    "parent": _parent, "flagged": _flagged, "story_points": _points, "sprints": _sprints, "sprint": _sprints,
    "timetracking": _tracking, "timeoriginalestimate": _estimate,
    "timeestimate": _plain("remaining", "timeestimate", _seconds),
}


def _table(store: Store) -> Mapping[str, Setter]:
    names = store.fields
    return {**_SYSTEM, names.points: _points, names.estimate: _points, names.sprint: _sprints,
            names.epic_link: _parent, names.flagged: _flagged, names.epic_name: lambda *_: []}
