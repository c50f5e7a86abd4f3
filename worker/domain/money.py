"""Exact sums in the smallest amount of a currency: parts of a whole always add up to it (docs/facts/definitions.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import lcm

CENT = Decimal("0.01")

_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""The currencies whose minor unit does not have two digits (ISO 4217)."""
_MINOR_UNITS = {
    currency: Decimal(1).scaleb(-digits)
    for digits, currencies in _DIGITS.items()
    for currency in currencies.split()
}


def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency by its ISO code: a cent or kopeck (0.01), a yen (1)."""
    return _MINOR_UNITS.get(currency, CENT)


def round_money(amount: Decimal, minor: Decimal) -> Decimal:
    """Return `amount` rounded half up to the smallest amount of its currency, `minor`."""
    return amount.quantize(minor, ROUND_HALF_UP)


def split(
    total: Decimal, weights: Sequence[int | Decimal], minor: Decimal
) -> list[Decimal]:
    """Return `total` split in proportion to `weights`, in multiples of `minor`, summing exactly to it (largest remainder).

    Remainders are compared as exact fractions; of equal ones the earlier part's counts first. All weights zero or
    none: raises `ValueError` unless the total is zero too. `minor` is a power of ten and `total` a multiple of it,
    which may be negative.
    """
    units = _count(total, minor)
    shares = _whole_numbers(weights)
    whole = sum(shares)
    if whole <= 0 or min(shares) < 0:
        if units == 0:
            return [0 * minor] * len(weights)
        raise ValueError("weights must not be negative and must sum to more than zero")

    parts = []
    remainders = []
    for share in shares:
        part, remainder = divmod(units * share, whole)
        parts.append(part)
        remainders.append(remainder)

    missing = units - sum(parts)
    largest = sorted(range(len(parts)), key=lambda index: (-remainders[index], index))
    for index in largest[:missing]:
        parts[index] += 1
    return [part * minor for part in parts]


def foot(
    amounts: Sequence[Decimal], unit: Decimal, *, total: Decimal | None = None
) -> list[Decimal]:
    """Return amounts in multiples of `unit` that come to `total`, else to their rounded sum: what a table shows adds up.

    Each is rounded up or down, up those with the largest remainders, of equal ones the earlier; `total` is a multiple of
    `unit`. One that the amounts do not come to by rounding alone is met all the same, by changing the same ones further.
    """
    if not amounts:
        return []
    if total is None:
        total = round_money(sum(amounts, Decimal(0)), unit)
    parts = [amount.quantize(unit, ROUND_FLOOR) for amount in amounts]
    missing = _count(total - sum(parts, Decimal(0)), unit)
    remainders = [amount - part for amount, part in zip(amounts, parts, strict=True)]
    largest = sorted(range(len(parts)), key=lambda index: (-remainders[index], index))
    step = unit if missing > 0 else -unit
    for number in range(abs(missing)):
        parts[largest[number % len(parts)]] += step
    return parts


def _count(total: Decimal, minor: Decimal) -> int:
    """Return how many times `minor` is in `total`."""
    units = total / minor
    if units != units.to_integral_value():
        raise ValueError(f"{total} is not a multiple of {minor}")
    return int(units)


def _whole_numbers(weights: Sequence[int | Decimal]) -> list[int]:
    """Return whole numbers in the proportion of the weights."""
    exact = [Fraction(weight) for weight in weights]
    scale = lcm(*(fraction.denominator for fraction in exact))
    return [int(fraction * scale) for fraction in exact]
