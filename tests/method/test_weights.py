"""What issues weigh: the level that carries estimates counts, and a parent never beside its sub-tasks (docs/method.md 1.1)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tests.support.outcomes import judge
from tests.support.worlds import TODAY, card, client, issue, unit, world
from worker.domain.entities import Issue
from worker.domain.values import Ref
from worker.method.formulas.flow import weigh
from worker.method.measures import CardMeasure

HOUR = 3600
MOST = Decimal("0.8")


def story(number: int, *, done: bool = False, **fields: Any) -> Issue:
    """Return a story, finished or not."""
    return issue(number, done=TODAY if done else None, **fields)


def sub_task(
    number: int, parent: int | None, *, done: bool = False, **fields: Any
) -> Issue:
    """Return a sub-task of a story; None: its story is not among the card's issues."""
    above = None if parent is None else str(parent)
    given: dict[str, Any] = {"level": -1, "type": "Sub-task", "parent": above, **fields}
    return issue(number, done=TODAY if done else None, **given)


def measured(issues: Iterable[Issue]) -> CardMeasure:
    """Return what is measured of a card with these issues."""
    seen = world(client(), unit(), card(), work={"p1": tuple(issues)})
    return judge(seen).measures.cards[Ref("projects", "p1")]


def test_stories_that_carry_points_are_weighed_without_their_sub_tasks() -> None:
    """Stories of 8 and 5 points are done, one of 1 is open with nine sub-tasks that bear no points: 13 of 14."""
    work = [
        story(1, done=True, points=8.0),
        story(2, done=True, points=5.0),
        story(3, points=1.0),
        *(sub_task(10 + n, 3) for n in range(9)),
    ]
    found = measured(work)
    assert (found.by, found.work_unit) == ("estimate", "points")
    assert (found.work_done, found.work_total) == (Decimal(13), Decimal(14))
    assert found.progress == Decimal("0.9286")
    assert (found.done, found.total) == (2, 12)


HOURS: list[tuple[str, list[Issue], int, int]] = [
    (
        "both levels carry: a story of 40 h and its two of 20 h are 40 h, of which one is done",
        [
            story(1, estimate=40 * HOUR),
            sub_task(2, 1, done=True, estimate=20 * HOUR),
            sub_task(3, 1, estimate=20 * HOUR),
        ],
        20,
        40,
    ),
    (
        "sub-tasks alone carry: 3 h of 4 h; their stories weigh nothing",
        [
            story(1),
            sub_task(2, 1, done=True, estimate=3 * HOUR),
            sub_task(3, 1, estimate=HOUR),
        ],
        3,
        4,
    ),
    (
        "half of the sub-tasks carry: the story's own 40 h are the whole",
        [
            story(1, estimate=40 * HOUR),
            sub_task(2, 1, done=True, estimate=5 * HOUR),
            sub_task(3, 1),
        ],
        0,
        40,
    ),
    (
        "each story as it is kept: one by itself, one by its sub-tasks, one without any",
        [
            story(1, done=True, estimate=8 * HOUR),
            sub_task(2, 1),
            story(3),
            sub_task(4, 3, done=True, estimate=2 * HOUR),
            sub_task(5, 3, estimate=2 * HOUR),
            story(6, estimate=4 * HOUR),
        ],
        10,
        16,
    ),
    (
        "a sub-task whose story is elsewhere counts by itself where it carries",
        [
            story(1, done=True, estimate=6 * HOUR),
            sub_task(2, None, estimate=2 * HOUR),
            sub_task(3, None),
        ],
        6,
        8,
    ),
]


@pytest.mark.parametrize(
    ("issues", "done", "total"),
    [case[1:] for case in HOURS],
    ids=[case[0] for case in HOURS],
)
def test_every_story_counts_once(issues: list[Issue], done: int, total: int) -> None:
    found = measured(issues)
    assert found.work_unit == "h"
    assert (found.work_done, found.work_total) == (Decimal(done), Decimal(total))


def test_issues_are_counted_where_no_level_carries_estimates() -> None:
    """Of two stories one has points, and no sub-task has: all six issues count."""
    work = [
        story(1, done=True, points=3.0),
        story(2),
        *(sub_task(10 + n, 2) for n in range(4)),
    ]
    found = measured(work)
    assert (found.by, found.work_done, found.work_total) == (
        "count",
        Decimal(1),
        Decimal(6),
    )


def test_a_card_of_sub_tasks_alone_needs_their_estimates() -> None:
    """Five sub-tasks whose stories are elsewhere: three with hours are too few, four are enough."""
    few = [sub_task(n, None, estimate=HOUR if n < 3 else None) for n in range(5)]
    enough = [sub_task(n, None, estimate=HOUR if n < 4 else None) for n in range(5)]
    assert measured(few).by == "count"
    assert measured(enough).work_unit == "h"


def test_the_weights_of_issues_are_zero_where_another_level_counts() -> None:
    work = [story(1, points=5.0), sub_task(2, 1), sub_task(3, 1)]
    assert weigh(work, MOST) == [Decimal(5), Decimal(0), Decimal(0)]
