"""One field that Notion refuses never stops its row: it is left out, told in Notion's words, and not asked for again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from board_rig import WORKSPACE, Board, fact
from pydantic import SecretStr

from rayline_sandbox.wire import HandlerTransport, Request, Response, json_response
from worker.config import NotionSettings
from worker.domain.values import Ref, Value
from worker.notion.gateway import NotionGateway
from worker.plan.facts import Fact
from worker.plan.plan import Plan
from worker.state import bases, journal
from worker.write.writer import Applied

RISK = Ref("risks", "risk:late:c1")
QUARTER, MONTH = Ref("plans", "plan:firm:2026-Q4"), Ref("plans", "plan:firm:2026-11")
CELLS: tuple[tuple[str, Value], ...] = (
    ("name", "Late"),
    ("probability", Decimal("0.3")),
    ("steps", "call"),
)
UNSAID = "The request could not be carried out."
NAMED = "body failed validation: body.properties.{id}.x should be defined."


@dataclass(slots=True)
class Picky:
    """A Notion that refuses any write which holds one of these properties, in words that may name it."""

    board: Board
    refused: set[str] = field(default_factory=set)
    words: str = UNSAID
    writes: int = 0

    def __post_init__(self) -> None:
        settings = NotionSettings(
            base_url="http://notion.test",
            token=SecretStr(self.board.sandbox.token),
            requests=10**6,
        )
        self.board.notion = NotionGateway(
            settings,
            transport=HandlerTransport(self.handle),
            sleep=lambda seconds: None,
            monotonic=lambda: self.board.clock.now().timestamp(),
        )

    def refuse(self, *fields: str, source: str = "risks") -> None:
        """Refuse these fields from now on."""
        properties = self.board.bindings[source].properties
        self.refused = {properties[name] for name in fields}

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.method in ("POST", "PATCH") and request.path.startswith("/v1/pages"):
            self.writes += 1
            given = msgspec.json.decode(request.body).get("properties", {})
            found = sorted(self.refused & given.keys())
            if found:
                said = self.words.format(id=found[0])
                body = {
                    "object": "error",
                    "status": 400,
                    "code": "validation_error",
                    "message": said,
                    "request_id": "r",
                }
                return json_response(400, body)
        return self.board.sandbox.handle(request)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.fixture
def picky(board: Board) -> Picky:
    return Picky(board)


def _facts(step: int = 1) -> list[Fact]:
    return [
        fact(RISK, "name", f"Late {step}"),
        fact(RISK, "probability", Decimal("0.1") * step),
        fact(RISK, "steps", "call"),
    ]


def _told(applied: Applied) -> list[tuple[str, str, str]]:
    return [(one.code, one.where, one.field) for one in applied.failures]


@pytest.mark.parametrize("words", [UNSAID, NAMED])
@pytest.mark.parametrize(
    "fields",
    [
        ("probability",),
        ("steps",),
        ("client",),
        ("name",),
        ("probability", "client"),
        ("probability", "steps", "client"),
    ],
)
def test_a_row_is_created_without_the_fields_that_are_refused(
    picky: Picky, words: str, fields: tuple[str, ...]
) -> None:
    board = picky.board
    client = board.client("Нептун")
    picky.words = words
    picky.refuse(*fields)
    wanted = {**dict(CELLS), "client": (client,)}
    facts = [fact(RISK, name, value) for name, value in wanted.items()]
    if words == UNSAID and "name" in fields:
        assert _told(board.cycle(facts)) == [("write-rejected", str(RISK), "")]
        with board.store.reading(WORKSPACE) as tx:
            assert journal.unsettled(tx) == (), "it may be tried again"
        return
    applied = board.cycle(facts)
    assert sorted(_told(applied)) == sorted(
        ("field-refused", str(RISK), name) for name in fields
    )
    assert all(words.partition("{")[0] in one.message for one in applied.failures)
    assert applied.counts()["create"] == 1
    row = board.row(RISK)
    for name, value in wanted.items():
        assert row.fields[name] == (None if name in fields else value)


@pytest.mark.parametrize("words", [UNSAID, NAMED])
@pytest.mark.parametrize(
    "fields", [("name",), ("probability",), ("name", "client"), ("client", "card")]
)
def test_a_row_is_updated_without_the_fields_that_are_refused(
    picky: Picky, words: str, fields: tuple[str, ...]
) -> None:
    board = picky.board
    client = board.client("Нептун")
    board.cycle(_facts(1))
    picky.words = words
    picky.refuse(*fields)
    applied = board.cycle([*_facts(2), fact(RISK, "client", (client,))])
    sent = {"name", "probability", "client"}
    assert sorted(_told(applied)) == sorted(
        ("field-refused", str(RISK), name) for name in sent & set(fields)
    )
    row = board.row(RISK)
    wanted = {"name": "Late 2", "probability": Decimal("0.2"), "client": (client,)}
    old = {"name": "Late 1", "probability": Decimal("0.1"), "client": None}
    for name in sent:
        assert row.fields[name] == (old if name in fields else wanted)[name]
    with board.store.reading(WORKSPACE) as tx:
        assert bases.load(tx)[1] == {}, "no claim is left on what was not written"


def test_a_refused_value_costs_no_request_and_is_told_until_it_changes(
    picky: Picky,
) -> None:
    board = picky.board
    board.cycle(_facts(1))
    picky.refuse("probability")
    board.cycle(_facts(2))
    writes = picky.writes
    for _ in range(2):
        plan, known = board.draw(_facts(2))
        assert plan.changes == ()
        assert [(one.code, one.field) for one in plan.problems] == [
            ("field-refused", "probability")
        ]
        assert UNSAID in plan.problems[0].message
        board.apply(plan, known=known)
    assert picky.writes == writes
    assert _told(board.cycle(_facts(3))) == [
        ("field-refused", str(RISK), "probability")
    ], "another value is tried"
    picky.refuse()
    assert board.cycle(_facts(4)).failures == ()
    assert board.row(RISK).fields["probability"] == Decimal("0.4")
    assert board.draw(_facts(4))[0] == Plan(WORKSPACE)


def test_what_was_refused_once_and_written_later_is_not_held_against_the_value(
    picky: Picky,
) -> None:
    board = picky.board
    board.cycle(_facts(1))
    picky.refuse("probability")
    board.cycle(_facts(2))
    picky.refuse()
    for step in (3, 2, 1, 2):
        board.cycle(_facts(step))
    assert board.row(RISK).fields["probability"] == Decimal("0.2")


def test_a_refused_value_is_tried_again_when_asked_to_insist(picky: Picky) -> None:
    board = picky.board
    board.cycle(_facts(1))
    picky.refuse("probability")
    board.cycle(_facts(2))
    picky.refuse()
    plan, known = board.draw(_facts(2), insists=True)
    assert board.apply(plan, known=known).failures == ()
    assert board.row(RISK).fields["probability"] == Decimal("0.2")


def test_a_refused_value_is_tried_again_in_another_property(picky: Picky) -> None:
    board = picky.board
    client = board.client("Нептун")
    facts = [fact(client, "score", Decimal(2)), fact(client, "health", "red")]
    picky.refuse("score", source="clients")
    assert _told(board.cycle(facts)) == [("field-refused", str(client), "score")]
    binding = board.bindings["clients"]
    board.person(
        "add_property",
        data_source_id=binding.data_source_id,
        name="Points",
        config={"number": {}},
    )
    schema = board.notion.data_source(binding.data_source_id).properties
    properties = {
        **binding.properties,
        "score": next(column.id for column in schema if column.name == "Points"),
    }
    board.bindings = {
        **board.bindings,
        "clients": msgspec.structs.replace(binding, properties=properties),
    }
    assert board.cycle(facts).failures == ()
    assert board.row(client).fields["score"] == Decimal(2)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_finding_a_refused_field_costs_a_bounded_number_of_requests(
    picky: Picky, count: int
) -> None:
    board = picky.board
    refs = [Ref("risks", f"risk:late:{number}") for number in range(count)]
    picky.refuse("steps")
    board.cycle([fact(ref, name, value) for ref in refs for name, value in CELLS])
    assert picky.writes <= count * (2 * len(CELLS) + 1)
    writes = picky.writes
    picky.words = NAMED
    picky.refuse("probability")
    board.cycle([fact(ref, "probability", Decimal(9)) for ref in refs])
    assert picky.writes == writes + count


# --- rows that left their board


def _move(board: Board, ref: Ref, target: str) -> None:
    board.person(
        "move",
        page_id=board.row(ref).page_id,
        parent={"data_source_id": board.bindings[target].data_source_id},
    )


def _month(step: int, *, part: bool) -> list[Fact]:
    return [
        fact(MONTH, "name", f"November {step}"),
        fact(MONTH, "target", Decimal(step)),
        *([fact(MONTH, "parent", (QUARTER,))] if part else []),
    ]


def test_a_relation_to_a_row_that_left_its_board_is_left_out_and_the_row_named(
    board: Board,
) -> None:
    board.cycle([*_month(1, part=False), fact(QUARTER, "name", "Q4")])
    _move(board, QUARTER, "clients")
    for step in (2, 3):
        applied = board.cycle(_month(step, part=True))
        plan, _ = board.draw(_month(step, part=True))
        told = {(one.code, one.where) for one in (*applied.failures, *plan.problems)}
        assert told == {("field-refused", str(MONTH)), ("row-left-board", str(QUARTER))}
        assert "“Q4” was moved out of plans" in next(
            one.message for one in plan.problems if one.code == "row-left-board"
        )
        assert plan.changes == ()
        row = board.row(MONTH)
        assert (row.title, row.fields["target"]) == (f"November {step}", Decimal(step))


def test_a_row_is_created_without_a_relation_to_a_row_that_left_its_board(
    board: Board,
) -> None:
    board.cycle([fact(QUARTER, "name", "Q4")])
    _move(board, QUARTER, "clients")
    applied = board.cycle(_month(1, part=True))
    assert set(_told(applied)) == {
        ("field-refused", str(MONTH), "parent"),
        ("row-left-board", str(QUARTER), ""),
    }
    assert board.row(MONTH).fields["target"] == Decimal(1)


def test_a_row_that_left_its_board_is_named_and_nothing_is_written_to_it(
    board: Board,
) -> None:
    board.cycle(_facts(1))
    plan, _ = board.draw(_facts(2))
    page = board.row(RISK).page_id
    _move(board, RISK, "clients")
    before = board.notion.page(page).properties
    writes = board.writes()
    applied = board.apply(plan)
    assert [(one.code, one.where) for one in applied.failures] == [
        ("row-left-board", str(RISK))
    ]
    assert (board.notion.page(page).properties, applied.gone) == (before, frozenset())
    assert board.writes() == writes


@pytest.mark.parametrize(
    "spoil",
    [
        lambda board, source: board.person(
            "retype_property", data_source_id=source, property="score", type="rich_text"
        ),
        lambda board, source: board.person(
            "delete_property", data_source_id=source, property="score"
        ),
    ],
)
def test_a_property_that_is_another_by_now_costs_its_own_field_alone(
    board: Board, spoil: Callable[[Board, str], object]
) -> None:
    client = board.client("Нептун")

    def facts(step: int) -> list[Fact]:
        return [
            fact(client, "score", Decimal(step)),
            fact(client, "health", ["", "red", "green"][step]),
        ]

    board.cycle(facts(1))
    plan, _ = board.draw(facts(2))
    spoil(board, board.bindings["clients"].data_source_id)
    applied = board.apply(plan)
    assert _told(applied) == [("field-refused", str(client), "score")]
    assert board.row(client).fields["health"] == "green"


def test_a_value_that_cannot_be_written_costs_its_own_field_alone(board: Board) -> None:
    client = board.client("Нептун")
    applied = board.cycle(
        [fact(client, "health", "purple"), fact(client, "score", Decimal(40))]
    )
    assert _told(applied) == [("value-unwritable", str(client), "health")]
    assert board.row(client).fields["score"] == Decimal(40)
