"""A row is claimed, made once, and remembered as it was made, whoever else works meanwhile and whatever is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from board_rig import SCHEMA, SETTLE, WORKSPACE, Board
from msgspec.structs import replace
from section_rig import texts
from sqlalchemy import delete
from wire_rig import (
    connect,
    create,
    creates,
    plan,
    refusal,
    sent_cells,
    status_of,
    writes,
)

from rayline_sandbox.wire import Request, Response
from worker.domain.charts import PlanFact, PlanPoint
from worker.domain.document import Block, Heading, Paragraph, Picture, mark
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.errors import Busy
from worker.mapping.schema import KEY_PROPERTY, BoundFilter, Schema
from worker.plan.diff import SECTION
from worker.plan.plan import Change, Kind
from worker.site import Site
from worker.state import bases, journal, memory
from worker.state.store import Tx
from worker.state.tables import intents
from worker.state.transitions import Status
from worker.world.memory import Occurrence, Pending, Turn
from worker.world.world import CLIENT_PAGES
from worker.write.context import PlanBasis, RunControl
from worker.write.sections import DOUBT
from worker.write.settle import settle
from worker.write.writer import Applied, apply

RISK, OTHER = Ref("risks", "risk:late:1"), Ref("risks", "risk:late:2")
CELLS: dict[str, Value] = {
    "name": "Late",
    "probability": Decimal("0.3"),
    "steps": "call",
}
FINER = Decimal("0.30000000000000000001")
"""Finer than Notion keeps."""
DAY = date(2026, 11, 16)
UNSAID = "The request could not be carried out."
SAID = "body failed validation: body.properties.{id}.x should be defined."


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def section(ref: Ref, *blocks: Block) -> Change:
    """Return a section that goes with the creation of its row."""
    return Change(Kind.SECTION, ref, "", "Late", blocks=mark(blocks, Words()))


def codes(applied: Applied) -> list[tuple[str, str]]:
    return [(one.code, one.field) for one in applied.failures]


def base(board: Board, page_id: str) -> dict[str, Value]:
    with board.store.reading(WORKSPACE) as tx:
        return dict(bases.of_page(tx, page_id))


def tried(board: Board, page_id: str) -> dict[str, Value]:
    with board.store.reading(WORKSPACE) as tx:
        return dict(bases.attempts_of(tx, page_id))


class Wire:
    """What leaves for Notion, each write as method and kind of place; requests that `refuses` picks are refused."""

    def __init__(
        self,
        board: Board,
        refuses: Callable[[Request], Response | None] = lambda request: None,
    ) -> None:
        self.sent: list[str] = []
        self._refuses = refuses
        self.notion = connect(board, self._see)

    def _see(self, request: Request) -> Response | None:
        if request.method != "GET":
            place = request.path.removeprefix("/v1/").partition("/")[0]
            self.sent.append(f"{request.method} {place}")
        assert len(self.sent) < 30, "this does not end"
        return self._refuses(request)


def refuses_fields(
    board: Board, words: str, *fields: str
) -> Callable[[Request], Response | None]:
    """Refuse every write of some columns, in words that may name the first of them."""
    columns = board.bindings["risks"].properties
    refused = {columns[name] for name in fields}

    def refuse(request: Request) -> Response | None:
        if not (creates(request) or writes(request)):
            return None
        found = sorted(refused & sent_cells(request))
        if not found:
            return None
        return refusal(words.format(id=found[0]))

    return refuse


# --- what is made, and what is remembered of it


def test_a_row_is_made_whole_by_one_request_and_known_as_answered(board: Board) -> None:
    wire = Wire(board)
    applied = board.apply(plan(create(RISK, **CELLS)), wire.notion)
    row = board.row(RISK)
    assert (wire.sent, applied.failures) == (["POST pages"], ())
    assert {name: row.fields[name] for name in CELLS} == CELLS
    known = base(board, row.page_id)
    assert {name: known[name] for name in CELLS} == CELLS
    assert tried(board, row.page_id) == {}
    assert status_of(board, RISK) is Status.DONE


def test_a_row_is_known_as_it_came_back_and_not_as_it_was_sent(board: Board) -> None:
    board.apply(plan(create(RISK, name="Late\x00 again", probability=FINER)))
    known = base(board, board.row(RISK).page_id)
    assert (known["name"], known["probability"]) == ("Late again", Decimal("0.3"))


def test_cells_that_nobody_filled_are_known_as_empty(board: Board) -> None:
    board.apply(plan(create(RISK, name="Late")))
    known = base(board, board.row(RISK).page_id)
    assert known["probability"] is None
    assert "note" not in known


def test_only_a_row_that_is_ours_by_its_key_carries_one(board: Board) -> None:
    ours, theirs = Ref("cards", "card:offer:1"), Ref("cards", "brought")
    client = Ref("clients", "brought")
    board.apply(
        plan(
            create(ours, name="Ours"),
            create(theirs, name="Theirs"),
            create(client, name="Neptune"),
        )
    )
    rows = [row for rows in board.rows().values() for row in rows]
    keys = {row.title: row.fields.get(KEY_PROPERTY) for row in rows}
    assert keys == {"Ours": ours.key, "Theirs": None, "Neptune": None}


@pytest.mark.parametrize("options", [("amber", "red"), ("red",), ()])
def test_a_row_on_a_board_of_several_parts_is_made_one_of_its_part(
    board: Board, options: tuple[str, ...]
) -> None:
    binding = board.bindings["clients"]
    chosen = tuple(binding.options["health"][name][0] for name in options)
    only = BoundFilter(binding.properties["health"], "select", chosen)
    board.bindings = {**board.bindings, "clients": replace(binding, only=only)}
    board.apply(plan(create(Ref("clients", "brought"), name="Neptune")))
    (row,) = board.rows()["clients"]
    assert row.fields["health"] == next(iter(options), None)


def test_a_page_that_is_no_row_is_made_in_its_place(board: Board) -> None:
    folder = Change(Kind.CREATE, CLIENT_PAGES, "", "Pages for clients")
    applied = board.apply(plan(folder))
    below = board.notion.children(board.sandbox.root_page_id)
    titles = [raw["child_page"]["title"] for raw in below if "child_page" in raw]
    assert titles == [folder.title]
    assert (applied.counts()["create"], applied.failures) == (1, ())


# --- sections that go with their rows


def test_a_section_goes_with_its_row_and_is_remembered(board: Board) -> None:
    wire = Wire(board)
    body = section(RISK, Heading("Agenda"), Paragraph("First"))
    applied = board.apply(plan(create(RISK, **CELLS), body), wire.notion)
    page = board.row(RISK).page_id
    assert wire.sent == ["POST pages"]
    assert texts(board, page) == ["heading_2:Agenda", "paragraph:First"]
    assert (applied.counts()["sections"], applied.failures) == (1, ())
    assert SECTION in base(board, page)
    assert DOUBT not in base(board, page)


def test_a_section_in_doubt_is_not_taken_for_written(board: Board) -> None:
    board.break_next("503_committed")
    applied = board.apply(
        plan(create(RISK, **CELLS), section(RISK, Paragraph("One"))),
        settle_after=SETTLE,
    )
    page = board.row(RISK).page_id
    assert (applied.counts()["create"], applied.unknown) == (1, (RISK,))
    assert DOUBT in base(board, page)
    assert SECTION in tried(board, page)


def test_a_creation_in_doubt_without_a_section_leaves_its_page_in_none(
    board: Board,
) -> None:
    board.break_next("503_committed")
    applied = board.apply(plan(create(RISK, **CELLS)))
    page = board.row(RISK).page_id
    assert (applied.counts()["create"], applied.unknown) == (1, ())
    assert DOUBT not in base(board, page)
    known = base(board, page)
    assert {name: known[name] for name in CELLS} == CELLS, "they were given"
    assert tried(board, page) == {}


@pytest.mark.parametrize("private", [True, False])
def test_a_picture_that_cannot_be_drawn_is_told_with_the_row_it_was_for(
    board: Board, private: bool
) -> None:
    risks = replace(SCHEMA.sources["risks"], private=private)
    seen = board.site()
    schema = Schema({**SCHEMA.sources, "risks": risks})
    site = Site(seen.name, seen.settings, schema, seen.words, seen.store, seen.now)
    points = (PlanPoint(DAY, Decimal("NaN")),)
    chart = PlanFact("Money of Neptune", points, DAY, "plan", "fact", "now", "EUR")
    wire = Wire(board)
    applied = apply(
        plan(create(RISK, **CELLS), section(RISK, Picture(chart, "In words"))),
        wire.notion,
        site,
        board.bindings,
        basis=PlanBasis(),
        control=RunControl(),
    )
    assert wire.sent[0] == "POST pages"
    assert texts(board, board.row(RISK).page_id) == ["paragraph:In words"]
    told = [one for one in applied.warnings if one.code == "picture-not-drawn"]
    assert told
    assert all(("Neptune" in one.message) is not private for one in told)
    assert SECTION in tried(board, board.row(RISK).page_id), "it is tried again"


def test_a_section_that_went_with_its_row_is_not_in_doubt_though_the_run_ends_there(
    board: Board,
) -> None:
    stop = threading.Event()
    control = RunControl(stop=stop, progress=lambda *told: stop.set())
    body = section(RISK, Paragraph("One"))
    applied = board.apply(plan(create(RISK, **CELLS), body), control=control)
    page = board.row(RISK).page_id
    assert (applied.stopped, applied.counts()["create"]) == (True, 1)
    assert SECTION in base(board, page)
    assert SECTION not in tried(board, page)


def test_a_picture_that_cannot_be_drawn_is_told_though_the_run_ends_with_its_row(
    board: Board,
) -> None:
    points = (PlanPoint(DAY, Decimal("NaN")),)
    chart = PlanFact("Money", points, DAY, "plan", "fact", "now", "EUR")
    stop = threading.Event()
    control = RunControl(stop=stop, progress=lambda *told: stop.set())
    body = section(RISK, Picture(chart, "In words"))
    applied = board.apply(plan(create(RISK, **CELLS), body), control=control)
    assert (applied.stopped, applied.counts()["create"]) == (True, 1)
    assert [one.code for one in applied.warnings] == ["picture-not-drawn"]
    assert SECTION in tried(board, board.row(RISK).page_id), "it is tried again"


@pytest.mark.parametrize(
    ("inner", "sent"),
    [
        (97, ["POST pages"]),
        (98, ["POST pages"]),
        (99, ["POST pages", "PATCH blocks", "PATCH blocks"]),
    ],
)
def test_a_section_goes_with_its_row_where_one_request_holds_both_marks_and_all(
    board: Board, inner: int, sent: list[str]
) -> None:
    lines = tuple(Paragraph(f"line {number}") for number in range(inner))
    wire = Wire(board)
    board.apply(plan(create(RISK, **CELLS), section(RISK, *lines)), wire.notion)
    assert len(texts(board, board.row(RISK).page_id)) == inner
    assert wire.sent == sent


# --- what Notion refuses


@pytest.mark.parametrize(
    ("words", "fields", "sent"),
    [
        (SAID, ("probability",), ["POST pages"] * 2),
        (SAID, ("probability", "steps"), ["POST pages"] * 3),
        (UNSAID, ("probability",), ["POST pages"] * 2 + ["PATCH pages"] * 3),
    ],
)
def test_a_row_is_made_without_what_is_refused_and_asked_for_no_more_than_needed(
    board: Board, words: str, fields: tuple[str, ...], sent: list[str]
) -> None:
    wire = Wire(board, refuses_fields(board, words, *fields))
    applied = board.apply(plan(create(RISK, **CELLS)), wire.notion)
    assert sorted(codes(applied)) == [("field-refused", name) for name in fields]
    assert wire.sent == sent
    row = board.row(RISK)
    left = {name: value for name, value in CELLS.items() if name not in fields}
    assert {name: row.fields[name] for name in CELLS if row.fields[name]} == left
    assert applied.counts()["create"] == 1


def test_a_row_whose_title_is_refused_by_name_is_made_by_its_key_alone(
    board: Board,
) -> None:
    wire = Wire(board, refuses_fields(board, SAID, "name"))
    applied = board.apply(plan(create(RISK, name="Late")), wire.notion)
    assert (codes(applied), wire.sent) == (
        [("field-refused", "name")],
        ["POST pages"] * 2,
    )
    assert board.row(RISK).title == ""


def test_a_row_of_which_nothing_is_taken_is_given_up_after_two_requests(
    board: Board,
) -> None:
    wire = Wire(board, lambda request: refusal(UNSAID) if creates(request) else None)
    applied = board.apply(plan(create(RISK, **CELLS)), wire.notion)
    assert (codes(applied), wire.sent) == ([("write-rejected", "")], ["POST pages"] * 2)
    assert status_of(board, RISK) is Status.FAILED


@pytest.mark.parametrize("status", [403, 422])
@pytest.mark.parametrize("with_section", [True, False])
def test_what_is_no_refusal_of_a_value_is_not_asked_again_with_less(
    board: Board, status: int, with_section: bool
) -> None:
    def refuse(request: Request) -> Response | None:
        return refusal(UNSAID, status=status) if creates(request) else None

    wire = Wire(board, refuse)
    body = [section(RISK, Paragraph("One"))] if with_section and status == 403 else []
    applied = board.apply(plan(create(RISK, **CELLS), *body), wire.notion)
    assert wire.sent == ["POST pages"]
    assert applied.counts()["create"] == 0
    assert [one.code for one in applied.failures][:1] == [
        "write-denied" if status == 403 else "write-rejected"
    ]
    assert status_of(board, RISK) is Status.FAILED


def test_a_section_that_is_refused_comes_after_its_row(board: Board) -> None:
    def refuse(request: Request) -> Response | None:
        is_with = creates(request) and b'"children"' in request.body
        return refusal(UNSAID) if is_with else None

    wire = Wire(board, refuse)
    body = section(RISK, Paragraph("One"))
    applied = board.apply(plan(create(RISK, **CELLS), body), wire.notion)
    assert applied.failures == ()
    assert wire.sent == ["POST pages", "POST pages", "PATCH blocks"]
    row = board.row(RISK)
    assert texts(board, row.page_id) == ["paragraph:One"]
    assert {name: row.fields[name] for name in CELLS} == CELLS


def test_a_section_still_goes_with_its_row_where_a_column_is_refused_by_name(
    board: Board,
) -> None:
    wire = Wire(board, refuses_fields(board, SAID, "probability"))
    body = section(RISK, Paragraph("One"))
    applied = board.apply(plan(create(RISK, **CELLS), body), wire.notion)
    assert codes(applied) == [("field-refused", "probability")]
    assert wire.sent == ["POST pages", "POST pages"]
    assert texts(board, board.row(RISK).page_id) == ["paragraph:One"]


# --- claims, and others at work


def free(board: Board) -> None:
    """Have another run settle what is in hand, as if the settle time had passed."""
    settle(board.notion, board.site(), board.bindings)


def claim(board: Board) -> None:
    """Have another run claim the row after ours was settled, with a step of its own."""
    free(board)
    with board.store.transaction(WORKSPACE) as tx:
        assert journal.intend(tx, RISK, {}, claim="second", now=board.clock.now())


def make(board: Board) -> None:
    """Have another run make the row after ours was settled."""
    free(board)
    board.apply(plan(create(RISK, **CELLS)))


def before_creation(board: Board, act: Callable[[Board], None]) -> Any:
    """Return a wire on which something happens once as the first creation arrives."""
    acted: list[str] = []

    def see(request: Request) -> None:
        if creates(request) and not acted:
            acted.append(request.path)
            act(board)

    return connect(board, see)


def test_a_claim_that_another_run_has_by_now_is_not_sent_nor_touched(
    board: Board,
) -> None:
    wire, before, after = Wire(board), Occurrence("late:1"), Occurrence("late:1", 2)
    checked: list[str] = []

    def fence() -> None:
        if not checked:
            checked.append("once")
            claim(board)
            with board.store.transaction(WORKSPACE) as tx:
                memory.put(tx, after.key, after)

    basis = PlanBasis(pending=Pending({RISK: Turn(before, after)}))
    applied = apply(
        plan(create(RISK, **CELLS), create(OTHER, **CELLS)),
        wire.notion,
        board.site(),
        board.bindings,
        basis=basis,
        control=RunControl(fence=fence),
    )
    assert wire.sent == []
    assert (applied.taken_by, applied.stopped) == ("another run", True)
    assert status_of(board, RISK) is Status.INTENDED
    with board.store.reading(WORKSPACE) as tx:
        assert memory.load(tx).occurrences[after.key] == after


def test_a_row_that_another_run_has_claimed_is_told_as_made_a_second_time(
    board: Board,
) -> None:
    applied = board.apply(plan(create(RISK, **CELLS)), before_creation(board, claim))
    (page,) = (row.page_id for row in board.rows()["risks"])
    (told,) = applied.failures
    assert (told.code, applied.counts()["create"]) == ("surplus-row", 0)
    assert page in told.message
    assert "beside the one another run is making" in told.message
    assert told.url.endswith(page.replace("-", ""))


def test_a_row_that_another_run_has_made_is_told_beside_it(board: Board) -> None:
    applied = board.apply(plan(create(RISK, **CELLS)), before_creation(board, make))
    with board.store.reading(WORKSPACE) as tx:
        standing = journal.canonical_pages(tx)[RISK]
    (second,) = {row.page_id for row in board.rows()["risks"]} - {standing}
    (told,) = applied.failures
    assert told.code == "surplus-row"
    assert f"{second} beside {standing}" in told.message
    assert "another run is making" not in told.message


def test_a_row_that_settling_found_meanwhile_is_ours_all_the_same(board: Board) -> None:
    def find(request: Request, response: Response) -> None:
        if creates(request):
            free(board)

    applied = board.apply(plan(create(RISK, **CELLS)), connect(board, after=find))
    assert (applied.failures, applied.counts()["create"]) == ((), 1)
    assert len(board.rows()["risks"]) == 1


def test_what_somebody_has_made_already_is_neither_made_nor_told(board: Board) -> None:
    board.apply(plan(create(RISK, **CELLS)))
    wire = Wire(board)
    applied = board.apply(plan(create(RISK, **CELLS)), wire.notion)
    assert (wire.sent, applied.failures, applied.unknown) == ([], (), ())
    assert applied.counts()["create"] == 0
    assert (applied.stopped, applied.taken_by) == (False, ""), "nobody has it in hand"


@pytest.mark.parametrize("kind", ["hang_after", "hang_before"])
def test_what_may_have_been_made_stays_in_doubt_for_whoever_wants_it(
    board: Board, kind: str
) -> None:
    board.break_next(kind)
    assert board.apply(plan(create(RISK, **CELLS))).unknown == (RISK,)
    assert status_of(board, RISK) is Status.UNKNOWN
    wire = Wire(board)
    applied = board.apply(plan(create(RISK, **CELLS)), wire.notion)
    assert (wire.sent, applied.unknown) == ([], (RISK,))


def test_a_creation_is_in_doubt_also_where_an_old_copy_of_the_state_was_put_back(
    board: Board,
) -> None:
    def lose(request: Request) -> Response | None:
        if not creates(request):
            return None
        with board.store.transaction(WORKSPACE) as tx:
            tx.connection.execute(delete(intents))
        return Response(0, fault="hang")

    applied = board.apply(plan(create(RISK, **CELLS)), connect(board, lose))
    assert (applied.unknown, applied.failures) == ((RISK,), ())


def test_of_a_row_answered_after_the_lease_was_lost_the_proof_alone_is_kept(
    board: Board,
) -> None:
    lost, whole = threading.Event(), board.store

    def check(tx: Tx) -> None:
        if lost.is_set():
            raise Busy(WORKSPACE, "another")

    def lose(request: Request, response: Response) -> None:
        if creates(request):
            lost.set()

    board.store = whole.guarded(check)
    applied = board.apply(plan(create(RISK, **CELLS)), connect(board, after=lose))
    board.store = whole
    page = board.row(RISK).page_id
    assert (applied.counts()["create"], applied.failures) == (1, ())
    with board.store.reading(WORKSPACE) as tx:
        assert journal.created_pages(tx) == {page}
    assert (base(board, page), tried(board, page)) == ({}, CELLS)
