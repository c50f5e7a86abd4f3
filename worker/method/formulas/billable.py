"""Which hours are a client's to pay: those on billable cards, but for items labelled otherwise (docs/method.md 3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from worker.domain.entities import Above, Card, CardWork, Issue, LoggedTime
from worker.domain.values import Ref
from worker.world.world import World


class Billable(msgspec.Struct, frozen=True, gc=False):
    """What may be billed of the work of cards; `unpaid` are the ids of items that may not, wherever they stand."""

    work: Mapping[Ref, CardWork]
    unpaid: frozenset[str]

    def logs_of(self, card: Card) -> Iterator[LoggedTime]:
        """Yield the logs of a card that its client is to pay; a card that is not billable has none."""
        work = self.work.get(card.ref)
        if work is None or not card.billable:
            return
        for log in work.worklogs:
            if log.issue not in self.unpaid:
                yield log


def billable_of(world: World) -> Billable:
    """Return what may be billed. A label holds for all items below, also where its item is not read itself; hours on no
    card are nobody's to pay."""
    issues = dict(world.issues)
    for work in world.work.values():
        for issue in (*work.issues, *work.rejected):
            issues.setdefault(issue.id, issue)

    unpaid: set[str] = set()
    queue = [issue.id for issue in issues.values() if not issue.billable]
    queue += [name for name, above in world.above.items() if not above.billable]
    children = _children({**world.above, **issues}) if queue else {}
    while queue:
        item = queue.pop()
        if item not in unpaid:
            unpaid.add(item)
            queue += children.get(item, ())
    return Billable(world.work, frozenset(unpaid))


def _children(issues: Mapping[str, Issue | Above]) -> Mapping[str, list[str]]:
    children: dict[str, list[str]] = {}
    for name, issue in issues.items():
        if issue.parent is not None:
            children.setdefault(issue.parent, []).append(name)
    return children
