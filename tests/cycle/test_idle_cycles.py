"""A cycle in which nothing changed thinks nothing, and anything that may change has it think again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.stages import Play, small_play
from worker.cycle.context import CycleRequest, Footing, Mode
from worker.cycle.idling import PAST, Look, Past, Reason, find_reasons
from worker.state import memory, runs

FOOTING = Footing(3, date(2026, 3, 2), "1", "s", "c", "b", "t", "p", "m", pending=False)
IDLE = Look(CycleRequest(), 8, FOOTING, Past(7, FOOTING, "sum", steady=True))
OTHER = {
    Reason.SNAPSHOT: {"snapshot": 4},
    Reason.TODAY: {"today": date(2026, 3, 3)},
    Reason.VERSION: {"version": "2"},
    Reason.SETTINGS: {"settings": "other"},
    Reason.SCHEMA: {"schema": "other"},
    Reason.BOARDS: {"boards": "other"},
    Reason.TRACKER: {"tracker": "other"},
    Reason.PROBLEMS: {"problems": "other"},
    Reason.MEMORY: {"memory": "other"},
    Reason.PENDING: {"pending": True},
}
ORDERS: tuple[dict[str, Any], ...] = (
    {"mode": Mode.FULL},
    {"force": True},
    {"dry_run": True},
    {"checksum": "sum"},
    {"scope": "Acme"},
    {"rules": ("money",)},
    {"undoes": 3},
)


def test_the_same_footing_after_a_steady_run_is_idle() -> None:
    assert find_reasons(IDLE) == ()


@pytest.mark.parametrize("reason", OTHER)
def test_anything_else_to_go_by_is_a_reason(reason: Reason) -> None:
    now = replace(FOOTING, **OTHER[reason])
    assert find_reasons(replace(IDLE, now=now)) == (reason,)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_an_order_for_anything_but_what_changed_is_a_reason(
    order: dict[str, Any],
) -> None:
    assert find_reasons(replace(IDLE, order=CycleRequest(**order))) == (Reason.ORDER,)


def test_a_run_in_between_and_one_that_did_something_are_reasons() -> None:
    assert find_reasons(replace(IDLE, run=9)) == (Reason.RUN,)
    restless = replace(IDLE.last, steady=False)
    assert find_reasons(replace(IDLE, last=restless)) == (Reason.RESTLESS,)
    assert Reason.RESTLESS in find_reasons(replace(IDLE, last=Past()))


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Yield an agency whose next cycle is idle."""
    with small_play(tmp_path) as found:
        found.sync()
        for _ in range(3):
            found.later(minutes=5)
            found.sync(Mode.DELTA)
        assert _is_steady(found)
        found.later(minutes=5)
        yield found


def _is_steady(play: Play) -> bool:
    with play.stage.context.reading() as tx:
        return PAST.load(tx).steady


def test_an_idle_run_is_recorded_as_the_one_before_and_leaves_all_as_it_was(
    play: Play,
) -> None:
    context = play.stage.context
    with context.reading() as tx:
        remembered = memory.load(tx)
    report = play.sync(Mode.DELTA)
    assert _is_steady(play)
    with context.reading() as tx:
        assert memory.load(tx) == remembered
        run = runs.get(tx, report.run_id)
        assert run is not None
        assert run.status is runs.RunStatus.DONE
        assert runs.plan_of(tx, run) == report.plan
    drawn = play.draw(Mode.DELTA)
    assert drawn.plan == report.plan


def _edit_a_row(play: Play) -> None:
    play.edit("clients", play.page("clients", 0), name="Acme Europe")


def _let_the_date_turn(play: Play) -> None:
    play.later(days=1)


@pytest.mark.parametrize("change", [_edit_a_row, _let_the_date_turn])
def test_after_a_change_a_run_is_whole(
    play: Play, change: Callable[[Play], None]
) -> None:
    change(play)
    play.sync(Mode.DELTA)
    assert not _is_steady(play)


def test_other_settings_make_a_run_whole(play: Play) -> None:
    other = play.with_settings(time_zone="Asia/Vladivostok")
    other.sync(Mode.DELTA)
    assert not _is_steady(other)
