"""How each field of an issue is set: the value is read, checked, stored, and the change is returned for the history.

Values come as the REST API takes them (`{"name": ...}`, `{"accountId": ...}`) or plainly (a name, an e-mail, seconds).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from rayline_sandbox.jira.documents import is_document
from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.instants import LONGEST, parse_spent
from rayline_sandbox.jira.items import record, record_change
from rayline_sandbox.jira.model import Component, Issue, Item, Version
from rayline_sandbox.jira.store import Store

Setter = Callable[[Store, Issue, Any], list[Item]]
_ALIASES = {
    "due": "duedate",
    "estimate": "timeoriginalestimate",
    "remaining": "timeestimate",
    "type": "issuetype",
    "fix_versions": "fixVersions",
}
AUTOMATIC = "-1"
"""The assignee that stands for whoever the project says."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MEMBERS = (
    ("fix_versions", "fixVersions", "Fix Version"),
    ("versions", "versions", "Version"),
    ("components", "components", "Component"),
)
"""What an issue has of its project: the attribute, the field's id and its name in histories."""
_TRACKED = frozenset(
    {
        "originalEstimate",
        "remainingEstimate",
        "timeSpent",
        "originalEstimateSeconds",
        "remainingEstimateSeconds",
        "timeSpentSeconds",
    }
)


def set_field(store: Store, issue: Issue, name: str, *, value: Any) -> list[Item]:
    """Set one field and return the items of the change (none if nothing changed); 400 for what cannot be set."""
    setter = _table(store).get(_ALIASES.get(name, name))
    if setter is None:
        raise off_screen(name)
    return setter(store, issue, value)


def off_screen(*names: str) -> Refusal:
    """Return the refusal of fields that cannot be set."""
    return Refusal(
        400,
        errors={
            name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            for name in names
        },
    )


def refuse(field: str, message: str) -> Refusal:
    """Return the refusal of one field's value."""
    return Refusal(400, errors={field: message})


def ref_of(value: Any, *keys: str) -> Any:
    """Return what names a record: the first of some keys that a table has, or the value itself."""
    if not isinstance(value, Mapping):
        return value
    for key in keys:
        if value.get(key) is not None:
            return value[key]
    return None


def _plain(attribute: str, field: str, read: Callable[[Any], Any]) -> Setter:
    def setter(store: Store, issue: Issue, value: Any) -> list[Item]:
        old = getattr(issue, attribute)
        new = read(value)
        setattr(issue, attribute, new)
        return record_change(store, field, old, new)

    return setter


def _summary(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refuse("summary", "You must specify a summary of the issue.")
    if len(value) > 255 or "\n" in value:
        raise refuse(
            "summary",
            "The summary is invalid because it contains newline characters or is "
            "too long.",
        )
    return value


def _due(value: Any) -> str | None:
    if value in (None, ""):
        return None
    text = str(value)
    try:
        # `fromisoformat` alone would take `20261201` and week dates, which Jira does not.
        return date.fromisoformat(text if _DATE.fullmatch(text) else "").isoformat()
    except ValueError:
        raise refuse("duedate", f"Error parsing date string: {value}") from None


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse("story_points", "Operation value must be a number")
    return float(value)


def seconds_of(value: Any, field: str) -> int | None:
    """Return seconds given as a number or a pretty duration, None for nothing; 400 for anything else."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return parse_spent(value)
        except ValueError:
            raise refuse(field, "Invalid time duration entered.") from None
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or not 0 <= value <= LONGEST
    ):
        raise refuse(field, "Invalid time duration entered.")
    return value


def _person(attribute: str) -> Setter:
    def setter(store: Store, issue: Issue, value: Any) -> list[Item]:
        ref = ref_of(value, "accountId", "id", "key", "name", "emailAddress")
        if attribute == "assignee" and ref == AUTOMATIC:
            ref = _usual_assignee(store, issue)
        user = store.find_user(ref)
        if ref is not None and (user is None or not user.active):
            raise refuse(
                attribute,
                f"User '{ref}' cannot be assigned issues."
                if user
                else f"User '{ref}' does not exist.",
            )
        old = getattr(issue, attribute)
        new = user.account if user else None
        setattr(issue, attribute, new)
        return record_change(store, attribute, old, new)

    return setter


def _usual_assignee(store: Store, issue: Issue) -> str | None:
    """Return who gets what is assigned automatically: the lead of the project; 400 when they left."""
    lead = store.projects[issue.project].lead
    if lead is not None and not store.users[lead].active:
        raise refuse(
            "assignee",
            "The default assignee does NOT have ASSIGNABLE permission OR Unassigned "
            "issues are turned off.",
        )
    return lead


def _priority(store: Store, issue: Issue, value: Any) -> list[Item]:
    ref = ref_of(value, "id", "name")
    new = None if ref is None else _priority_named(store, str(ref))
    old = issue.priority
    issue.priority = new
    return record_change(store, "priority", old, new)


def _priority_named(store: Store, text: str) -> str:
    for priority in store.priorities.values():
        if text in (priority.id, priority.name):
            return priority.id
    raise refuse("priority", "The priority selected is invalid.")


def _kind(store: Store, issue: Issue, value: Any) -> list[Item]:
    kind = store.kind_named(str(ref_of(value, "id", "name")))
    if kind is None:
        raise refuse("issuetype", "The issue type selected is invalid.")
    old = issue.kind
    issue.kind = kind.id
    return record_change(store, "issuetype", old, kind.id)


def _list(value: Any, field: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise refuse(field, "data was not an array")
    return list(value)


def rich(value: Any, field: str) -> Any:
    """Return rich text that is a text, a document or nothing; 400 for anything else."""
    if value is not None and not isinstance(value, str) and not is_document(value):
        raise refuse(
            field,
            "Operation value must be a string or an Atlassian Document (see the "
            "Atlassian Document "
            "Format)",
        )
    return value


def _labels(store: Store, issue: Issue, value: Any) -> list[Item]:
    names = _list(value, "labels")
    for name in names:
        if not isinstance(name, str) or " " in name or not name:
            raise refuse("labels", "The label contains spaces which is invalid.")
    old = issue.labels
    issue.labels = tuple(dict.fromkeys(names))
    return (
        []
        if set(old) == set(issue.labels)
        else [record(store, "labels", " ".join(old), " ".join(issue.labels))]
    )


def _members(attribute: str, field: str, label: str) -> Setter:
    def setter(store: Store, issue: Issue, value: Any) -> list[Item]:
        old = getattr(issue, attribute)
        new = tuple(
            dict.fromkeys(
                member(store, issue, field, each) for each in _list(value, field)
            )
        )
        setattr(issue, attribute, new)
        return member_items(store, field, label, old=old, new=new)

    return setter


def member_items(
    store: Store, field: str, label: str, *, old: Sequence[int], new: Sequence[int]
) -> list[Item]:
    """Return the items of a change of an issue's versions or components, one for each that went or came."""
    known = _known(store, field)
    gone = [
        Item(label, field, "jira", str(v), known[v].name, None, None)
        for v in old
        if v not in new
    ]
    come = [
        Item(label, field, "jira", None, None, str(v), known[v].name)
        for v in new
        if v not in old
    ]
    return gone + come


def _known(store: Store, field: str) -> Mapping[int, Version | Component]:
    return store.components if field == "components" else store.versions


def member(store: Store, issue: Issue, field: str, value: Any) -> int:
    """Return a version or component of the issue's project by id or name; 400 for one it has not."""
    ref = ref_of(value, "id", "name")
    for record_ in _known(store, field).values():
        if record_.project == issue.project and str(ref) in (
            str(record_.id),
            record_.name,
        ):
            return record_.id
    raise refuse(field, f"'{ref}' is not valid")


def _parent(store: Store, issue: Issue, value: Any) -> list[Item]:
    ref = ref_of(value, "id", "key")
    parent = store.find_issue(ref) if ref is not None else None
    if ref is not None and parent is None:
        raise refuse("parent", f"Could not find issue by id or key: {ref}")
    new = parent.id if parent else None
    check_family(store, issue, kind=issue.kind, parent=new)
    old = issue.parent
    if issue.id in store.issues:
        store.adopt(issue, new)
    else:
        issue.parent = new
    return record_change(store, "parent", old, new)


def check_family(store: Store, issue: Issue, *, kind: str, parent: int | None) -> None:
    """Refuse a type and a parent that do not go together, or with the issues below."""
    level = store.kinds[kind].level
    if parent is not None and store.level_of(parent) != level + 1:
        raise refuse(
            "parent", "Given parent work item does not belong to appropriate hierarchy."
        )
    if parent is None and level < 0:
        raise refuse("parent", "A sub-task must have a parent.")
    if kind == issue.kind:
        return
    for child in store.children.get(issue.id, ()):
        if store.level_of(child) != level - 1:
            raise refuse("issuetype", "The issue type selected is invalid.")


def _flagged(store: Store, issue: Issue, value: Any) -> list[Item]:
    old = issue.flagged
    issue.flagged = bool(value)
    return record_change(store, "flagged", old, issue.flagged)


def _points(store: Store, issue: Issue, value: Any) -> list[Item]:
    old = issue.points
    issue.points = _number(value)
    name = (
        "Story point estimate"
        if store.projects[issue.project].simplified
        else "Story Points"
    )
    return record_change(store, name, old, issue.points)


def _points_field(name: str, *, simplified: bool) -> Setter:
    def setter(store: Store, issue: Issue, value: Any) -> list[Item]:
        # A project's screens have one of the two fields, as its boards estimate by one of them.
        if store.projects[issue.project].simplified != simplified:
            raise off_screen(name)
        return _points(store, issue, value)

    return setter


def _times(attribute: str, field: str) -> Setter:
    return _plain(attribute, field, partial(seconds_of, field=field))


_original, _remaining = (
    _times("estimate", "timeoriginalestimate"),
    _times("remaining", "timeestimate"),
)


def _estimate(store: Store, issue: Issue, value: Any) -> list[Item]:
    items = _original(store, issue, value)
    return (
        items + _remaining(store, issue, issue.estimate)
        if items and issue.spent is None
        else items
    )


def _tracking(store: Store, issue: Issue, value: Any) -> list[Item]:
    if not isinstance(value, Mapping) or not _TRACKED.issuperset(value):
        raise refuse(
            "timetracking",
            "Expected an object with originalEstimate and remainingEstimate.",
        )
    original, remaining = (
        value.get(f"{name}Seconds", value.get(name))
        for name in ("originalEstimate", "remainingEstimate")
    )
    items: list[Item] = []
    if original is not None:
        items += (_estimate if remaining is None else _original)(store, issue, original)
    if remaining is None:
        return items
    return items + _remaining(store, issue, remaining)


def _sprints(store: Store, issue: Issue, value: Any) -> list[Item]:
    single = [] if value is None else [value]
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    refs = value if is_list else single
    return put_in_sprint(
        store, issue, [_sprint(store, ref_of(each, "id", "name")) for each in refs]
    )


def _sprint(store: Store, ref: Any) -> int:
    sprint_id = next(
        (s.id for s in store.sprints.values() if str(ref) in (str(s.id), s.name)), None
    )
    if sprint_id is None:
        raise refuse("Sprint", f"Sprint {ref} does not exist.")
    return sprint_id


def put_in_sprint(store: Store, issue: Issue, sprints: Sequence[int]) -> list[Item]:
    """Put an issue into sprints (none: the backlog); closed sprints it was in stay listed."""
    closed = [
        s
        for s in issue.sprints
        if store.sprints[s].state == "closed" and s not in sprints
    ]
    old = issue.sprints
    issue.sprints = tuple(closed) + tuple(dict.fromkeys(sprints))
    return record_change(store, "sprint", old or None, issue.sprints or None)


_SYSTEM: dict[str, Setter] = {
    "summary": _plain("summary", "summary", _summary),
    "description": _plain(
        "description", "description", partial(rich, field="description")
    ),
    "duedate": _plain("due", "duedate", _due),
    "assignee": _person("assignee"),
    "reporter": _person("reporter"),
    "priority": _priority,
    "issuetype": _kind,
    "labels": _labels,
    **{field: _members(attribute, field, label) for attribute, field, label in MEMBERS},
    "parent": _parent,
    "flagged": _flagged,
    "story_points": _points,
    "sprints": _sprints,
    "sprint": _sprints,
    "timetracking": _tracking,
    "timeoriginalestimate": _estimate,
    "timeestimate": _remaining,
}


def _table(store: Store) -> Mapping[str, Setter]:
    names = store.fields
    return {
        **_SYSTEM,
        names.points: _points_field(names.points, simplified=False),
        names.estimate: _points_field(names.estimate, simplified=True),
        names.sprint: _sprints,
        names.epic_link: _parent,
        names.parent_link: _parent,
        names.flagged: _flagged,
        names.epic_name: lambda *_: [],
    }
