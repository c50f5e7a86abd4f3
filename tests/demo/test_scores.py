"""What the demo prints of the safe dates that were told: how many were kept, and whether that is as told."""

from __future__ import annotations

import random
from datetime import date, timedelta
from statistics import NormalDist

import pytest

from rayline_demo.scores import score_dates
from worker.method.hindsight.told import Log, Moment, Told, write_log

FIRST = date(2026, 1, 12)
CARDS = 250
LATER = date(2027, 6, 1)
"""When all that was told is over."""


def lived(seed: int, *, hope: float = 1.0) -> list[tuple[str, str]]:
    """Return a year of cards whose work takes as long as told; with `hope` below 1, so much of the days ahead is told."""
    dice = random.Random(seed)
    cards = []
    for number in range(CARDS):
        day = FIRST + timedelta(number)
        usual = dice.uniform(20, 60)
        spread = 0.25 * usual
        safe = usual + NormalDist().inv_cdf(0.85) * spread
        ended = day + timedelta(max(1, round(dice.gauss(usual, spread))))
        p50 = day + timedelta(round(hope * usual))
        p85 = day + timedelta(round(hope * safe))
        log = Log((Told(Moment.BEGIN, day, p50, p85),), ended)
        cards.append(("done", write_log(log)))
    return cards


@pytest.mark.parametrize("seed", range(5))
def test_dates_that_come_as_told_are_within_their_interval(seed: int) -> None:
    found = score_dates(lived(seed), LATER)
    assert found["told"] == CARDS
    assert found["low"] <= 0.85 <= found["high"]
    assert found["as_told"]


@pytest.mark.parametrize("seed", range(5))
def test_an_optimist_is_exposed(seed: int) -> None:
    found = score_dates(lived(seed, hope=0.8), LATER)
    assert found["high"] < 0.85
    assert not found["as_told"]


@pytest.mark.parametrize(
    ("stage", "after", "told"),
    [("in_progress", 0, 0), ("in_progress", 1, 1), ("lost", 1, 0), ("evolution", 1, 0)],
)
def test_work_that_goes_on_past_its_date_has_missed_it(
    stage: str, after: int, told: int
) -> None:
    log = Log((Told(Moment.BEGIN, FIRST, FIRST, FIRST),))
    found = score_dates([(stage, write_log(log))], FIRST + timedelta(after))
    assert (found["kept"], found["told"]) == (0, told)
