"""Money split into parts that always add up to the whole, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.money import round_money, split

CENT = Decimal("0.01")
amounts = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) * CENT)
weightings = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


def parts(total: str, *weights: int | str) -> list[str]:
    """Return the parts of an amount as text."""
    return [
        str(part) for part in split(Decimal(total), [Decimal(one) for one in weights])
    ]


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        ("10", (1, 1), ["5.00", "5.00"]),
        # A third of a hundred has a cent over; of equal remainders the earlier part takes it.
        ("100", (1, 1, 1), ["33.34", "33.33", "33.33"]),
        ("0.02", (1, 1, 1), ["0.01", "0.01", "0.00"]),
        # 14.2857..., 28.5714..., 57.1428...: the first has the largest remainder.
        ("100", (1, 2, 4), ["14.29", "28.57", "57.14"]),
        # 0.0033..., 0.0066...: the second has.
        ("0.01", (1, 2), ["0.00", "0.01"]),
        ("7", (0, 1, 0), ["0.00", "7.00", "0.00"]),
        ("-0.01", (1, 2), ["0.00", "-0.01"]),
        ("-100", (1, 1, 1), ["-33.33", "-33.33", "-33.34"]),
        ("1", ("0.5", "1.5"), ["0.25", "0.75"]),
        ("0", (0, 0), ["0.00", "0.00"]),
        ("0", (), []),
        ("0", (3, 4), ["0.00", "0.00"]),
    ],
)
def test_the_largest_remainders_take_the_cents_that_are_over(
    total: str, weights: tuple[int | str, ...], expected: list[str]
) -> None:
    assert parts(total, *weights) == expected


@pytest.mark.parametrize("weights", [(), (0,), (0, 0), (2, -1), (-1, 2), (1, -1)])
@pytest.mark.parametrize("total", ["0.01", "-0.01", "100"])
def test_money_without_a_place_is_refused(total: str, weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weights must not be negative"):
        parts(total, *weights)


@pytest.mark.parametrize("weights", [(2, -1), (-1, -1)])
def test_nothing_needs_no_good_weights(weights: tuple[int, ...]) -> None:
    assert parts("0", *weights) == ["0.00", "0.00"]


@pytest.mark.parametrize("total", ["0.001", "1.005", "-0.0001"])
def test_parts_of_a_cent_are_refused(total: str) -> None:
    with pytest.raises(ValueError, match="more than two decimals"):
        parts(total, 1, 1)


@pytest.mark.parametrize("total", ["1", "1.0", "1.000"])
def test_an_amount_may_be_written_with_any_zeros(total: str) -> None:
    assert parts(total, 1) == ["1.00"]


@given(total=amounts, weights=weightings)
def test_parts_add_up_and_are_less_than_a_cent_from_their_share(
    total: Decimal, weights: list[int]
) -> None:
    found = split(total, weights)
    assert sum(found, Decimal(0)) == total
    for part, weight in zip(found, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < CENT
        assert weight or part == 0


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("1.005", "1.01"),
        ("1.0049", "1.00"),
        ("-1.005", "-1.01"),
        ("2", "2.00"),
        ("0.015", "0.02"),
        ("0.025", "0.03"),
    ],
)
def test_half_a_cent_is_rounded_away_from_nothing(amount: str, expected: str) -> None:
    assert str(round_money(Decimal(amount))) == expected
