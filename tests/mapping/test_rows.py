"""The rows of the worker's own boards: whatever stands in a cell, the row is read; keys are built and read in one place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import row
from worker.domain.periods import Period, month_of, quarter_of, week_of
from worker.domain.values import Ref, Span, Value
from worker.world.rows import (
    BonusRow,
    MarginRow,
    PlanRow,
    RiskRow,
    TaskRow,
    by_key,
    plan_key,
    read_bonus,
    read_key,
    read_margin,
    read_plan,
    read_plan_key,
    read_risk,
    read_staff_request,
    read_task,
    risk_key,
    seed_of,
    task_key,
)

C1, ANN, P1 = Ref("clients", "c1"), Ref("people", "ann"), Ref("projects", "p1")
MOSCOW = ZoneInfo("Europe/Moscow")
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)
CELLS: tuple[Value, ...] = (
    None,
    "",
    "text",
    True,
    Decimal(3),
    DAY,
    datetime(2026, 11, 20, 22, tzinfo=UTC),
    Span(DAY, NEXT),
    ("an option",),
    (C1, ANN),
    (),
)
NAMES = sorted(
    {
        *RiskRow.__struct_fields__,
        *TaskRow.__struct_fields__,
        *PlanRow.__struct_fields__,
        *BonusRow.__struct_fields__,
        *MarginRow.__struct_fields__,
        "client",
        "unit",
        "project",
        "assignee",
    }
)


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(CELLS)))
def test_a_cell_of_any_type_counts_or_is_empty(cells: dict[str, Value]) -> None:
    found = replace(row("tasks", "k", created=DAY), fields=cells)
    risk = read_risk(found, MOSCOW)
    task = read_task(found, MOSCOW)
    plan = read_plan(found)
    asked = read_staff_request(found, MOSCOW)
    for text in (
        risk.status,
        risk.steps,
        task.note,
        task.source,
        plan.health,
        asked.status,
    ):
        assert text is None or isinstance(text, str)
    for mark in (risk.probability, risk.impact, risk.exposure, plan.target):
        assert mark is None or isinstance(mark, Decimal)
    for day in (risk.horizon, risk.snooze_until, task.due, task.snooze_until):
        assert day is None or type(day) is date
    for refs in (risk.clients, risk.units, task.cards, task.assignees):
        assert all(isinstance(ref, Ref) for ref in refs)
    assert plan.pinned is (cells.get("pinned") is True)
    margin = read_margin(found).margin
    assert margin is None or isinstance(margin, Decimal)
    assert read_bonus(found).paid is (cells.get("paid") is True)
    assert risk.opened == (risk.first_seen or DAY)


def test_days_are_those_of_the_workspace_and_ranges_end_on_their_last() -> None:
    night = datetime(2026, 11, 20, 22, tzinfo=UTC)
    task = read_task(row("tasks", "t", due=night, snooze_until=Span(DAY, NEXT)), MOSCOW)
    assert (task.due, task.snooze_until) == (NEXT, NEXT)
    risk = read_risk(
        row("risks", "r", first_seen=Span(DAY, NEXT), horizon=Span(DAY, NEXT)), MOSCOW
    )
    assert (risk.first_seen, risk.opened, risk.horizon) == (DAY, DAY, NEXT)


def test_of_several_relations_the_first_is_meant() -> None:
    other = Ref("clients", "c2")
    task = read_task(
        row("tasks", "t", client=(C1, other), project=(P1,), assignee=(ANN,)), UTC
    )
    assert (task.client, task.clients) == (C1, (C1, other))
    assert (task.card, task.assignee) == (P1, ANN)
    bare = read_task(row("tasks", "t"), UTC)
    assert (bare.client, bare.card, bare.assignee) == (None, None, None)


@pytest.mark.parametrize(
    "change", [{"due": NEXT}, {"assignee": ()}, {"due": Span(DAY, DAY)}, {"due": None}]
)
def test_whoever_changes_what_a_task_was_made_with_changes_its_seed(
    change: dict[str, Value],
) -> None:
    made: dict[str, Value] = {"due": DAY, "assignee": (ANN,)}
    seed = seed_of("Call", (ANN,), DAY)
    task = replace(row("tasks", "t", title="Call"), fields=made)
    assert read_task(task, UTC).seed == seed
    assert read_task(replace(task, fields=made | change), UTC).seed != seed
    assert read_task(replace(task, title="Ring"), UTC).seed != seed


def test_of_copies_the_oldest_stands_and_rows_of_people_have_no_key() -> None:
    old = read_plan(row("plans", "plan:u1:2026-11", target=Decimal(1)))
    copy = read_plan(row("plans", "plan:u1:2026-11", target=Decimal(2)))
    own = read_plan(row("plans", "a page", worker=False))
    assert by_key((old, copy, own)) == {"plan:u1:2026-11": old}


@pytest.mark.parametrize("subject", ["c1", "a:b", "firm"])
def test_a_key_tells_what_it_is_of(subject: str) -> None:
    about = Ref("clients", subject)
    assert read_key(risk_key("money.late", about)) == ("money.late", subject)
    assert read_key(task_key("next_step", about)) == ("next_step", subject)


@pytest.mark.parametrize("period", [quarter_of(DAY), month_of(DAY), week_of(DAY)])
def test_the_key_of_a_plan_tells_unit_and_period(period: Period) -> None:
    key = plan_key(Ref("units", "u1"), period)
    assert read_plan_key(key) == ("u1", period.code)
    assert read_plan_key("a page id") is None
    assert read_plan_key("risk:x:y") is None
