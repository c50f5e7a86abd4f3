"""Worlds with people, faults, crashes and pauses, those that every run of the tests lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.soak.seeds import live, ready

SEEDS = range(500)


@pytest.fixture(scope="module", autouse=True)
def made_ready() -> Iterator[None]:
    with ready():
        yield


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken_however_a_world_goes_wrong(seed: int) -> None:
    story = live(seed)
    assert story.violations == [], f"replay: make soak SEEDS=1 FIRST_SEED={seed}"
