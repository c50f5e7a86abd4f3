"""The worker's section of a page on the emulated Notion: in place, with few requests, beside what people write."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from board_rig import SETTLE, WORKSPACE, Board, fact
from msgspec.structs import replace
from section_rig import (
    Crash,
    MortalNotion,
    converge,
    forget,
    mark,
    note,
    open_board,
    plan_section,
    requests,
    texts,
    write,
)

from worker.codecs.blocks import encode_block, text_of
from worker.domain.charts import PlanFact
from worker.domain.document import (
    CLOSING,
    OPENING,
    Block,
    Bullet,
    Callout,
    Divider,
    Heading,
    Mark,
    Paragraph,
    Picture,
    Quote,
    Table,
    ToDo,
    link,
    plain,
)
from worker.domain.values import Ref
from worker.plan.plan import Kind, Plan
from worker.ports.notion import Notion

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
    return open_board(tmp_path, request.param)


@pytest.fixture
def newest(tmp_path: Path) -> Board:
    return open_board(tmp_path, "2026-03-11")


# --- in place


def test_a_section_stands_as_it_was_meant_and_the_next_plan_is_empty(
    board: Board,
) -> None:
    client = board.client("Neptune")
    assert write(board, client, FIRST).counts()["sections"] == 1
    page = board.notion.children(client.key)
    assert [raw["type"] for raw in page] == [
        "paragraph",
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
        "paragraph",
    ]
    assert text_of(page[2]) == "Red: card is late [really*]"
    links = [piece["href"] for piece in page[2]["paragraph"]["rich_text"]]
    assert links == [None, None, "https://notion.test/p/1", None]
    rows = board.notion.children(page[9]["id"])
    assert [cell[0]["plain_text"] for cell in rows[1]["table_row"]["cells"]] == [
        "Neptune",
        "1",
    ]
    assert plan_section(board, client, FIRST, [])[0].changes == ()


def test_a_changed_paragraph_costs_one_read_and_one_write(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    ids = [raw["id"] for raw in board.notion.children(client.key)]
    since = mark(board)
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
    since = mark(board)
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
    since = mark(board)
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
    assert plan_section(board, client, long, [])[0].changes == ()
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
    forget(board)
    since = mark(board)
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
        since = mark(board)
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
    assert plan_section(board, client, blocks[2:], [], settled=True)[0].changes == ()


# --- people


def test_notes_around_the_section_survive_every_rewrite(board: Board) -> None:
    client = board.client("Neptune")
    above = note(board, client.key, "before")
    write(board, client, FIRST)
    below = note(board, client.key, "after")
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
    assert plan_section(board, client, FIRST, [])[0].changes == (), (
        "nobody reads the page without need"
    )
    write(board, client, (*FIRST, Paragraph("more")))
    assert texts(board, client.key)[1] == "paragraph:Red: card is late [really*]"


@pytest.mark.parametrize("gone", [(0,), (-1,), (0, -1)])
def test_without_its_marks_a_section_is_known_by_its_blocks_and_written_anew(
    board: Board, gone: tuple[int, ...]
) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    page = board.notion.children(client.key)
    for index in gone:
        board.person("trash", id=page[index]["id"])
    board.person("edit_block", block_id=page[2]["id"], text="a person's words")
    write(board, client, (Paragraph("fresh"),))
    assert texts(board, client.key) == ["paragraph:a person's words", "paragraph:fresh"]
    now = [raw["id"] for raw in board.notion.children(client.key)]
    write(board, client, (Paragraph("fresher"),))
    assert [raw["id"] for raw in board.notion.children(client.key)] == now


def test_without_its_marks_and_the_state_what_stands_is_left(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    page = board.notion.children(client.key)
    board.person("trash", id=page[0]["id"])
    forget(board)
    write(board, client, (Paragraph("fresh"),))
    left = [raw["id"] for raw in board.notion.children(client.key)]
    assert left[:-3] == [raw["id"] for raw in page[1:]]


def test_a_mark_that_people_reworded_is_known_by_its_id_and_says_its_own_again(
    board: Board,
) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    page = board.notion.children(client.key)
    for raw in (page[0], page[-1]):
        board.person("edit_block", block_id=raw["id"], text="our notes")
    write(board, client, FIRST[:3])
    now = board.notion.children(client.key)
    assert [now[0]["id"], now[-1]["id"]] == [page[0]["id"], page[-1]["id"]]
    assert [text_of(raw)[:11] for raw in (now[0], now[-1])] == [OPENING, CLOSING]


# --- the boxes of earlier releases


def _box(text: str, icon: str) -> dict[str, Any]:
    rich = [{"type": "text", "text": {"content": text}}]
    payload = {"rich_text": rich, "icon": {"type": "emoji", "emoji": icon}}
    return {"type": "callout", "callout": payload}


def _with_boxes(board: Board, client: Ref) -> tuple[list[str], list[str]]:
    """Write a section as an earlier release did; return the ids of its boxes and of what stands between them."""
    inner = [encode_block(block, {}) for block in FIRST[:-1]]
    boxes = (_box("Rayline writes", "⚙️"), _box("Rayline · end", "🔚"))
    made = board.notion.append_children(client.key, (boxes[0], *inner, boxes[1]))
    first, *body, last = (str(raw["id"]) for raw in made)
    return [first, last], body


@pytest.mark.parametrize("fatal", [0, *range(1, 9)])
def test_boxes_of_an_earlier_release_become_lines_and_what_is_between_them_stays(
    newest: Board, fatal: int
) -> None:
    board = newest
    client = board.client("Neptune")
    boxes, body = _with_boxes(board, client)
    mine = note(board, client.key, "mine")
    blocks = FIRST[:-1]
    plan, known = plan_section(board, client, blocks, [])
    if fatal:
        with contextlib.suppress(Crash):
            mortal = cast(Notion, MortalNotion(board.notion, fatal))
            board.apply(plan, mortal, known=known, settle_after=SETTLE)
        board.clock.advance(SETTLE)
        board.reopen()
    converge(board, client, blocks)
    now = board.notion.children(client.key)
    assert [raw["id"] for raw in now[1:-2]] == body
    assert [raw["type"] for raw in now] == ["paragraph", *map(_type, blocks)] + [
        "paragraph"
    ] * 2
    assert now[-1]["id"] == mine
    assert not set(boxes) & {raw["id"] for raw in now}


def test_a_box_below_which_people_wrote_stays(newest: Board) -> None:
    client = newest.client("Neptune")
    boxes, _ = _with_boxes(newest, client)
    mine = note(newest, boxes[0], "mine")
    write(newest, client, (Paragraph("fresh"),))
    page = newest.notion.children(client.key)
    assert page[0]["id"] == boxes[0]
    assert newest.notion.children(boxes[0])[0]["id"] == mine
    assert [text_of(raw) for raw in page[1:2]] == ["fresh"]
    assert plan_section(newest, client, (Paragraph("fresh"),), [])[0].changes == ()


def test_a_page_that_is_gone_is_left_and_the_others_are_written(board: Board) -> None:
    one, two = board.client("Neptune"), board.client("Zeta")
    plan, _ = plan_section(board, one, FIRST, [])
    other, _ = plan_section(board, two, FIRST, [])
    board.person("trash", id=one.key)
    applied = board.apply(Plan(WORKSPACE, (*plan.changes, *other.changes)))
    assert (applied.failures, applied.gone, applied.counts()["sections"]) == (
        (),
        frozenset({one.key}),
        1,
    )


# --- rows, states, languages


def test_a_new_row_gets_its_section_in_the_sameplan_section(board: Board) -> None:
    ref = Ref("risks", "risk:late:c1")
    plan, _ = plan_section(board, ref, FIRST, [fact(ref, "name", "Late")])
    assert [change.kind for change in plan.changes] == [Kind.CREATE, Kind.SECTION]
    board.apply(plan)
    assert texts(board, board.row(ref).page_id)[0] == "heading_2:Health"
    assert plan_section(board, ref, FIRST, [fact(ref, "name", "Late")])[0].changes == ()


def test_a_row_nobody_makes_gets_no_section(board: Board) -> None:
    assert plan_section(board, Ref("risks", "risk:none"), FIRST, [])[0].changes == ()


def test_a_settled_section_stays_as_it_was(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST, settled=True)
    assert plan_section(board, client, FIRST[:2], [], settled=True)[0].changes == ()
    assert len(plan_section(board, client, FIRST[:2], [])[0].changes) == 1


def test_a_lost_state_costs_reads_and_no_write(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, FIRST)
    forget(board)
    since = mark(board)
    assert write(board, client, FIRST).counts()["sections"] == 1
    assert not [
        line for line in requests(board, since) if line.startswith(("PATCH", "DELETE"))
    ]
    assert plan_section(board, client, FIRST, [])[0].changes == ()


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
    mine = note(board, client.key, "mine")
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
            converge(board, client, blocks)
            board.sandbox.control("faults", {"rules": []})
            page = board.notion.children(client.key)
            assert page[0]["id"] == mine
            assert [raw["type"] for raw in page[2:-1]] == [
                _type(block) for block in blocks
            ], (nth, kind)


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


def test_a_process_that_dies_at_any_call_leaves_nothing_doubled(board: Board) -> None:
    client = board.client("Neptune")
    second = (*FIRST[:1], Paragraph("New"), *FIRST[2:8], Quote("end"))
    for fatal in range(1, 12):
        for blocks in (FIRST, second):
            plan, known = plan_section(board, client, blocks, [])
            with contextlib.suppress(Crash):
                board.apply(
                    plan,
                    cast(Notion, MortalNotion(board.notion, fatal)),
                    known=known,
                    settle_after=SETTLE,
                )
            board.clock.advance(SETTLE)
            board.reopen()
            converge(board, client, blocks)
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
    since = mark(board)
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
    plan, known = plan_section(board, client, FIRST, [])
    assert plan.changes == ()
    (change,) = plan_section(board, client, FIRST[:1], [])[0].changes
    marked = (Mark(f"{OPENING} обновляет раздел"), *FIRST, change.blocks[-1])
    board.apply(Plan(WORKSPACE, (replace(change, blocks=marked),)), known=known)
    now = board.notion.children(client.key)
    assert [raw["id"] for raw in now] == ids
    assert text_of(now[0]) == f"{OPENING} обновляет раздел"
