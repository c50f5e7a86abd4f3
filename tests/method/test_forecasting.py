"""The draws of a forecast: the exact distribution they are taken from, and the same draws in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.method.delivery.forecasting import (
    LONGEST,
    Runs,
    seed_of,
    simulate,
    survival,
)

ROOT = Path(__file__).parents[2]
SCRIPT = """
from datetime import timedelta
from decimal import Decimal
from tests.support.outcomes import judge
from tests.support.worlds import TODAY, card, client, contact, person, steady, unit, world

names = [f"p{number}" for number in range(5)]
seen = world(
    client(monthly_fee=Decimal(100), last_contact=TODAY - timedelta(days=20)),
    client("c2", unit=None),
    unit(),
    person("pm"),
    contact("ivan", birthday=TODAY),
    *(card(name, due=TODAY + timedelta(days=40)) for name in names),
    work={name: steady(25 + len(name), 12 + index) for index, name in enumerate(names)},
)
outcome = judge(seen)
for measure in outcome.measures.cards.values():
    print(measure.card.key, measure.forecast.p50, measure.forecast.p85, measure.on_time)
print(outcome)
"""


def told_by_another_process(hash_seed: str) -> list[str]:
    """Return what a process of its own says of five cards, line by line."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.splitlines()


def test_two_processes_say_the_same_of_the_same_world() -> None:
    one, other = told_by_another_process("1"), told_by_another_process("2")
    assert len({line.split(maxsplit=1)[1] for line in one[:5]}) > 1
    assert one == other


def test_every_card_and_every_day_has_draws_of_its_own() -> None:
    assert seed_of("projects/p1", "2026-11-19") != seed_of("projects/p1", "2026-11-18")
    assert seed_of("projects/p2", "2026-11-18") != seed_of("projects/p1", "2026-11-18")
    assert 0 <= seed_of() < 2**64


def test_draws_of_another_seed_differ_but_little() -> None:
    samples = [0, 0, 1, 2]
    one, other = (simulate(samples, 20, draws=10_000, seed=seed) for seed in (1, 2))
    assert one is not None
    assert other is not None
    assert one.finished.tolist() != other.finished.tolist()
    assert abs(one.quantile(50) - other.quantile(50)) <= 1


def exact(samples: Sequence[int], remaining: int, days: int) -> list[float]:
    """Return the chance that work is left after each day, by adding up every possible sum in whole fractions."""
    left = {0: Fraction(1)}
    found = [Fraction(1)]
    for _ in range(days):
        after: dict[int, Fraction] = {}
        for done, chance in left.items():
            for sample in samples:
                if done + sample < remaining:
                    part = chance / len(samples)
                    after[done + sample] = after.get(done + sample, Fraction(0)) + part
        left = after
        found.append(sum(left.values(), Fraction(0)))
    return [float(chance) for chance in found]


@settings(max_examples=40)
@given(
    samples=st.lists(st.integers(0, 4), min_size=1, max_size=6).filter(any),
    remaining=st.integers(1, 12),
)
def test_the_chance_of_work_being_left_is_exact(
    samples: list[int], remaining: int
) -> None:
    found = survival(samples, remaining)
    days = min(len(found) - 1, 25)
    assert found[: days + 1] == pytest.approx(exact(samples, remaining, days), abs=1e-9)


@pytest.mark.parametrize("remaining", [299, 300, 301, 320])
def test_many_items_are_as_exact_as_few(remaining: int) -> None:
    found = survival([30, 50], remaining)
    days = min(len(found) - 1, 14)
    assert found[: days + 1] == pytest.approx(
        exact([30, 50], remaining, days), abs=1e-9
    )


@pytest.mark.parametrize(
    ("samples", "remaining"),
    [([1], 1), ([0, 1], 3), ([0] * 59 + [1], 4), ([3, 0, 0], 400)],
)
def test_the_days_looked_at_hold_all_but_a_trace_of_the_runs(
    samples: list[int], remaining: int
) -> None:
    assert survival(samples, remaining)[-1] < 1e-5


def test_work_that_takes_longer_than_can_be_told_ends_on_the_last_day() -> None:
    slow = [0] * 99 + [1]
    runs = simulate(slow, 100, draws=1000, seed=1)
    assert runs is not None
    assert len(runs.finished) == LONGEST + 1
    assert (runs.finished[-1], runs.quantile(50)) == (1000, LONGEST)
    assert runs.within(LONGEST - 1) < 0.01


def test_every_draw_ends_on_some_day_and_none_before_the_first() -> None:
    runs = simulate([0, 1, 2], 9, draws=777, seed=5)
    assert runs is not None
    assert (runs.finished[0], runs.finished[-1], runs.draws) == (0, 777, 777)
    assert list(runs.finished) == sorted(runs.finished)
    assert runs.finished[4] == 0, "nine items need five days of two"


RUNS = Runs(np.array([0, 0, 5, 8, 10]), 10)
"""Five runs of ten end on day two, three on day three, two on day four."""


@pytest.mark.parametrize(
    ("percent", "days"), [(1, 2), (50, 2), (51, 3), (80, 3), (81, 4), (85, 4), (100, 4)]
)
def test_a_quantile_is_the_fewest_days_that_are_enough(percent: int, days: int) -> None:
    assert RUNS.quantile(percent) == days


@pytest.mark.parametrize(
    ("days", "share"),
    [(-3, 0.0), (0, 0.0), (1, 0.0), (2, 0.5), (3, 0.8), (4, 1.0), (5, 1.0), (99, 1.0)],
)
def test_the_share_within_some_days_counts_the_runs_that_ended_by_then(
    days: int, share: float
) -> None:
    assert RUNS.within(days) == share


def test_work_that_ends_today_is_not_on_time_before_a_working_day() -> None:
    at_once = Runs(np.array([3, 3]), 3)
    assert at_once.within(0) == 0.0


def test_one_item_is_enough_for_a_forecast_and_one_day() -> None:
    runs = simulate([1], 1, draws=10, seed=1)
    assert runs is not None
    assert (runs.quantile(50), runs.within(1)) == (1, 1.0)
