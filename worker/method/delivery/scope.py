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
from worker.method.formulas import flow
from worker.method.formulas.hysteresis import Tracks, follow
from worker.method.measures import Promises
from worker.world.world import World


def find_agreement(
    card: Card, promises: Promises | None, tracks: Tracks, *, world: World
) -> date | None:
    """Return the last day of the weeks of growth on which a change was agreed; `tracks` remember the budget."""
    days = []
    raised = _raised_on(card, tracks, world)
    if raised is not None:
        days.append(raised)
    for before, after in pairwise(promises.dates if promises else ()):
        if after.given is not None and after.due > before.due:
            days.append(after.given)
    first = world.today - timedelta(weeks=world.thresholds.scope_weeks)
    return max((day for day in days if day >= first), default=None)


def _raised_on(card: Card, tracks: Tracks, world: World) -> date | None:
    """Return when a card's budget was last raised, as far as it was seen."""
    place = f"{card.ref}#budget"
    raise_place = f"{card.ref}#budget_raised"
    before = tracks.get(place)
    if card.budget is not None:
        tracks[place] = follow(before, f"{card.budget.normalize():f}", world.today)
        if before is not None and card.budget > Decimal(before.value):
            tracks[raise_place] = follow(None, "raised", world.today)
    raised = tracks.get(raise_place)
    return raised.since if raised else None


def growth_since(day: date, work: CardWork, world: World) -> Decimal | None:
    """Return the share by which the work of a card grew after a day, work that was rejected since taken off."""
    begin = world.begin_of(day + A_DAY)
    new = [issue for issue in work.issues if issue.created >= begin]
    gone = []
    for issue in work.rejected:
        end = flow.ended_at(issue)
        if issue.created < begin and end is not None and end >= begin:
            gone.append(issue)
    least = world.thresholds.estimate_share
    sums = flow.weigh_sums(work.issues, (new, gone), least)
    added, lost = sums.parts
    return flow.share(added - lost, sums.whole - added + lost)
