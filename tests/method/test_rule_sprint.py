"""Looking back on the sprint: carried over, done, and whether the card moved (docs/method.md 6.6)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import outcome_of
from tests.support.worlds import TODAY, at, card, client, row, unit, world
from worker.domain.entities import Row, Stage
from worker.domain.values import Ref
from worker.method.measures import TaskRecord
from worker.method.run import Run
from worker.method.sprint.retrospective import record_tasks
from worker.world.memory import Closing, Memory, Occurrence, Track
from worker.world.world import World

LONG_AGO = TODAY - timedelta(days=60)
P1, NEXT = Ref("projects", "p1"), "task:next_step:p1"


def day(number: int) -> date:
    """Return the day so many days after TODAY."""
    return TODAY + timedelta(days=number)


def task(status: str = "doing", **fields: str) -> Row:
    """Return the worker's next-step task of card p1."""
    found = row("tasks", NEXT, project=(P1,), status=status)
    return replace(found, fields={**found.fields, **fields})


def seen(
    task_row: Row,
    life: Occurrence | None = None,
    *,
    stage_since: date = LONG_AGO,
    **fields: Any,
) -> World:
    """Return a world with one task, what is remembered of it, and the day its card came to its stage."""
    memory = Memory(
        tracks={f"{P1}#stage": Track("idea", stage_since)},
        occurrences={life.key: life} if life else {},
        first_run=False,
    )
    return world(
        client(),
        unit(),
        card("p1", Stage.IDEA, jira=None),
        rows={"tasks": (task_row,)},
        memory=memory,
        **fields,
    )


def record(before: World) -> TaskRecord:
    """Return the record of the only task."""
    (found,) = record_tasks(before, {}, before.memory.occurrences).value or ()
    return found


def remembered(before: World) -> Memory:
    """Return what is remembered of the rule's run."""
    run = Run(before)
    run(record_tasks, None, {}, run.occurrences)
    return outcome_of(run).memory


@pytest.mark.parametrize(
    ("opened", "carried", "to_head"),
    [
        # Sprints of two ISO weeks; S24 began on Monday 16 November, the ones before on the 2nd, on 19 and 5 October.
        (date(2026, 11, 16), 0, False),
        (date(2026, 11, 15), 1, False),
        (date(2026, 10, 19), 2, False),
        (date(2026, 10, 18), 3, True),
        (date(2026, 9, 22), 4, True),
    ],
)
def test_three_carries_bring_a_task_to_the_head_of_accounts(
    opened: date, carried: int, *, to_head: bool
) -> None:
    found = record(seen(task(), Occurrence(NEXT, opened=opened)))
    assert (found.carried, found.to_head, found.client) == (
        carried,
        to_head,
        Ref("clients", "c1"),
    )


def test_a_finished_task_is_carried_no_more() -> None:
    life = Occurrence(
        NEXT,
        opened=date(2026, 9, 22),
        closed=date(2026, 10, 20),
        closing=Closing.PERSON,
    )
    found = record(seen(task(status="done"), life))
    assert (found.carried, found.to_head, found.closed) == (
        2,
        False,
        date(2026, 10, 20),
    )


@pytest.mark.parametrize(
    ("status", "closed", "closing", "stage_since", "stuck"),
    [
        ("done", day(-14), Closing.PERSON, day(-60), True),
        ("done", day(-13), Closing.PERSON, day(-60), False),
        ("done", day(-20), Closing.PERSON, day(-10), False),
        ("done", day(-20), Closing.PERSON, day(-5), True),
        ("cancelled", day(-20), Closing.PERSON, day(-60), False),
        ("done", day(-20), Closing.CONDITION, day(-60), False),
        ("done", day(-20), Closing.PERSON, day(-25), False),
    ],
)
def test_a_done_task_whose_card_did_not_move_in_two_weeks_is_stuck(
    status: str, closed: date, closing: Closing, stage_since: date, *, stuck: bool
) -> None:
    life = Occurrence(NEXT, opened=day(-30), closed=closed, closing=closing)
    assert (
        record(seen(task(status=status), life, stage_since=stage_since)).stuck is stuck
    )


def test_what_the_task_says_of_the_move_is_believed() -> None:
    life = Occurrence(NEXT, opened=day(-40), closed=day(-30), closing=Closing.PERSON)
    found = record(seen(task(status="done", moved="moved to proposal"), life))
    assert (found.moved, found.stuck) == ("moved to proposal", False)


def test_a_move_is_seen_before_the_task_says_so() -> None:
    assert (
        record(seen(task(), Occurrence(NEXT, opened=day(-9)), stage_since=TODAY)).moved
        == "moved to idea"
    )


def test_a_task_closed_by_itself_today_counts_as_done() -> None:
    life = Occurrence(NEXT, opened=day(-9), closed=TODAY, closing=Closing.CONDITION)
    found = record(seen(task(status="new"), life))
    assert (found.status, found.by_itself, found.closed) == ("done", True, TODAY)


def test_a_persons_own_task_is_looked_at_like_the_workers() -> None:
    own = row(
        "tasks",
        "page",
        worker=False,
        created=day(-40),
        status="done",
        project=(P1,),
        due=day(-3),
    )
    before = seen(replace(own, edited=at(day(-20))))
    found = record(before)
    assert (found.closed, found.stuck, found.due, found.client) == (
        day(-20),
        True,
        day(-3),
        Ref("clients", "c1"),
    )
    # A later edit of the finished row is no new finish, but a row opened again forgets it.
    edited = seen(replace(own, edited=at(TODAY)))
    assert record(replace(edited, memory=remembered(before))).closed == day(-20)
    again = replace(
        edited,
        rows={"tasks": (replace(own, fields={**own.fields, "status": "doing"}),)},
    )
    reopened = remembered(replace(again, memory=remembered(before)))
    assert record(replace(edited, memory=reopened)).closed == TODAY


def test_an_earlier_occurrence_of_a_signal_is_told_by_its_row() -> None:
    life = Occurrence(NEXT, 2, opened=day(-2))
    found = record(seen(replace(task(status="cancelled"), edited=at(day(-30))), life))
    assert (found.closed, found.status) == (day(-30), "cancelled")


def test_a_task_without_a_card_is_never_stuck() -> None:
    own = row(
        "tasks",
        "page",
        worker=False,
        created=day(-40),
        status="done",
        client=(Ref("clients", "c1"),),
    )
    found = record(seen(replace(own, edited=at(day(-20)))))
    assert (found.stuck, found.moved, found.client) == (False, "", Ref("clients", "c1"))
