"""What an hour of somebody's work costs the client: the person's rate, else the agency's default."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from worker.world.world import World


class Rates(msgspec.Struct, frozen=True, gc=False):
    """Rates an hour by Jira account; `default` for those who have none of their own, if the agency has one."""

    by_account: Mapping[str, Decimal]
    default: Decimal | None

    def of(self, account: str) -> Decimal | None:
        """Return an account's rate; None when nobody knows it."""
        return self.by_account.get(account, self.default)


def rates_of(world: World) -> Rates:
    """Return the rates of an agency."""
    rates: dict[str, Decimal] = {}
    for person in world.people.values():
        if person.jira and person.rate:
            rates[person.jira] = person.rate
    return Rates(rates, world.thresholds.default_rate)
