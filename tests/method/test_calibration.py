"""Forecasts held against what happened, compared with sums made another way (docs/facts/definitions.md 14)."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.method.hindsight.intervals import Share
from worker.method.hindsight.scoring import (
    ENOUGH,
    Amount,
    Chance,
    Day,
    by_decile,
    correct_days,
    exactly,
    kept,
    list_bins,
    score_chances,
    weigh_amounts,
)

P85 = Fraction(85, 100)
FIRST = date(2026, 1, 1)
HISTORY = 500

chances = st.lists(
    st.builds(Chance, st.decimals(0, 1, places=2), st.booleans()),
    min_size=1,
    max_size=60,
)
days = st.lists(
    st.builds(
        lambda start, ahead, late: Day(
            FIRST + timedelta(start + ahead + late),
            FIRST + timedelta(start + ahead),
            FIRST + timedelta(start),
        ),
        st.integers(0, 400),
        st.integers(0, 90),
        st.integers(-90, 90),
    ),
    max_size=40,
)


def lived(seed: int, *, optimism: float = 0.0) -> list[Chance]:
    """Return a history of chances that come as often as told, or less often by `optimism`."""
    dice = random.Random(seed)
    history = []
    for _ in range(HISTORY):
        told = Decimal(dice.randrange(0, 10_001)) / 10_000
        came = dice.random() < float(told) * (1 - optimism)
        history.append(Chance(told, came))
    return history


def dated(seed: int, *, slip: float = 0.0) -> list[Day]:
    """Return days told with a chance of 85 %, the work taking longer than told for by a share `slip`."""
    dice = random.Random(seed)
    history = []
    for number in range(HISTORY):
        told_on = FIRST + timedelta(number)
        usual = dice.uniform(20, 80)
        spread = 0.2 * usual
        safe = usual + NormalDist().inv_cdf(0.85) * spread
        took = dice.gauss(usual, spread) * (1 + slip)
        day = Day(
            came=told_on + timedelta(max(round(took), 1)),
            told=told_on + timedelta(round(safe)),
            told_on=told_on,
        )
        history.append(day)
    return history


def test_the_score_and_its_parts_equal_sums_made_with_arrays() -> None:
    history = lived(7)
    score = score_chances(history)
    assert score is not None

    told = np.array([float(chance.told) for chance in history])
    came = np.array([float(chance.came) for chance in history])
    place = np.minimum(np.floor(told * 10 + 1e-9), 9)
    base = came.mean()
    reliability = resolution = 0.0
    for decile in range(10):
        mine = place == decile
        if mine.any():
            reliability += mine.mean() * (told[mine].mean() - came[mine].mean()) ** 2
            resolution += mine.mean() * (came[mine].mean() - base) ** 2
    assert float(score.score) == pytest.approx(np.mean((told - came) ** 2))
    assert float(score.reliability) == pytest.approx(reliability)
    assert float(score.resolution) == pytest.approx(resolution)
    assert float(score.uncertainty) == pytest.approx(came.var())


def test_kept_dates_and_their_correction_equal_sums_made_day_by_day() -> None:
    history = dated(11, slip=0.3)
    correction = correct_days(history, P85)
    assert correction is not None

    ordered = sorted(history, key=lambda day: (day.came, day.told, day.told_on))
    late = []
    for day in ordered[:250]:
        ahead = (day.told - day.told_on).days
        late.append((day.came - day.told).days / ahead)
    late.sort()
    # 85 % of 250 are 212.5: the 213th is the first that so many stay within.
    stretch = late[212]
    losses = {"before": 0.0, "after": 0.0}
    for day in ordered[250:]:
        ahead = (day.told - day.told_on).days
        put_off = math.ceil(stretch * ahead - 1e-9)
        error = (day.came - day.told).days
        for name, off in (("before", error), ("after", error - put_off)):
            losses[name] += 0.85 * off if off > 0 else 0.15 * -off
    assert float(correction.stretch) == pytest.approx(stretch)
    assert float(correction.before) == pytest.approx(losses["before"] / 250)
    assert float(correction.after) == pytest.approx(losses["after"] / 250)

    in_time = 0
    for day in history:
        in_time += day.came <= day.told
    assert kept(history) == Share(in_time, 500)


@pytest.mark.parametrize("seed", range(5))
def test_optimism_is_exposed_and_honesty_is_not_accused(seed: int) -> None:
    honest = kept(dated(seed))
    assert honest.holds(Decimal("0.85"))

    slipping = dated(seed, slip=0.3)
    bold = kept(slipping)
    assert bold.high < Decimal("0.85")
    correction = correct_days(slipping, P85)
    assert correction is not None
    assert correction.is_better
    put_off = [
        Day(day.came, correction.apply(day.told, day.told_on), day.told_on)
        for day in slipping[250:]
    ]
    raw = abs(kept(slipping[250:]).value - Decimal("0.85"))
    assert abs(kept(put_off).value - Decimal("0.85")) < raw / 2


@pytest.mark.parametrize("seed", range(5))
def test_a_chance_told_too_high_costs_reliability(seed: int) -> None:
    honest = score_chances(lived(seed))
    bold = score_chances(lived(seed, optimism=0.4))
    assert honest is not None
    assert bold is not None
    assert bold.reliability > 5 * honest.reliability


@given(chances)
def test_the_parts_add_up_where_each_group_is_one_chance(history: list[Chance]) -> None:
    score = score_chances(history, exactly)
    assert score is not None
    parts = score.reliability - score.resolution + score.uncertainty
    assert score.within == 0
    assert parts == score.score


@given(chances, st.randoms(use_true_random=False))
def test_the_order_of_chances_never_matters(
    history: list[Chance], dice: random.Random
) -> None:
    shuffled = list(history)
    dice.shuffle(shuffled)
    for group in (exactly, by_decile):
        assert score_chances(shuffled, group) == score_chances(history, group)
        assert list_bins(shuffled, group) == list_bins(history, group)


@given(days, st.randoms(use_true_random=False))
def test_the_order_of_days_never_matters(
    history: list[Day], dice: random.Random
) -> None:
    shuffled = list(history)
    dice.shuffle(shuffled)
    assert correct_days(shuffled, P85) == correct_days(history, P85)
    assert kept(shuffled) == kept(history)


@given(days)
def test_nothing_is_corrected_before_enough_came(history: list[Day]) -> None:
    correction = correct_days(history, P85)
    assert (correction is None) == (len(history) < ENOUGH)


@given(chances)
def test_every_outcome_counts_once(history: list[Chance]) -> None:
    bins = list_bins(history)
    assert sum(own.came.tries for own in bins) == len(history)
    assert sum(own.came.hits for own in bins) == sum(one.came for one in history)


@given(st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_between_none_and_all(
    counted: tuple[int, int],
) -> None:
    share = Share(*counted)
    if share.tries:
        assert 0 <= share.low <= share.value <= share.high <= 1
    else:
        assert (share.low, share.high) == (Decimal(0), Decimal(1))


def test_an_interval_is_wilsons() -> None:
    # The two ends solve (p - s)^2 = z^2 s (1 - s) / n for s: p = 0.7, n = 10.
    share = Share(7, 10)
    z = NormalDist().inv_cdf(0.975)
    for end in (share.low, share.high):
        s = float(end)
        assert (0.7 - s) ** 2 == pytest.approx(z**2 * s * (1 - s) / 10, rel=1e-5)
    assert round(share.low, 3) == Decimal("0.397")
    assert round(share.high, 3) == Decimal("0.892")


def test_amounts_are_biased_by_what_came_above_what_was_told() -> None:
    amounts = [Amount(Decimal(100), Decimal(90)), Amount(Decimal(300), Decimal(250))]
    bias = weigh_amounts(amounts)
    assert bias is not None
    assert (bias.mean, bias.share) == (Decimal(-30), Decimal("-0.15"))
    assert weigh_amounts([]) is None
