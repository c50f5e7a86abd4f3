"""Plans that must be refused, and those that must not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.english import english
from worker.config import Limits
from worker.domain.values import Ref, Value
from worker.plan.facts import Why
from worker.plan.limits import Rows, check
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


def test_a_number_of_a_period_that_ended_may_be_emptied_everywhere() -> None:
    turned = _changes(20, Kind.UPDATE)
    assert _reasons(turned, periodic={("risks", "why")}) == []
    assert [
        code
        for code, _, _ in _reasons(
            turned, periodic={("risks", "level"), ("tasks", "why")}
        )
    ] == ["too-destructive"]
    assert _reasons(turned, periodic={("risks", "why")}, mapping_changed=True) == []


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
    periodic = {("risks", "why")}
    assert _reasons(rows, periodic=periodic) == []
    both = (emptied, FieldChange("level", "x", None, Why("test")))
    rows = [replace(change, fields=both) for change in rows]
    assert [code for code, _, _ in _reasons(rows, periodic=periodic)] == [
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
    plan = Plan("main", tuple(_changes(10)))
    (reason,) = check(plan, Rows({"risks": 10}), settings=settings)
    assert english(reason.message).endswith(f"more than the limit of {limit}")
