"""A change decided anew against its page: which cells are still written, which stand, and when a row waits a cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from board_rig import WORKSPACE, Board
from msgspec.structs import replace

from rayline_sandbox.notion.sandbox import NotionSandbox
from rayline_sandbox.wire import HandlerTransport
from tests.support.english import english
from worker.codecs.pages import decode_page
from worker.domain.charts import Chart
from worker.domain.entities import Row
from worker.domain.values import UNSET, Ref, Unset, Value
from worker.errors import Code
from worker.mapping.schema import (
    KEY_PROPERTY,
    Option,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
)
from worker.notion.workspace import create_workspace
from worker.plan.facts import Why
from worker.plan.plan import Adopted, Change, FieldChange, Kept, Kind
from worker.state import bases
from worker.write.context import Pages, WriteContext
from worker.write.edits import Fresh, Left, find_edits, is_same, look_again

TASK = Ref("tasks", "task:t1")
ONE, TWO, NINE = Decimal(1), Decimal(2), Decimal(9)
MANY = 26
"""Notion shows 25 related rows of a cell beside the others."""


def _prop(name: str, type: str, owner: Owner = Owner.WORKER, **extra: Any) -> Property:
    return Property(name, type, owner, {"en": name}, **extra)


def _source(
    name: str, rows: Rows, *properties: Property, seeded: bool = False
) -> Source:
    return Source(
        name,
        rows,
        {"en": name},
        "📌",
        {prop.name: prop for prop in (_prop("name", "title"), *properties)},
        seeded=seeded,
    )


KEY = _prop(KEY_PROPERTY, "rich_text")
TAGS = tuple(Option(key, {"en": key}) for key in ("red", "green"))
SCHEMA = Schema(
    {
        source.name: source
        for source in (
            _source(
                "clients",
                Rows.PEOPLE,
                _prop("served", "relation", Owner.HUMAN, target="tasks", mirror="by"),
                _prop("given", "relation", Owner.WORKER, target="tasks", mirror="for"),
            ),
            _source("cards", Rows.PEOPLE, KEY, seeded=True),
            _source("plans", Rows.WORKER, KEY),
            _source(
                "tasks",
                Rows.WORKER,
                _prop("score", "number"),
                _prop("share", "number", Owner.SHARED),
                _prop("team", "relation", Owner.SHARED, target="clients"),
                _prop("tags", "multi_select", Owner.SHARED, options=TAGS),
                _prop("hint", "rich_text", Owner.SEED),
                _prop("note", "rich_text", Owner.HUMAN),
                _prop("hours", "number", Owner.HUMAN),
                _prop("links", "relation", Owner.HUMAN, target="clients"),
                _prop("card", "relation", Owner.HUMAN, target="cards"),
                _prop("plan", "relation", Owner.HUMAN, target="plans"),
                _prop("by", "relation", Owner.HUMAN, target="clients", mirror="served"),
                _prop("for", "relation", Owner.SEED, target="clients", mirror="given"),
                KEY,
            ),
        )
    }
)
TASKS = SCHEMA.sources["tasks"]


def _no_chart(chart: Chart) -> bytes:
    raise AssertionError(chart)


def _text(text: str) -> dict[str, Any]:
    return {"rich_text": [{"text": {"content": text}}]}


def _number(number: Decimal) -> dict[str, Any]:
    return {"number": float(number)}


def _relation(*page_ids: str) -> dict[str, Any]:
    return {"relation": [{"id": page_id} for page_id in page_ids]}


@dataclass(slots=True)
class Desk(Board):
    """A board with one task of ours, and what the rules saw of it."""

    page_id: str = field(init=False)
    planted: Pages = field(init=False)
    seen: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sandbox = NotionSandbox(self.clock, limit=None)
        self.pass_time = self._pass_time
        self.notion = self.connect(HandlerTransport(self.sandbox.handle))
        self.bindings = create_workspace(
            self.notion, SCHEMA, parent_page_id=self.sandbox.root_page_id, locale="en"
        )
        self.reopen()
        title = {"title": [{"text": {"content": "Call"}}]}
        place = self.bindings["tasks"].data_source_id
        cells = {self.bindings["tasks"].properties["name"]: title}
        self.page_id = self.notion.create_page(place, cells).id
        self.planted = Pages({TASK: self.page_id}, frozenset({"cards"}))

    def target(self) -> WriteContext:
        """Return what carrying out a change works with."""
        return WriteContext(
            WORKSPACE,
            self.notion,
            self.store,
            SCHEMA,
            self.bindings,
            self.planted,
            self.clock.now,
            "first",
            _no_chart,
            lambda problem: None,
            seen=self.seen,
        )

    def add(self, source: str) -> str:
        """Let a person add a row."""
        place = self.bindings[source].data_source_id
        return str(self.person("create", data_source_id=place, properties={})["id"])

    def type_in(self, **cells: dict[str, Any]) -> None:
        """Let a person type into cells of the task."""
        self.person("edit", page_id=self.page_id, properties=cells)

    def row(self, ref: Ref = TASK) -> Row:
        """Return the task as it stands."""
        page = self.notion.page(self.page_id)
        return decode_page(page, TASKS, self.bindings["tasks"], self.planted.index)[0]

    def see(self, **fields: Value) -> None:
        """Let the rules see the task as it stands, but for some fields."""
        row = self.row()
        self.seen[self.page_id] = replace(row, fields={**row.fields, **fields})

    def know(self, written: Mapping[str, Value], **attempted: Value) -> None:
        """Remember what we wrote into the task, and what we tried."""
        with self.store.transaction(WORKSPACE) as tx:
            bases.record(tx, self.page_id, written)
            bases.attempt(tx, self.page_id, attempted)

    def look(self, *fields: FieldChange) -> Fresh:
        """Look at the task again before some fields are written."""
        change = Change(Kind.UPDATE, TASK, self.page_id, "Call", fields=fields)
        return look_again(self.target(), change, self.page_id)


def _wish(name: str, after: Value, *, before: Value = None) -> FieldChange:
    return FieldChange(name, before, after, Why("test"))


SHARE = _wish("share", TWO, before=ONE)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- what a cell holds decides


def test_what_is_ours_alone_is_written_without_a_look(desk: Desk) -> None:
    sent = len(desk.sandbox.log)
    wishes = (_wish("score", TWO), _wish("name", "Call again"))
    assert desk.look(*wishes) == Fresh(wishes, is_read=False)
    assert len(desk.sandbox.log) == sent


def test_what_is_ours_alone_is_written_beside_a_look_whoever_changed_it(
    desk: Desk,
) -> None:
    desk.know({"share": ONE, "score": ONE})
    desk.type_in(share=_number(ONE), score=_number(NINE))
    score = _wish("score", TWO, before=ONE)
    assert desk.look(score, SHARE) == Fresh((score, SHARE), is_read=True)


DONE: dict[str, tuple[Decimal | Unset, Decimal | Unset, Decimal | None, str]] = {
    "as we left it": (ONE, UNSET, ONE, "written"),
    "as a write without an answer left it": (ONE, NINE, NINE, "written"),
    "empty and never written": (UNSET, UNSET, None, "written"),
    "filled and never written": (UNSET, UNSET, NINE, "kept"),
    "changed by a person": (ONE, UNSET, NINE, "conflict"),
    "emptied by a person": (ONE, UNSET, None, "conflict"),
    "what we want, by a person": (ONE, UNSET, TWO, "adopted"),
    "what we want, by us": (TWO, UNSET, TWO, "nothing"),
}


@pytest.mark.parametrize("case", DONE)
def test_a_shared_cell(desk: Desk, case: str) -> None:
    written, attempted, shown, end = DONE[case]
    known = {} if isinstance(written, Unset) else {"share": written}
    tried = {} if isinstance(attempted, Unset) else {"share": attempted}
    desk.know(known, **tried)
    if shown is not None:
        desk.type_in(share=_number(shown))
    # The plan saw something else: what stands now is told as what was before.
    wish = _wish("share", TWO, before=Decimal(7))
    kept = Kept(TASK, desk.page_id, "share", shown, TWO, end == "conflict")
    ends = {
        "written": Fresh((replace(wish, before=shown),)),
        "kept": Fresh((), kept=(kept,)),
        "conflict": Fresh((), kept=(kept,)),
        "adopted": Fresh((), adopted=(Adopted(desk.page_id, "share", shown),)),
        "nothing": Fresh(()),
    }
    assert desk.look(wish) == ends[end]
    assert ends[end].is_read


def test_a_shared_cell_of_people_stands_also_where_the_plan_saw_it_so(
    desk: Desk,
) -> None:
    desk.type_in(share=_number(NINE))
    kept = Kept(TASK, desk.page_id, "share", NINE, TWO, conflict=False)
    wish = _wish("share", TWO, before=NINE)
    assert desk.look(wish) == Fresh((), kept=(kept,))


def test_a_source_that_did_not_move_is_no_conflict(desk: Desk) -> None:
    desk.know({"share": TWO})
    desk.type_in(share=_number(NINE))
    kept = Kept(TASK, desk.page_id, "share", NINE, TWO, conflict=False)
    assert desk.look(SHARE) == Fresh((), kept=(kept,))


def test_a_seed_is_given_into_an_empty_cell_and_never_again(desk: Desk) -> None:
    wish = _wish("hint", "call")
    assert desk.look(wish) == Fresh((wish,))
    desk.know({"hint": "call"})
    assert desk.look(wish) == Fresh((), kept=(_stands(desk, "hint", None, "call"),))
    desk.type_in(hint=_text("by hand"))
    kept = _stands(desk, "hint", "by hand", "call")
    assert desk.look(wish) == Fresh((), kept=(kept,))


def _stands(desk: Desk, name: str, current: Value, desired: Value) -> Kept:
    return Kept(TASK, desk.page_id, name, current, desired, conflict=False)


def test_a_cell_of_people_alone_is_written_as_long_as_it_is_as_it_was_ordered(
    desk: Desk,
) -> None:
    desk.type_in(hours=_number(ONE))
    wish = _wish("hours", TWO, before=Decimal("1.0"))
    assert desk.look(wish) == Fresh((wish,))
    desk.type_in(hours=_number(NINE))
    kept = _stands(desk, "hours", NINE, TWO)
    assert desk.look(wish) == Fresh((), kept=(kept,))
    desk.type_in(hours=_number(TWO))
    assert desk.look(wish) == Fresh(())


def test_a_cell_that_cannot_be_read_is_not_written_and_told(desk: Desk) -> None:
    desk.know({"share": ONE})
    desk.type_in(share=_number(Decimal(10) ** 30))
    fresh = desk.look(SHARE, _wish("score", TWO))
    assert (fresh.kept, fresh.adopted) == ((), ())
    assert [item.field for item in fresh.fields] == ["score"]
    (problem,) = fresh.problems
    assert (problem.code, problem.field) == (Code.OUT_OF_RANGE, "share")
    assert english(problem.where) == str(TASK)


def test_another_cell_that_cannot_be_read_holds_nothing_up(desk: Desk) -> None:
    desk.know({"share": ONE})
    desk.type_in(share=_number(ONE))
    desk.see()
    desk.type_in(hours=_number(Decimal(10) ** 30))
    assert desk.look(SHARE) == Fresh((SHARE,))
    desk.see()
    desk.type_in(hours=_number(NINE))
    assert desk.look(SHARE) == Fresh((SHARE,)), "the rules never saw it either"


def test_a_related_cell_is_read_whole_before_it_is_written(desk: Desk) -> None:
    clients = sorted(desk.add("clients") for _ in range(MANY))
    desk.type_in(team=_relation(*clients))
    refs = tuple(Ref("clients", page_id) for page_id in clients)
    desk.know({"team": refs})
    wish = _wish("team", refs[:2], before=refs)
    assert desk.look(wish) == Fresh((wish,))


def test_a_row_that_somebody_moved_away_is_left_alone(desk: Desk) -> None:
    desk.know({"share": ONE})
    desk.type_in(share=_number(ONE))
    place = {"data_source_id": desk.bindings["plans"].data_source_id}
    desk.person("move", page_id=desk.page_id, parent=place)
    with pytest.raises(Left) as left:
        desk.look(SHARE)
    assert (left.value.stray.ref, left.value.stray.title) == (str(TASK), "Call")
    assert str(left.value) == "Call"


# --- a row of which another cell changed waits


def _ready(desk: Desk) -> None:
    """Have a shared cell stand as we left it, so that nothing but the cells beside it can hold it up."""
    desk.know({"share": ONE, "score": ONE})
    desk.type_in(share=_number(ONE), score=_number(ONE))


def test_a_row_that_the_rules_never_saw_does_not_wait(desk: Desk) -> None:
    _ready(desk)
    desk.type_in(note=_text("we talked"))
    assert desk.look(SHARE) == Fresh((SHARE,))


def test_while_one_cell_of_people_is_new_what_is_shared_waits_and_nothing_else(
    desk: Desk,
) -> None:
    _ready(desk)
    desk.see()
    score, hint = _wish("score", TWO), _wish("hint", "")
    tags = _wish("tags", ("red",))
    assert desk.look(SHARE, score).fields == (SHARE, score)

    desk.type_in(note=_text("we talked"), tags={"multi_select": [{"name": "red"}]})
    assert desk.look(SHARE, score, hint, tags) == Fresh(
        (score,),
        kept=(_stands(desk, "share", ONE, TWO), _stands(desk, "hint", None, "")),
        adopted=(Adopted(desk.page_id, "tags", ("red",)),),
    )


CELLS: dict[str, tuple[str, bool]] = {
    "links": ("clients", True),
    "team": ("clients", True),
    "card": ("cards", False),
    "plan": ("plans", False),
    "by": ("clients", False),
    "for": ("clients", True),
}
"""Relations, where they lead, and whether a new one there is something that the rules have to see first."""


@pytest.mark.parametrize("name", CELLS)
def test_a_relation_that_our_own_writes_move_holds_nothing_up(
    desk: Desk, name: str
) -> None:
    source, waits = CELLS[name]
    _ready(desk)
    desk.see()
    desk.type_in(**{name: _relation(desk.add(source))})
    assert desk.look(SHARE).fields == (() if waits else (SHARE,))


def test_a_cell_of_ours_that_somebody_changed_holds_nothing_up(desk: Desk) -> None:
    _ready(desk)
    desk.see()
    desk.type_in(score=_number(NINE))
    assert desk.look(SHARE) == Fresh((SHARE,))


def test_a_cell_of_which_a_part_is_shown_holds_nothing_up(desk: Desk) -> None:
    _ready(desk)
    clients = sorted(desk.add("clients") for _ in range(MANY))
    desk.type_in(links=_relation(*clients))
    desk.see(links=tuple(Ref("clients", page_id) for page_id in clients))
    assert desk.look(SHARE) == Fresh((SHARE,))


def test_a_cell_that_was_not_read_at_first_holds_nothing_up(desk: Desk) -> None:
    _ready(desk)
    row = desk.row()
    fields = {name: value for name, value in row.fields.items() if name != "note"}
    desk.seen[desk.page_id] = replace(row, fields=fields)
    desk.type_in(note=_text("we talked"))
    assert desk.look(SHARE) == Fresh((SHARE,))


# --- what an answer shows


def test_an_answer_that_shows_something_else_in_a_cell_of_people_is_an_edit(
    desk: Desk,
) -> None:
    wishes = (
        _wish("share", TWO),
        _wish("tags", ("green", "red")),
        _wish("score", TWO),
        _wish("hint", "call"),
        _wish("hours", TWO),
    )
    answered: dict[str, Value] = {
        "share": NINE,
        "tags": ("red", "green"),
        "score": NINE,
        "hours": None,
        "note": "we talked",
    }
    change = Change(Kind.UPDATE, TASK, desk.page_id, "Call", fields=wishes)
    page = desk.notion.page(desk.page_id)
    assert find_edits(desk.target(), change, page, answered) == (
        Kept(TASK, desk.page_id, "share", NINE, TWO, conflict=True),
        Kept(TASK, desk.page_id, "hours", None, TWO, conflict=True),
    )


PLANTED = {Ref("cards", "card:a"): "page-z", Ref("cards", "card:b"): "page-a"}
UNKNOWN = Ref("cards", "card:x")
SAME: list[tuple[str, Value, Value, bool]] = [
    ("note", "ab", "ab", True),
    ("note", "ab", "ba", False),
    ("note", None, None, True),
    ("note", None, "ab", False),
    ("tags", ("red", "green"), ("green", "red"), True),
    ("tags", ("red",), ("green",), False),
    ("card", tuple(PLANTED), tuple(PLANTED), True),
    ("card", tuple(PLANTED), (Ref("cards", "page-a"), Ref("cards", "page-z")), True),
    ("card", tuple(PLANTED), (Ref("cards", "page-a"),), False),
    ("card", (UNKNOWN,), (UNKNOWN,), True),
    ("card", (UNKNOWN,), (Ref("cards", "card:y"),), False),
]


@pytest.mark.parametrize(("name", "sent", "answered", "is_it"), SAME)
def test_rows_are_the_same_by_their_page_and_anything_else_by_what_it_is(
    desk: Desk, name: str, sent: Value, answered: Value, is_it: bool
) -> None:
    for ref, page_id in PLANTED.items():
        desk.planted.add(ref, page_id)
    prop = TASKS.properties[name]
    assert is_same(desk.target(), prop, sent, answered) is is_it
