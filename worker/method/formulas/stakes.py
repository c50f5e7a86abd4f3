"""Money that may be lost: what clients have committed, against which risks are weighed (docs/method.md 6.1)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from worker.domain.entities import RUNNING, Stage
from worker.domain.values import Ref
from worker.world.world import World

COMMITTED = (Stage.AGREED, *RUNNING)
MONTHS = 3
"""Months whose fees count as committed: those of a quarter."""


def committed_money(world: World) -> dict[Ref, Decimal]:
    """Return the committed money of every client: budgets of agreed and running cards, and a quarter of fees."""
    sums: dict[Ref, Decimal] = defaultdict(Decimal)
    for card in world.cards.values():
        if card.stage not in COMMITTED:
            continue
        if card.client and card.budget:
            sums[card.client] += card.budget
    for ref, client in world.clients.items():
        fee = client.monthly_fee or Decimal(0)
        sums[ref] += MONTHS * fee
    return sums
