"""What the demo prints of the safe dates that were told: how many were kept, and whether that is as told."""

from __future__ import annotations

import random
from datetime import date, timedelta
from statistics import NormalDist

import pytest

from rayline_demo.scores import ForecastScore
from worker.domain.values import Ref
from worker.method.hindsight.told import Log, Moment, Told, write_log

FIRST = date(2026, 1, 12)
CARDS = 250


def lived(seed: int, *, hope: float = 1.0) -> ForecastScore:
    """Return a year of cards whose work takes as long as told; with `hope` below 1, so much of the days ahead is told."""
    dice = random.Random(seed)
    score = ForecastScore()
    for number in range(CARDS):
        day = FIRST + timedelta(number)
        usual = dice.uniform(20, 60)
        spread = 0.25 * usual
        safe = usual + NormalDist().inv_cdf(0.85) * spread
        ended = day + timedelta(max(1, round(dice.gauss(usual, spread))))
        p50 = day + timedelta(round(hope * usual))
        p85 = day + timedelta(round(hope * safe))
        log = Log((Told(Moment.BEGIN, day, p50, p85),), ended)
        score.texts[Ref("projects", str(number))] = write_log(log)
    return score


@pytest.mark.parametrize("seed", range(5))
def test_dates_that_come_as_told_are_within_their_interval(seed: int) -> None:
    found = lived(seed).data()
    assert found["ended"] == CARDS
    assert found["low"] <= 0.85 <= found["high"]
    assert found["as_told"]


@pytest.mark.parametrize("seed", range(5))
def test_an_optimist_is_exposed(seed: int) -> None:
    found = lived(seed, hope=0.8).data()
    assert found["high"] < 0.85
    assert not found["as_told"]


def test_work_that_goes_on_is_no_outcome() -> None:
    score = lived(0)
    told = Told(Moment.BEGIN, FIRST, FIRST, FIRST)
    score.texts[Ref("projects", "running")] = write_log(Log((told,)))
    assert score.data()["ended"] == CARDS
