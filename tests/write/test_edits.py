"""People type while a run is under way: their values stand, are told, and never become ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from board_rig import WORKSPACE, Board, fact

from worker.domain.values import Ref, Value
from worker.plan.facts import Fact
from worker.plan.plan import Plan
from worker.ports.notion import Notion
from worker.state import bases
from worker.write.writer import Applied

RISK, OTHER = Ref("risks", "risk:late:c1"), Ref("risks", "risk:late:c2")
QUARTER, MONTH = Ref("plans", "plan:firm:2026-Q4"), Ref("plans", "plan:firm:2026-11")


class Interrupted:
    """A port during whose calls somebody types: `before` is told each call by number, name and first argument as it
    leaves, `after` by name and answer once it was carried out, and says what is answered in the end."""

    def __init__(
        self,
        inner: Notion,
        before: Callable[[int, str, Any], None] = lambda number, name, first: None,
        after: Callable[[str, Any], Any] = lambda name, answer: answer,
    ) -> None:
        self._inner, self._before, self._after = inner, before, after
        self.calls: list[tuple[str, Any]] = []

    def guarded(self, check: Callable[[], None]) -> Interrupted:
        """Return the same port with a check before each request."""
        port = Interrupted(self._inner.guarded(check), self._before, self._after)
        port.calls = self.calls
        return port

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args[0] if args else ""))
            self._before(len(self.calls), name, args[0] if args else "")
            return self._after(name, call(*args, **kwargs))

        return interrupted

    def port(self) -> Notion:
        """Return this as the port it is."""
        return cast(Notion, self)


class Scene(NamedTuple):
    """A board after its first cycle, with rows of ours and of people."""

    board: Board
    client: Ref
    mine: Ref

    def facts(self, step: int) -> list[Fact]:
        """Return what the rules want after so many moves of the source."""
        number = Decimal(step)
        return [
            fact(RISK, "name", f"Late {step}"),
            fact(RISK, "probability", Decimal("0.1") * step),
            fact(RISK, "steps", "call"),
            fact(OTHER, "probability", Decimal("0.1") * step),
            fact(self.client, "score", number),
            fact(self.client, "due", date(2027, 1, step)),
            fact(QUARTER, "name", f"Q4 {step}"),
            fact(QUARTER, "target", number * 100),
            fact(MONTH, "target", number * 30),
            *([fact(self.mine, "steps", "write")] if step > 1 else []),
        ]

    def page(self, ref: Ref) -> str:
        """Return the page of a row."""
        return self.board.row(ref).page_id

    def cell(self, ref: Ref, name: str) -> Value:
        """Return what a cell holds."""
        return self.board.row(ref).fields[name]

    def run(self, step: int, notion: Notion | None = None) -> tuple[Plan, Applied]:
        """Run one cycle, with the rows as they were read."""
        self.board.settle()
        plan, known = self.board.draw(self.facts(step))
        seen = {row.page_id: row for rows in self.board.rows().values() for row in rows}
        return plan, self.board.apply(plan, notion, known=known, seen=seen)


@pytest.fixture
def make_scene(tmp_path: Path) -> Callable[[str], Scene]:
    def make(name: str) -> Scene:
        (tmp_path / name).mkdir()
        board = Board(tmp_path / name)
        client = board.client("Нептун")
        mine = board.person(
            "create",
            data_source_id=board.bindings["risks"].data_source_id,
            properties={"name": {"title": [{"text": {"content": "Our own"}}]}},
        )
        scene = Scene(board, client, Ref("risks", mine["id"]))
        scene.run(1)
        return scene

    return make


@pytest.fixture
def scene(make_scene: Callable[[str], Scene]) -> Scene:
    return make_scene("only")


class Typed(NamedTuple):
    """A cell somebody types into: which row, which field, what they type and what is then read."""

    row: str
    field: str
    typed: Any
    read: Value


CELLS = (
    Typed("risk", "probability", Decimal("0.9"), Decimal("0.9")),
    Typed("risk", "probability", None, None),
    Typed("client", "due", "2028-02-02", date(2028, 2, 2)),
    Typed("quarter", "target", Decimal(450), Decimal(450)),
    Typed("mine", "steps", "by hand", "by hand"),
)


def _ref(scene: Scene, row: str) -> Ref:
    return {
        "risk": RISK,
        "client": scene.client,
        "quarter": QUARTER,
        "mine": scene.mine,
    }[row]


def _is_told(cell: Typed, ref: Ref, plans: list[Plan], applied: list[Applied]) -> bool:
    kept = [kept for one in plans for kept in one.kept] + [
        kept for one in applied for kept in one.kept
    ]
    return any(
        (one.ref, one.field, one.current) == (ref, cell.field, cell.read)
        for one in kept
    )


@pytest.mark.parametrize("cell", CELLS)
def test_what_a_person_types_before_any_request_of_a_run_stands_and_is_told(
    make_scene: Callable[[str], Scene], cell: Typed
) -> None:
    counting = make_scene("counting")
    port = Interrupted(counting.board.notion)
    counting.run(2, port.port())
    calls = len(port.calls)
    assert calls >= 10
    stood = 0
    for position in range(1, calls + 1):
        scene = make_scene(f"at {position}")
        ref = _ref(scene, cell.row)
        page = scene.page(ref)

        def type_in(
            number: int,
            name: str,
            first: Any,
            *,
            scene: Scene = scene,
            page: str = page,
            position: int = position,
        ) -> None:
            if number == position:
                scene.board.edit(page, cell.field, cell.typed)

        port = Interrupted(scene.board.notion, type_in)
        plan, applied = scene.run(2, port.port())
        if port.calls[position - 1] == ("update_page", page):
            continue  # read again just before, and overwritten by this very request
        stood += 1
        plans, did = [plan], [applied]
        for step in (3, 4):
            more, also = scene.run(step)
            plans.append(more)
            did.append(also)
        assert scene.cell(ref, cell.field) == cell.read, f"typed at {position}"
        if port.calls.index(("page", page)) + 1 >= position:
            assert _is_told(cell, ref, [plan], [applied]), f"not told at {position}"
        elif cell.field != "steps":  # a seed was given, and is not asked for again
            assert _is_told(cell, ref, plans, did), f"not told at {position}"
    assert stood >= calls - 1


def test_an_edit_of_another_cell_in_the_gap_never_becomes_the_workers(
    scene: Scene,
) -> None:
    page = scene.page(RISK)

    def type_in(number: int, name: str, first: Any) -> None:
        if (name, first) == ("update_page", page):
            scene.board.edit(page, "probability", Decimal("0.9"))

    facts = [one for one in scene.facts(1) if one.field != "name"]
    plan, known = scene.board.draw([*facts, fact(RISK, "name", "Very late")])
    assert [item.field for one in plan.changes for item in one.fields] == ["name"]
    scene.board.apply(
        plan, Interrupted(scene.board.notion, type_in).port(), known=known
    )
    for step in (2, 3):
        plan, _ = scene.run(step)
        assert [(kept.current, kept.conflict) for kept in plan.kept] == [
            (Decimal("0.9"), True)
        ]
    assert scene.cell(RISK, "probability") == Decimal("0.9")


@pytest.mark.parametrize("seconds", [11, 60, 900])
def test_what_a_person_types_while_a_request_has_to_wait_stands(
    scene: Scene, seconds: int
) -> None:
    board, page = scene.board, scene.page(RISK)
    wait, waits = board.pass_time, []

    def type_in(slept: float) -> None:
        wait(slept)
        waits.append(slept)
        if len(waits) == 1:
            board.edit(page, "probability", Decimal("0.9"))

    board.pass_time = type_in
    board.break_next("429", method="PATCH", path=page, retry_after=seconds)
    _, applied = scene.run(2)
    assert waits, "the request waited"
    assert [(kept.ref, kept.field) for kept in applied.kept] == [(RISK, "probability")]
    assert applied.failures == ()
    for step in (3, 4):
        scene.run(step)
    assert scene.cell(RISK, "probability") == Decimal("0.9")
    assert scene.cell(RISK, "name") == "Late 4"


def test_a_row_whose_every_request_has_to_wait_is_told_and_left_to_the_next_cycle(
    scene: Scene,
) -> None:
    board, page = scene.board, scene.page(RISK)
    board.sandbox.control(
        "faults",
        {
            "rules": [
                {
                    "kind": "429",
                    "match": {"method": "PATCH", "path_regex": page},
                    "retry_after": 60,
                    "times": None,
                }
            ]
        },
    )
    _, applied = scene.run(2)
    assert [(one.code, one.where) for one in applied.failures] == [
        ("write-failed", str(RISK))
    ]
    board.sandbox.control("clear_faults", {})
    scene.run(2)
    assert scene.cell(RISK, "probability") == Decimal("0.2")


def test_an_answer_that_shows_what_a_person_typed_after_us_is_not_our_base(
    scene: Scene,
) -> None:
    board, page = scene.board, scene.page(QUARTER)

    def type_in(name: str, answer: Any) -> Any:
        if name == "update_page" and answer.id == page:
            board.edit(page, "target", Decimal(450))
            return board.notion.page(page)
        return answer

    _, applied = scene.run(2, Interrupted(board.notion, after=type_in).port())
    assert [
        (kept.ref, kept.field, kept.current, kept.desired) for kept in applied.kept
    ] == [(QUARTER, "target", Decimal(450), Decimal(200))]
    for step in (3, 4):
        scene.run(step)
    assert scene.cell(QUARTER, "target") == Decimal(450)


@pytest.mark.parametrize(
    ("field", "typed", "read"),
    [
        ("probability", Decimal("0.9"), Decimal("0.9")),
        ("steps", "by hand", "by hand"),
        ("note", "we talked", "we talked"),
    ],
)
@pytest.mark.parametrize("stated", [True, False])
def test_what_a_person_types_before_a_creation_is_answered_stands(
    tmp_path: Path, field: str, typed: Any, read: Value, stated: bool
) -> None:
    board = Board(tmp_path)

    def type_in(name: str, answer: Any) -> Any:
        if name != "create_page":
            return answer
        board.edit(answer.id, field, typed)
        return board.notion.page(answer.id)

    first = [fact(RISK, "name", "Late")]
    given = [fact(RISK, "probability", Decimal("0.3")), fact(RISK, "steps", "call")]
    board.cycle(
        [*first, *(given if stated else ())],
        Interrupted(board.notion, after=type_in).port(),
    )
    for probability in ("0.4", "0.5"):
        board.cycle(
            [
                *first,
                fact(RISK, "probability", Decimal(probability)),
                fact(RISK, "steps", "write"),
            ]
        )
    assert board.row(RISK).fields[field] == read


def test_the_base_of_a_cell_of_ours_is_what_the_answer_shows(tmp_path: Path) -> None:
    board = Board(tmp_path)

    def type_in(name: str, answer: Any) -> Any:
        if name not in ("create_page", "update_page"):
            return answer
        board.edit(answer.id, "name", f"after {name}")
        return board.notion.page(answer.id)

    port = Interrupted(board.notion, after=type_in).port()
    for name, shown in (("Late", "create_page"), ("Later", "update_page")):
        board.cycle([fact(RISK, "name", name)], port)
        with board.store.reading(WORKSPACE) as tx:
            written = bases.of_page(tx, board.row(RISK).page_id)
        assert written["name"] == f"after {shown}"


def test_a_creation_nobody_touched_leaves_its_empty_shared_cells_to_the_worker(
    board: Board,
) -> None:
    board.cycle([fact(RISK, "name", "Late")])
    board.cycle([fact(RISK, "name", "Late"), fact(RISK, "probability", Decimal(1))])
    board.cycle([fact(RISK, "name", "Late"), fact(RISK, "probability", Decimal(2))])
    assert board.row(RISK).fields["probability"] == Decimal(2)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.mark.parametrize(("field", "typed"), [("note", "we talked"), ("steps", "wait")])
def test_a_shared_cell_waits_a_cycle_when_anything_else_of_its_row_was_typed(
    scene: Scene, field: str, typed: str
) -> None:
    page = scene.page(RISK)

    def type_in(number: int, name: str, first: Any) -> None:
        if number == 1:
            scene.board.edit(page, field, typed)

    _, applied = scene.run(2, Interrupted(scene.board.notion, type_in).port())
    assert scene.cell(RISK, "probability") == Decimal("0.1"), (
        "the rules have not seen it"
    )
    assert scene.cell(RISK, "name") == "Late 2", "what is Rayline's alone is written"
    assert [(kept.ref, kept.field, kept.conflict) for kept in applied.kept] == [
        (RISK, "probability", False)
    ]
    scene.run(2)
    assert scene.cell(RISK, "probability") == Decimal("0.2")
    assert scene.cell(RISK, field) == typed


def test_pages_are_read_again_only_where_cells_of_peoples_are_written(
    scene: Scene,
) -> None:
    port = Interrupted(scene.board.notion)
    plan, _ = scene.run(2, port.port())
    read = sorted(first for name, first in port.calls if name == "page")
    shared = {"probability", "steps", "due", "target"}
    assert read == sorted(
        change.page_id
        for change in plan.changes
        if any(item.field in shared for item in change.fields)
    )
    port = Interrupted(scene.board.notion)
    facts = [one for one in scene.facts(2) if one.field != "score"]
    plan, known = scene.board.draw([*facts, fact(scene.client, "score", Decimal(7))])
    scene.board.apply(plan, port.port(), known=known)
    assert [name for name, _ in port.calls] == ["update_page"]


def test_a_cell_that_already_holds_what_is_wanted_is_ours_without_a_write(
    scene: Scene,
) -> None:
    page = scene.page(QUARTER)

    def type_in(number: int, name: str, first: Any) -> None:
        if number == 1:
            scene.board.edit(page, "target", Decimal(200))

    plan, _ = scene.board.draw(
        [fact(QUARTER, "target", Decimal(200)), fact(QUARTER, "name", "Q4 1")]
    )
    port = Interrupted(scene.board.notion, type_in)
    applied = scene.board.apply(plan, port.port())
    assert ([name for name, _ in port.calls], applied.kept) == (["page"], ())
    with scene.board.store.reading(WORKSPACE) as tx:
        assert bases.of_page(tx, page)["target"] == Decimal(200)
