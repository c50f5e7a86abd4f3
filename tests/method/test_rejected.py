"""Work closed as rejected leaves the scope of its card and is told (docs/method.md 1.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge
from tests.support.worlds import TODAY, card, client, issue, unit, worklog, world
from worker.domain.entities import CardWork, Issue, LoggedTime
from worker.domain.values import Ref
from worker.method.measures import CardMeasure
from worker.world.attach import attach, index_issues
from worker.world.links import LinkKind, ResolvedLink
from worker.world.world import World

P1 = Ref("projects", "p1")
START = date(2026, 11, 2)
END = date(2026, 11, 27)
"""Twenty working days, of which twelve are over."""


def refused(number: int, *, on: date = TODAY - timedelta(days=3)) -> Issue:
    """Return an old issue closed as rejected."""
    return replace(issue(number, done=on), rejected=True)


def seen(issues: Iterable[Issue], logs: Iterable[LoggedTime] = ()) -> World:
    """Return a world of one card in progress on a whole Jira project, linked as it is after a read."""
    row = card(start=START, due=END)
    link = ResolvedLink(LinkKind.PROJECT, shown="project ACME", project="ACME")
    work = attach([row], index_issues(issues, logs), {"p1": link})
    assert isinstance(work[P1], CardWork)
    return replace(world(client(), unit(), row), work=work)


def measured(around: World) -> CardMeasure:
    """Return what was measured of the card."""
    return judge(around).measures.cards[P1]


def test_half_of_a_project_rejected_is_half_of_a_project() -> None:
    """Six are done, six were closed as Won't Do in the last weeks: 6 of 6, and the scope fell by 6 of 12."""
    done = [issue(n, done=TODAY - timedelta(days=n + 1)) for n in range(6)]
    found = measured(seen([*done, *(refused(100 + n) for n in range(6))]))
    assert (found.done, found.total, found.rejected) == (6, 6, 6)
    assert found.progress == Decimal(1)
    assert found.scope_change == Decimal("-0.5000")
    assert (
        "6 issues were closed as rejected in 4 weeks and left the scope." in found.why
    )


def test_rejected_work_is_no_progress_of_what_is_open() -> None:
    """Three done and nine open are a quarter, whatever was rejected beside them."""
    work = [
        *(issue(n, done=TODAY - timedelta(days=n + 1)) for n in range(3)),
        *(issue(10 + n) for n in range(9)),
    ]
    found = measured(seen([*work, *(refused(100 + n) for n in range(12))]))
    assert found.progress == Decimal("0.2500")
    assert found.open == 9


def test_new_work_that_takes_the_place_of_rejected_work_is_no_growth() -> None:
    """Of sixteen known four weeks ago four were rejected and six are new: two more of sixteen."""
    known = [issue(n) for n in range(12)]
    new = [issue(50 + n, created=TODAY - timedelta(days=5)) for n in range(6)]
    found = measured(seen([*known, *new, *(refused(100 + n) for n in range(4))]))
    assert found.scope_change == Decimal("0.1250")


def test_what_came_and_was_rejected_in_the_same_weeks_changes_nothing() -> None:
    known = [issue(n) for n in range(12)]
    brief = replace(refused(100), created=issue(1).created + timedelta(days=95))
    found = measured(seen([*known, brief]))
    assert (found.scope_change, found.rejected_lately) == (Decimal(0), 1)


def test_what_was_rejected_long_ago_is_no_news() -> None:
    known = [issue(n) for n in range(12)]
    found = measured(seen([*known, refused(100, on=TODAY - timedelta(days=60))]))
    assert (found.scope_change, found.rejected, found.rejected_lately) == (
        Decimal(0),
        1,
        0,
    )
    assert "rejected" not in found.why


def test_rejected_work_is_no_throughput() -> None:
    """Twelve were finished in twelve weeks; forty closed as rejected are none of them: one a week."""
    work = [issue(n, done=TODAY - timedelta(weeks=n, days=1)) for n in range(12)]
    found = measured(seen([*work, issue(90), *(refused(100 + n) for n in range(40))]))
    assert found.throughput == Decimal(1)


def test_rejected_work_leaves_the_plan_it_was_in() -> None:
    """Ten were planned for twenty days; five are rejected and three of the five others done: twelve days of twelve."""
    planned = [issue(n) for n in range(10)]
    frozen = judge(replace(seen(planned), today=START)).memory
    work = [
        *(issue(n, done=START if n < 3 else None) for n in range(5)),
        *(refused(n) for n in range(5, 10)),
    ]
    assert measured(replace(seen(work), memory=frozen)).spi_t == Decimal(1)


def test_hours_spent_on_rejected_work_were_spent() -> None:
    logs = (
        worklog(TODAY - timedelta(days=9), 3, issue="1"),
        worklog(TODAY - timedelta(days=9), 4, issue="100"),
    )
    around = seen([issue(1), refused(100)], logs)
    assert measured(around).hours == 7


def test_what_was_reopened_is_work_again() -> None:
    again = replace(issue(5), rejected=False)
    assert measured(seen([issue(1), again])).total == 2


def part(number: int, parent: int, **fields: Any) -> Issue:
    """Return a sub-task of an issue."""
    return issue(number, level=-1, type="Sub-task", parent=str(parent), **fields)


@pytest.mark.parametrize(
    ("sub_tasks", "total", "rejected"),
    [
        # Two stories stand and one is rejected with all that was below it, done or open.
        ([part(20, 2), part(21, 2, done=TODAY)], 2, 3),
        # A sub-task of a story that stands is work, one that was itself rejected is not.
        ([part(10, 1), replace(part(11, 1, done=TODAY), rejected=True)], 3, 2),
        # Whose parent nobody knows stands for itself.
        ([part(30, 99)], 3, 1),
    ],
)
def test_a_rejected_story_takes_its_sub_tasks_along(
    sub_tasks: list[Issue], total: int, rejected: int
) -> None:
    found = measured(seen([issue(1), refused(2), issue(3), *sub_tasks]))
    assert (found.total, found.rejected) == (total, rejected)


def test_sub_tasks_leave_the_scope_on_the_day_of_their_story() -> None:
    """Twelve were known; one story was rejected three days ago with an open sub-task: two of twelve left."""
    issues = [issue(n) for n in range(1, 11)]
    found = measured(seen([*issues, refused(11), part(12, 11)]))
    assert found.scope_change == Decimal("-0.1667")
    assert found.rejected_lately == 2


def test_a_story_that_was_taken_up_again_brings_its_sub_tasks_back() -> None:
    again = replace(issue(2), rejected=False)
    assert measured(seen([issue(1), again, part(20, 2)])).total == 3


def test_the_estimate_of_a_rejected_sub_task_leaves_with_it() -> None:
    """A story of 40 h is split into two of 20 h; one is done, the other one was rejected: 20 of 20 h."""
    hour = 3600
    story = issue(1, estimate=40 * hour)
    done = part(10, 1, done=TODAY - timedelta(days=1), estimate=20 * hour)
    gone = replace(part(11, 1, done=TODAY, estimate=20 * hour), rejected=True)
    found = measured(seen([story, done, gone]))
    assert found.work_done == found.work_total == 20
    assert found.work_unit == "h"


def test_hours_on_the_sub_tasks_of_a_rejected_story_were_spent() -> None:
    logs = (worklog(TODAY - timedelta(days=9), 3, issue="20"),)
    assert measured(seen([issue(1), refused(2), part(20, 2)], logs)).hours == 3


def test_a_rejected_sub_task_beside_a_story_that_carries_the_estimate_takes_nothing_away() -> (
    None
):
    """Eleven stories of 10 h; one has two sub-tasks, of which the one with 5 h of its own is rejected: still 110 h.

    Where both sub-tasks bear the hours, the story gave way to them: of 5 h and 5 h beside 100 h one left, 5 of 110.
    """
    hour = 3600
    stories = [issue(n, estimate=10 * hour) for n in range(1, 12)]
    plain = part(20, 1)
    gone = replace(
        part(21, 1, done=TODAY - timedelta(days=1), estimate=5 * hour), rejected=True
    )
    found = measured(seen([*stories, plain, gone]))
    assert found.work_total == 110
    assert found.scope_change == 0

    split = part(20, 1, estimate=5 * hour)
    found = measured(seen([*stories, split, gone]))
    assert found.work_total == 105
    assert found.scope_change == Decimal("-0.0455")
