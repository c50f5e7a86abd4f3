"""What is remembered with the writing of a row is there once its request may have been heard, and gone if it was not."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from board_rig import WORKSPACE, Board, fact

from tests.support.crashes import Crash, MortalNotion, Steps
from worker.domain.values import Ref
from worker.ports.notion import Notion
from worker.state import bases, memory
from worker.world.memory import Occurrence, Pending, Track, Turn
from worker.write.context import PlanBasis, RunControl
from worker.write.writer import apply

DAY = date(2026, 11, 18)
RISK = Ref("risks", "risk:late:1")
BEFORE, AFTER = Occurrence("late:1", number=1), Occurrence("late:1", number=2)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def _write(
    board: Board, *, name: str = "Late", fatal: int = 0, before: Occurrence | None
) -> None:
    """Write a row with a step of its signal; the process may die at a step."""
    with board.store.transaction(WORKSPACE) as tx:
        memory.put(tx, AFTER.key, before)
    plan, known = board.draw([fact(RISK, "name", name)])
    basis = PlanBasis(known, pending=Pending({RISK: Turn(before, AFTER)}))
    mortal = cast(Notion, MortalNotion(board.notion, Steps(fatal)))
    apply(plan, mortal, board.site(), board.bindings, basis=basis, control=RunControl())


def _remembered(board: Board) -> Occurrence | None:
    with board.store.reading(WORKSPACE) as tx:
        return memory.load(tx).occurrences.get(AFTER.key)


@pytest.mark.parametrize("fatal", [1, 2])
@pytest.mark.parametrize("before", [None, BEFORE])
def test_the_step_of_a_row_is_kept_when_the_process_dies_around_its_creation(
    board: Board, fatal: int, before: Occurrence | None
) -> None:
    with pytest.raises(Crash):
        _write(board, fatal=fatal, before=before)
    assert _remembered(board) == AFTER


@pytest.mark.parametrize("fatal", [1, 2])
def test_the_step_of_a_row_is_kept_when_the_process_dies_around_its_update(
    board: Board, fatal: int
) -> None:
    _write(board, before=None)
    with pytest.raises(Crash):
        _write(board, name="Later", fatal=fatal, before=BEFORE)
    assert _remembered(board) == AFTER


@pytest.mark.parametrize("before", [None, BEFORE])
@pytest.mark.parametrize(("is_new", "method"), [(True, "POST"), (False, "PATCH")])
def test_the_step_of_a_row_that_was_refused_is_taken_back(
    board: Board, *, is_new: bool, method: str, before: Occurrence | None
) -> None:
    if not is_new:
        _write(board, before=None)
    board.break_next("401", method=method, path="/v1/pages")
    _write(board, name="Later", before=before)
    assert _remembered(board) == before


@pytest.mark.parametrize(("is_new", "method"), [(True, "POST"), (False, "PATCH")])
def test_a_row_without_a_step_that_was_refused_is_told_by_the_refusal(
    board: Board, *, is_new: bool, method: str
) -> None:
    if not is_new:
        board.cycle([fact(RISK, "name", "Late")])
    board.break_next("401", method=method, path="/v1/pages")
    applied = board.cycle([fact(RISK, "name", "Later")])
    assert [one.code for one in applied.failures] == ["write-denied"]


def test_the_step_of_a_row_in_doubt_is_kept(board: Board) -> None:
    board.break_next("reset_after")
    _write(board, before=None)
    assert _remembered(board) == AFTER


MARK = f"{RISK}#probability"


def _mark(board: Board, value: int, *, fatal: int = 0) -> None:
    """Write a mark of a risk; the process may die at a step."""
    plan, known = board.draw([fact(RISK, "probability", Decimal(value))])
    basis = PlanBasis(known, pending=Pending(marks={MARK: Track(str(value), DAY)}))
    mortal = cast(Notion, MortalNotion(board.notion, Steps(fatal)))
    apply(plan, mortal, board.site(), board.bindings, basis=basis, control=RunControl())


def _known_marks(board: Board) -> set[Decimal]:
    """Return the marks that are known as ours: the remembered one, and one whose writing was not seen to end."""
    with board.store.reading(WORKSPACE) as tx:
        track = memory.load(tx).tracks[MARK]
        tried = bases.attempts_of(tx, board.row(RISK).page_id).get("probability")
    known = {Decimal(track.value)}
    return known | {tried} if isinstance(tried, Decimal) else known


@pytest.mark.parametrize("fatal", [1, 2, 3, 4])
def test_the_mark_that_stands_is_known_as_ours_wherever_the_process_dies(
    board: Board, fatal: int
) -> None:
    board.cycle([fact(RISK, "name", "Late"), fact(RISK, "probability", Decimal(2))])
    with board.store.transaction(WORKSPACE) as tx:
        memory.put_tracks(tx, {MARK: Track("2", DAY)})
    with suppress(Crash):
        _mark(board, 4, fatal=fatal)
    assert board.row(RISK).fields["probability"] in _known_marks(board)
    _mark(board, 5)
    assert _known_marks(board) == {Decimal(5)}


def test_a_mark_that_was_refused_is_not_remembered(board: Board) -> None:
    board.cycle([fact(RISK, "name", "Late"), fact(RISK, "probability", Decimal(2))])
    with board.store.transaction(WORKSPACE) as tx:
        memory.put_tracks(tx, {MARK: Track("2", DAY)})
    board.break_next("401", method="PATCH", path="/v1/pages")
    _mark(board, 4)
    assert _known_marks(board) == {Decimal(2)}
