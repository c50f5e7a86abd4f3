"""A page is put away only while nobody else has a hand in it: an undone row, a second row of a key, one that has had its time."""

from __future__ import annotations

from pathlib import Path

import pytest
from board_rig import WORKSPACE, Board
from wire_rig import WHY, archive, connect, create, plan, refusal, update, writes

from rayline_sandbox.wire import Request, Response
from worker.domain.values import Ref
from worker.mapping.schema import KEY_PROPERTY
from worker.plan.plan import Change, Kind
from worker.state import journal
from worker.world.world import CLIENT_PAGES

RISK = Ref("risks", "risk:late:1")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.fixture
def page(board: Board) -> str:
    """A row of ours that nobody touched."""
    board.apply(plan(create(RISK, name="Late")))
    return board.row(RISK).page_id


def second_row(board: Board) -> str:
    """Have a row of ours made a second time, which the journal knows."""
    properties = board.bindings["risks"].properties
    cells = {
        properties["name"]: {"title": [{"text": {"content": "Late"}}]},
        properties[KEY_PROPERTY]: {"rich_text": [{"text": {"content": RISK.key}}]},
    }
    source = board.bindings["risks"].data_source_id
    made = board.notion.create_page(source, cells).id
    with board.store.transaction(WORKSPACE) as tx:
        journal.finish(tx, RISK, made, claim="second", now=board.clock.now())
    return made


def known_as_ours(board: Board) -> frozenset[str]:
    with board.store.reading(WORKSPACE) as tx:
        return journal.created_pages(tx)


def test_a_row_that_is_taken_back_goes_into_the_trash(board: Board, page: str) -> None:
    applied = board.apply(plan(archive(RISK, page)))
    assert (applied.counts()["archive"], applied.failures) == (1, ())
    assert board.notion.page(page).in_trash


def test_a_row_that_has_had_its_time_is_archived_and_not_thrown_away(
    board: Board, page: str
) -> None:
    applied = board.apply(plan(archive(RISK, page, why=WHY)))
    assert (applied.counts()["archive"], applied.failures) == (1, ())
    shelved = board.notion.page(page)
    assert (shelved.is_archived, shelved.in_trash) == (True, False)


def test_a_row_that_has_had_its_time_stays_where_somebody_wrote_into_it(
    board: Board, page: str
) -> None:
    board.edit(page, "note", "we talked")
    applied = board.apply(plan(archive(RISK, page, why=WHY)))
    assert (applied.counts()["archive"], applied.failures) == (0, ())
    assert not board.notion.page(page).is_gone


def test_a_row_that_is_taken_back_stays_ours_with_what_somebody_wrote_into_it(
    board: Board, page: str
) -> None:
    board.edit(page, "note", "we talked")
    applied = board.apply(plan(archive(RISK, page)))
    assert [one.code for one in applied.failures] == ["not-undone"]
    assert applied.counts()["archive"] == 0
    assert not board.notion.page(page).is_gone
    assert known_as_ours(board) == {page}, "it may still be taken back"


def test_a_row_stays_with_what_somebody_wrote_before_we_wrote_last(
    board: Board, page: str
) -> None:
    board.edit(page, "note", "we talked")
    board.apply(plan(update(RISK, page, name="Later")))
    applied = board.apply(plan(archive(RISK, page)))
    assert [one.code for one in applied.failures] == ["not-undone"]
    assert not board.notion.page(page).is_gone


def test_a_second_row_goes_into_the_trash(board: Board, page: str) -> None:
    second = second_row(board)
    applied = board.apply(plan(archive(RISK, second, surplus=True)))
    assert (applied.counts()["archive"], applied.failures) == (1, ())
    assert board.notion.page(second).in_trash
    assert not board.notion.page(page).is_gone


def test_a_second_row_that_somebody_wrote_into_is_theirs_from_then_on(
    board: Board, page: str
) -> None:
    second = second_row(board)
    assert known_as_ours(board) == {page, second}
    board.edit(second, "note", "we talked")
    applied = board.apply(plan(archive(RISK, second, surplus=True)))
    assert [one.code for one in applied.failures] == ["duplicate-key"]
    assert not board.notion.page(second).is_gone
    assert known_as_ours(board) == {page}


@pytest.mark.parametrize("surplus", [True, False])
def test_a_row_that_is_out_of_reach_needs_nothing_any_more(
    board: Board, page: str, surplus: bool
) -> None:
    row = second_row(board) if surplus else page

    def hide(request: Request) -> Response | None:
        return refusal("No.", status=404) if writes(request) else None

    applied = board.apply(
        plan(archive(RISK, row, surplus=surplus)), connect(board, hide)
    )
    assert (applied.counts()["archive"], applied.failures) == (0, ())
    assert row in known_as_ours(board)


@pytest.mark.parametrize("written", [True, False])
def test_a_page_that_is_no_row_is_looked_at_as_a_page(
    board: Board, written: bool
) -> None:
    board.apply(plan(Change(Kind.CREATE, CLIENT_PAGES, "", "Pages for clients")))
    with board.store.reading(WORKSPACE) as tx:
        folder = journal.canonical_pages(tx)[CLIENT_PAGES]
    if written:
        words = {"paragraph": {"rich_text": [{"text": {"content": "we talked"}}]}}
        board.person("append", block_id=folder, children=[words])
    applied = board.apply(plan(archive(CLIENT_PAGES, folder)))
    assert applied.counts()["archive"] == (not written)
    assert [one.code for one in applied.failures] == ["not-undone"] * written
    assert board.notion.page(folder).is_gone is not written
