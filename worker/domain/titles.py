"""How periods are called in a locale: on plan rows, in evidence and in dated steps."""

from __future__ import annotations

from babel.dates import format_date

from worker.domain.periods import Grain, Period
from worker.domain.words import Words


def period_title(period: Period, words: Words) -> str:
    """Return `Q4 2026`, `November 2026` or `Week 47 · 16–22 Nov`."""
    match period.grain:
        case Grain.QUARTER:
            return words.say("Q{number} {year}", number=(period.start.month + 2) // 3, year=period.start.year)
        case Grain.MONTH:
            name = format_date(period.start, "LLLL y", locale=words.locale)
            return name[:1].upper() + name[1:]
        case Grain.WEEK:
            return words.say("Week {number} · {days}", number=period.start.isocalendar().week, days=days(period, words))


def days(period: Period, words: Words) -> str:
    """Return the days of a week part, which never leaves its month: `16–22 Nov`."""
    last = format_date(period.end, "d MMM", locale=words.locale)
    return last if period.start == period.end else f"{period.start.day}–{last}"
