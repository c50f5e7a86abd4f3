"""Numbers in bands: colours, marks of 1 to 5, and which way a number went."""

from __future__ import annotations

from decimal import Decimal

from worker.config import Band
from worker.method.measures import Rag

Number = Decimal | float

CHANCES = {
    1: Decimal("0.1"),
    2: Decimal("0.3"),
    3: Decimal("0.5"),
    4: Decimal("0.7"),
    5: Decimal("0.9"),
}
"""PMBOK's probabilities of the five marks (docs/facts/definitions.md 10)."""


def colour_of(value: Decimal, band: Band) -> Rag:
    """Return green at or above the band's `green`, amber at or above its `amber`, else red."""
    if value >= band.green:
        return Rag.GREEN
    if value >= band.amber:
        return Rag.AMBER
    return Rag.RED


def mark_above(value: Number, *limits: Number, least: int) -> int:
    """Return `least`, and one more for every limit that `value` is above; limits rise."""
    return least + sum(value > limit for limit in limits)


def mark_below(value: Number, *limits: Number, least: int) -> int:
    """Return `least`, and one more for every limit that `value` is below; limits fall."""
    return least + sum(value < limit for limit in limits)


def direction_of(change: Decimal, band: Decimal) -> str:
    """Return `up` or `down` for a change of at least `band`, else `flat`."""
    if change >= band:
        return "up"
    if change <= -band:
        return "down"
    return "flat"
