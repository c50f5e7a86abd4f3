"""History items: one changed field with values as id and as text, the way Jira records each kind of field."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import Any

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


def record(store: Store, field: str, old: Any, new: Any) -> Item:
    """Return the item for a change given by names or ids of records; texts of fields without ids stay texts."""
    name = _NAMES.get(field.casefold(), field)
    identity, custom = _field_id(store, name)
    (old_id, old_text), (new_id, new_text) = (
        _value(store, name, old),
        _value(store, name, new),
    )
    return Item(
        intern(name),
        identity,
        "custom" if custom else "jira",
        old_id,
        old_text,
        new_id,
        new_text,
    )


def told_once(items: Iterable[Item]) -> list[Item]:
    """Return the items with the remaining estimate told once: setting the original one may have set it before."""
    kept: dict[object, Item] = {}
    for place, item in enumerate(items):
        first = kept.get(_TOLD_ONCE) if item.field == _TOLD_ONCE else None
        joined = (
            item
            if first is None
            else item._replace(old=first.old, old_text=first.old_text)
        )
        kept[_TOLD_ONCE if item.field == _TOLD_ONCE else place] = joined
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
        return ("", "") if name == "Sprint" else (None, None)
    match name:
        case "status":
            status = store.status_named(str(value))
            return (status.id, status.name) if status else (None, str(value))
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
            return (str(issue.id), issue.key) if issue else (None, str(value))
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
    found = table.get(value) or next(
        (each for each in table.values() if each.name == value), None
    )
    return (found.id, found.name) if found else (None, value)


def _sprints(store: Store, value: Any) -> tuple[str, str]:
    refs = value if isinstance(value, list | tuple) else str(value).split(",")
    found = []
    for ref in refs:
        text = str(ref).strip()
        number = as_identity(text)
        sprint = (
            store.sprints.get(number)
            if number is not None
            else next(
                (each for each in store.sprints.values() if each.name == text), None
            )
        )
        found.append((str(sprint.id), sprint.name) if sprint else ("", text))
    return ", ".join(identity for identity, _ in found), ", ".join(
        name for _, name in found
    )


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
