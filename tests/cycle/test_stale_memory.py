"""A memory that was lost, or put back from an old copy: nothing people did is undone, and what nobody can tell is asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace  # noqa: TID251 - a stage is no struct
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.stages import ACME, TODAY, Play, small_play
from tests.support.worlds import row, world
from worker.app.build import Surroundings, build_context, open_store
from worker.cycle.planning import recall_written
from worker.cycle.report import Report
from worker.cycle.stale_memory import is_new
from worker.domain.entities import Row
from worker.domain.values import Ref
from worker.errors import Code
from worker.state import journal
from worker.world.memory import Memory


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as play:
        yield play


def codes(report: Report) -> set[str]:
    return {problem.code for problem in report.plan.problems}


def trash(play: Play, page_id: str) -> None:
    play.stage.notion.control("trash", {"id": page_id})


def test_a_row_that_a_person_trashed_stays_in_the_trash_when_the_memory_is_lost(
    play: Play,
) -> None:
    play.sync()
    task = play.keyed("tasks")[0]
    risk = play.keyed("risks")[0]
    for card in (task, risk):
        trash(play, card.page_id)
    before = set(play.all_keyed())
    again = play.forgetful()
    drawn = again.draw()
    assert Code.LOST_MEMORY in {one.code for one in drawn.plan.problems}
    report = again.sync()
    assert Code.LOST_MEMORY in codes(report)
    assert set(again.all_keyed()) == before
    for _ in range(2):
        again.later(minutes=20)
        told = codes(again.sync())
        assert Code.LOST_MEMORY in told
        assert set(again.all_keyed()) == before

    keys = {card.values["worker_key"] for card in (task, risk)}
    report = again.sync(force=True)
    made = {card.values["worker_key"] for card in again.all_keyed().values()}
    assert keys <= made
    again.later(minutes=20)
    assert Code.LOST_MEMORY not in codes(again.sync())


def test_a_first_run_of_a_new_workspace_holds_nothing_back(play: Play) -> None:
    report = play.sync()
    assert Code.LOST_MEMORY not in codes(report)
    assert play.keyed("tasks")


@pytest.mark.parametrize(
    ("first_run", "stands", "ours", "is_lost"),
    [
        (True, True, False, True),
        (True, True, True, False),
        (True, False, False, False),
        (False, True, False, False),
    ],
)
def test_a_memory_is_new_when_it_knows_of_no_row_though_one_of_ours_stands(
    *, first_run: bool, stands: bool, ours: bool, is_lost: bool
) -> None:
    task = Ref("tasks", "task:x")
    # People's rows have no Worker key, and say nothing.
    rows: dict[str, tuple[Row, ...]] = {
        "clients": (row("clients", "c1", worker=False),)
    }
    if stands:
        rows["tasks"] = (row("tasks", task.key),)
    standing = world(rows=rows, memory=Memory(first_run=first_run))
    assert is_new(standing, {task} if ours else set()) is is_lost


def test_a_row_that_was_about_to_be_made_is_known_until_it_is_settled(
    play: Play,
) -> None:
    context, task = play.stage.context, Ref("tasks", "task:x")
    with context.transaction() as tx:
        journal.intend(tx, task, {}, claim="1", now=context.now())
    written = recall_written(context)
    assert (written.ours, written.unsettled) == ({}, {task: {}})
    with context.transaction() as tx:
        journal.finish(tx, task, "p1", claim="1", now=context.now())
    written = recall_written(context)
    assert (written.ours, written.unsettled) == ({task: "p1"}, {})


def copy_of(play: Play, name: str) -> Path:
    """Copy the state as it stands."""
    target = play.folder / name
    for side in ("", "-wal"):
        source = play.folder / f"rayline.db{side}"
        if source.exists():
            shutil.copy(source, f"{target}{side}")
    return target


def with_state(play: Play, path: Path) -> Play:
    """Return the same stage with a state that was copied before."""
    store = open_store(f"sqlite:///{path}")
    context = build_context(
        "studio", play.stage.context.settings, store, Surroundings(play.stage.clock.now)
    )
    return replace(play, stage=replace(play.stage, context=context, store=store))


def cells(play: Play) -> dict[tuple[str, str], object]:
    """Return every cell of every living row."""
    return {
        (card.page_id, name): value
        for card in play.all_keyed().values()
        for name, value in card.values.items()
    } | {
        (play.page("projects", index), name): value
        for index in range(4)
        for name, value in play.row("projects", index).values.items()
    }


def test_a_state_of_last_week_undoes_nothing_and_takes_nothing_of_ours_for_peoples(
    play: Play,
) -> None:
    play.sync()
    copy = copy_of(play, "last-week.db")
    risks = play.keyed("risks")
    mine = {"probability": 5, "impact": 4}
    for day in range(1, 8):
        play.later(days=1)
        if day == 2:
            play.edit("risks", risks[0].page_id, **mine)
            play.edit(
                "projects", play.page("projects", ACME), due=TODAY + timedelta(days=50)
            )
        play.sync()
    play.later(minutes=20)
    play.sync()
    undisturbed = cells(play)
    play.later(minutes=20)

    again = with_state(play, copy)
    report = again.sync()
    after = cells(again)
    changed = {
        key: (undisturbed.get(key), value)
        for key, value in after.items()
        if undisturbed.get(key) != value and key[1] != "last_change"  # history
    }
    assert changed == {}
    assert undisturbed.keys() == after.keys()
    kept = {(one.page_id, one.field) for one in report.plan.kept}
    doubted = {
        (one.where, one.field)
        for one in report.plan.problems
        if one.code == Code.DOUBTFUL_CELL
    }
    fresh = {one for one in kept if (one[0], one[1]) in undisturbed}
    assert len(doubted) == len({(str(one.ref), one.field) for one in report.plan.kept})
    assert fresh == kept


def test_a_cell_in_doubt_is_asked_until_somebody_decides(play: Play) -> None:
    play.sync()
    plan = next(card for card in play.keyed("plans") if card.values["target"])
    wanted = plan.values["target"]
    copy = copy_of(play, "old.db")
    play.later(days=1)
    play.edit("plans", plan.page_id, target=Decimal(7))
    play.sync()
    play.later(days=1)
    again = with_state(play, copy)

    def asked() -> list[str]:
        problems = again.sync().plan.problems
        again.later(minutes=20)
        return [one.field for one in problems if one.code == Code.DOUBTFUL_CELL]

    assert asked() == ["target"]
    assert asked() == ["target"]
    again.edit("plans", plan.page_id, target=Decimal(wanted))
    assert asked() == []
    assert asked() == []


def test_people_at_work_between_two_runs_are_not_doubted(play: Play) -> None:
    play.sync()
    risk = play.keyed("risks")[0]
    for _ in range(3):
        play.later(days=1)
        play.edit("risks", risk.page_id, impact=5)
        report = play.sync()
        assert Code.DOUBTFUL_CELL not in codes(report)
