"""Growth of a card that nobody agreed on: what was added since its budget or promised date last grew (docs/method.md 1.3).

Growth is told while it is fresh, that is while a change can still be agreed: of the last `scope_weeks` alone. A larger
budget or a later promised date in those weeks is such a change, and answers for all that was added up to that day.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from worker.domain.entities import Card, CardWork
from worker.domain.periods import A_DAY
from worker.method.delivery.records import Promises
from worker.method.formulas import flow
from worker.world.world import World


def find_agreement(card: Card, promises: Promises | None, world: World) -> date | None:
    """Return the last day of the weeks of growth on which a change was agreed."""
    raised = _raised_on(card, world.today)
    put_off = _put_off_on(promises)
    days = [day for day in (raised, put_off) if day is not None]
    if not days:
        return None
    last = max(days)
    weeks = timedelta(weeks=world.thresholds.scope_weeks)
    first = world.today - weeks
    return last if last >= first else None


def _put_off_on(promises: Promises | None) -> date | None:
    """Return when the promised date was last put off."""
    last = None
    if promises is None:
        return last
    for before, after in pairwise(promises.dates):
        if after.due > before.due:
            last = after.given
    return last


def _raised_on(card: Card, today: date) -> date | None:
    """Return the last day up to today from which a card's budget was larger than before."""
    last = None
    if card.budgets is None:
        return last
    before = card.budgets.first
    for day, amount in card.budgets.changes:
        if day > today:
            break
        if before is not None and amount is not None and amount > before:
            last = day
        before = amount
    return last


def growth_since(day: date, work: CardWork, world: World) -> Decimal | None:
    """Return the share by which the work of a card grew after a day, work that was rejected since taken off."""
    begin = world.begin_of(day + A_DAY)
    new = [issue for issue in work.issues if issue.created >= begin]
    gone = []
    for issue in work.rejected:
        end = flow.ended_at(issue)
        if end is None or end < begin:
            continue
        if issue.created < begin:
            gone.append(issue)

    sums = flow.weigh_sums(work.issues, (new, gone), world.thresholds.estimate_share)
    added, lost = sums.parts
    growth = added - lost
    before = sums.whole - growth
    return flow.share(growth, before)
