"""What an hour of somebody's work costs the agency on a day (docs/method.md 2.12). Private."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import CostRate
from worker.domain.messages import tell
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.world.world import World


class Costs(msgspec.Struct, frozen=True, gc=False):
    """Cost rates an hour by Jira account, each with the day it is in force from, the earliest first."""

    by_account: Mapping[str, Sequence[tuple[date, Decimal]]]

    def on(self, account: str, day: date) -> Decimal | None:
        """Return the rate in force on a day; None when nobody gave one."""
        rate = None
        for since, value in self.by_account.get(account, ()):
            if since <= day:
                rate = value
        return rate


def costs_of(world: World) -> Costs:
    """Return the cost rates of an agency; of several from one day that of the row made last is in force."""
    by_person: dict[Ref, dict[date, Decimal]] = defaultdict(dict)
    for row in _in_order(world):
        by_person[row.person][row.since] = row.rate
    by_account: dict[str, Sequence[tuple[date, Decimal]]] = {}
    for ref in sorted(by_person):
        person = world.person(ref)
        if person is not None and person.jira:
            by_account.setdefault(person.jira, sorted(by_person[ref].items()))
    return Costs(by_account)


def _in_order(world: World) -> list[CostRate]:
    return sorted(world.costs, key=lambda row: (row.created, row.ref))


def duplicate_problems(world: World) -> Iterator[Problem]:
    """Yield a problem for each row that another one for the same person and day takes the place of."""
    last: dict[tuple[Ref, date], CostRate] = {}
    for row in _in_order(world):
        place = (row.person, row.since)
        before = last.get(place)
        last[place] = row
        if before is None:
            continue
        yield Problem(
            code=Code.DUPLICATE_COST,
            where=tell("Costs"),
            field="from",
            message=tell(
                "another row gives this person a cost rate from the same day; "
                "the one made last counts"
            ),
            hint=tell("delete this row, or change the day it counts from"),
            url=before.url,
        )
