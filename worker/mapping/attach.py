"""Which Jira issues belong to which card: one pass over the issues, whatever the number of cards.

A project card has every issue of the project but epics; an epic card all that hangs below the epic; a JQL or filter
card what was matched. Epics (level 1 and above) are containers, never work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from worker.domain.model import Card, CardWork, Issue, Worklog
from worker.domain.values import Ref
from worker.errors import Problem
from worker.mapping.links import LinkKind, ResolvedLink

EPIC_LEVEL = 1


class Forest(msgspec.Struct, frozen=True, gc=False):
    """Issues by id, by project key and by parent's id, and worklogs by issue's id; built once."""

    by_id: Mapping[str, Issue]
    by_project: Mapping[str, list[Issue]]
    children: Mapping[str, list[Issue]]
    worklogs: Mapping[str, list[Worklog]]


def plant(issues: Iterable[Issue], worklogs: Iterable[Worklog]) -> Forest:
    """Return the issues grouped for `attach`."""
    issues = tuple(issues)
    by_id = {issue.id: issue for issue in issues}
    by_project: defaultdict[str, list[Issue]] = defaultdict(list)
    children: defaultdict[str, list[Issue]] = defaultdict(list)
    logs: defaultdict[str, list[Worklog]] = defaultdict(list)
    for issue in issues:
        by_project[issue.project].append(issue)
        if issue.parent is not None:
            children[issue.parent].append(issue)
    for worklog in worklogs:
        logs[worklog.issue].append(worklog)
    return Forest(by_id, by_project, children, logs)


def attach(cards: Iterable[Card], forest: Forest, links: Mapping[str, ResolvedLink]) -> dict[Ref, CardWork]:
    """Return the work of every card whose link was resolved; `links` by the card's page id."""
    found, logs = {}, forest.worklogs
    for card in cards:
        link = links.get(card.ref.key)
        if link is not None and not link.problem and link.kind not in (LinkKind.NONE, LinkKind.BAD):
            issues = tuple(_issues(link, forest))
            worklogs = tuple([log for issue in issues if issue.id in logs for log in logs[issue.id]])
            found[card.ref] = CardWork(link.shown, issues, worklogs)
    return found


def _issues(link: ResolvedLink, forest: Forest) -> list[Issue]:
    match link.kind:
        case LinkKind.PROJECT:
            candidates = forest.by_project.get(link.project, [])
        case LinkKind.EPIC:
            candidates = descend(link.epic, forest)
        case _:
            candidates = [forest.by_id[one] for one in sorted(link.ids) if one in forest.by_id]
    return [issue for issue in candidates if issue.level < EPIC_LEVEL]


def descend(root: str, forest: Forest) -> list[Issue]:
    """Return an issue and all below it, nearest first; a cycle is walked once."""
    children = forest.children
    seen = {root}
    found = [forest.by_id[root]] if root in forest.by_id else []
    queue = [root]
    for parent in queue:
        fresh = [child for child in children.get(parent, ()) if child.id not in seen]
        names = [child.id for child in fresh]
        seen.update(names)
        found += fresh
        queue += [name for name in names if name in children]
    return found


def find_cycles(forest: Forest) -> list[tuple[Issue, ...]]:
    """Return every ring of parents, each starting at its smallest id."""
    settled: set[str] = set()
    rings = []
    for start in forest.children:
        path: dict[str, None] = {}
        step: str | None = start
        while step is not None and step not in settled and step not in path:
            path[step] = None
            issue = forest.by_id.get(step)
            step = issue.parent if issue else None
        if step is not None and step in path:
            rings.append(_ring(step, forest))
        settled.update(path)
    return rings


def _ring(start: str, forest: Forest) -> tuple[Issue, ...]:
    ring = [forest.by_id[start]]
    while (parent := ring[-1].parent) is not None and parent != start:
        ring.append(forest.by_id[parent])
    first = min(range(len(ring)), key=lambda at: ring[at].id)
    return (*ring[first:], *ring[:first])


def cycle_problems(rings: Sequence[tuple[Issue, ...]], site_url: str) -> list[Problem]:
    """Return a problem for each ring."""
    return [Problem("cyclic-parents", ring[0].key, "parent",
                    f"the issues {', '.join(issue.key for issue in ring)} are each other's parents",
                    "take one of them out of its parent in Jira; until then each is counted once",
                    f"{site_url.rstrip('/')}/browse/{ring[0].key}" if site_url else "")
            for ring in rings]
