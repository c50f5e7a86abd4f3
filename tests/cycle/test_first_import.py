"""The first run in a workspace that is full of people's cards, whose cells of the worker's are all empty."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.stages import TODAY, Play, small_play
from worker.config import Limits
from worker.domain.document import OPENING
from worker.domain.values import Ref
from worker.plan.plan import Kind

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


def test_a_first_run_makes_each_row_with_its_page_and_reads_no_page_before(
    play: Play,
) -> None:
    since = play.mark()
    report = play.sync()
    asked = [entry for entry in play.reads(since) if entry.kind.startswith("blocks")]
    assert {entry.page_id for entry in asked} == {play.stage.notion.root_page_id}

    wrote = Counter(entry.kind for entry in play.writes(since))
    done = report.applied.counts()
    made = {one.ref for one in report.plan.changes if one.kind is Kind.CREATE}
    on_standing = [
        one
        for one in report.plan.changes
        if one.kind is Kind.SECTION and one.ref not in made
    ]
    assert wrote["pages.create"] == done["create"]
    assert wrote["pages.update"] == done["update"]
    line = 1
    assert wrote["blocks.children.append"] == len(on_standing) + line
    assert wrote["blocks.update"] == wrote["blocks.delete"] == 0


def test_a_new_state_on_boards_that_were_written_reads_pages_before_it_writes(
    play: Play,
) -> None:
    play.sync()
    play.disown()
    since = play.mark()
    play.newcomer().sync(force=True)
    client = play.page("clients", 0)
    assert client in {entry.page_id for entry in play.reads(since)}
    openings = [
        raw
        for raw in play.stage.context.notion.children(client)
        if OPENING in str(raw.get("paragraph"))
    ]
    assert len(openings) == 1
