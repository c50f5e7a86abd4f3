"""A row of ours that somebody drags to another board: named until it is back, an obstacle to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.stages import ACME, Play, small_play
from worker.cycle.context import Mode
from worker.cycle.report import Report


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        found.sync()
        found.later(minutes=10)
        yield found


def _named(report: Report) -> set[str]:
    return {one.where for one in report.problems() if one.code == "row-left-board"}


def _move(play: Play, page_id: str, target: str) -> None:
    play.stage.notion.control(
        "move",
        {"page_id": page_id, "parent": {"data_source_id": play.data_source(target)}},
    )


@pytest.mark.parametrize("first", [Mode.FULL, Mode.DELTA])
def test_the_card_of_a_moved_task_is_written_and_the_task_named_until_it_is_back(
    play: Play, first: Mode
) -> None:
    card = play.row("projects", ACME)
    task = next(
        one for one in play.keyed("tasks") if card.page_id in one.values["project"]
    )
    key = f"tasks/{task.values['worker_key']}"
    _move(play, task.page_id, "contacts")
    before = _cells(play, task.page_id)
    for number, mode in ((5, first), (10, Mode.FULL), (15, Mode.DELTA)):
        play.stage.jira.control(
            "transition", {"issue": f"ACME-{number}", "status": "Done"}
        )
        play.later(minutes=10)
        report = play.sync(mode)
        done = 24 + {5: 1, 10: 2, 15: 3}[number]
        assert play.row("projects", ACME).values["progress"] == round(
            Decimal(done) / 30, 4
        )
        if number != 5 or mode is Mode.FULL:
            assert _named(report) == {key}
    assert _cells(play, task.page_id) == before
    assert key.partition("/")[2] not in {
        one.values["worker_key"] for one in play.keyed("tasks")
    }, "it is not made a second time"
    _move(play, task.page_id, "tasks")
    play.later(minutes=10)
    assert _named(play.sync(Mode.FULL)) == set()
    assert _named(play.sync(Mode.DELTA)) == set()


def _cells(play: Play, page_id: str) -> object:
    return dict(play.stage.notion.store.pages[page_id].values)
