"""Money split into parts that always add up to the whole, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.money import CENT, minor_unit, round_money, split

amounts = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) * CENT)
weightings = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


def parts(total: str, *weights: int | str) -> list[str]:
    """Return the parts of an amount as text."""
    return [
        str(part)
        for part in split(Decimal(total), [Decimal(one) for one in weights], CENT)
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
    with pytest.raises(ValueError, match=r"not a multiple of 0\.01"):
        parts(total, 1, 1)


@pytest.mark.parametrize("total", ["1", "1.0", "1.000"])
def test_an_amount_may_be_written_with_any_zeros(total: str) -> None:
    assert parts(total, 1) == ["1.00"]


@given(total=amounts, weights=weightings)
def test_parts_add_up_and_are_less_than_a_cent_from_their_share(
    total: Decimal, weights: list[int]
) -> None:
    found = split(total, weights, CENT)
    assert sum(found, Decimal(0)) == total
    for part, weight in zip(found, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < CENT
        assert weight or part == 0


# Russia's second quarter of 2026 has 22, 19 and 21 working days; June's week parts 5, 4 (the 12th is off), 5, 5 and 2.
# 3,000,000 x 21 / 62 = 1,016,129.0322; a day of June is 48,387.0966..., five days 241,935.4833..., four 193,548.3866...,
# two 96,774.1933...: the remainders are .333 (twice three and the last) and .666. Two cents are over: the four days
# take one, and of the equal rest the first week takes the other.
def test_equal_remainders_are_equal_however_many_digits_they_have() -> None:
    months = split(Decimal(3_000_000), [22, 19, 21], CENT)
    assert [str(month) for month in months] == ["1064516.13", "919354.84", "1016129.03"]
    assert parts("1016129.03", 5, 4, 5, 5, 2) == [
        "241935.49",
        "193548.39",
        "241935.48",
        "241935.48",
        "96774.19",
    ]


@given(cents=st.integers(-(10**14), 10**14), number=st.integers(1, 60))
def test_of_equal_parts_the_earlier_ones_take_what_is_over(
    cents: int, number: int
) -> None:
    shares = split(cents * CENT, [7] * number, CENT)
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("currency", "minor"),
    [
        ("RUB", "0.01"),
        ("EUR", "0.01"),
        ("XYZ", "0.01"),
        ("JPY", "1"),
        ("KRW", "1"),
        ("KWD", "0.001"),
    ],
)
def test_money_is_counted_in_the_minor_unit_of_its_currency(
    currency: str, minor: str
) -> None:
    assert minor_unit(currency) == Decimal(minor)


# 1,000,001 x 22 / 64 = 343,750.34, x 20 / 64 = 312,500.31: one yen is over, and of the equal remainders the first has it.
# In thirds of a thousandth: 1 / 3 dinar is 0.333, the thousandth over is the first part's.
@pytest.mark.parametrize(
    ("currency", "total", "weights", "expected"),
    [
        ("JPY", "1000001", [22, 20, 22], ["343751", "312500", "343750"]),
        ("JPY", "-1", [1, 1], ["0", "-1"]),
        ("KWD", "1", [1, 1, 1], ["0.334", "0.333", "0.333"]),
        ("JPY", "0", [0], ["0"]),
    ],
)
def test_parts_are_whole_minor_units(
    currency: str, total: str, weights: list[int], expected: list[str]
) -> None:
    shares = split(Decimal(total), weights, minor_unit(currency))
    assert [str(share) for share in shares] == expected


def test_half_a_yen_is_refused_and_half_a_yen_is_rounded() -> None:
    with pytest.raises(ValueError, match="not a multiple of 1"):
        split(Decimal("0.5"), [1], minor_unit("JPY"))
    assert str(round_money(Decimal("0.5"), minor_unit("JPY"))) == "1"


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
    assert str(round_money(Decimal(amount), CENT)) == expected
