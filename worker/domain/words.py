"""How the worker speaks: translated sentences, plurals, dates, numbers and money of one locale.

Message ids are the English sentences; catalogues are gettext (`worker/locales/<locale>.po`), read by `worker.app`.
"""

from __future__ import annotations

import datetime
import gettext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date, format_skeleton
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_symbol,
)

from worker.domain.typography import MINUS, NO_BREAK, currency_gap, fill, signed


@dataclass(frozen=True, slots=True)
class Words:
    """The voice of one locale (`en` or `ru`) and currency (ISO code)."""

    locale: str = "en"
    currency: str = "EUR"
    catalogue: gettext.NullTranslations = field(
        default_factory=gettext.NullTranslations, compare=False
    )

    def say(self, message: str, **values: object) -> str:
        """Return the translated message with `{name}` places filled; decimals are written as the language writes them."""
        text = self.catalogue.gettext(message)
        if not values:
            return text
        shown = {place: self._shown(value) for place, value in values.items()}
        return fill(text, shown, self.locale)

    def _shown(self, value: object) -> object:
        return self.number(value, 2) if isinstance(value, Decimal) else value

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Return the right plural form for `number`, which fills `{n}`."""
        pattern = self.catalogue.ngettext(one, many, number)
        return fill(pattern, {"n": number, **values}, self.locale)

    def date(self, day: datetime.date) -> str:
        """Return a day as people write it: Nov 21, 2026 / 21 нояб. 2026 г."""
        return _date(day, self.locale)

    def day_month(self, day: datetime.date) -> str:
        """Return a day without its year."""
        return _day_month(day, self.locale)

    def number(self, value: Decimal | float, digits: int = 1) -> str:
        """Return a number with at most `digits` decimals."""
        return _number(value, digits, self.locale)

    def percent(self, share: Decimal | float) -> str:
        """Return a share (0.42) as whole percent."""
        return _percent(share, self.locale)

    def share(self, share: Decimal) -> str:
        """Return a share (0.423) as percent with at most one decimal."""
        return _share(share, self.locale)

    def money(self, amount: Decimal) -> str:
        """Return an amount in the workspace's currency, without decimals when they are zero."""
        return _money(amount, self.currency, self.locale)

    def brief_money(self, amount: Decimal) -> str:
        """Return an amount in thousands or millions, for narrow places."""
        return _brief_money(amount, self.currency, self.locale)


# The same figures come again and again in a run, and a pattern costs far more to parse than to apply.
_remember = lru_cache(maxsize=50_000)


@_remember
def _date(day: datetime.date, locale: str) -> str:
    return format_date(day, "medium", locale=locale)


@_remember
def _day_month(day: datetime.date, locale: str) -> str:
    return format_skeleton("MMMd", day, locale=locale)


@_remember
def _number(value: Decimal | float, digits: int, locale: str) -> str:
    pattern = "#,##0." + "#" * digits if digits else "#,##0"
    return signed(format_decimal(value, pattern, locale=locale))


@_remember
def _percent(share: Decimal | float, locale: str) -> str:
    pattern = "#,##0%" if locale == "en" else None
    return signed(format_percent(share, pattern, locale=locale))


@_remember
def _share(share: Decimal, locale: str) -> str:
    pattern = "#,##0.#%" if locale == "en" else "#,##0.#\u00a0%"
    return signed(format_percent(share, pattern, locale=locale))


@_remember
def _money(amount: Decimal, currency: str, locale: str) -> str:
    is_whole = amount == amount.to_integral_value()
    digits = "#,##0" if is_whole else "#,##0.00"
    gap = currency_gap(get_currency_symbol(currency, locale))
    pattern = f"¤{gap}{digits}" if locale == "en" else f"{digits}{NO_BREAK}¤"
    return signed(
        format_currency(
            amount, currency, pattern, locale=locale, currency_digits=not is_whole
        )
    )


@_remember
def _brief_money(amount: Decimal, currency: str, locale: str) -> str:
    symbol = get_currency_symbol(currency, locale)
    short = format_compact_currency(
        abs(amount),
        currency,
        locale=locale,
        fraction_digits=int(abs(amount) >= 1_000_000),
    )
    sign = MINUS if amount < 0 else ""
    gap = currency_gap(symbol) if short.startswith(symbol) else ""
    return f"{sign}{short.replace(symbol, f'{symbol}{gap}', 1)}"
