"""How a value written in JQL finds records: by id, key or name; nothing found means the value is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rayline_sandbox.jira.model import CATEGORIES
from rayline_sandbox.jira.store import Store


class UnknownName(Exception):
    """A name no record has; for people `jql/parse` calls it a warning."""

    def __init__(self, message: str, *, warning: bool = False) -> None:
        super().__init__(message)
        self.warning = warning


def projects_named(store: Store, text: str) -> set[int]:
    """Return visible projects by id, key, former key or name."""
    direct = store.find_project(text)
    projects = (
        [direct]
        if direct
        else [p for p in store.projects.values() if _same(p.name, text)]
    )
    return {project.id for project in projects if store.seen(project.id)}


def issues_named(store: Store, text: str) -> set[int]:
    """Return the visible issue by id, key or former key; one still in the lagging index counts."""
    found = store.find_issue(text)
    return set() if found is None else {found.id}


def statuses_named(store: Store, text: str) -> set[str]:
    """Return all statuses of a name, or the one of an id."""
    return _matching(store.statuses.values(), text)


def statuses_in_category(_: Store, text: str) -> set[str]:
    """Return the category by key, name or id."""
    keys = set()
    for category in CATEGORIES.values():
        names = (category.key, category.name)
        if text == str(category.id) or any(_same(name, text) for name in names):
            keys.add(category.key)
    return keys


def kinds_named(store: Store, text: str) -> set[str]:
    """Return issue types by id or name."""
    return _matching(store.kinds.values(), text)


def priorities_named(store: Store, text: str) -> set[str]:
    """Return priorities by id or name."""
    return _matching(store.priorities.values(), text)


def resolutions_named(store: Store, text: str) -> set[str]:
    """Return resolutions by id or name; `Unresolved` stands for having none."""
    if _same(text, "unresolved"):
        return {"unresolved"}
    return _matching(store.resolutions.values(), text)


def users_named(store: Store, text: str) -> set[str]:
    """Return the user by account id, name, key, e-mail or display name."""
    user = store.find_user(text)
    return set() if user is None else {user.account}


def components_named(store: Store, text: str) -> set[int]:
    """Return components by id or name."""
    return _matching(store.components.values(), text)


def versions_named(store: Store, text: str) -> set[int]:
    """Return versions by id or name."""
    return _matching(store.versions.values(), text)


def sprints_named(store: Store, text: str) -> set[int]:
    """Return sprints by id or name."""
    return _matching(store.sprints.values(), text)


def _matching(records: Iterable[Any], text: str) -> set[Any]:
    """Return the ids of the records that have an id or a name."""
    ids = set()
    for record in records:
        if text == str(record.id) or _same(record.name, text):
            ids.add(record.id)
    return ids


def _same(left: str, right: str) -> bool:
    return left.casefold() == right.casefold()
