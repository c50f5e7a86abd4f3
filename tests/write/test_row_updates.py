"""A standing row is changed by what is still right when the request leaves, and what was done is told as it was."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from board_rig import WORKSPACE, Board
from wire_rig import connect, create, plan, refusal, sent_cells, update, writes

from rayline_sandbox.wire import Request, Response
from worker.domain.values import Ref, Value
from worker.plan.plan import Change
from worker.ports.notion import Notion
from worker.state import bases, memory
from worker.world.memory import Occurrence, Pending, Turn
from worker.write.context import PlanBasis, RunControl
from worker.write.writer import Applied, apply

RISK = Ref("risks", "risk:late:1")
BEFORE, AFTER = Occurrence("late:1", number=1), Occurrence("late:1", number=2)
UNSAID = "The request could not be carried out."


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.fixture
def page(board: Board) -> str:
    """A row of ours that nobody touched."""
    board.apply(
        plan(create(RISK, name="Late", probability=Decimal("0.1"), steps="call"))
    )
    return board.row(RISK).page_id


def codes(applied: Applied) -> list[tuple[str, str]]:
    return [(one.code, one.field) for one in applied.failures]


class Wire:
    """The reads and writes of pages that left for Notion; a write that holds a refused column is refused."""

    def __init__(self, board: Board, *refused: str, status: int = 400) -> None:
        columns = board.bindings["risks"].properties
        self.sent: list[str] = []
        self._refused = {columns[name] for name in refused}
        self._status = status
        self.notion: Notion = connect(board, self._see)

    def _see(self, request: Request) -> Response | None:
        if request.path.startswith("/v1/pages/"):
            self.sent.append(request.method)
        if writes(request) and sent_cells(request) & self._refused:
            return refusal(UNSAID, status=self._status)
        return None


def step(board: Board, change: Change, notion: Notion | None = None) -> Applied:
    """Carry out a change with which a step in the life of a signal is taken."""
    with board.store.transaction(WORKSPACE) as tx:
        memory.put(tx, AFTER.key, BEFORE)
    basis = PlanBasis(pending=Pending({RISK: Turn(BEFORE, AFTER)}))
    return apply(
        plan(change),
        notion or board.notion,
        board.site(),
        board.bindings,
        basis=basis,
        control=RunControl(),
    )


def taken(board: Board) -> bool:
    with board.store.reading(WORKSPACE) as tx:
        return memory.load(tx).occurrences[AFTER.key] == AFTER


# --- which page


def test_a_row_of_people_is_found_by_the_page_that_was_read(board: Board) -> None:
    client = board.client("Neptune")
    applied = board.apply(plan(update(client, client.key, health="red")))
    assert applied.counts()["update"] == 1
    assert board.row(client).fields["health"] == "red"


def test_a_row_made_before_is_found_by_its_key(board: Board, page: str) -> None:
    applied = board.apply(plan(update(RISK, "", name="Later")))
    assert applied.counts()["update"] == 1
    assert board.row(RISK).title == "Later"


def test_a_row_that_was_never_made_is_told_and_nothing_is_sent(board: Board) -> None:
    wire = Wire(board)
    applied = board.apply(plan(update(RISK, "", name="Later")), wire.notion)
    assert codes(applied) == [("apply-failed", "")]
    assert "has no page yet" in applied.failures[0].message
    assert wire.sent == []


# --- how fresh


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [(10, ["GET", "PATCH", "PATCH"]), (11, ["GET", "PATCH", "GET", "PATCH"])],
)
def test_what_was_read_counts_for_ten_seconds_when_a_request_had_to_wait(
    board: Board, page: str, seconds: int, sent: list[str]
) -> None:
    wire = Wire(board)
    board.break_next("429", method="PATCH", path=page, retry_after=seconds)
    applied = board.apply(plan(update(RISK, page, probability=Decimal(1))), wire.notion)
    assert (applied.failures, wire.sent) == ((), sent)
    assert board.row(RISK).fields["probability"] == Decimal(1)


def test_a_cell_of_ours_alone_may_wait_as_long_as_it_takes(
    board: Board, page: str
) -> None:
    wire = Wire(board)
    board.break_next("429", method="PATCH", path=page, retry_after=60, times=8)
    applied = board.apply(plan(update(RISK, page, name="Later")), wire.notion)
    assert (applied.failures, wire.sent) == ((), ["PATCH"] * 9)
    assert board.row(RISK).title == "Later"


def test_a_row_whose_every_request_waits_is_left_to_the_next_run(
    board: Board, page: str
) -> None:
    board.break_next("429", method="PATCH", path=page, retry_after=60, times=0)
    applied = board.apply(plan(update(RISK, page, probability=Decimal(1))))
    assert codes(applied) == [("write-failed", "")]
    assert "had to wait" in applied.failures[0].message


# --- what is refused


def test_a_row_with_a_refused_cell_is_done_and_one_with_nothing_else_is_not(
    board: Board, page: str
) -> None:
    client = board.client("Neptune")
    wire = Wire(board, "client")
    both = update(RISK, page, name="Later", client=(client,))
    applied = board.apply(plan(both), wire.notion)
    assert codes(applied) == [("field-refused", "client")]
    assert (applied.counts()["update"], board.row(RISK).title) == (1, "Later")
    alone = board.apply(plan(update(RISK, page, client=(client,))), wire.notion)
    assert codes(alone) == [("field-refused", "client")]
    assert alone.counts()["update"] == 0


def test_a_cell_that_is_not_wanted_any_more_costs_no_write(
    board: Board, page: str
) -> None:
    board.edit(page, "probability", Decimal("0.9"))
    wire = Wire(board)
    applied = board.apply(plan(update(RISK, page, probability=Decimal(1))), wire.notion)
    assert (wire.sent, applied.counts()["update"]) == (["GET"], 0)
    assert [kept.field for kept in applied.kept] == ["probability"]


@pytest.mark.parametrize("status", [403, 422])
def test_a_row_that_may_not_be_written_is_asked_for_once(
    board: Board, page: str, status: int
) -> None:
    wire = Wire(board, "name", status=status)
    applied = board.apply(
        plan(update(RISK, page, name="Later", client=())), wire.notion
    )
    assert wire.sent.count("PATCH") == 1
    assert [one.code for one in applied.failures] == [
        "write-denied" if status == 403 else "write-rejected"
    ]


def test_a_row_moved_to_another_board_is_told_and_not_written_in_parts(
    board: Board, page: str
) -> None:
    elsewhere = {"data_source_id": board.bindings["clients"].data_source_id}
    board.person("move", page_id=page, parent=elsewhere)
    applied = board.apply(plan(update(RISK, page, client=(), name="Later")))
    assert [(one.code, one.where) for one in applied.failures] == [
        ("row-left-board", str(RISK))
    ]
    assert (applied.counts()["update"], applied.gone) == (0, frozenset())


def test_a_row_in_the_trash_is_gone_and_no_cell_of_it_is_told_as_refused(
    board: Board, page: str
) -> None:
    board.person("trash", id=page)
    applied = board.apply(plan(update(RISK, page, name="Later")))
    assert (applied.gone, applied.failures) == (frozenset({page}), ())


def test_a_cell_that_was_not_sent_stays_as_it_was_known(
    board: Board, page: str
) -> None:
    def base() -> Value:
        with board.store.reading(WORKSPACE) as tx:
            return bases.of_page(tx, page)["probability"]

    board.edit(page, "probability", Decimal("0.9"))
    board.apply(plan(update(RISK, page, name="Later")))
    assert base() == Decimal("0.1")


# --- the step that is taken with a row


def test_a_step_is_taken_with_its_row(board: Board, page: str) -> None:
    step(board, update(RISK, page, name="Later"))
    assert taken(board)


def test_a_step_is_not_taken_where_a_persons_value_stands(
    board: Board, page: str
) -> None:
    board.edit(page, "probability", Decimal("0.9"))
    applied = step(board, update(RISK, page, name="Later", probability=Decimal(1)))
    assert [kept.field for kept in applied.kept] == ["probability"]
    assert applied.counts()["update"] == 1
    assert not taken(board)


def test_a_step_is_not_taken_where_a_cell_cannot_be_read(
    board: Board, page: str
) -> None:
    board.person(
        "retype_property",
        data_source_id=board.bindings["risks"].data_source_id,
        property="probability",
        type="rich_text",
    )
    applied = step(board, update(RISK, page, name="Later", probability=Decimal(1)))
    assert (codes(applied), applied.kept) == ([("unreadable-field", "probability")], ())
    assert board.row(RISK).title == "Later"
    assert not taken(board)
