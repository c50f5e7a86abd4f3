"""The first run in a workspace that is full of people's cards, whose cells of the worker's are all empty."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.stages import TODAY, Play, small_play
from worker.config import Limits
from worker.domain.values import Ref

CARDS = int(os.environ.get("RAYLINE_CARDS", "60"))
"""The whole of it: `RAYLINE_CARDS=1500 pytest tests/cycle/test_first_import.py`, some minutes long."""
MOST = max(1, CARDS // 4)
"""How many pages may be changed at once: far fewer than there are to be filled."""
STAGES = ("in_progress", "shaping", "evolution")


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        clients = found.stage.cast.pages["clients"]
        for number in range(CARDS):
            found.stage.scribe.add(
                "projects",
                name=f"Card {number}",
                client=(Ref("clients", clients[number % len(clients)]),),
                stage=STAGES[number % len(STAGES)],
                budget=Decimal(100_000 + number),
                due=TODAY + timedelta(days=number % 60 - 10),
            )
        yield found.with_settings(limits=Limits(changes=MOST))


@pytest.mark.timeout(600 + 2 * CARDS)
def test_a_first_run_fills_every_card_and_the_next_one_has_nothing_to_write(
    play: Play,
) -> None:
    first = play.sync()
    assert first.refused == ()
    assert first.failures() == ()

    filled = {
        change.page_id
        for change in first.plan.changes
        if change.ref.source == "projects" and change.fields
    }
    assert len(filled) >= CARDS > MOST

    play.sync()
    since = play.mark()
    calm = play.sync()
    assert (calm.refused, calm.failures()) == ((), ())
    assert play.writes(since) == []


def test_what_already_stood_on_the_cards_counts_when_it_changes(play: Play) -> None:
    play.sync()
    play.sync()
    play.later(days=40)
    assert "too-many-changes" in {one.code for one in play.sync().refused}
