"""A cycle in which nothing changed thinks nothing, and anything that may change has it think again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from worker.cycle.context import CycleRequest, Footing, Mode
from worker.cycle.idling import Look, Past, Reason, find_reasons, stamp_files

FOOTING = Footing(3, date(2026, 3, 2), "1", "s", "c", "b", "t", "p", "m", pending=False)
IDLE = Look(CycleRequest(), 8, FOOTING, Past(7, FOOTING, "sum", "plan", steady=True))
OTHER: dict[Reason, dict[str, Any]] = {
    Reason.SNAPSHOT: {"snapshot": 4},
    Reason.TODAY: {"today": date(2026, 3, 3)},
    Reason.VERSION: {"version": "2"},
    Reason.SETTINGS: {"settings": "other"},
    Reason.SCHEMA: {"schema": "other"},
    Reason.BOARDS: {"boards": "other"},
    Reason.TRACKER: {"tracker": "other"},
    Reason.PROBLEMS: {"problems": "other"},
    Reason.MEMORY: {"memory": "other"},
    Reason.PENDING: {"pending": True},
}
ORDERS: tuple[dict[str, Any], ...] = (
    {"mode": Mode.FULL},
    {"force": True},
    {"dry_run": True},
    {"checksum": "sum"},
    {"scope": "Acme"},
    {"rules": ("money",)},
    {"undoes": 3},
)


def test_the_same_footing_after_a_steady_run_is_idle() -> None:
    assert find_reasons(IDLE) == ()


def test_every_part_of_the_footing_is_a_reason_of_its_own() -> None:
    named = {name for change in OTHER.values() for name in change}
    assert named == set(Footing.__struct_fields__)


@pytest.mark.parametrize("reason", OTHER)
def test_anything_else_to_go_by_is_a_reason(reason: Reason) -> None:
    now = replace(FOOTING, **OTHER[reason])
    assert find_reasons(replace(IDLE, now=now)) == (reason,)


def test_after_a_run_that_met_a_creation_in_doubt_the_next_is_whole() -> None:
    before = replace(IDLE.last, footing=replace(FOOTING, pending=True))
    assert find_reasons(replace(IDLE, last=before)) == (Reason.PENDING,)


def test_all_that_may_be_asked_for_is_looked_at_but_who_asks() -> None:
    named = {name for order in ORDERS for name in order}
    assert named | {"trigger", "who"} == set(CycleRequest.__struct_fields__)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_an_order_for_anything_but_what_changed_is_a_reason(
    order: dict[str, Any],
) -> None:
    assert find_reasons(replace(IDLE, order=CycleRequest(**order))) == (Reason.ORDER,)


def test_a_run_in_between_and_one_that_did_something_are_reasons() -> None:
    assert find_reasons(replace(IDLE, run=9)) == (Reason.RUN,)
    restless = replace(IDLE.last, steady=False)
    assert find_reasons(replace(IDLE, last=restless)) == (Reason.RESTLESS,)
    assert Reason.RESTLESS in find_reasons(replace(IDLE, last=Past()))


def test_other_installed_files_are_another_software(tmp_path: Path) -> None:
    module = tmp_path / "rules.py"
    module.write_text("AGE = 1")
    before = stamp_files(tmp_path)
    assert stamp_files(tmp_path) == before
    module.write_text("AGE = 10")
    assert stamp_files(tmp_path) != before
