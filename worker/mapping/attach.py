"""Which Jira issues belong to which card: one pass over the issues, whatever the number of cards.

A project card has every issue of the project but epics; an epic card all that hangs below the epic; a JQL or filter
card what was matched. Epics (level 1 and above) are containers, never work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter

import msgspec

from worker.domain.model import Card, CardWork, Issue, Worklog
from worker.domain.values import Ref
from worker.errors import Problem
from worker.mapping.links import LinkKind, ResolvedLink

EPIC_LEVEL = 1
NAME = attrgetter("id")


class Forest(msgspec.Struct, frozen=True, gc=False):
    """Issues as cards need them, built once: all by id, work (no epics) by project key and by parent's id.

    `branches` are the parents below each parent, by id; `worklogs` are by issue's id.
    """

    by_id: Mapping[str, Issue]
    by_project: Mapping[str, list[Issue]]
    below: Mapping[str, list[Issue]]
    branches: Mapping[str, list[str]]
    worklogs: Mapping[str, list[Worklog]]


def plant(issues: Iterable[Issue], worklogs: Iterable[Worklog]) -> Forest:
    """Return the issues grouped for `attach`."""
    issues = tuple(issues)
    by_id = {issue.id: issue for issue in issues}
    by_project: defaultdict[str, list[Issue]] = defaultdict(list)
    below: defaultdict[str, list[Issue]] = defaultdict(list)
    containers = []
    for issue in issues:
        if issue.level >= EPIC_LEVEL:
            containers.append(issue)
            continue
        by_project[issue.project].append(issue)
        if issue.parent is not None:
            below[issue.parent].append(issue)
    branches: defaultdict[str, list[str]] = defaultdict(list)
    parents = (by_id[name] for name in below if name in by_id)
    for issue in (*containers, *(parent for parent in parents if parent.level < EPIC_LEVEL)):
        if issue.parent is not None:
            branches[issue.parent].append(issue.id)
    logs: defaultdict[str, list[Worklog]] = defaultdict(list)
    for worklog in worklogs:
        logs[worklog.issue].append(worklog)
    return Forest(by_id, by_project, below, branches, logs)


def attach(cards: Iterable[Card], forest: Forest, links: Mapping[str, ResolvedLink]) -> dict[Ref, CardWork]:
    """Return the work of every card whose link was resolved; `links` by the card's page id."""
    found = {}
    for card in cards:
        link = links.get(card.ref.key)
        if link is not None and not link.problem and link.kind not in (LinkKind.NONE, LinkKind.BAD):
            issues = tuple(_issues(link, forest))
            logs = filter(None, map(forest.worklogs.get, map(NAME, issues)))
            found[card.ref] = CardWork(link.shown, issues, tuple(chain.from_iterable(logs)))
    return found


def _issues(link: ResolvedLink, forest: Forest) -> list[Issue]:
    match link.kind:
        case LinkKind.PROJECT:
            return forest.by_project.get(link.project, [])
        case LinkKind.EPIC:
            return descend(link.epic, forest)
    matched = [forest.by_id[one] for one in sorted(link.ids) if one in forest.by_id]
    return [issue for issue in matched if issue.level < EPIC_LEVEL]


def descend(root: str, forest: Forest) -> list[Issue]:
    """Return the work of an issue and of all below it, nearest first; a ring of parents is walked once."""
    own, queue = forest.by_id.get(root), [root]
    found: list[Issue] = []
    for parent in queue:
        found += forest.below.get(parent, ())
        # An issue has one parent: only a ring through the root could lead to an issue twice, and to the root first.
        queue += [name for name in forest.branches.get(parent, ()) if name != root]
    head = [own] if own is not None and own.level < EPIC_LEVEL else []
    return head + [issue for issue in found if issue is not own]


def find_cycles(forest: Forest) -> list[tuple[Issue, ...]]:
    """Return every ring of parents, each starting at its smallest id."""
    settled: set[str] = set()
    rings = []
    for start in forest.branches:
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
