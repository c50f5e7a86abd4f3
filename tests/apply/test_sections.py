"""The worker's section of a page on the emulated Notion: in place, with few requests, beside what people write."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from board_rig import SCHEMA, SETTLE, WORKSPACE, Board, fact
from msgspec.structs import replace
from pydantic import SecretStr

from worker.apply.writer import Applied
from worker.config import NotionSettings, Thresholds
from worker.domain.charts import PlanFact
from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Divider,
    Heading,
    Paragraph,
    Picture,
    Quote,
    Table,
    ToDo,
    link,
    plain,
)
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.domain.world import World
from worker.mapping.blocks import text_of
from worker.mapping.codecs import canonicalize
from worker.notion.gateway import NotionGateway
from worker.ports import Notion
from worker.sandbox.wire import HandlerTransport
from worker.state import bases, journal
from worker.sync.diff import known_pages, make_plan
from worker.sync.facts import Fact, PageFact, Why
from worker.sync.plan import Kind, Plan

CHART = PlanFact("Plan", (), date(2026, 11, 16), "plan", "fact", "now", "EUR")
FIRST: tuple[Block, ...] = (
    Heading("Health"),
    Paragraph(
        f"**Red**: {link('card', 'https://notion.test/p/1')} is late {plain('[really*]')}"
    ),
    Bullet("one", (Bullet("below"),)),
    Bullet("two"),
    ToDo("call"),
    Quote("said"),
    Callout("mind"),
    Divider(),
    Table(("client", "money"), (("Neptune", "1"), ("Zeta", "2"))),
    Picture(CHART, "plan and fact"),
)


@pytest.fixture(params=["2025-09-03", "2026-03-11"])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    found = Board(tmp_path)
    settings = NotionSettings(
        base_url="http://notion.test",
        token=SecretStr(found.sandbox.token),
        requests=10**6,
        version=request.param,
    )
    found.notion = NotionGateway(
        settings,
        transport=HandlerTransport(found.sandbox.handle),
        sleep=lambda seconds: None,
    )
    return found


def _plan(
    board: Board,
    ref: Ref,
    blocks: tuple[Block, ...],
    facts: list[Fact],
    *,
    settled: bool = False,
    locale: str = "en",
) -> tuple[Plan, dict[Ref, str]]:
    rows = board.rows()
    with board.store.reading(WORKSPACE) as tx:
        ours, (written, attempted) = journal.canonical_pages(tx), bases.load(tx)
    world = World(
        WORKSPACE,
        board.clock.now(),
        board.clock.now().date(),
        Thresholds(),
        Words(locale),
        sources=frozenset(SCHEMA.sources),
        rows=rows,
    )
    section = PageFact(ref, blocks, Why("pages"), settled)
    return make_plan(
        world,
        facts,
        SCHEMA,
        board.bindings,
        written,
        canonicalize=canonicalize,
        ours=ours,
        attempted=attempted,
        sections=(section,),
    ), known_pages(world, SCHEMA, ours)


def write(
    board: Board,
    ref: Ref,
    blocks: tuple[Block, ...],
    facts: list[Fact] | None = None,
    **options: Any,
) -> Applied:
    """Plan and write one section, as a cycle would."""
    plan, known = _plan(board, ref, blocks, facts or [], **options)
    return board.apply(plan, known=known, settle_after=SETTLE)


def texts(board: Board, page_id: str) -> list[str]:
    """Return what the page says, block by block, without the markers."""
    found = [f"{raw['type']}:{text_of(raw)}" for raw in board.notion.children(page_id)]
    return [text for text in found if not text.startswith("callout:Rayline")]


def requests(board: Board, since: int) -> list[str]:
    """Return the worker's requests after an entry of the log, as method and the path's last word."""
    return [
        f"{entry.method} {entry.path.rstrip('/').rpartition('/')[2].partition('?')[0][:12]}"
        for entry in board.sandbox.log
        if entry.seq > since and entry.actor == board.sandbox.bot_id
    ]


def _mark(board: Board) -> int:
    return board.sandbox.log[-1].seq


def _note(board: Board, page_id: str, text: str) -> str:
    """Let a person write a paragraph at the end of the page."""
    children = [
        {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": text}}]}}
    ]
    return str(
        board.person("append", block_id=page_id, children=children)["block_ids"][0]
    )


# --- in place


def test_a_section_stands_as_it_was_meant_and_the_next_plan_is_empty(
    board: Board,
) -> None:
    client = board.client("Neptune")
    assert write(board, client, FIRST).counts()["sections"] == 1
    page = board.notion.children(client.key)
    assert [raw["type"] for raw in page] == [
        "callout",
        "heading_2",
        "paragraph",
        "bulleted_list_item",
        "bulleted_list_item",
        "to_do",
        "quote",
        "callout",
        "divider",
        "table",
        "image",
        "callout",
    ]
    assert text_of(page[2]) == "Red: card is late [really*]"
    links = [piece["href"] for piece in page[2]["paragraph"]["rich_text"]]
    assert links == [None, None, "https://notion.test/p/1", None]
    rows = board.notion.children(page[9]["id"])
    assert [cell[0]["plain_text"] for cell in rows[1]["table_row"]["cells"]] == [
        "Neptune",
        "1",
    ]
    assert _plan(board, client, FIRST, [])[0].changes == ()


def test_a_changed_paragraph_costs_one_read_and_one_write(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    ids = [raw["id"] for raw in board.notion.children(client.key)]
    since = _mark(board)
    write(board, client, (FIRST[0], Paragraph("All is well"), *FIRST[2:]))
    assert [
        line.split()[0]
        for line in requests(board, since)
        if "children" not in line and "query" not in line
    ] == ["PATCH"]
    assert [raw["id"] for raw in board.notion.children(client.key)] == ids
    assert "paragraph:All is well" in texts(board, client.key)


def test_new_and_dropped_blocks_leave_the_others_alone(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    before = {raw["id"] for raw in board.notion.children(client.key)}
    changed = (FIRST[0], Quote("new"), Heading("More", 3), *FIRST[2:4], *FIRST[5:])
    since = _mark(board)
    write(board, client, changed)
    after = {raw["id"] for raw in board.notion.children(client.key)}
    assert (len(before - after), len(after - before)) == (2, 2)
    assert [line for line in requests(board, since) if line.startswith("PATCH")] == [
        "PATCH children"
    ]
    assert texts(board, client.key)[1:3] == ["quote:new", "heading_3:More"]


def test_a_table_that_changes_is_replaced_by_two_requests(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    since = _mark(board)
    write(
        board,
        client,
        (*FIRST[:8], Table(("client", "money"), (("Neptune", "7"),)), FIRST[9]),
    )
    assert (
        sum(line.split()[0] in ("PATCH", "DELETE") for line in requests(board, since))
        == 2
    )


def test_a_section_longer_than_a_request_arrives_whole(board: Board) -> None:
    client = board.client("Neptune")
    long: tuple[Block, ...] = (
        *(Paragraph(f"line {number}") for number in range(250)),
        Table(("n",), tuple((str(number),) for number in range(150))),
    )
    write(board, client, long)
    said = texts(board, client.key)
    assert said[:250] == [f"paragraph:line {number}" for number in range(250)]
    assert said[250:] == ["table:", "table:"]
    assert _plan(board, client, long, [])[0].changes == ()
    write(
        board,
        client,
        (
            *long[:120],
            *(Paragraph(f"more {number}") for number in range(130)),
            *long[120:],
        ),
    )
    assert len(texts(board, client.key)) == 382


def test_a_text_beyond_a_piece_is_parted_and_known_again(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, (Paragraph("x" * 5_000),))
    _forget(board)
    since = _mark(board)
    write(board, client, (Paragraph("x" * 5_000),))
    assert not [
        line for line in requests(board, since) if line.startswith(("PATCH", "DELETE"))
    ]


# --- pictures


def test_a_picture_is_uploaded_once_and_shown_on_two_pages(board: Board) -> None:
    one, two = board.client("Neptune"), board.client("Zeta")
    write(board, one, FIRST)
    write(board, two, FIRST)
    write(board, one, (*FIRST, Paragraph("more")))
    assert sum(entry.path.endswith("/send") for entry in board.sandbox.log) == 1


def test_another_picture_takes_the_place_of_the_old_one(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    image = next(
        raw for raw in board.notion.children(client.key) if raw["type"] == "image"
    )
    write(board, client, (*FIRST[:-1], Picture(replace_title("Fact"), "plan and fact")))
    now = next(
        raw for raw in board.notion.children(client.key) if raw["type"] == "image"
    )
    assert now["id"] == image["id"]
    assert (
        now["image"]["file"]["url"].partition("?")[0]
        != image["image"]["file"]["url"].partition("?")[0]
    )


def replace_title(title: str) -> PlanFact:
    """Return another chart."""
    return PlanFact(title, CHART.points, CHART.now, "plan", "fact", "now", "EUR")


@pytest.mark.parametrize("settled", [False, True])
def test_a_picture_that_cannot_be_drawn_is_its_words_until_it_can(
    board: Board, settled: bool
) -> None:
    client = board.client("Neptune")
    deadly = Picture(replace_title("New\x0bsite"), "plan and fact")
    fine = Picture(CHART, "other")
    blocks: tuple[Block, ...] = (Heading("Health"), deadly, fine, Paragraph("end"))
    for is_first in (True, False):
        since = _mark(board)
        applied = write(board, client, blocks, settled=settled)
        assert (applied.failures, applied.counts()["sections"]) == ((), 1)
        (warning,) = applied.warnings
        assert (warning.code, warning.where) == ("picture-not-drawn", str(client))
        assert texts(board, client.key)[1:3] == ["paragraph:plan and fact", "image:"]
        changed = {*requests(board, since)} & {"PATCH children", "POST send"}
        assert bool(changed) is is_first
    drawn = Picture(CHART, "plan and fact")
    applied = write(board, client, (*blocks[:1], drawn, *blocks[2:]), settled=settled)
    assert applied.warnings == ()
    assert texts(board, client.key)[1:3] == ["image:", "image:"]
    assert _plan(board, client, blocks[2:], [], settled=True)[0].changes == ()


# --- people


def test_notes_around_the_section_survive_every_rewrite(board: Board) -> None:
    client = board.client("Neptune")
    above = _note(board, client.key, "before")
    write(board, client, FIRST)
    below = _note(board, client.key, "after")
    write(board, client, (Paragraph("new"), Divider()))
    write(board, client, FIRST[:5])
    page = board.notion.children(client.key)
    assert (page[0]["id"], page[-1]["id"]) == (above, below)
    assert len(page) == 2 + 2 + 5


def test_a_persons_line_inside_the_section_goes_with_the_next_rewrite_only(
    board: Board,
) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    board.person(
        "edit_block", block_id=board.notion.children(client.key)[2]["id"], text="mine"
    )
    assert _plan(board, client, FIRST, [])[0].changes == (), (
        "nobody reads the page without need"
    )
    write(board, client, (*FIRST, Paragraph("more")))
    assert texts(board, client.key)[1] == "paragraph:Red: card is late [really*]"


@pytest.mark.parametrize("gone", [(0,), (-1,), (0, -1)])
def test_without_its_markers_a_fresh_section_is_appended_and_the_rest_left(
    board: Board, gone: tuple[int, ...]
) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    page = board.notion.children(client.key)
    for index in gone:
        board.person("trash", id=page[index]["id"])
    write(board, client, (Paragraph("fresh"),))
    left = {raw["id"] for raw in page} - {page[index]["id"] for index in gone}
    now = board.notion.children(client.key)
    assert left <= {raw["id"] for raw in now}
    assert texts(board, client.key)[-1] == "paragraph:fresh"
    write(board, client, (Paragraph("fresher"),))
    assert [raw["id"] for raw in board.notion.children(client.key)] == [
        raw["id"] for raw in now
    ]


def test_a_page_that_is_gone_is_left_and_the_others_are_written(board: Board) -> None:
    one, two = board.client("Neptune"), board.client("Zeta")
    plan, _ = _plan(board, one, FIRST, [])
    other, _ = _plan(board, two, FIRST, [])
    board.person("trash", id=one.key)
    applied = board.apply(Plan(WORKSPACE, (*plan.changes, *other.changes)))
    assert (applied.failures, applied.gone, applied.counts()["sections"]) == (
        (),
        frozenset({one.key}),
        1,
    )


# --- rows, states, languages


def test_a_new_row_gets_its_section_in_the_same_plan(board: Board) -> None:
    ref = Ref("risks", "risk:late:c1")
    plan, _ = _plan(board, ref, FIRST, [fact(ref, "name", "Late")])
    assert [change.kind for change in plan.changes] == [Kind.CREATE, Kind.SECTION]
    board.apply(plan)
    assert texts(board, board.row(ref).page_id)[0] == "heading_2:Health"
    assert _plan(board, ref, FIRST, [fact(ref, "name", "Late")])[0].changes == ()


def test_a_row_nobody_makes_gets_no_section(board: Board) -> None:
    assert _plan(board, Ref("risks", "risk:none"), FIRST, [])[0].changes == ()


def test_a_settled_section_stays_as_it_was(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST, settled=True)
    assert _plan(board, client, FIRST[:2], [], settled=True)[0].changes == ()
    assert len(_plan(board, client, FIRST[:2], [])[0].changes) == 1


def _forget(board: Board) -> None:
    with board.store.transaction(WORKSPACE) as tx:
        bases.forget(tx, [row.page_id for row in board.rows()["clients"]])


def test_a_lost_state_costs_reads_and_no_write(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    _forget(board)
    since = _mark(board)
    assert write(board, client, FIRST).counts()["sections"] == 1
    assert not [
        line for line in requests(board, since) if line.startswith(("PATCH", "DELETE"))
    ]
    assert _plan(board, client, FIRST, [])[0].changes == ()


# --- faults


KINDS = (
    "500",
    "409",
    "reset_before",
    "hang_after",
    "reset_after",
    "502_after",
    "503_committed",
    "late_commit",
    "429",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_any_call_neither_doubles_nor_loses_a_block(
    board: Board, kind: str
) -> None:
    client = board.client("Neptune")
    note = _note(board, client.key, "mine")
    second = (
        Heading("Health"),
        Paragraph("New"),
        *FIRST[2:8],
        Divider(),
        Quote("end"),
        Picture(replace_title("Second"), "x"),
    )
    for nth in (1, 2, 3, 4, 6):
        for blocks in (FIRST, second):
            rule = {
                "kind": kind,
                "match": {"path_regex": "/v1/(blocks|file_uploads)"},
                "nth": nth,
                "seconds": 30,
            }
            board.sandbox.control("faults", {"rules": [rule]})
            _converge(board, client, blocks)
            board.sandbox.control("faults", {"rules": []})
            page = board.notion.children(client.key)
            assert page[0]["id"] == note
            assert [raw["type"] for raw in page[2:-1]] == [
                _type(block) for block in blocks
            ], (nth, kind)


def _converge(board: Board, client: Ref, blocks: tuple[Block, ...]) -> None:
    for _ in range(6):
        plan, known = _plan(board, client, blocks, [])
        if not plan.changes:
            return
        board.apply(plan, known=known, settle_after=SETTLE)
        board.clock.advance(SETTLE + timedelta(seconds=1))
    pytest.fail("the section does not settle")


def _type(block: Block) -> str:
    names = {
        Heading: "heading_2",
        Paragraph: "paragraph",
        Bullet: "bulleted_list_item",
        ToDo: "to_do",
        Quote: "quote",
        Callout: "callout",
        Divider: "divider",
        Table: "table",
        Picture: "image",
    }
    return names[type(block)]


class Crash(BaseException):
    """The process is gone: nothing may catch this."""


class MortalNotion:
    """A port that dies at the chosen step: before a request is sent, or after it was answered."""

    def __init__(self, inner: Any, fatal: int) -> None:
        self._inner, self._left = inner, fatal

    def _step(self) -> None:
        self._left -= 1
        if not self._left:
            raise Crash

    def guarded(self, check: Callable[[], None]) -> MortalNotion:
        """Return the same port."""
        self._inner = self._inner.guarded(check)
        return self

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def mortal(*args: Any, **kwargs: Any) -> Any:
            self._step()
            answer = call(*args, **kwargs)
            self._step()
            return answer

        return mortal


def test_a_process_that_dies_at_any_call_leaves_nothing_doubled(board: Board) -> None:
    client = board.client("Neptune")
    second = (*FIRST[:1], Paragraph("New"), *FIRST[2:8], Quote("end"))
    for fatal in range(1, 12):
        for blocks in (FIRST, second):
            plan, known = _plan(board, client, blocks, [])
            with contextlib.suppress(Crash):
                board.apply(
                    plan,
                    cast(Notion, MortalNotion(board.notion, fatal)),
                    known=known,
                    settle_after=SETTLE,
                )
            board.clock.advance(SETTLE)
            board.reopen()
            _converge(board, client, blocks)
            assert [raw["type"] for raw in board.notion.children(client.key)[1:-1]] == [
                _type(one) for one in blocks
            ]


def test_an_append_of_unknown_outcome_is_left_alone_until_it_must_have_happened(
    board: Board,
) -> None:
    client = board.client("Neptune")
    board.break_next(
        "late_commit", method="PATCH", path="/v1/blocks/.*/children", seconds=60
    )
    assert write(board, client, FIRST).unknown == (client,)
    since = _mark(board)
    assert write(board, client, FIRST).unknown == (client,)
    assert not [
        line for line in requests(board, since) if "PATCH" in line or "GET" in line
    ]
    board.clock.advance(SETTLE)
    assert write(board, client, FIRST).counts()["sections"] == 1
    assert len(texts(board, client.key)) == len(FIRST)


def test_a_section_that_came_twice_is_reduced_to_one(board: Board) -> None:
    client = board.client("Neptune")
    board.break_next(
        "late_commit", method="PATCH", path="/v1/blocks/.*/children", seconds=1800
    )
    write(board, client, FIRST)
    board.clock.advance(SETTLE)
    write(board, client, FIRST)
    board.clock.advance(timedelta(minutes=40))
    assert len(texts(board, client.key)) == 2 * len(FIRST)
    write(board, client, (*FIRST, Paragraph("more")))
    assert len(texts(board, client.key)) == len(FIRST) + 1


def test_changing_the_language_changes_the_markers_in_place(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    ids = [raw["id"] for raw in board.notion.children(client.key)]
    plan, known = _plan(board, client, FIRST, [])
    assert plan.changes == ()
    (change,) = _plan(board, client, FIRST[:1], [])[0].changes
    marked = (Callout("**Rayline** пишет этот раздел", "⚙️"), *FIRST, change.blocks[-1])
    board.apply(Plan(WORKSPACE, (replace(change, blocks=marked),)), known=known)
    now = board.notion.children(client.key)
    assert [raw["id"] for raw in now] == ids
    assert text_of(now[0]) == "Rayline пишет этот раздел"
