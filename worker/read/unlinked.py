"""Which issues no card links any more: told from the snapshot, asking nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from worker.domain.entities import Issue
from worker.read.lookup import Lookup
from worker.world.links import Link, LinkKind, texts_of


def find_unlinked(
    issues: Iterable[Issue],
    parts: Collection[Link],
    matched: Mapping[str, Collection[str]],
) -> set[str]:
    """Return the ids of issues that are of none of the projects and conditions of a read; `matched` are ids by
    condition."""
    projects = texts_of(parts, LinkKind.PROJECT)
    conditions = texts_of(parts, LinkKind.JQL)
    linked = {issue for name in conditions for issue in matched.get(name, ())}
    return {
        issue.id
        for issue in issues
        if issue.project not in projects and issue.id not in linked
    }


def branch_of(
    parts: Collection[Link], lookup: Lookup, issues: Iterable[Issue]
) -> set[str]:
    """Return the ids of all that hangs below the epics of a read; a ring of parents is walked once."""
    below: dict[str, list[str]] = {}
    for issue in issues:
        if issue.parent is not None:
            below.setdefault(issue.parent, []).append(issue.id)

    epics = texts_of(parts, LinkKind.EPIC)
    queue = [lookup.epics[key].issue for key in epics]
    branch: set[str] = set()
    for parent in queue:
        children = [child for child in below.get(parent, ()) if child not in branch]
        branch.update(children)
        queue += children
    return branch
