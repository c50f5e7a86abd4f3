"""What is above issues and is not read itself: of that no more is kept than whose hours no client pays.

A label holds for all items below (docs/method.md 3.1), also where a query takes in the items alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from worker.domain.entities import Above
from worker.ports.tracker import IssueBatch
from worker.read.lookup import Lookup
from worker.site import Site
from worker.state import snapshots


def read_above(
    site: Site,
    lookup: Lookup,
    parents: Collection[str],
    read: Callable[[Sequence[str]], IssueBatch],
) -> None:
    """Note what is above issues, by the ids of their `parents`: asked for once, one request for each level of it.

    What may not be read counts as billable, and as the top.
    """
    wanted = set(parents)
    while wanted:
        wanted -= lookup.above.keys()
        wanted -= _stored(site, wanted)
        if not wanted:
            break

        batch = read(sorted(wanted))
        for identity in wanted:
            lookup.above[identity] = Above()
        wanted = set()
        for issue in batch.issues:
            above = Above(issue.parent, issue.billable)
            lookup.above[issue.id] = above
            if issue.parent is not None:
                wanted.add(issue.parent)


def _stored(site: Site, ids: Collection[str]) -> set[str]:
    """Return which of some issues are read."""
    ordered = sorted(ids)
    with site.reading() as tx:
        stored = snapshots.find_issues(tx, ordered)
    return {issue.id for issue in stored}
