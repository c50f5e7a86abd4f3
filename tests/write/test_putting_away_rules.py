"""When a row is not put away: what people did with it, told cell by cell, block by block, comment by comment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from board_rig import SCHEMA, WORKSPACE, Board

from rayline_sandbox.notion.comments import add_comment
from rayline_sandbox.notion.richtext import plain_rich_text
from rayline_sandbox.notion.store import Parent
from rayline_sandbox.wire import HandlerTransport, Request, Response
from tests.support.english import english
from worker.domain.charts import Chart
from worker.domain.values import Ref
from worker.errors import Code
from worker.mapping.schema import KEY_PROPERTY
from worker.plan.plan import Change, Kind
from worker.ports.notion import Notion
from worker.state import bases
from worker.write.context import Pages, WriteContext
from worker.write.surplus import is_written_in, tell_kept

RISK = Ref("risks", "risk:late:c1")


def _no_chart(chart: Chart) -> bytes:
    raise AssertionError(chart)


@dataclass(slots=True)
class Twins:
    """Two rows of ours that carry one key: `first` stands for it, `second` is to be put away."""

    board: Board
    first: str = field(init=False)
    second: str = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.second = (self._make() for _ in range(2))

    def _make(self) -> str:
        properties = self.board.bindings["risks"].properties
        cells = {
            properties["name"]: {"title": [{"text": {"content": "Late"}}]},
            properties[KEY_PROPERTY]: {"rich_text": [{"text": {"content": RISK.key}}]},
        }
        place = self.board.bindings["risks"].data_source_id
        page_id = self.board.notion.create_page(place, cells).id
        with self.board.store.transaction(WORKSPACE) as tx:
            bases.record(tx, page_id, {"name": "Late"})
        return page_id

    def put(self, page_id: str, number: str) -> None:
        """Have our own hand write a cell of which the state does not know."""
        column = self.board.bindings["risks"].properties["probability"]
        self.board.notion.update_page(page_id, {column: {"number": float(number)}})

    def write(self, place: str, text: str = "ours") -> str:
        """Have a paragraph of ours stand at the end of a page or below a block."""
        body = {"rich_text": [{"text": {"content": text}}]}
        block = {"type": "paragraph", "paragraph": body}
        return str(self.board.notion.append_children(place, [block])[0]["id"])

    def note(self, place: str) -> None:
        """Let a person write a paragraph at the end of a page or below a block."""
        body = {"rich_text": [{"text": {"content": "a word"}}]}
        block = {"type": "paragraph", "paragraph": body}
        self.board.person("append", block_id=place, children=[block])

    def touch(self) -> None:
        """Have our own hand write into the second row, which from then on names nobody else as its last editor."""
        column = self.board.bindings["risks"].properties["name"]
        title = {"title": [{"text": {"content": "Late"}}]}
        page = self.board.notion.update_page(self.second, {column: title})
        assert page.created_by == page.last_edited_by

    def change(self, *, surplus: bool = True) -> Change:
        """Return what puts the second row away."""
        return Change(Kind.ARCHIVE, RISK, self.second, "Late", surplus=surplus)

    def look(
        self,
        *,
        surplus: bool = True,
        standing: str | None = None,
        notion: Notion | None = None,
    ) -> bool:
        """Tell whether the second row is written in, where some page stands for the key: the first when none is given,
        none when it is empty."""
        first = self.first if standing is None else standing
        target = WriteContext(
            WORKSPACE,
            notion or self.board.notion,
            self.board.store,
            SCHEMA,
            self.board.bindings,
            Pages({RISK: first} if first else {}),
            self.board.clock.now,
            "first",
            _no_chart,
            lambda problem: None,
        )
        return is_written_in(target, self.change(surplus=surplus))

    def reads(self) -> int:
        """Return how many requests read blocks so far."""
        paths = (entry.path for entry in self.board.sandbox.log)
        return sum("/children" in path for path in paths)


@pytest.fixture
def twins(tmp_path: Path) -> Twins:
    return Twins(Board(tmp_path))


@pytest.mark.parametrize("surplus", [True, False])
def test_a_row_that_holds_what_we_put_into_it_is_ours(
    twins: Twins, surplus: bool
) -> None:
    assert twins.look(surplus=surplus) is False


def test_what_the_standing_row_shows_as_well_is_missed_by_nobody(twins: Twins) -> None:
    for page_id in (twins.first, twins.second):
        twins.put(page_id, "0.5")
    assert twins.look() is False
    twins.put(twins.second, "0.6")
    assert twins.look()


def test_a_row_that_is_undone_is_measured_by_what_we_wrote_alone(twins: Twins) -> None:
    for page_id in (twins.first, twins.second):
        twins.put(page_id, "0.5")
    assert twins.look(surplus=False)


def test_what_was_tried_and_never_answered_is_ours_too(twins: Twins) -> None:
    twins.put(twins.second, "0.6")
    with twins.board.store.transaction(WORKSPACE) as tx:
        bases.attempt(tx, twins.second, {"probability": Decimal("0.6")})
    assert twins.look() is False


def test_a_row_is_not_surplus_where_nothing_else_stands_for_its_key(
    twins: Twins,
) -> None:
    assert twins.look(standing="")
    assert twins.look(standing=twins.second)
    twins.board.person("trash", id=twins.first)
    assert twins.look()
    twins.board.person("delete_forever", id=twins.first)
    assert twins.look()
    assert twins.look(surplus=False) is False


def test_a_cell_that_a_person_typed_into_is_theirs(twins: Twins) -> None:
    twins.board.edit(twins.second, "note", "we talked")
    assert twins.look()
    assert twins.look(surplus=False)


def test_blocks_of_ours_are_nobodys_words_and_cost_no_request_each(
    twins: Twins,
) -> None:
    for _ in range(3):
        twins.write(twins.second)
    before = twins.reads()
    assert twins.look() is False
    assert twins.reads() == before + 1


def _beside(twins: Twins) -> None:
    twins.write(twins.second)
    twins.note(twins.second)


def _below_the_last(twins: Twins) -> None:
    first, second = (twins.write(twins.second) for _ in range(2))
    twins.write(first, "of ours as well")
    twins.note(second)


def _below_the_first(twins: Twins) -> None:
    first, second = (twins.write(twins.second) for _ in range(2))
    twins.note(first)
    twins.write(second, "of ours as well")


def _deep_below(twins: Twins) -> None:
    twins.note(twins.write(twins.write(twins.second)))


def _over_ours(twins: Twins) -> None:
    block_id = twins.write(twins.second)
    twins.board.person("edit_block", block_id=block_id, text="a word")


def _as_a_comment(twins: Twins) -> None:
    twins.board.person("comment", page_id=twins.second, text="a word")


def _as_a_comment_on_a_line_of_ours(twins: Twins) -> None:
    twins.write(twins.second)
    place = Parent("block_id", twins.write(twins.write(twins.second)))
    sandbox = twins.board.sandbox
    add_comment(sandbox.store, place, plain_rich_text("why?"), sandbox.owner_id)


def _by_moving_a_page_of_ours(twins: Twins) -> None:
    root = twins.board.sandbox.root_page_id
    page = twins.board.notion.create_subpage(root, "Status", icon="🤝")
    twins.board.person("move", page_id=page.id, parent={"page_id": twins.second})
    title = {"title": [{"text": {"content": "Status of May"}}]}
    twins.board.notion.update_page(page.id, {"title": title})
    (block,) = twins.board.notion.children(twins.second)
    me = twins.board.sandbox.bot_id
    assert (block["created_by"]["id"], block["last_edited_by"]["id"]) == (me, me)


WORDS = (
    _beside,
    _below_the_last,
    _below_the_first,
    _deep_below,
    _over_ours,
    _as_a_comment,
    _as_a_comment_on_a_line_of_ours,
    _by_moving_a_page_of_ours,
)


@pytest.mark.parametrize("write", WORDS)
def test_what_people_put_on_the_page_of_a_row_keeps_it(
    twins: Twins, write: Callable[[Twins], None]
) -> None:
    write(twins)
    twins.touch()
    assert twins.look()
    assert twins.look(surplus=False)


def test_what_people_put_on_the_page_that_stands_keeps_no_surplus_row(
    twins: Twins,
) -> None:
    twins.note(twins.first)
    assert twins.look() is False


def test_comments_that_may_not_be_seen_keep_nothing(twins: Twins) -> None:
    twins.board.sandbox.control("set_capabilities", {"comments": False})
    assert twins.look() is False


@pytest.mark.parametrize("part", ["created_by", "last_edited_by"])
def test_a_block_that_names_no_author_is_not_ours(twins: Twins, part: str) -> None:
    twins.write(twins.second)

    def nameless(request: Request) -> Response:
        response = twins.board.sandbox.handle(request)
        if not request.path.endswith("/children"):
            return response
        body: dict[str, Any] = json.loads(response.body)
        for raw in body["results"]:
            raw[part] = None
        return Response(
            response.status, response.headers, json.dumps(body).encode("utf-8")
        )

    assert twins.look(notion=twins.board.connect(HandlerTransport(nameless)))


def test_a_surplus_row_that_stays_is_told_as_a_second_one_of_its_key(
    twins: Twins,
) -> None:
    problem = tell_kept(twins.change())
    assert (problem.code, problem.field) == (Code.DUPLICATE_KEY, KEY_PROPERTY)
    assert english(problem.where) == str(RISK)
    assert "“Late” carries the Rayline key" in english(problem.message)
    assert problem.url.endswith(twins.second.replace("-", ""))


def test_a_row_that_is_not_undone_is_told_with_the_reason(twins: Twins) -> None:
    problem = tell_kept(twins.change(surplus=False))
    assert (problem.code, problem.field) == (Code.NOT_UNDONE, "")
    assert english(problem.where) == str(RISK)
    assert "somebody has written into the row" in english(problem.message)
    assert problem.url.endswith(twins.second.replace("-", ""))
