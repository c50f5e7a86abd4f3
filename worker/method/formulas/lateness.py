"""How late a card's work is: by its own date, or where that is to come, by the dates of its issues."""

from __future__ import annotations

from datetime import date

from worker.domain.words import Words
from worker.method.measures import CardMeasure


def is_past_due(measure: CardMeasure, today: date) -> bool:
    """Tell whether the card's own date has passed."""
    return measure.due is not None and measure.due < today


def count_late(measure: CardMeasure, today: date) -> int:
    """Return how many open issues are late: all of them once the card's own date has passed."""
    if is_past_due(measure, today):
        return measure.open
    return measure.overdue


def tell_lateness(measure: CardMeasure, today: date, words: Words) -> str:
    """Return how late a card is, in words.

    Of a date that has passed its open issues are told: to say beside it how many have passed dates of their own would
    be a second count of what is late.
    """
    if measure.due is None or not is_past_due(measure, today):
        return words.count(
            "{n} overdue issue of {open}.",
            "{n} overdue issues of {open}.",
            measure.overdue,
            open=measure.open,
        )
    passed = words.say("Due {due} has passed.", due=words.date(measure.due))
    if not measure.open:
        return passed
    still_open = words.count(
        "{n} issue is still open.", "{n} issues are still open.", measure.open
    )
    return f"{passed} {still_open}"
