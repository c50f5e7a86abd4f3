"""A section goes with the creation of its row: one request, the same page, and no second row or section after any fault."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from board_rig import SCHEMA, SETTLE, WORKSPACE, Board, fact
from section_rig import (
    VERSIONS,
    Crash,
    MortalNotion,
    mark,
    note,
    open_board,
    requests,
    texts,
)

from worker.config import Thresholds
from worker.domain import charts
from worker.domain.charts import PlanFact
from worker.domain.document import (
    Block,
    Bullet,
    Heading,
    Paragraph,
    Picture,
    Table,
    reference,
)
from worker.domain.values import Ref
from worker.locales import load_words
from worker.plan.diff import Written, known_pages, make_plan
from worker.plan.facts import PageFact, Why
from worker.plan.plan import Change, FieldChange, Kind
from worker.ports.notion import Json, Notion
from worker.state import bases, journal
from worker.state.settings import Setting
from worker.world.world import World
from worker.write.creation_order import arrange
from worker.write.writer import Applied

CHART = PlanFact("Plan", (), date(2026, 11, 16), "plan", "fact", "now", "EUR")
RISK, OTHER = Ref("risks", "risk:late:c1"), Ref("risks", "risk:late:c2")
TEXT: tuple[Block, ...] = (
    Heading("Agenda"),
    Paragraph("First"),
    Bullet("one", (Bullet("below"),)),
    Table(("client", "money"), (("Neptune", "1"), ("Zeta", "2"))),
)
PICTURED: tuple[Block, ...] = (*TEXT, Picture(CHART, "plan and fact"))
FAULTS = (
    "hang_before",
    "hang_after",
    "reset_before",
    "reset_after",
    "502_after",
    "503_committed",
    "503_saved",
    "late_commit",
    "cut_json",
    "empty_object",
    "429",
)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return open_board(tmp_path, VERSIONS[-1])


def cycle(
    board: Board, wanted: dict[Ref, tuple[Block, ...]], notion: Notion | None = None
) -> Applied | None:
    """Settle, read, and write rows with their sections, as a cycle does; None when nothing is left to write."""
    board.settle(notion)
    rows = board.rows()
    with board.store.reading(WORKSPACE) as tx:
        ours, (written, attempted) = journal.canonical_pages(tx), bases.load(tx)
    world = World(
        WORKSPACE,
        board.clock.now(),
        board.clock.now().date(),
        Thresholds(),
        load_words("en", "EUR"),
        sources=frozenset(SCHEMA.sources),
        rows=rows,
    )
    plan = make_plan(
        world,
        [fact(ref, "name", ref.key) for ref in wanted],
        SCHEMA,
        board.bindings,
        Written(written, attempted, ours),
        sections=[
            PageFact(ref, blocks, Why("pages")) for ref, blocks in wanted.items()
        ],
    )
    if not plan.changes:
        return None
    known = known_pages(world, SCHEMA, ours)
    return board.apply(plan, notion, known=known, settle_after=SETTLE)


def quiet(board: Board, wanted: dict[Ref, tuple[Block, ...]]) -> None:
    """Run until nothing is left to write, past every wait."""
    for _ in range(6):
        if cycle(board, wanted) is None:
            return
        board.clock.advance(SETTLE + timedelta(seconds=1))
    pytest.fail("the rows do not settle")


def looks(board: Board, block_id: str) -> list[Any]:
    """Return what a page says, without what differs between two pages that say the same."""
    return [
        (raw["type"], _content(raw), looks(board, raw["id"]))
        for raw in board.notion.children(block_id)
    ]


def _content(raw: Json) -> object:
    content = dict(raw[raw["type"]])
    content.pop("file", None)
    return content


def page_of(board: Board, ref: Ref) -> str:
    return board.row(ref).page_id


def test_a_row_is_made_with_its_section_by_one_request(board: Board) -> None:
    since = mark(board)
    applied = cycle(board, {RISK: TEXT})
    assert applied is not None
    assert applied.counts() == {"create": 1, "update": 0, "archive": 0, "sections": 1}
    assert [line for line in requests(board, since) if "query" not in line] == [
        "POST pages"
    ]
    assert cycle(board, {RISK: TEXT}) is None


def test_pictures_are_uploaded_before_the_row_that_shows_them(board: Board) -> None:
    since = mark(board)
    cycle(board, {RISK: PICTURED})
    sent = [line for line in requests(board, since) if "query" not in line]
    assert sent == ["POST file_uploads", "POST send", "POST pages"]
    assert cycle(board, {RISK: PICTURED}) is None


def test_the_page_is_the_one_that_two_steps_would_have_made(board: Board) -> None:
    plan, known = board.draw([fact(OTHER, "name", OTHER.key)])
    board.apply(plan, known=known)
    quiet(board, {RISK: PICTURED, OTHER: PICTURED})
    page = looks(board, page_of(board, RISK))
    assert len(page) == len(PICTURED) + 2
    assert page == looks(board, page_of(board, OTHER))


def test_a_section_that_came_with_its_row_is_changed_in_place(board: Board) -> None:
    cycle(board, {RISK: PICTURED})
    note(board, page_of(board, RISK), "mine")
    since = mark(board)
    cycle(board, {RISK: (TEXT[0], Paragraph("Second"), *PICTURED[2:])})
    sent = [line for line in requests(board, since) if "query" not in line]
    assert [line.partition(" ")[0] for line in sent] == ["GET", "PATCH"]
    assert texts(board, page_of(board, RISK))[1] == "paragraph:Second"
    assert texts(board, page_of(board, RISK))[-1] == "paragraph:mine"


def test_what_a_section_leads_to_is_made_before_it(board: Board) -> None:
    leads = (Paragraph(reference("the other", OTHER)),)
    since = mark(board)
    cycle(board, {RISK: leads, OTHER: TEXT})
    sent = [line for line in requests(board, since) if "query" not in line]
    assert sent == ["POST pages", "POST pages"]
    (line,) = looks(board, page_of(board, RISK))[1:-1]
    assert page_of(board, OTHER).replace("-", "") in str(line)


def test_a_section_that_leads_to_its_own_row_comes_after_it(board: Board) -> None:
    cycle(board, {RISK: (Paragraph(reference("myself", RISK)),)})
    (line,) = looks(board, page_of(board, RISK))[1:-1]
    assert page_of(board, RISK).replace("-", "") in str(line)


def test_a_section_longer_than_a_request_comes_after_its_row(board: Board) -> None:
    long = tuple(Paragraph(f"line {number}") for number in range(150))
    cycle(board, {RISK: long})
    assert len(texts(board, page_of(board, RISK))) == len(long)
    assert cycle(board, {RISK: long}) is None


def test_a_row_is_made_although_its_section_is_refused(board: Board) -> None:
    picture = Setting(f"picture:{charts.digest(CHART)}", str, str)
    with board.store.transaction(WORKSPACE) as tx:
        picture.save(tx, "00000000-0000-4000-8000-000000000000")
    applied = cycle(board, {RISK: PICTURED})
    assert applied is not None
    assert (applied.counts()["create"], applied.failures) == (1, ())
    quiet(board, {RISK: PICTURED})
    assert len(looks(board, page_of(board, RISK))) == len(PICTURED) + 2


def test_a_section_whose_pictures_cannot_be_had_holds_no_row_up(board: Board) -> None:
    board.break_next("404", path="/v1/file_uploads")
    applied = cycle(board, {RISK: PICTURED})
    assert applied is not None
    assert applied.counts()["create"] == 1
    quiet(board, {RISK: PICTURED})
    assert len(looks(board, page_of(board, RISK))) == len(PICTURED) + 2


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_neither_doubles_nor_loses_a_row_or_a_section(
    board: Board, kind: str
) -> None:
    wanted = {RISK: PICTURED, OTHER: TEXT}
    for nth in (1, 2, 3, 4):
        rule = {
            "kind": kind,
            "match": {"method": "POST", "path_regex": "/v1/(pages|file_uploads)"},
            "nth": nth,
            "seconds": 30,
        }
        board.sandbox.control("faults", {"rules": [rule]})
        quiet(board, wanted)
        board.sandbox.control("faults", {"rules": []})
        board.content()
        for ref, blocks in wanted.items():
            assert len(looks(board, page_of(board, ref))) == len(blocks) + 2, (
                kind,
                nth,
            )
        wanted = {Ref(ref.source, f"{ref.key}{nth}"): wanted[ref] for ref in wanted}


def test_a_process_that_dies_at_any_call_leaves_nothing_doubled(board: Board) -> None:
    for fatal in range(1, 14):
        wanted = {
            Ref("risks", f"risk:{fatal}:a"): PICTURED,
            Ref("risks", f"risk:{fatal}:b"): TEXT,
        }
        with contextlib.suppress(Crash):
            cycle(board, wanted, cast(Notion, MortalNotion(board.notion, fatal)))
        board.reopen()
        board.clock.advance(SETTLE)
        quiet(board, wanted)
        board.content()
        for ref, blocks in wanted.items():
            assert len(looks(board, page_of(board, ref))) == len(blocks) + 2, fatal


def test_after_a_creation_in_doubt_the_page_is_read_only_when_it_must_show_it(
    board: Board,
) -> None:
    board.break_next("503_committed")
    applied = cycle(board, {RISK: TEXT})
    assert applied is not None
    assert (applied.counts()["create"], applied.unknown) == (1, (RISK,))
    board.clock.advance(SETTLE)
    cycle(board, {RISK: TEXT})
    assert len(texts(board, page_of(board, RISK))) == len(TEXT)


# --- the order


def change(key: str, *, parent: str = "") -> Change:
    fields = []
    if parent:
        fields.append(FieldChange("parent", None, (Ref("plans", parent),), Why("test")))
    return Change(Kind.CREATE, Ref("plans", key), "", key, tuple(fields))


def section(key: str, *leads: str) -> Change:
    blocks = tuple(Paragraph(reference(to, Ref("plans", to))) for to in leads)
    return Change(Kind.SECTION, Ref("plans", key), "", key, blocks=blocks)


def test_rows_come_after_what_their_sections_lead_to() -> None:
    order = arrange([change("a"), change("b"), change("c")], [section("a", "b", "c")])
    levels = [[one.ref.key for one in level] for level in order.levels]
    assert levels == [["b", "c"], ["a"]]
    assert [ref.key for ref in order.bodies] == ["a"]


def test_sections_that_lead_to_each_other_part_at_one_of_them() -> None:
    order = arrange(
        [change("a"), change("b")], [section("a", "b"), section("b", "a", "elsewhere")]
    )
    levels = [[one.ref.key for one in level] for level in order.levels]
    assert levels == [["a"], ["b"]]
    assert [ref.key for ref in order.bodies] == ["b"]
    assert order.later == ()


def test_a_section_never_holds_up_a_relation() -> None:
    order = arrange([change("a"), change("b", parent="a")], [section("a", "b")])
    levels = [[one.ref.key for one in level] for level in order.levels]
    assert levels == [["a"], ["b"]]
    assert (order.bodies, order.later) == ({}, ())
