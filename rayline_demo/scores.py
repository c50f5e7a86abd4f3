"""What the safe dates (P85) that the worker told during lived days were worth, as the cards tell at their end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from worker.domain.entities import Stage
from worker.method.hindsight.intervals import Share
from worker.method.hindsight.scoring import Day, kept
from worker.method.hindsight.told import Log

SAFE = Decimal("0.85")


def score_dates(cards: Iterable[tuple[str, str]], today: date) -> dict[str, Any]:
    """Return how many safe dates that are over were kept, with the ends of the interval, and whether 85 % lies in it.

    Of each card its stage (a key) and what stands on it about its forecasts.
    """
    days: list[Day] = []
    for stage, text in cards:
        days += _days(stage, text, today)
    return describe_share(kept(days))


def _days(stage: str, text: str, today: date) -> Iterator[Day]:
    """Yield the safe dates of a card that are over, each with the day its work ended: of work that goes on, today."""
    log = msgspec.json.decode(text or "{}", type=Log)
    ended = log.ended
    if ended is None and stage == Stage.IN_PROGRESS:
        ended = today
    if ended is None:
        return
    for told in log.told:
        if told.day <= ended and told.p85 < today:
            yield Day(ended, told.p85, told.day)


def describe_share(share: Share) -> dict[str, Any]:
    """Return a share of safe dates that were kept as what is printed."""
    return {
        "kept": share.hits,
        "told": share.tries,
        "share": round(float(share.value), 3),
        "low": round(float(share.low), 3),
        "high": round(float(share.high), 3),
        "as_told": share.holds(SAFE),
    }
