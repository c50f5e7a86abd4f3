"""A section on a page that is no row: the root page of the workspace, where people and the boards stand too."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from board_rig import SCHEMA, SETTLE, WORKSPACE, Board, fact
from section_rig import VERSIONS, note, open_board

from worker.codecs.blocks import text_of
from worker.config import Thresholds
from worker.domain.document import Block, Bullet, Heading, Paragraph
from worker.domain.words import Words
from worker.errors import Code
from worker.plan.diff import Written, make_plan
from worker.plan.facts import Fact, PageFact, Why
from worker.plan.plan import Plan
from worker.state import bases
from worker.world.world import HOME, Place, World

FIRST: tuple[Block, ...] = (
    Heading("Here is how it stands"),
    Paragraph("2 clients"),
    Bullet("look"),
)
SECOND: tuple[Block, ...] = (
    Heading("Here is how it stands"),
    Paragraph("3 clients"),
    Bullet("look"),
)


@pytest.fixture(params=VERSIONS)
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    return open_board(tmp_path, request.param)


def _plan(board: Board, blocks: tuple[Block, ...], *facts: Fact) -> Plan:
    with board.store.reading(WORKSPACE) as tx:
        written, attempted = bases.load(tx)
    world = World(
        WORKSPACE,
        board.clock.now(),
        board.clock.now().date(),
        Thresholds(),
        Words(),
        sources=frozenset(SCHEMA.sources),
        rows=board.rows(),
        places={HOME: Place(board.sandbox.root_page_id, "Home")},
    )
    section = PageFact(HOME, blocks, Why("pages"))
    return make_plan(
        world,
        facts,
        SCHEMA,
        board.bindings,
        Written(written, attempted),
        sections=(section,),
    )


def _root(board: Board) -> list[str]:
    children = board.notion.children(board.sandbox.root_page_id)
    return [f"{raw['type']}:{text_of(raw)}" for raw in children]


def test_home_stands_before_the_boards_and_what_people_wrote_stays_where_it_was(
    board: Board,
) -> None:
    root = board.sandbox.root_page_id
    note(board, root, "our Friday pizza")
    before = _root(board)
    assert (
        board.apply(_plan(board, FIRST), settle_after=SETTLE).counts()["sections"] == 1
    )
    after = _root(board)
    own = [text for text in after if text not in before]
    assert [text for text in after if text in before] == before
    assert "paragraph:2 clients" in own
    if board.notion._settings.version != VERSIONS[0]:  # type: ignore[attr-defined]
        assert after[: len(own)] == own


def test_a_quiet_home_costs_nothing_and_a_change_one_block(board: Board) -> None:
    board.apply(_plan(board, FIRST), settle_after=SETTLE)
    assert not _plan(board, FIRST).changes
    written = board.writes()
    board.apply(_plan(board, SECOND), settle_after=SETTLE)
    assert board.writes() == written + 1  # the one paragraph, in place
    assert "paragraph:3 clients" in _root(board)
    assert not _plan(board, SECOND).changes


def test_what_people_write_into_home_and_around_it_survives_every_change(
    board: Board,
) -> None:
    root = board.sandbox.root_page_id
    board.apply(_plan(board, FIRST), settle_after=SETTLE)
    note(board, root, "ours")
    board.apply(_plan(board, SECOND), settle_after=SETTLE)
    board.apply(_plan(board, FIRST), settle_after=SETTLE)
    assert _root(board).count("paragraph:ours") == 1


@pytest.mark.parametrize("kind", ["403", "404"])
def test_a_root_page_that_may_not_be_written_to_is_told_and_holds_nothing_else_up(
    board: Board, kind: str
) -> None:
    client = board.client("Neptune")
    plan = _plan(board, FIRST, fact(client, "score", Decimal(7)))
    root = board.sandbox.root_page_id
    board.break_next(kind, method="PATCH", path=f"/v1/blocks/{root}/children$")
    applied = board.apply(plan, settle_after=SETTLE)
    assert applied.failures == ()
    assert [problem.code for problem in applied.warnings] == [Code.PLACE_CLOSED]
    assert not applied.stopped
    assert board.row(client).fields["score"] == Decimal(7)
    assert (
        board.apply(_plan(board, FIRST), settle_after=SETTLE).counts()["sections"] == 1
    )
