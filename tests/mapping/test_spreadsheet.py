"""Cells of a spreadsheet: read as they are meant, and never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from worker.mapping.spreadsheet import (
    Dates,
    Decimals,
    Unclear,
    order_of_dates,
    read_amount,
    read_date,
    read_grid,
)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("1234.5", "1234.5", ""),
        ("1 234,56", "1234.56", ""),
        ("1\u2009234\u202f567,8", "1234567.8", ""),
        ("1.234.567", "1234567", ""),
        ("1,234.56", "1234.56", ""),
        ("1.234,56 €", "1234.56", "EUR"),
        ("−12 500 ₽", "-12500", "RUB"),
        ("(300)", "-300", ""),
        ("$0.1", "0.1", "USD"),
        ("usd 5", "5", "USD"),
        ("5 руб.", "5", "RUB"),
        ("0,333", None, ""),
        ("1,234", None, ""),
        ("ten", None, ""),
        ("1 2", "12", ""),
        ("12,34,5", None, ""),
        ("", None, ""),
    ],
)
def test_an_amount_is_exact_or_unclear(
    text: str, amount: str | None, currency: str
) -> None:
    if amount is None:
        with pytest.raises(Unclear):
            read_amount(text, None)
    else:
        assert read_amount(text, None) == (Decimal(amount), currency)


def test_what_stands_before_the_cents_can_be_said() -> None:
    assert read_amount("1,234", Decimals.COMMA)[0] == Decimal("1.234")
    assert read_amount("1,234", Decimals.POINT)[0] == Decimal(1234)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-03-04", None, date(2026, 3, 4)),
        ("2026-03-04T10:00:00", None, date(2026, 3, 4)),
        ("4.3.2026", None, date(2026, 3, 4)),
        ("4.3.26", Dates.MONTH_FIRST, date(2026, 3, 4)),
        ("01/02/1988", Dates.DAY_FIRST, date(1988, 2, 1)),
        ("01/02/88", Dates.MONTH_FIRST, date(1988, 1, 2)),
        ("03/03/2026", None, date(2026, 3, 3)),
        ("2026-05", None, date(2026, 5, 1)),
        ("05.2026", None, date(2026, 5, 1)),
        ("01/02/2026", None, None),
        ("31.02.2026", None, None),
        ("soon", None, None),
    ],
)
def test_a_date_is_one_day_or_unclear(
    text: str, order: Dates | None, day: date | None
) -> None:
    if day is None:
        with pytest.raises(Unclear):
            read_date(text, order)
    else:
        assert read_date(text, order) == day


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["01/02/2026", "13/02/2026"], Dates.DAY_FIRST),
        (["01/02/2026", "02/13/2026"], Dates.MONTH_FIRST),
        (["13/02/2026", "02/13/2026"], None),
        (["01/02/2026"], None),
    ],
)
def test_a_column_shows_which_number_is_the_day(
    texts: list[str], order: Dates | None
) -> None:
    assert order_of_dates(texts) is order


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251"]
)
@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_a_table_is_read_however_it_was_saved(encoding: str, mark: str) -> None:
    text = f'Имя{mark}Почта\r\n\r\n"Ёлкина{mark}\nАнна"{mark}a@b.example\r\n'
    grid = read_grid(text.encode(encoding), {"Имя", "Почта"}.__contains__)
    assert grid.headers == ("Имя", "Почта")
    assert [line.cells for line in grid.lines] == [
        (f"Ёлкина{mark}\nАнна", "a@b.example")
    ]
    assert [line.number for line in grid.lines] == [4]


def test_letters_of_western_europe_are_not_taken_for_russian_ones() -> None:
    grid = read_grid("Name;Ort\nMüller;Köln\n".encode("cp1252"), {"Name"}.__contains__)
    assert grid.lines[0].cells == ("Müller", "Köln")
