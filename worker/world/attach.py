"""Which Jira issues belong to which card: one pass over the issues, whatever the number of cards.

A project card has every issue of the project but epics; an epic card all that hangs below the epic; a JQL or filter
card what was matched. Epics (level 1 and above) are containers, never work; but the time logged on them was spent, on
each card that has them. What was closed as rejected stands apart, with the sub-tasks of a parent that was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Card, CardWork, Issue, LoggedTime
from worker.domain.messages import literal, tell
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.world.links import LinkKind, ResolvedLink
from worker.world.logged import uncounted

EPIC_LEVEL = 1


class WorkGroup(msgspec.Struct, gc=False):
    """Work (no epics) that hangs together, and the time logged on it."""

    issues: list[Issue] = []
    worklogs: list[LoggedTime] = []


class IssueIndex(msgspec.Struct, frozen=True, gc=False):
    """Issues as cards need them, built once: each by id, and work by project key and by parent's id.

    `branches` are the parents below each parent, by id; `worklogs` are by issue's id.
    """

    by_id: Mapping[str, Issue]
    by_project: Mapping[str, WorkGroup]
    below: Mapping[str, WorkGroup]
    branches: Mapping[str, list[str]]
    worklogs: Mapping[str, list[LoggedTime]]


def index_issues(issues: Iterable[Issue], worklogs: Iterable[LoggedTime]) -> IssueIndex:
    """Return the issues grouped for `attach`."""
    issues = tuple(issues)
    by_id = {issue.id: issue for issue in issues}
    by_project: defaultdict[str, WorkGroup] = defaultdict(WorkGroup)
    below: defaultdict[str, WorkGroup] = defaultdict(WorkGroup)
    containers = []
    for issue in issues:
        if issue.level >= EPIC_LEVEL:
            containers.append(issue)
            continue
        by_project[issue.project].issues.append(issue)
        if issue.parent is not None:
            below[issue.parent].issues.append(issue)
    logs: defaultdict[str, list[LoggedTime]] = defaultdict(list)
    for worklog in worklogs:
        logs[worklog.issue].append(worklog)
        logged_issue = by_id.get(worklog.issue)
        if logged_issue is not None:
            by_project[logged_issue.project].worklogs.append(worklog)
            if logged_issue.parent is not None:
                below[logged_issue.parent].worklogs.append(worklog)
    branches: defaultdict[str, list[str]] = defaultdict(list)
    parents = (by_id[name] for name in below if name in by_id)
    for issue in (
        *containers,
        *(parent for parent in parents if parent.level < EPIC_LEVEL),
    ):
        if issue.parent is not None:
            branches[issue.parent].append(issue.id)
    return IssueIndex(by_id, by_project, below, branches, logs)


def attach(
    cards: Iterable[Card],
    forest: IssueIndex,
    links: Mapping[str, ResolvedLink],
    hidden: Mapping[str, datetime] = MappingProxyType({}),
) -> dict[Ref, CardWork]:
    """Return the work of every card whose link was resolved, now or once; `links` by the card's page id.

    Work is as old as the last sight of what is `hidden` in it, by the ids of issues.
    """
    work_by_card = {}
    for card in cards:
        link = links.get(card.ref.key)
        if (
            link is not None
            and (not link.problem or link.as_of is not None)
            and link.kind not in (LinkKind.NONE, LinkKind.BAD)
        ):
            work = find_work(link, forest)
            issues = _with_parents_ends(work.issues)
            work_by_card[card.ref] = CardWork(
                link.shown,
                tuple(issue for issue in issues if not issue.rejected),
                tuple(work.worklogs),
                as_of=_age(link, issues, hidden),
                rejected=tuple(issue for issue in issues if issue.rejected),
                others=_others(link, work, forest),
            )
    return work_by_card


def _age(
    link: ResolvedLink, issues: Iterable[Issue], hidden: Mapping[str, datetime]
) -> datetime | None:
    """Return as of when the work of a card is known, None for now."""
    ages = [] if link.as_of is None else [link.as_of]
    if hidden:
        ages += [hidden[issue.id] for issue in issues if issue.id in hidden]
    return min(ages, default=None)


def _others(link: ResolvedLink, work: WorkGroup, forest: IssueIndex) -> int | None:
    """Return how many more issues the project of an ordinary issue has, None for any other link."""
    if not link.plain:
        return None
    project = forest.by_project.get(link.project, WorkGroup())
    own = {issue.id for issue in work.issues}
    others = [issue for issue in project.issues if issue.id not in own]
    return len(others)


def _with_parents_ends(issues: Sequence[Issue]) -> list[Issue]:
    """Return a card's issues, sub-tasks as rejected when their parent was: they left the scope with it, begun or not.

    Only parents on the same card are looked at: others may be known or not, as other cards have it.
    """
    by_id = {issue.id: issue for issue in issues}
    return [_with_parents_end(issue, by_id.get(issue.parent or "")) for issue in issues]


def _with_parents_end(issue: Issue, parent: Issue | None) -> Issue:
    if issue.level >= 0 or issue.rejected or parent is None or not parent.rejected:
        return issue
    return replace(
        issue,
        rejected=True,
        category=parent.category,
        resolved=parent.resolved,
        moves=parent.moves,
    )


def find_work(link: ResolvedLink, forest: IssueIndex) -> WorkGroup:
    """Return the work a resolved link names."""
    match link.kind:
        case LinkKind.PROJECT:
            return forest.by_project.get(link.project, WorkGroup())
        case LinkKind.EPIC:
            return descend(link.epic, forest)
        case LinkKind.SEVERAL:
            return _unite(find_work(part, forest) for part in link.parts)
    return _gather(sorted(link.ids), forest)


def find_boughs(
    issues: Iterable[Issue], reached: Collection[str], whole: Collection[str]
) -> dict[str, str]:
    """Return the keys by id of what hangs below issues that were reached, and under which there may be more.

    Sub-tasks lie in the project of their parent: only epics of a project that is read whole may have others.
    """
    grown: dict[str, str] = {}
    for issue in issues:
        least = EPIC_LEVEL if issue.project in whole else 0
        if issue.id in reached or issue.level < least:
            continue
        if issue.parent in reached:
            grown[issue.id] = issue.key
    return grown


def find_covered(
    links: Iterable[ResolvedLink], forest: IssueIndex
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids of what links in force cover, with its parents; and those of it that a project or an epic does."""
    covered: set[str] = set()
    fixed: set[str] = set()
    for link in links:
        if link.problem:
            continue
        for part in link.each():
            work = find_work(part, forest).issues
            ids = {one for issue in work for one in with_parents(issue, forest)}
            covered |= ids
            if part.kind in (LinkKind.PROJECT, LinkKind.EPIC):
                fixed |= ids
    return frozenset(covered), frozenset(fixed)


def with_parents(issue: Issue, forest: IssueIndex) -> set[str]:
    """Return the ids of an issue and of all above it; a ring of parents is walked once."""
    ids: set[str] = set()
    step: Issue | None = issue
    while step is not None and step.id not in ids:
        ids.add(step.id)
        step = forest.by_id.get(step.parent or "")
    return ids


def _unite(works: Iterable[WorkGroup]) -> WorkGroup:
    """Return the work of several links, each issue and worklog once."""
    issues: dict[str, Issue] = {}
    worklogs: list[LoggedTime] = []
    logged: set[str] = set()
    for work in works:
        issues |= {issue.id: issue for issue in work.issues}
        worklogs += uncounted(work.worklogs, logged)
    return WorkGroup(list(issues.values()), worklogs)


def _gather(ids: Iterable[str], forest: IssueIndex) -> WorkGroup:
    known = [forest.by_id[name] for name in ids if name in forest.by_id]
    return WorkGroup(
        [issue for issue in known if issue.level < EPIC_LEVEL],
        [log for issue in known for log in forest.worklogs.get(issue.id, ())],
    )


def descend(root: str, forest: IssueIndex) -> WorkGroup:
    """Return the work of an issue and of all below it, nearest first; a ring of parents is walked once."""
    own = forest.by_id.get(root)
    queue = [root]
    for parent in queue:
        # An issue has one parent: only a ring through the root could lead to one twice, and to the root first.
        queue += [name for name in forest.branches.get(parent, ()) if name != root]
    work = _gather([] if own is not None and own.parent in queue else [root], forest)
    for bough in [forest.below[parent] for parent in queue if parent in forest.below]:
        work.issues += bough.issues
        work.worklogs += bough.worklogs
    return work


def find_cycles(forest: IssueIndex) -> list[tuple[Issue, ...]]:
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


def _ring(start: str, forest: IssueIndex) -> tuple[Issue, ...]:
    ring = [forest.by_id[start]]
    while (parent := ring[-1].parent) is not None and parent != start:
        ring.append(forest.by_id[parent])
    first = min(range(len(ring)), key=lambda at: ring[at].id)
    return (*ring[first:], *ring[:first])


def cycle_problems(rings: Sequence[tuple[Issue, ...]], site_url: str) -> list[Problem]:
    """Return a problem for each ring."""
    return [
        Problem(
            code=Code.CYCLIC_PARENTS,
            where=literal(ring[0].key),
            field="parent",
            message=tell(
                "the issues {keys} are each other's parents",
                keys=", ".join(issue.key for issue in ring),
            ),
            hint=tell(
                "take one of them out of its parent in Jira; until then each is counted once"
            ),
            url=f"{site_url.rstrip('/')}/browse/{ring[0].key}" if site_url else "",
        )
        for ring in rings
    ]
