"""Budgets of cards that are nearly spent, each case worked out by hand (docs/method.md 2.11)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, keys_of
from tests.support.worlds import (
    TODAY,
    applied,
    card,
    client,
    issue,
    person,
    unit,
    worklog,
    world,
)
from worker.config import Thresholds
from worker.domain.entities import Stage
from worker.domain.values import Ref
from worker.method.delivery.progress import measure_progress
from worker.method.measures import Signal
from worker.method.money.budgets import find_spent_budgets
from worker.world.world import World

TASK = "task:spend_budget:p1"
TEAM = ("dev", "eve")


def scene(hours: float, *, done: int = 7, today: date = TODAY, **fields: Any) -> World:
    """Return a card of ten items on a budget of 200,000 with hours of two people at 1,000."""
    spent = TODAY - timedelta(days=5)
    items = [
        issue(number, done=spent if number < done else None) for number in range(10)
    ]
    price = card(**{"budget": Decimal(200_000), "due": date(2027, 6, 30), **fields})
    return world(
        client(engagement="fixed_price", last_contact=TODAY),
        unit(),
        *(person(name) for name in ("am", "pm", "tl")),
        *(person(name, rate=Decimal(1000)) for name in TEAM),
        price,
        work={"p1": items},
        logs=[worklog(spent, hours / 2, author=name) for name in TEAM if hours],
        today=today,
    )


def signal(seen: World) -> Signal:
    """Return what is to be heard of the one card's budget."""
    (one,) = find_spent_budgets(seen, measure_progress(seen).value).signals
    return one


@pytest.mark.parametrize(("hours", "holds"), [(149, False), (150, True), (230, True)])
def test_three_quarters_of_a_budget_are_told(hours: float, *, holds: bool) -> None:
    assert signal(scene(hours)).holds is holds


def test_the_task_is_the_project_managers_with_its_numbers() -> None:
    """160 h are 80 % of 200,000, for seven of ten items."""
    task = facts_of(judge(scene(160)), "tasks", TASK)
    assert (
        task["name"] == "Agree how “Card p1” is finished within its budget, or on more"
    )
    assert task["assignee"] == (Ref("people", "pm"),)
    assert task["reason"] == (
        "160 h are spent: 80% of the budget of €200,000; 70% of the work is done."
    )


@pytest.mark.parametrize("model", ["tm", "retainer", "fixed_price", None])
def test_the_budget_of_any_card_counts(model: str | None) -> None:
    assert signal(scene(150, engagement=model)).holds is True


@pytest.mark.parametrize(
    "fields",
    [
        {"budget": None},
        {"stage": Stage.DONE},
        {"stage": Stage.AGREED},
        {"stage": None},
        {"done": 10},
    ],
)
def test_where_nothing_can_be_done_any_more_nothing_is_told(
    fields: dict[str, Any],
) -> None:
    assert signal(scene(150, **fields)).holds is False


def test_without_rates_it_is_not_known() -> None:
    seen = scene(150)
    nobody = {ref: replace(one, rate=None) for ref, one in seen.people.items()}
    assert signal(replace(seen, people=nobody)).holds is None
    assert signal(scene(0)).holds is False


def test_how_early_it_is_told_may_be_set() -> None:
    late = Thresholds(budget_warning=Decimal("0.9"))
    assert signal(replace(scene(150), thresholds=late)).holds is False


def test_it_is_told_once_a_crossing() -> None:
    """Done by a person, the task stays done at 80 and 90 %; a wider budget ends it, the next crossing is a new one."""
    seen = scene(160)
    seen = applied(seen, judge(seen))
    done = tuple(
        replace(row, fields={**row.fields, "status": "done"})
        if row.key == TASK
        else row
        for row in seen.rows["tasks"]
    )
    seen = replace(seen, rows={**seen.rows, "tasks": done})
    for ahead in (1, 2):
        seen = _on(applied(seen, judge(seen)), TODAY + timedelta(days=ahead))
    assert keys_like(seen) == {TASK}

    wide = {
        ref: replace(one, budget=Decimal(400_000)) for ref, one in seen.cards.items()
    }
    narrow = seen.cards
    for ahead in (3, 4, 5):
        seen = _on(replace(seen, cards=wide), TODAY + timedelta(days=ahead))
        seen = applied(seen, judge(seen))
    seen = _on(replace(seen, cards=narrow), TODAY + timedelta(days=20))
    seen = applied(seen, judge(seen))
    assert keys_like(seen) == {TASK, f"{TASK}#2"}


def _on(seen: World, day: date) -> World:
    return replace(seen, today=day)


def keys_like(seen: World) -> set[str]:
    """Return the keys of all rows of the playbook's tasks."""
    return {row.key for row in seen.rows["tasks"] if row.key.startswith(TASK)}


def test_a_card_that_is_on_its_budget_has_no_other_task_about_it() -> None:
    keys = {key for key in keys_of(judge(scene(150)), "tasks") if key.endswith(":p1")}
    assert keys == {TASK}
