"""What lies beside what is linked: the projects of which a query or a branch has issues, and the neighbours of those.

What leaves a query answers to it no more: it is seen because its project is looked at too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from worker.domain.entities import Issue, JiraProject
from worker.read.lookup import Lookup
from worker.world.links import Link, LinkKind, texts_of


def find_watched(lookup: Lookup, parts: Iterable[Link]) -> list[JiraProject]:
    """Return the projects of known issues that are not read whole, as far as they may be read and are in view."""
    whole = texts_of(parts, LinkKind.PROJECT)
    around = set(lookup.around)
    watched: list[JiraProject] = []
    for project in lookup.listing.projects:
        if project.id in around and project.key not in whole:
            watched.append(project)
    return watched


def condition_in(projects: Iterable[JiraProject]) -> str:
    """Return the JQL of all that lies in some projects."""
    ids: list[str] = []
    for project in projects:
        ids.append(project.id)
    ids.sort()
    listed = ", ".join(ids)
    return f"project in ({listed})"


def find_strange(
    lookup: Lookup,
    parts: Iterable[Link],
    issues: Iterable[Issue],
    known: Collection[str],
) -> list[Issue]:
    """Return those of some issues that lie in watched projects and are not known: whether they are linked Jira alone
    can tell."""
    keys = {project.key for project in find_watched(lookup, parts)}
    strange: list[Issue] = []
    for issue in issues:
        if issue.project in keys and issue.id not in known:
            strange.append(issue)
    return strange
