"""How a value written in JQL finds records: by id, key or name; nothing found means the value is unknown."""

from __future__ import annotations

from collections.abc import Iterable

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
    found = (
        [direct]
        if direct
        else [p for p in store.projects.values() if _same(p.name, text)]
    )
    return {project.id for project in found if store.seen(project.id)}


def issues_named(store: Store, text: str) -> set[int]:
    """Return the visible issue by id, key or former key; one still in the lagging index counts."""
    found = store.find_issue(text)
    return set() if found is None else {found.id}


def statuses_named(store: Store, text: str) -> set[str]:
    """Return all statuses of a name, or the one of an id."""
    return _by_id_or_name(((s.id, s.name) for s in store.statuses.values()), text)


def statuses_in_category(_: Store, text: str) -> set[str]:
    """Return the category by key, name or id."""
    return {
        c.key
        for c in CATEGORIES.values()
        if text == str(c.id) or _same(c.key, text) or _same(c.name, text)
    }


def kinds_named(store: Store, text: str) -> set[str]:
    """Return issue types by id or name."""
    return _by_id_or_name(((k.id, k.name) for k in store.kinds.values()), text)


def priorities_named(store: Store, text: str) -> set[str]:
    """Return priorities by id or name."""
    return _by_id_or_name(store.priorities.values(), text)


def resolutions_named(store: Store, text: str) -> set[str]:
    """Return resolutions by id or name; `Unresolved` stands for having none."""
    return (
        {"unresolved"}
        if _same(text, "unresolved")
        else _by_id_or_name(store.resolutions.values(), text)
    )


def users_named(store: Store, text: str) -> set[str]:
    """Return the user by account id, name, key, e-mail or display name."""
    user = store.find_user(text)
    return set() if user is None else {user.account}


def components_named(store: Store, text: str) -> set[int]:
    """Return components by id or name."""
    return {
        c.id
        for c in store.components.values()
        if text == str(c.id) or _same(c.name, text)
    }


def versions_named(store: Store, text: str) -> set[int]:
    """Return versions by id or name."""
    return {
        v.id
        for v in store.versions.values()
        if text == str(v.id) or _same(v.name, text)
    }


def sprints_named(store: Store, text: str) -> set[int]:
    """Return sprints by id or name."""
    return {
        s.id for s in store.sprints.values() if text == str(s.id) or _same(s.name, text)
    }


def _by_id_or_name(pairs: Iterable[tuple[str, str]], text: str) -> set[str]:
    return {
        identity for identity, name in pairs if text == identity or _same(name, text)
    }


def _same(left: str, right: str) -> bool:
    return left.casefold() == right.casefold()
