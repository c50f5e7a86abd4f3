"""Which planning meeting of the growth group comes next (docs/method.md 7): the month's, or the quarter's when one begins."""

from __future__ import annotations

from datetime import date

from worker.domain.period_titles import period_name
from worker.domain.periods import Grain, Period, month_of, next_period, quarter_of
from worker.domain.words import Words


def next_planned(today: date, *, strategic: bool = False) -> Period:
    """Return the period that the next meeting plans: strategic matters wait for a quarter's."""
    month = next_period(month_of(today))
    quarter = next_period(quarter_of(today))
    # The meeting of a month that opens a quarter plans the quarter.
    if strategic or month.start == quarter.start:
        return quarter
    return month


def agenda_title(period: Period, words: Words) -> str:
    """Return what the agenda of the meeting that plans a period is called."""
    title = period_name(period, words)
    if period.grain is Grain.QUARTER:
        return words.say("Quarterly meeting: plan of {period}", period=title)
    return words.say("Monthly meeting: plan of {period}", period=title)
