"""Rows planted once among people's: made whole, then theirs for ever, whatever they do with them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from board_rig import SETTLE, WORKSPACE, Board, fact

from worker.domain.values import Ref
from worker.plan.facts import Fact
from worker.state import bases

CARD, RISK = Ref("cards", "card:revolution:p1:1"), Ref("risks", "risk:late:c1")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def _wish(name: str = "Redesign", *, client: Ref | None = None) -> list[Fact]:
    return [
        fact(CARD, "name", name),
        *([fact(CARD, "client", (client,))] if client else []),
    ]


def _titles(board: Board) -> list[str]:
    return sorted(row.title for row in board.rows()["cards"])


def test_a_planted_row_is_made_with_peoples_fields_and_named_by_its_page(
    board: Board,
) -> None:
    client = board.client("Neptune")
    assert board.cycle(_wish(client=client)).counts()["create"] == 1
    (row,) = board.rows()["cards"]
    assert (row.ref.key, row.key, row.fields["client"]) == (row.page_id, "", (client,))
    assert row.fields["worker_key"] == CARD.key


def test_a_planted_row_is_never_written_again(board: Board) -> None:
    board.cycle(_wish())
    (row,) = board.rows()["cards"]
    board.edit(row.page_id, "name", "A new portal")
    writes = board.writes()
    assert board.cycle(_wish("Redesign and refactoring")).failures == ()
    assert (_titles(board), board.writes()) == (["A new portal"], writes)


@pytest.mark.parametrize("noticed", [False, True])
def test_a_planted_row_a_person_trashed_stays_gone(board: Board, noticed: bool) -> None:
    board.cycle(_wish())
    (row,) = board.rows()["cards"]
    board.person("trash", id=row.page_id)
    if noticed:
        board.gone.add(row.page_id)
    plan, _ = board.draw(_wish())
    assert (plan.changes, plan.problems) == ((), ())


def test_a_key_that_a_person_cleared_does_not_bring_the_row_twice(board: Board) -> None:
    board.cycle(_wish())
    (row,) = board.rows()["cards"]
    board.edit(row.page_id, "worker_key", "")
    assert board.draw(_wish())[0].changes == ()


def test_a_copy_of_a_planted_row_is_the_persons_own_and_no_problem(
    board: Board,
) -> None:
    board.cycle(_wish())
    (row,) = board.rows()["cards"]
    board.person("duplicate", page_id=row.page_id)
    plan, _ = board.draw(_wish())
    assert (plan.changes, plan.problems, len(board.rows()["cards"])) == ((), (), 2)


def test_a_relation_to_a_planted_row_finds_its_page_and_stays_quiet(
    board: Board,
) -> None:
    facts = [*_wish(), fact(RISK, "name", "Late"), fact(RISK, "card", (CARD,))]
    board.cycle(facts)
    (row,) = board.rows()["cards"]
    assert board.row(RISK).fields["card"] == (row.ref,)
    with board.store.reading(WORKSPACE) as tx:
        assert bases.load(tx)[0][board.row(RISK).page_id, "card"] == (row.ref,)
    assert board.draw(facts)[0].changes == ()


def test_a_relation_to_a_planted_row_that_was_thrown_away_is_dropped(
    board: Board,
) -> None:
    facts = [*_wish(), fact(RISK, "name", "Late"), fact(RISK, "card", (CARD,))]
    board.cycle(facts)
    (row,) = board.rows()["cards"]
    board.person("trash", id=row.page_id)
    board.gone.add(row.page_id)
    assert board.draw(facts)[0].changes == ()
    assert board.row(RISK).fields["card"] is None


def test_a_lost_state_does_not_plant_again(board: Board, tmp_path: Path) -> None:
    facts = [*_wish(), fact(RISK, "name", "Late"), fact(RISK, "card", (CARD,))]
    board.cycle(facts)
    writes = board.writes()
    board.folder = tmp_path / "new home"
    board.reopen()
    board.cycle(facts)
    (row,) = board.rows()["cards"]
    board.person("trash", id=row.page_id)
    assert board.draw(_wish())[0].changes == (), (
        "the journal took the key from the row it had read"
    )
    assert board.writes() == writes


@pytest.mark.parametrize("kind", ["hang_after", "502_after"])
def test_planting_that_happened_unseen_is_found_and_not_repeated(
    board: Board, kind: str
) -> None:
    board.break_next(kind)
    board.cycle(_wish())
    board.clock.advance(SETTLE + timedelta(seconds=1))
    assert board.settle().adopted == (CARD,)
    board.cycle(_wish())
    assert _titles(board) == ["Redesign"]


def test_a_people_row_that_is_no_seed_is_still_a_problem(board: Board) -> None:
    plan, _ = board.draw(
        [
            fact(Ref("cards", "p9"), "score", None),
            fact(Ref("clients", "a:b"), "score", None),
        ]
    )
    assert ([problem.code for problem in plan.problems], plan.changes) == (
        ["missing-row"] * 2,
        (),
    )


def test_only_the_planting_may_state_a_persons_field(board: Board) -> None:
    board.cycle(_wish())
    (row,) = board.rows()["cards"]
    plan, _ = board.draw([fact(row.ref, "name", "Ours")])
    assert ([problem.code for problem in plan.problems], plan.changes) == (
        ["unstatable-field"],
        (),
    )
