"""Exact sums: parts of a whole always add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def round_money(amount: Decimal) -> Decimal:
    """Return `amount` rounded half up to kopecks or cents."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def split(total: Decimal, weights: Sequence[int | Decimal]) -> list[Decimal]:
    """Return `total` split in proportion to `weights`, in cents, summing exactly to `total` (largest remainder).

    Ties go to the earlier part. All weights zero or none: raises `ValueError` unless the total is zero too.
    `total` must have no more than two decimals; it may be negative. Source: docs/facts/definitions.md 6.
    """
    total = total.quantize(CENT) if total == total.quantize(CENT) else _reject(total)
    whole = sum((Decimal(weight) for weight in weights), Decimal(0))
    if whole <= 0 or any(weight < 0 for weight in weights):
        if total == 0:
            return [Decimal("0.00")] * len(weights)
        raise ValueError("weights must not be negative and must sum to more than zero")
    exact = [total * Decimal(weight) / whole for weight in weights]
    floors = [part.quantize(CENT, ROUND_FLOOR) for part in exact]
    missing = int((total - sum(floors, Decimal(0))) / CENT)
    by_remainder = sorted(
        range(len(exact)), key=lambda index: (floors[index] - exact[index], index)
    )
    for index in by_remainder[:missing]:
        floors[index] += CENT
    return floors


def _reject(total: Decimal) -> Decimal:
    raise ValueError(f"{total} has more than two decimals")
