"""Hours spent on a card and what they cost (docs/method.md 1.1).

Work logs are a window: what was logged before it stands in the time spent of the items alone, without author or day. So
the whole of an item is the larger of both; hours of nobody known cost on the average what the known ones do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from worker.domain.entities import Card, CardWork, LoggedTime, Person
from worker.method.formulas.flow import HOUR
from worker.world.world import World


def seconds_spent(work: CardWork) -> int:
    """Return the seconds spent on a card, on work that was rejected too."""
    logged: dict[str, int] = defaultdict(int)
    for log in work.worklogs:
        logged[log.issue] += log.seconds

    whole = dict(logged)
    for issue in (*work.issues, *work.rejected):
        noted = max(issue.spent or 0, 0)
        whole[issue.id] = max(noted, logged[issue.id])
    return sum(whole.values())


def seconds_by_author(worklogs: Iterable[LoggedTime]) -> dict[str, int]:
    """Return the seconds logged by account."""
    spent: dict[str, int] = defaultdict(int)
    for log in worklogs:
        spent[log.author] += log.seconds
    return spent


def worth_of_hours(
    card: Card, work: CardWork, world: World, *, people: Mapping[str, Person]
) -> Decimal | None:
    """Return what all hours on a card with a budget are worth at the rates of their days, `people` by account.

    None when there is no budget, nothing was spent or an hour has no rate.
    """
    whole = seconds_spent(work)
    if not card.budget or not whole:
        return None
    default = world.thresholds.default_rate
    known = 0
    cost = Decimal(0)
    for log in work.worklogs:
        person = people.get(log.author)
        own = person.rate_on(log.day) if person else None
        rate = default if own is None else own
        if rate is None:
            return None
        known += log.seconds
        cost += rate * log.seconds / HOUR

    if known:
        cost = cost * whole / known
    elif default is None:
        return None
    else:
        cost = default * whole / HOUR
    return cost
