"""How texts are set: quotes within quotes, true minus signs, amounts beside their currency, periods in mid-sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

NO_BREAK = "\u00a0"
MINUS = "\u2212"
NONZERO = re.compile(r"[1-9]")
_INNER = {"en": ("‘", "’"), "ru": ("„", "“")}
_MARKS = re.compile(r"\{(\w+)\}|[«»“”]")
_OPENING = frozenset("«“")


def fill(pattern: str, values: Mapping[str, object], locale: str) -> str:
    """Return a sentence with its `{name}` places filled; quotes in what is quoted become the inner ones."""
    quoted = {
        place: nest(str(values[place]), locale)
        for place in quoted_places(pattern)
        if place in values
    }
    return pattern.format(**{**values, **quoted})


@lru_cache(maxsize=8192)
def quoted_places(pattern: str) -> frozenset[str]:
    """Return the names of the places that stand within quotes."""
    places = set()
    is_inside = False
    for mark in _MARKS.finditer(pattern):
        if mark[1] is None:
            is_inside = mark[0] in _OPENING
        elif is_inside:
            places.add(mark[1])
    return frozenset(places)


def nest(text: str, locale: str) -> str:
    """Return a text as it stands within quotes: «Договор „Север“», “The ‘North’ contract”."""
    opening, closing = _INNER.get(locale, _INNER["en"])
    # „…“ is a pair of its own, whose closing mark opens one in English.
    if "„" not in text:
        text = text.replace("“", opening).replace("”", closing)
    return text.replace("«", opening).replace("»", closing)


def signed(figure: str) -> str:
    """Return a formatted figure with a true minus sign, which a nought never has."""
    if not NONZERO.search(figure):
        return figure.replace("-", "")
    return figure.replace("-", MINUS)


def currency_gap(symbol: str) -> str:
    """Return what stands between a currency and the amount after it: a code is set apart, a sign is not."""
    return NO_BREAK if symbol[-1:].isalpha() else ""


def in_sentence(title: str, locale: str) -> str:
    """Return the title of a period as it stands within a sentence: Russian months and weeks are no proper names."""
    if locale != "ru":
        return title
    return title[:1].lower() + title[1:]
