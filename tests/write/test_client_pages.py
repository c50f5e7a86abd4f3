"""Pages that are no rows, made for clients' own eyes: made once, found again, and people's from the moment they touch them."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from board_rig import SCHEMA, SETTLE, WORKSPACE, Board
from section_rig import Crash, MortalNotion, note, open_board, write

from worker.codecs.blocks import text_of
from worker.config import Thresholds
from worker.domain.document import Block, Bullet, Callout, Heading, reference
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.plan.diff import Written, make_plan
from worker.plan.facts import PageFact, Why
from worker.plan.plan import Kind, Plan
from worker.ports.notion import Json, Notion
from worker.state import bases, journal
from worker.world.world import HOME, Place, World, client_page
from worker.write.writer import Applied

FOLDER, TITLE = "Pages for clients", "Status · Neptune"
FIRST: tuple[Block, ...] = (
    Callout("**Neptune** · 1 project in progress", "🤝", "blue_background"),
    Heading("Where we are"),
    Bullet("**Site** · 25% done"),
    Heading("What is next"),
    Bullet("**Shop**"),
)
SECOND: tuple[Block, ...] = (
    Callout("**Neptune** · 2 projects in progress", "🤝", "blue_background"),
    Heading("Where we are"),
    Bullet("**Shop** · 5% done"),
    Bullet("**Site** · 30% done"),
)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return open_board(tmp_path, "2026-03-11")


@pytest.fixture
def client(board: Board) -> Ref:
    return board.client("Neptune")


def draw(board: Board, client: Ref, blocks: tuple[Block, ...] = FIRST) -> Plan:
    """Return the plan for a client's status page."""
    with board.store.reading(WORKSPACE) as tx:
        ours, made = journal.canonical_pages(tx), journal.created_pages(tx)
        written, attempted = bases.load(tx)
    gone = frozenset(ref for ref, page in ours.items() if page in board.gone)
    now = board.clock.now()
    world = World(
        WORKSPACE,
        now,
        now.date(),
        Thresholds(),
        Words(),
        sources=frozenset(SCHEMA.sources),
        rows=board.rows(),
        trashed=gone,
        places={HOME: Place(board.sandbox.root_page_id, "Home")},
    )
    ref = client_page("status", client)
    section = PageFact(ref, blocks, Why("pages"), title=TITLE)
    known = Written(written, attempted, ours, made)
    return make_plan(world, (), SCHEMA, board.bindings, known, sections=(section,))


def cycle(
    board: Board,
    client: Ref,
    blocks: tuple[Block, ...] = FIRST,
    notion: Notion | None = None,
) -> Applied:
    """Settle, draw and write."""
    board.settle(notion)
    applied = board.apply(draw(board, client, blocks), notion, settle_after=SETTLE)
    board.gone |= applied.gone
    return applied


def converge(board: Board, client: Ref, blocks: tuple[Block, ...] = FIRST) -> None:
    """Run until nothing is left to write."""
    for _ in range(6):
        cycle(board, client, blocks)
        if not draw(board, client, blocks).changes:
            return
        board.clock.advance(SETTLE + timedelta(seconds=1))
    pytest.fail("the page does not settle")


def below(board: Board, page_id: str) -> dict[str, Json]:
    """Return the pages below a page by title; two of one title fail."""
    blocks = [raw for raw in board.notion.children(page_id) if "child_page" in raw]
    titles = [raw["child_page"]["title"] for raw in blocks]
    assert len(set(titles)) == len(titles), titles
    return dict(zip(titles, blocks, strict=True))


def page_of(board: Board) -> str:
    """Return the one page that stands for the client."""
    folders = below(board, board.sandbox.root_page_id)
    assert [*folders] == [FOLDER]
    pages = below(board, folders[FOLDER]["id"])
    assert len(pages) == 1, pages
    (page,) = pages.values()
    return str(page["id"])


def said(board: Board, page_id: str) -> list[str]:
    return [text_of(raw) for raw in board.notion.children(page_id)]


def test_it_is_a_plain_page_in_a_place_of_its_own_without_marks(
    board: Board, client: Ref
) -> None:
    assert not cycle(board, client).failures
    page_id = page_of(board)
    assert said(board, page_id) == [
        "Neptune · 1 project in progress",
        "Where we are",
        "Site · 25% done",
        "What is next",
        "Shop",
    ]
    assert [*board.notion.page(page_id).properties] == ["title"]
    assert draw(board, client).changes == ()


def test_every_creation_is_in_the_journal_before_it_is_on_the_wire(
    board: Board, client: Ref
) -> None:
    cycle(board, client)
    with board.store.reading(WORKSPACE) as tx:
        made = journal.canonical_pages(tx)
        proven = journal.created_pages(tx)
    assert made[client_page("status", client)] == page_of(board)
    assert {*made.values()} <= proven


@pytest.mark.parametrize("fatal", range(1, 19))
def test_a_process_that_dies_at_any_call_doubles_nothing(
    board: Board, client: Ref, fatal: int
) -> None:
    with contextlib.suppress(Crash):
        cycle(board, client, notion=cast(Notion, MortalNotion(board.notion, fatal)))
    board.clock.advance(SETTLE + timedelta(seconds=1))
    board.reopen()
    converge(board, client)
    assert len(said(board, page_of(board))) == len(FIRST)


@pytest.mark.parametrize("kind", ["hang_after", "503_committed", "late_commit", "500"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_creation_of_unknown_outcome_is_looked_up_by_its_title(
    board: Board, client: Ref, kind: str, nth: int
) -> None:
    board.break_next(kind, nth=nth, seconds=30)
    cycle(board, client)
    board.clock.advance(SETTLE + timedelta(seconds=1))
    converge(board, client)
    assert len(said(board, page_of(board))) == len(FIRST)


def test_a_changed_page_is_changed_in_place_and_what_people_wrote_between_stays(
    board: Board, client: Ref
) -> None:
    cycle(board, client)
    page_id = page_of(board)
    before = board.notion.children(page_id)
    mine = note(board, page_id, "Happy new year!")
    board.person("edit_block", block_id=before[4]["id"], text="Shop, as we agreed")
    cycle(board, client, SECOND)
    assert said(board, page_id) == [
        "Neptune · 2 projects in progress",
        "Where we are",
        "Shop · 5% done",
        "Site · 30% done",
        "Shop, as we agreed",
        "Happy new year!",
    ]
    now = board.notion.children(page_id)
    assert now[0]["id"] == before[0]["id"]
    assert now[-1]["id"] == mine
    assert draw(board, client, SECOND).changes == ()


@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_lost_state_finds_the_page_also_where_people_moved_and_renamed_it(
    board: Board, client: Ref, is_renamed: bool
) -> None:
    cycle(board, client)
    page_id = page_of(board)
    ref = client_page("status", client)
    write(board, client, (Bullet(reference(TITLE, ref)),))
    ids = [raw["id"] for raw in board.notion.children(page_id)]
    if is_renamed:
        title = {"title": {"title": [{"text": {"content": "For our friends"}}]}}
        board.person("edit", page_id=page_id, properties=title)
    board.store.close()
    board.folder.joinpath("state.db").unlink()
    board.reopen()
    cycle(board, client, SECOND)
    assert page_of(board) == page_id
    assert [raw["id"] for raw in board.notion.children(page_id)][:2] == ids[:2]
    assert len(said(board, page_id)) == len(SECOND)


def test_a_page_that_people_moved_goes_on_where_it_is(
    board: Board, client: Ref
) -> None:
    cycle(board, client)
    page_id = page_of(board)
    root = board.sandbox.root_page_id
    board.person("move", page_id=page_id, parent={"page_id": root})
    cycle(board, client, SECOND)
    assert len(said(board, page_id)) == len(SECOND)
    assert {*below(board, root)} == {FOLDER, TITLE}
    assert not below(board, below(board, root)[FOLDER]["id"])


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_page_that_people_threw_away_stays_away_without_a_word(
    board: Board, client: Ref, is_lost: bool
) -> None:
    cycle(board, client)
    page_id = page_of(board)
    write(board, client, (Bullet(reference(TITLE, client_page("status", client))),))
    board.person("trash", id=page_id)
    if is_lost:
        board.store.close()
        board.folder.joinpath("state.db").unlink()
        board.reopen()
    for _ in range(2):
        applied = cycle(board, client, SECOND)
        assert (applied.failures, applied.warnings) == ((), ())
    assert draw(board, client, SECOND).changes == ()
    assert board.notion.page(page_id).is_gone
    assert not below(board, below(board, board.sandbox.root_page_id)[FOLDER]["id"])


def test_no_page_is_made_where_people_threw_the_place_away(
    board: Board, client: Ref
) -> None:
    cycle(board, client)
    folder = below(board, board.sandbox.root_page_id)[FOLDER]["id"]
    board.person("trash", id=folder)
    other = board.client("Zeta")
    for _ in range(2):
        applied = cycle(board, other)
        assert (applied.failures, applied.warnings) == ((), ())
    assert draw(board, other).changes == ()
    assert not below(board, board.sandbox.root_page_id)


def _put_away(board: Board, plan: Plan) -> Applied:
    """Undo what a plan made, children first or not."""
    with board.store.reading(WORKSPACE) as tx:
        ours = journal.canonical_pages(tx)
    creations = [one for one in plan.changes if one.kind is Kind.CREATE]
    archives = tuple(
        type(one)(Kind.ARCHIVE, one.ref, ours[one.ref], one.title) for one in creations
    )
    return board.apply(Plan(WORKSPACE, archives))


def test_what_a_run_made_is_put_away_again_with_the_place_last(
    board: Board, client: Ref
) -> None:
    plan = draw(board, client)
    board.apply(plan)
    assert _put_away(board, plan).counts()["archive"] == 2
    assert not below(board, board.sandbox.root_page_id)


def test_a_page_with_a_persons_words_is_not_put_away_nor_the_place_around_it(
    board: Board, client: Ref
) -> None:
    plan = draw(board, client)
    board.apply(plan)
    note(board, page_of(board), "Happy new year!")
    applied = _put_away(board, plan)
    assert applied.counts()["archive"] == 0
    assert len(applied.failures) == 2
    assert "Happy new year!" in said(board, page_of(board))


def test_a_row_of_an_earlier_release_goes_on_until_people_throw_it_away(
    board: Board, client: Ref
) -> None:
    row = client
    former = PageFact(
        client_page("status", client), FIRST, Why("pages"), title=TITLE, former=row
    )
    now = board.clock.now()
    for trashed, kinds in ((), [Kind.SECTION]), ((row,), [Kind.CREATE] * 2):
        world = World(
            WORKSPACE,
            now,
            now.date(),
            Thresholds(),
            Words(),
            sources=frozenset(SCHEMA.sources),
            rows=board.rows(),
            trashed=frozenset(trashed),
            places={HOME: Place(board.sandbox.root_page_id, "Home")},
        )
        plan = make_plan(
            world, (), SCHEMA, board.bindings, Written(), sections=(former,)
        )
        found = [one.kind for one in plan.changes]
        assert found[: len(kinds)] == kinds
