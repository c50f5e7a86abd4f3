"""Amounts as people read them: whole where they are whole, and never parted from their currency."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.words import Words

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@pytest.mark.parametrize(
    ("locale", "currency", "amount", "shown"),
    [
        ("en", "EUR", "1234567", "€1,234,567"),
        ("en", "EUR", "12.5", "€12.50"),
        ("en", "EUR", "0", "€0"),
        ("ru", "RUB", "1234567", "1\u00a0234\u00a0567\u00a0₽"),
        ("ru", "RUB", "12.5", "12,50\u00a0₽"),
        ("ru", "RUB", "12.00", "12\u00a0₽"),
    ],
)
def test_amounts_are_shown_as_the_locale_writes_them(
    locale: str, currency: str, amount: str, shown: str
) -> None:
    assert Words(locale, currency).money(Decimal(amount)) == shown


@given(
    amounts,
    st.sampled_from(("en", "ru")),
    st.sampled_from(("EUR", "RUB", "USD", "KZT")),
)
def test_no_line_breaks_between_an_amount_and_its_currency(
    amount: Decimal, locale: str, currency: str
) -> None:
    assert " " not in Words(locale, currency).money(amount)
