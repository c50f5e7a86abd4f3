"""Plans that must be refused, and those that must not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.english import english
from worker.config import Limits
from worker.domain.messages import literal
from worker.domain.values import Ref, Value
from worker.errors import Code, Severity
from worker.plan.facts import Why
from worker.plan.limits import Rows, WayOut, check, is_destructive
from worker.plan.plan import Change, FieldChange, Kind, Plan

SETTINGS = Limits(destructive_share=Decimal("0.3"), floor=10, changes=50)


def _changes(
    count: int, kind: Kind = Kind.ARCHIVE, *, before: Value = "x", after: Value = None
) -> list[Change]:
    fields = (
        (FieldChange("why", before, after, Why("test")),) if kind is Kind.UPDATE else ()
    )
    return [
        Change(kind, Ref("risks", f"r{number}"), f"p{number}", "", fields)
        for number in range(count)
    ]


def _archives(
    count: int, source: str = "risks", *, surplus: bool = False
) -> list[Change]:
    return [
        Change(
            Kind.ARCHIVE,
            Ref(source, f"r{number}"),
            f"{source}-{number}",
            "",
            surplus=surplus,
        )
        for number in range(count)
    ]


def _reasons(
    changes: list[Change],
    rows: int = 20,
    *,
    before: dict[str, int] | None = None,
    peoples: dict[str, frozenset[str]] | None = None,
    **extra: Any,
) -> list[tuple[str, str, str]]:
    counted = Rows({"risks": rows}, before or {}, peoples or {})
    found = check(Plan("main", tuple(changes)), counted, settings=SETTINGS, **extra)
    return [
        (reason.code, english(reason.where), english(reason.message))
        for reason in found
    ]


def test_a_refusal_names_number_limit_and_way_out() -> None:
    (reason,) = check(
        Plan("main", tuple(_changes(7))), Rows({"risks": 20}), settings=SETTINGS
    )
    assert "7 of 20 rows" in english(reason.message)
    assert "30%" in english(reason.message)
    assert "rayline sync --force" in english(reason.hint)


@pytest.mark.parametrize(
    ("count", "rows", "refused"),
    [
        (6, 20, False),
        (7, 20, True),
        (3, 10, False),
        (4, 10, True),
        (9, 9, False),
        (0, 20, False),
    ],
)
def test_a_share_over_the_limit_is_refused_from_the_floor_on(
    count: int, rows: int, refused: bool
) -> None:
    assert bool(_reasons(_changes(count), rows)) is refused
    assert bool(_reasons(_changes(count, Kind.UPDATE), rows)) is refused, (
        "emptying a filled field is as bad"
    )


def test_a_figure_that_is_empty_on_ordinary_days_may_be_emptied_everywhere() -> None:
    turned = _changes(20, Kind.UPDATE)
    assert _reasons(turned, transient={("risks", "why")}) == []
    assert [
        code
        for code, _, _ in _reasons(
            turned, transient={("risks", "level"), ("tasks", "why")}
        )
    ] == ["too-destructive"]
    assert _reasons(turned, transient={("risks", "why")}, mapping_changed=True) == []


@pytest.mark.parametrize(
    ("before", "after"), [("x", "y"), (None, "y"), ("", None), (None, ())]
)
def test_filling_and_changing_fields_is_not_destructive(
    before: Value, after: Value
) -> None:
    assert _reasons(_changes(20, Kind.UPDATE, before=before, after=after)) == []


def test_rows_of_the_workers_and_of_people_are_counted_by_themselves() -> None:
    peoples = {"risks": frozenset(f"p{number}" for number in range(10))}
    # Thirty rows of the worker's, ten of people's beside them.
    touched = _changes(1, Kind.UPDATE) + [
        Change(Kind.ARCHIVE, Ref("risks", f"r{number}"), f"p{number}", "")
        for number in range(10, 20)
    ]
    assert _reasons(touched, 30, peoples=peoples) == [
        (
            "too-destructive",
            "risks",
            "10 of 30 rows would be archived or emptied, more than the limit of 30%",
        )
    ]
    emptied = _changes(10, Kind.UPDATE)
    assert _reasons(emptied, 30, peoples=peoples) == [
        (
            "too-destructive",
            "risks",
            "10 of 10 rows that people made would be emptied, more than the limit of 30%",
        )
    ]
    assert _reasons(emptied[:3], 30, peoples=peoples) == []


def test_a_row_that_is_changed_twice_is_one_row() -> None:
    assert _reasons([*_changes(6, Kind.UPDATE), *_changes(6)], 20) == []


def test_each_source_is_counted_by_itself() -> None:
    spread = _changes(6) + [
        Change(Kind.ARCHIVE, Ref("tasks", f"t{number}"), f"t{number}", "")
        for number in range(6)
    ]
    plan = Plan("main", tuple(spread))
    assert check(plan, Rows({"risks": 20, "tasks": 20}), settings=SETTINGS) == ()
    assert [
        english(reason.where)
        for reason in check(plan, Rows({"risks": 20, "tasks": 10}), settings=SETTINGS)
    ] == ["tasks"]


def test_a_source_that_is_suddenly_empty_is_refused() -> None:
    assert _reasons([], 0, before={"risks": 12}) == [
        ("source-empty", "risks", "0 rows are left of the 12 it had; the limit is 1")
    ]
    assert _reasons([], 1, before={"risks": 12}) == []
    assert _reasons([], 0, before={"risks": 0}) == []


def test_too_many_changes_are_refused_but_a_first_run_may_create_any_number() -> None:
    assert _reasons(_changes(51, Kind.UPDATE, after="y"), 1000) == [
        (
            "too-many-changes",
            "main",
            "51 existing pages would be changed, more than the limit of 50",
        )
    ]
    assert _reasons(_changes(50, Kind.UPDATE, after="y"), 1000) == []
    assert _reasons(_changes(5000, Kind.CREATE), 0) == []


@pytest.mark.parametrize("before", [None, "", (), False])
def test_the_first_filling_of_any_number_of_empty_cells_is_allowed(
    before: Value,
) -> None:
    assert _reasons(_changes(5000, Kind.UPDATE, before=before, after="y"), 5000) == []


@pytest.mark.parametrize("before", ["x", Decimal(0), ("x",), True])
def test_a_row_of_which_one_field_changes_what_stood_there_counts_whatever_else_it_fills(
    before: Value,
) -> None:
    filled = FieldChange("level", None, "y", Why("test"))
    changed = FieldChange("why", before, "y", Why("test"))
    for fields in ((filled, changed), (changed, filled)):
        rows = [replace(change, fields=fields) for change in _changes(51, Kind.UPDATE)]
        assert [code for code, _, _ in _reasons(rows, 1000)] == ["too-many-changes"]
        assert _reasons(rows[:50], 1000) == []


def test_first_sections_are_allowed_in_any_number_and_rewritten_ones_are_counted() -> (
    None
):
    sections = _changes(51, Kind.SECTION)
    pages = {change.page_id for change in sections}
    assert _reasons(sections) == []
    assert [code for code, _, _ in _reasons(sections, sectioned=pages)] == [
        "too-many-changes"
    ]
    assert _reasons(sections, sectioned=pages - {"p0"}) == []


def test_archives_and_changes_are_counted_together() -> None:
    mixed = _changes(1) + _changes(50, Kind.UPDATE, after="y")
    assert [code for code, _, _ in _reasons(mixed, 1000)] == ["too-many-changes"]


@pytest.mark.parametrize("first", [True, False])
def test_a_row_emptied_in_one_field_is_destroyed_whatever_else_is_written(
    first: bool,
) -> None:
    emptied = FieldChange("why", "x", None, Why("test"))
    changed = FieldChange("level", "x", "y", Why("test"))
    fields = (emptied, changed) if first else (changed, emptied)
    rows = [replace(change, fields=fields) for change in _changes(20, Kind.UPDATE)]
    assert [code for code, _, _ in _reasons(rows)] == ["too-destructive"]
    transient = {("risks", "why")}
    assert _reasons(rows, transient=transient) == []
    both = (emptied, FieldChange("level", "x", None, Why("test")))
    rows = [replace(change, fields=both) for change in rows]
    assert [code for code, _, _ in _reasons(rows, transient=transient)] == [
        "too-destructive"
    ]


def test_a_cell_that_measured_a_period_which_is_over_may_be_emptied() -> None:
    emptied = _changes(7, Kind.UPDATE)
    ended = {(f"p{number}", "why") for number in range(6)}
    assert _reasons(emptied) != []
    assert _reasons(emptied, transient=ended) == []
    assert _reasons(emptied, transient=ended, mapping_changed=True) == [
        (
            "mapping-changed",
            "risks",
            "1 rows would be archived or emptied in the first run after the mapping changed; the limit is 0",
        )
    ]


@pytest.mark.parametrize(
    "beside", [{("p6", "level"), ("p0", "level")}, {("q0", "why"), ("q1", "why")}]
)
def test_a_cell_beside_one_of_a_period_that_is_over_counts(
    beside: set[tuple[str, str]],
) -> None:
    emptied = _changes(7, Kind.UPDATE)
    assert [code for code, _, _ in _reasons(emptied, transient=beside)] == [
        "too-destructive"
    ]


def test_nothing_is_archived_after_an_incomplete_read() -> None:
    assert _reasons(_changes(1), incomplete={"risks": "repeated token"}) == [
        (
            "incomplete-archive",
            "risks",
            "1 rows would be archived after an incomplete read (repeated token); the limit "
            "is 0",
        )
    ]
    assert _reasons(_changes(1), incomplete={"tasks": "repeated token"}) == []
    assert (
        _reasons(_changes(1, Kind.CREATE), incomplete={"risks": "repeated token"}) == []
    )


def test_a_changed_mapping_may_not_take_anything_away_at_first() -> None:
    assert [
        code for code, _, _ in _reasons(_changes(1, Kind.UPDATE), mapping_changed=True)
    ] == ["mapping-changed"]
    assert _reasons(_changes(9, Kind.UPDATE, after="y"), mapping_changed=True) == []
    assert _reasons(_changes(1, Kind.UPDATE)) == []


def test_all_reasons_are_named_at_once() -> None:
    codes = [
        code
        for code, _, _ in _reasons(
            _changes(51),
            60,
            before={"tasks": 3},
            mapping_changed=True,
            incomplete={"risks": "cut"},
        )
    ]
    assert codes == [
        "too-destructive",
        "source-empty",
        "too-many-changes",
        "incomplete-archive",
        "mapping-changed",
    ]


def test_the_second_row_of_a_key_takes_nothing_away_but_counts_as_a_change() -> None:
    surplus = _archives(50, surplus=True)
    assert not any(is_destructive(change) for change in surplus)
    assert _reasons(surplus, 50, mapping_changed=True) == []
    assert _reasons(surplus, 50, incomplete={"risks": "cut"}) == []
    assert [code for code, _, _ in _reasons(_archives(51, surplus=True), 1000)] == [
        "too-many-changes"
    ]


def test_only_what_a_row_is_archived_for_counts_after_an_incomplete_read() -> None:
    changes = _archives(2) + _archives(3, surplus=True) + _changes(4, Kind.UPDATE)
    assert _reasons(changes, 1000, incomplete={"risks": "cut"}) == [
        (
            "incomplete-archive",
            "risks",
            "2 rows would be archived after an incomplete read (cut); the limit is 0",
        )
    ]


@pytest.mark.parametrize("kind", [Kind.CREATE, Kind.SECTION])
def test_what_is_new_on_a_page_takes_nothing_away(kind: Kind) -> None:
    emptied = FieldChange("why", "x", None, Why("test"))
    for fields in ((), (emptied,)):
        (change,) = _changes(1, kind)
        assert is_destructive(replace(change, fields=fields)) is False


def test_a_board_whose_rows_nobody_counted_may_lose_none_without_a_floor() -> None:
    settings = Limits(destructive_share=Decimal(1), floor=0, changes=50)
    plan = Plan("main", tuple(_archives(1)))
    (reason,) = check(plan, Rows({}), settings=settings)
    assert english(reason.message).startswith("1 of 0 rows would be archived")
    assert check(plan, Rows({"risks": 1}), settings=settings) == ()


@pytest.mark.parametrize(
    ("share", "limit"),
    [
        ("0", "0%"),
        ("0.004", "0.4%"),
        ("0.256", "25.6%"),
        ("0.3", "30%"),
        ("0.9", "90%"),
    ],
)
def test_a_refusal_tells_the_share_as_it_was_set(share: str, limit: str) -> None:
    settings = Limits(destructive_share=Decimal(share), floor=10, changes=50)
    plan = Plan("main", tuple(_archives(10)))
    (reason,) = check(plan, Rows({"risks": 10}), settings=settings)
    assert english(reason.message).endswith(f"more than the limit of {limit}")


def test_boards_are_named_in_their_order_whatever_the_plan_begins_with() -> None:
    boards = ("tasks", "clients", "risks")
    plan = Plan("main", tuple(row for name in boards for row in _archives(10, name)))
    reasons = check(
        plan,
        Rows(dict.fromkeys(boards, 10), {"people": 3, "notes": 2}),
        settings=SETTINGS,
        incomplete={name: literal("cut") for name in boards},
        mapping_changed=True,
    )
    assert [(reason.code, english(reason.where)) for reason in reasons] == [
        ("too-destructive", "clients"),
        ("too-destructive", "risks"),
        ("too-destructive", "tasks"),
        ("source-empty", "notes"),
        ("source-empty", "people"),
        ("incomplete-archive", "clients"),
        ("incomplete-archive", "risks"),
        ("incomplete-archive", "tasks"),
        ("mapping-changed", "clients"),
        ("mapping-changed", "risks"),
        ("mapping-changed", "tasks"),
    ]
    assert {reason.severity for reason in reasons} == {Severity.ERROR}
    assert all(english(reason.hint) for reason in reasons)


def test_a_refusal_leads_out_by_the_commands_of_who_is_refused() -> None:
    reasons = check(
        Plan("main", tuple(_archives(51))),
        Rows({"risks": 60}, {"tasks": 3}),
        settings=SETTINGS,
        mapping_changed=True,
        way=WayOut("rayline undo 7", "rayline undo 7 --force"),
    )
    for reason in reasons:
        assert "`rayline undo 7 --force`" in english(reason.hint)
        assert ("`rayline undo 7`" in english(reason.hint)) is (
            reason.code is not Code.SOURCE_EMPTY
        )
    assert len(reasons) == 4
