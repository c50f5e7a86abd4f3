"""How many issues hang below epics in projects that may not be read: their number is asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from worker.domain.entities import Issue
from worker.errors import Rejected
from worker.ports.tracker import Tracker
from worker.world.listing import Listing


def gather_branches(
    epics: Mapping[str, str], boughs: Iterable[Issue]
) -> dict[str, list[str]]:
    """Return the keys below which each of some epics may have issues: its own, and those of `boughs` that hang below
    it; `epics` are keys by id."""
    boughs = tuple(boughs)
    parents = {bough.id: bough.parent for bough in boughs}
    branches = {key: [key] for key in sorted(epics.values())}
    for bough in boughs:
        root = _find_root(bough.id, parents, epics)
        if root in branches:
            branches[root].append(bough.key)
    return branches


def _find_root(
    identity: str, parents: Mapping[str, str | None], roots: Mapping[str, str]
) -> str:
    """Return the key of the epic above an issue, empty for none."""
    step: str | None = identity
    for _ in range(len(parents) + 1):
        if step is None or step in roots:
            break
        step = parents.get(step)
    return roots.get(step or "", "")


def count_beyond(
    jira: Tracker, listing: Listing, branches: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Return how many issues beyond the list hang below each epic, none left out.

    It is one question for all as long as there are none, else by halves.
    """
    keys = [key for branch in branches.values() for key in branch]
    if not keys or not listing.outside:
        return {}
    below = jira.below(keys)
    names = list(branches)
    try:
        count = len(jira.ids(f"{listing.outside} AND ({below})").ids)
    except Rejected:
        # Of several that are refused together the others are asked about alone.
        count = 1 if len(names) > 1 else 0
    if not count:
        return {}
    if len(names) == 1:
        return {names[0]: count}

    half = len(names) // 2
    counts: dict[str, int] = {}
    for some in (names[:half], names[half:]):
        part = {name: branches[name] for name in some}
        counts |= count_beyond(jira, listing, part)
    return counts
