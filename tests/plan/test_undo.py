"""A run as it was carried out, boards as they stand, and what takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.english import english
from worker.domain.entities import Row
from worker.domain.values import UNSET, Ref, Unset, Value
from worker.mapping.schema import Binding, Owner, Property, Rows, Schema, Source
from worker.plan.diff import Written
from worker.plan.facts import Why
from worker.plan.plan import Change, FieldChange, Kind
from worker.plan.undo import Boards, Reversal, reverse
from worker.world.world import PLACES

RUN = 7
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
US, SOMEBODY = "bot", "ann"
RISK, OTHER = Ref("risks", "risk:late:c1"), Ref("risks", "risk:late:c2")
PAGE, OTHER_PAGE = "page-1", "page-2"
FIELDS = {
    "name": ("title", Owner.WORKER),
    "score": ("number", Owner.WORKER),
    "status": ("select", Owner.SHARED),
    "steps": ("rich_text", Owner.SEED),
    "note": ("rich_text", Owner.HUMAN),
}
SOURCE = Source(
    "risks",
    Rows.WORKER,
    {"en": "risks"},
    "",
    {
        name: Property(name, kind, owner, {"en": name})
        for name, (kind, owner) in FIELDS.items()
    },
)
BINDING = Binding("risks", "db", "ds", {name: f"id-{name}" for name in FIELDS})


def _row(
    ref: Ref = RISK, page: str = PAGE, *, by: str = US, **fields: Value | Unset
) -> Row:
    cells: dict[str, Any] = {**dict.fromkeys(FIELDS), "name": "late", **fields}
    return Row(ref, page, ref.key, "late", "", NOW, NOW, by, cells, US)


def _boards(*rows: Row, written: Written | None = None, **more: Any) -> Boards:
    return Boards(
        {row.page_id: row for row in rows},
        Schema({"risks": SOURCE}),
        {"risks": more.pop("binding", BINDING)},
        written or Written(),
        **more,
    )


def _update(page: str = PAGE, ref: Ref = RISK, **cells: tuple[Value, Value]) -> Change:
    fields = [
        FieldChange(name, before, after, Why("score"))
        for name, (before, after) in cells.items()
    ]
    return Change(Kind.UPDATE, ref, page, "late", tuple(fields))


def _created(ref: Ref = RISK) -> Change:
    return Change(Kind.CREATE, ref, "", "late")


def _made(**bases: Value) -> Written:
    cells = {(PAGE, name): value for name, value in bases.items()}
    return Written(bases=cells, ours={RISK: PAGE}, made=frozenset({PAGE}))


def _cells(reversal: Reversal) -> Mapping[str, tuple[Value, Value]]:
    """Return what would go back: before and after by page and field."""
    assert {change.kind for change in reversal.changes} <= {Kind.UPDATE}
    return {
        f"{change.page_id} {item.field}": (item.before, item.after)
        for change in reversal.changes
        for item in change.fields
    }


def _left(reversal: Reversal) -> list[tuple[str, str]]:
    return [(problem.field, english(problem.message)) for problem in reversal.left]


def test_a_cell_goes_back_to_what_stood_before_and_names_the_run() -> None:
    reversal = reverse(
        [_update(score=(Decimal(3), Decimal(9)))], RUN, _boards(_row(score=Decimal(9)))
    )
    assert _cells(reversal) == {f"{PAGE} score": (Decimal(9), Decimal(3))}
    assert reversal.left == ()
    (change,) = reversal.changes
    (item,) = change.fields
    assert (item.why.rule, item.why.inputs[0].value) == ("undo", str(RUN))


def test_of_several_writes_the_first_says_what_stood_and_the_last_what_was_written() -> (
    None
):
    writes = [
        _update(score=(Decimal(3), Decimal(5))),
        _update(score=(Decimal(5), Decimal(9)), status=("new", "open")),
    ]
    standing = _boards(_row(score=Decimal(9), status="open"))
    assert _cells(reverse(writes, RUN, standing)) == {
        f"{PAGE} score": (Decimal(9), Decimal(3)),
        f"{PAGE} status": ("open", "new"),
    }


def test_what_shows_what_stood_before_already_needs_nothing() -> None:
    assert (
        reverse(
            [_update(score=(Decimal(3), Decimal(9)))],
            RUN,
            _boards(_row(score=Decimal(3))),
        )
        == Reversal()
    )


@pytest.mark.parametrize("standing", [Decimal(4), None, UNSET])
def test_a_cell_that_shows_neither_stays_and_is_told(standing: Value | Unset) -> None:
    reversal = reverse(
        [_update(score=(Decimal(3), Decimal(9)))], RUN, _boards(_row(score=standing))
    )
    assert reversal.changes == ()
    assert _left(reversal) == [("score", "this stays as it is: it was changed since")]


def test_the_rest_of_a_row_goes_back_where_one_cell_stays() -> None:
    writes = [_update(score=(Decimal(3), Decimal(9)), status=("new", "open"))]
    reversal = reverse(writes, RUN, _boards(_row(score=Decimal(4), status="open")))
    assert _cells(reversal) == {f"{PAGE} status": ("open", "new")}
    assert [field for field, _ in _left(reversal)] == ["score"]


@pytest.mark.parametrize(
    ("more", "field", "reason"),
    [
        ({"pinned": frozenset({(PAGE, "score")})}, "score", "pinned"),
        ({"unread": frozenset({PAGE})}, "", "cannot be read"),
        (
            {"binding": replace(BINDING, properties={"name": "id-name"})},
            "score",
            "the column is not there",
        ),
    ],
)
def test_what_may_not_be_touched_stays_and_is_told(
    more: dict[str, Any], field: str, reason: str
) -> None:
    reversal = reverse(
        [_update(score=(Decimal(3), Decimal(9)))],
        RUN,
        _boards(_row(score=Decimal(9)), **more),
    )
    assert reversal.changes == ()
    ((told, message),) = _left(reversal)
    assert told == field
    assert reason in message


def test_another_cell_that_is_pinned_keeps_none_else() -> None:
    pinned = frozenset({(PAGE, "status"), (OTHER_PAGE, "score")})
    reversal = reverse(
        [_update(score=(Decimal(3), Decimal(9)))],
        RUN,
        _boards(_row(score=Decimal(9)), pinned=pinned),
    )
    assert _cells(reversal) == {f"{PAGE} score": (Decimal(9), Decimal(3))}


def test_a_cell_that_is_given_once_is_not_taken_back() -> None:
    writes = [_update(steps=(None, "call"), score=(Decimal(3), Decimal(9)))]
    reversal = reverse(writes, RUN, _boards(_row(steps="call", score=Decimal(9))))
    assert _cells(reversal) == {f"{PAGE} score": (Decimal(9), Decimal(3))}
    assert _left(reversal)[0][0] == "steps"
    assert "given once" in _left(reversal)[0][1]


def test_a_row_that_is_gone_is_told() -> None:
    reversal = reverse([_update(score=(Decimal(3), Decimal(9)))], RUN, _boards())
    assert reversal.changes == ()
    assert _left(reversal) == [
        ("", "this stays as it is: the row is not there any more")
    ]


def test_a_row_the_run_made_is_put_away_and_its_later_cells_are_not_asked_about() -> (
    None
):
    changes = [_created(), _update(score=(None, Decimal(9)))]
    boards = _boards(
        _row(score=Decimal(9)), written=_made(name="late", score=Decimal(9))
    )
    reversal = reverse(changes, RUN, boards)
    assert [(one.kind, one.page_id) for one in reversal.changes] == [
        (Kind.ARCHIVE, PAGE)
    ]
    assert reversal.left == ()


@pytest.mark.parametrize(
    ("row", "written"),
    [
        (_row(score=Decimal(8)), _made(name="late", score=Decimal(9))),
        (_row(note="call her"), _made(name="late")),
        (_row(by=SOMEBODY), _made(name="late")),
        (_row(score=UNSET), _made(name="late", score=Decimal(9))),
    ],
)
def test_a_row_people_wrote_into_is_not_put_away(row: Row, written: Written) -> None:
    reversal = reverse([_created()], RUN, _boards(row, written=written))
    assert reversal.changes == ()
    assert _left(reversal) == [
        ("", "this stays as it is: somebody has written into the row")
    ]


def test_what_was_put_into_another_page_does_not_explain_a_cell() -> None:
    written = Written(
        bases={(PAGE, "name"): "late", (OTHER_PAGE, "score"): Decimal(9)},
        attempted={(OTHER_PAGE, "score"): Decimal(9)},
        ours={RISK: PAGE},
        made=frozenset({PAGE}),
    )
    reversal = reverse(
        [_created()], RUN, _boards(_row(score=Decimal(9)), written=written)
    )
    assert reversal.changes == ()


def test_a_write_whose_answer_never_came_explains_what_stands() -> None:
    written = replace(_made(name="late"), attempted={(PAGE, "score"): Decimal(9)})
    reversal = reverse(
        [_created()], RUN, _boards(_row(score=Decimal(9)), written=written)
    )
    assert [one.kind for one in reversal.changes] == [Kind.ARCHIVE]


def test_a_row_that_nothing_proves_ours_stays() -> None:
    written = replace(_made(name="late"), made=frozenset())
    reversal = reverse([_created()], RUN, _boards(_row(), written=written))
    assert reversal.changes == ()
    assert "nothing proves" in _left(reversal)[0][1]


def test_a_row_the_run_made_that_is_gone_or_cannot_be_read() -> None:
    assert reverse([_created()], RUN, _boards(written=_made())) == Reversal()
    boards = _boards(_row(), written=_made(name="late"), unread=frozenset({PAGE}))
    reversal = reverse([_created()], RUN, boards)
    assert reversal.changes == ()
    assert "cannot be read" in _left(reversal)[0][1]


@pytest.mark.parametrize("is_proven", [True, False])
def test_a_page_that_is_no_row_is_put_away_where_the_run_made_it(
    is_proven: bool,
) -> None:
    place = Ref(PLACES, "client:c1")
    made = frozenset({PAGE}) if is_proven else frozenset[str]()
    written = Written(ours={place: PAGE}, made=made)
    reversal = reverse([_created(place)], RUN, _boards(written=written))
    kinds = [one.kind for one in reversal.changes]
    assert kinds == ([Kind.ARCHIVE] if is_proven else [])


def test_sections_and_rows_in_the_trash_stay_and_are_counted() -> None:
    changes = [
        Change(Kind.SECTION, RISK, PAGE, ""),
        Change(Kind.SECTION, OTHER, OTHER_PAGE, ""),
        Change(Kind.ARCHIVE, RISK, PAGE, ""),
        Change(Kind.ARCHIVE, RISK, "page-3", ""),
        Change(Kind.ARCHIVE, OTHER, OTHER_PAGE, ""),
    ]
    reversal = reverse(changes, RUN, _boards(_row(OTHER, OTHER_PAGE)))
    assert reversal.changes == ()
    assert [message for _, message in _left(reversal)] == [
        "2 sections stay as they are: what stood in them before is not kept",
        "2 rows that this run put into the trash stay there",
    ]


def test_what_goes_back_is_in_the_order_of_the_rows() -> None:
    writes = [
        _update(OTHER_PAGE, OTHER, score=(Decimal(1), Decimal(2))),
        _update(score=(Decimal(3), Decimal(9))),
    ]
    boards = _boards(_row(score=Decimal(9)), _row(OTHER, OTHER_PAGE, score=Decimal(2)))
    changes = reverse(writes, RUN, boards).changes
    assert [change.ref for change in changes] == [RISK, OTHER]
