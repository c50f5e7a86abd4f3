"""What an hour of somebody's work costs the client: the person's rate, else the agency's default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import Person
from worker.world.world import World


class Rates(msgspec.Struct, frozen=True, gc=False):
    """Whose rate an hour of a Jira account has; `default` for those who have none of their own, if there is one."""

    people: Mapping[str, Person]
    default: Decimal | None

    def of(self, account: str, day: date) -> Decimal | None:
        """Return an account's rate on a day; None when nobody knows it."""
        person = self.people.get(account)
        rate = person.rate_on(day) if person else None
        return rate or self.default


def rates_of(world: World) -> Rates:
    """Return the rates of an agency."""
    people = {}
    for person in world.people.values():
        if person.jira:
            people[person.jira] = person
    return Rates(people, world.thresholds.default_rate)
