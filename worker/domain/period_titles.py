"""How periods are called in a locale: on plan rows, in evidence and in dated steps."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from babel.dates import format_date

from worker.domain.periods import Grain, Period
from worker.domain.typography import in_sentence
from worker.domain.words import Words

MONTH_FIRST = frozenset({"en"})
"""The languages whose dates begin with the month."""


@lru_cache(maxsize=1024)
def _formatted(day: date, pattern: str, locale: str) -> str:
    return str(format_date(day, pattern, locale=locale))


def period_title(period: Period, words: Words) -> str:
    """Return `Q4 2026`, `November 2026` or `Week 47 · Nov 16–22`."""
    match period.grain:
        case Grain.QUARTER:
            return words.say(
                "Q{number} {year}",
                number=(period.start.month + 2) // 3,
                year=period.start.year,
            )
        case Grain.MONTH:
            name = _formatted(period.start, "LLLL y", words.locale)
            return name[:1].upper() + name[1:]
        case Grain.WEEK:
            return words.say(
                "Week {number} · {days}",
                number=period.start.isocalendar().week,
                days=days(period, words),
            )


def period_name(period: Period, words: Words) -> str:
    """Return the title as it stands within a sentence: `ноябрь 2026`."""
    return in_sentence(period_title(period, words), words.locale)


def name_months(first: Period, last: Period, words: Words) -> str:
    """Return months as they stand within a sentence, the year once where it is one: `август – октябрь 2026`."""
    begin = period_name(first, words)
    if first.start.year == last.start.year:
        begin = _formatted(first.start, "LLLL", words.locale)
    return f"{begin} – {period_name(last, words)}"


def days(period: Period, words: Words) -> str:
    """Return the days of a week part, which never leaves its month, the month where the language has it: `Nov 16–22`."""
    is_day = period.start == period.end
    if words.locale in MONTH_FIRST:
        first = _formatted(period.start, "MMM d", words.locale)
        return first if is_day else f"{first}–{period.end.day}"
    last = _formatted(period.end, "d MMM", words.locale)
    return last if is_day else f"{period.start.day}–{last}"
