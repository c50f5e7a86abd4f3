"""How far a budget is spent, and when that is to be told: while something can still be done (docs/method.md 2.11)."""

from __future__ import annotations

from decimal import Decimal

from worker.domain.entities import RUNNING, Card
from worker.method.measures import CardMeasure


def is_nearly_spent(
    card: Card, measure: CardMeasure | None, limit: Decimal
) -> bool | None:
    """Tell whether the share `limit` of a card's budget is spent while work is left; None when that is not known."""
    if not card.budget or card.stage not in RUNNING:
        return False
    if measure is None or not measure.known:
        return None
    if measure.total and not measure.open:
        return False
    if measure.burn is None:
        return None if measure.hours else False
    return measure.burn >= limit
