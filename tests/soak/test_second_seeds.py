"""Worlds with people, faults, crashes and pauses, the other half of those that every run of the tests lives."""

from __future__ import annotations

import pytest

from tests.soak.seeds import live

SEEDS = range(1, 80, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken_however_another_world_goes_wrong(seed: int) -> None:
    story = live(seed)
    assert story.violations == [], f"replay: make soak SEEDS=1 FIRST_SEED={seed}"
