"""History items: one changed field with values as id and as text, the way Jira records each kind of field."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import Any, Protocol, TypeVar

from rayline_sandbox.jira.documents import to_wiki
from rayline_sandbox.jira.model import Item
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.store import Store

_NAMES = {
    "status": "status",
    "assignee": "assignee",
    "reporter": "reporter",
    "priority": "priority",
    "resolution": "resolution",
    "issuetype": "issuetype",
    "type": "issuetype",
    "sprint": "Sprint",
    "parent": "IssueParentAssociation",
    "story_points": "Story Points",
    "story points": "Story Points",
    "fixversions": "Fix Version",
    "fixversion": "Fix Version",
    "fix version": "Fix Version",
    "flagged": "Flagged",
    "estimate": "timeoriginalestimate",
    "key": "Key",
    "due": "duedate",
}
_TOLD_ONCE = "timeestimate"
_FIELD_IDS = {
    "Fix Version": "fixVersions",
    "Key": None,
    "IssueParentAssociation": None,
    "WorklogId": None,
    "Comment": "comment",
}


class _Named(Protocol):
    name: str


_Record = TypeVar("_Record", bound=_Named)


def record(store: Store, field: str, old: Any, new: Any) -> Item:
    """Return the item for a change given by names or ids of records; texts of fields without ids stay texts."""
    name = _NAMES.get(field.casefold(), field)
    identity, custom = _field_id(store, name)
    old_id, old_text = _value(store, name, old)
    new_id, new_text = _value(store, name, new)
    return Item(
        intern(name),
        identity,
        "custom" if custom else "jira",
        old_id,
        old_text,
        new_id,
        new_text,
    )


def record_change(store: Store, field: str, old: Any, new: Any) -> list[Item]:
    """Return what a change is recorded by: `record`, nothing where nothing changed."""
    if old == new:
        return []
    return [record(store, field, old, new)]


def told_once(items: Iterable[Item]) -> list[Item]:
    """Return the items with the remaining estimate told once: setting the original one may have set it before."""
    kept: dict[object, Item] = {}
    for place, item in enumerate(items):
        if item.field != _TOLD_ONCE:
            kept[place] = item
            continue
        first = kept.get(_TOLD_ONCE, item)
        kept[_TOLD_ONCE] = item._replace(old=first.old, old_text=first.old_text)
    return [
        item
        for item in kept.values()
        if item.field != _TOLD_ONCE or item.old != item.new
    ]


def _field_id(store: Store, name: str) -> tuple[str | None, bool]:
    customs = {
        "Sprint": store.fields.sprint,
        "Story Points": store.fields.points,
        "Flagged": store.fields.flagged,
        "Story point estimate": store.fields.estimate,
        "Epic Link": store.fields.epic_link,
        "Rank": store.fields.rank,
    }
    if name in customs:
        return customs[name], True
    return (_FIELD_IDS[name] if name in _FIELD_IDS else intern(name)), False


def _value(store: Store, name: str, value: Any) -> tuple[str | None, str | None]:
    if value is None:
        if name == "Sprint":
            return ("", "")
        return (None, None)
    match name:
        case "status":
            status = store.status_named(str(value))
            if status:
                return (status.id, status.name)
            return (None, str(value))
        case "assignee" | "reporter":
            user = store.find_user(value)
            if user is None:
                return None, str(value)
            return (user.account if store.cloud else user.key), user.display
        case "priority" | "resolution" | "issuetype":
            return _named(store, name, str(value))
        case "Sprint":
            return _sprints(store, value)
        case "IssueParentAssociation":
            issue = (
                store.issues.get(value)
                if isinstance(value, int)
                else store.find_issue(value)
            )
            if issue:
                return (str(issue.id), issue.key)
            return (None, str(value))
        case "timeoriginalestimate" | "timeestimate" | "timespent":
            return str(value), str(value)
        case "description":
            return None, to_wiki(value)
        case _:
            return None, _text(value)


def _named(store: Store, name: str, value: str) -> tuple[str | None, str | None]:
    tables: dict[str, dict[str, Any]] = {
        "priority": store.priorities,
        "resolution": store.resolutions,
        "issuetype": dict(store.kinds),
    }
    table = tables[name]
    found = table.get(value) or _by_name(table.values(), value)
    if found:
        return (found.id, found.name)
    return (None, value)


def _sprints(store: Store, value: Any) -> tuple[str, str]:
    refs = value
    if not isinstance(value, list | tuple):
        refs = str(value).split(",")
    ids = []
    names = []
    for ref in refs:
        text = str(ref).strip()
        number = as_identity(text)
        if number is None:
            sprint = _by_name(store.sprints.values(), text)
        else:
            sprint = store.sprints.get(number)
        ids.append(str(sprint.id) if sprint else "")
        names.append(sprint.name if sprint else text)
    return ", ".join(ids), ", ".join(names)


def _by_name(records: Iterable[_Record], name: str) -> _Record | None:
    for each in records:
        if each.name == name:
            return each
    return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Impediment" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return (
        " ".join(map(str, value))
        if isinstance(value, list | tuple)
        else intern(str(value))
    )
