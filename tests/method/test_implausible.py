"""What Jira says that cannot be is set aside and told; the rest of the card goes on (docs/method.md 1.1)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge
from tests.support.worlds import TODAY, at, card, client, issue, unit, worklog, world
from worker.domain.entities import Issue, LoggedTime
from worker.domain.messages import ENGLISH, render
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.method.capacity.demand import remaining
from worker.method.measures import CardMeasure
from worker.world.world import World

P1 = Ref("projects", "p1")
HOUR = 3600


def seen(*issues: Issue, logs: tuple[LoggedTime, ...] = ()) -> World:
    """Return a world of one running card with these issues and logs."""
    return world(client(), unit(), card(), work={"p1": issues}, logs=logs)


def measured(around: World) -> CardMeasure:
    """Return what was measured of the card."""
    return judge(around).measures.cards[P1]


def told(around: World, code: Code) -> list[Problem]:
    """Return the problems of a code."""
    return [one for one in judge(around).problems if one.code == code]


def test_an_estimate_below_zero_is_no_estimate() -> None:
    """Done are one of 1 h and one of -2 h, open is one of 3 h: two of three carry an estimate, which is less than four
    fifths, so that items are counted: 2 of 3. As it stood: (1 - 2) / (1 - 2 + 3) = -1 of 2 hours."""
    work = (
        issue(1, done=TODAY, estimate=HOUR),
        issue(2, done=TODAY, estimate=-2 * HOUR),
        issue(3, estimate=3 * HOUR),
    )
    found = measured(seen(*work))
    assert (found.by, found.progress) == ("count", Decimal("0.6667"))


def test_one_estimate_below_zero_among_many_weighs_nothing() -> None:
    """Five of six carry 1 h, of which two are done: 2 of 5 hours."""
    good = [issue(n, done=TODAY if n < 2 else None, estimate=HOUR) for n in range(5)]
    found = measured(seen(*good, issue(9, done=TODAY, estimate=-40 * HOUR)))
    assert (found.work_done, found.work_total) == (Decimal(2), Decimal(5))


def test_points_below_zero_weigh_nothing_either() -> None:
    """Five of six carry 3 points, of which one is done: 3 of 15."""
    good = [issue(n, done=TODAY if n < 1 else None, points=3.0) for n in range(5)]
    found = measured(seen(*good, issue(9, points=-8.0)))
    assert (found.work_done, found.work_total) == (Decimal(3), Decimal(15))
    assert found.work_unit == "points"


def test_time_spent_below_zero_takes_no_hours_away() -> None:
    found = measured(seen(issue(1, spent=2 * HOUR), issue(2, spent=-HOUR)))
    assert found.hours == 2


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"estimate": -HOUR}, None),
        ({"remaining": -HOUR}, None),
        ({"remaining": -HOUR, "estimate": 4 * HOUR, "spent": HOUR}, 3 * HOUR),
        ({"estimate": 4 * HOUR, "spent": -HOUR}, 4 * HOUR),
        ({"remaining": HOUR, "estimate": -HOUR}, HOUR),
    ],
)
def test_what_is_left_of_an_item_is_never_below_zero(
    fields: dict[str, Any], seconds: int | None
) -> None:
    assert remaining(issue(1, **fields)) == seconds


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("estimate", -2 * HOUR, "-2 h"),
        ("remaining", -HOUR // 2, "-0.5 h"),
        ("spent", -HOUR, "-1 h"),
        ("points", -3.0, "-3"),
    ],
)
def test_an_amount_below_zero_is_told_with_its_issue(
    field: str, value: float, shown: str
) -> None:
    fields: dict[str, Any] = {field: value}
    around = seen(issue(1), issue(7, **fields))
    (problem,) = told(around, Code.NEGATIVE_AMOUNT)
    assert render(problem.where, ENGLISH) == "ACME-7"
    assert render(problem.message, ENGLISH).startswith(shown)
    assert problem.hint


def test_an_issue_of_two_cards_is_told_once() -> None:
    around = world(
        client(),
        unit(),
        card(),
        card("p2"),
        work={"p1": [issue(7, estimate=-1)], "p2": [issue(7, estimate=-1)]},
    )
    assert len(told(around, Code.NEGATIVE_AMOUNT)) == 1


# --- work dated in days to come


def test_a_log_of_a_day_to_come_is_no_activity() -> None:
    """A log of 20 December typed on 18 November: the last thing that happened is of the 3rd."""
    work = issue(1, updated=at(TODAY - timedelta(days=15)))
    around = seen(work, logs=(worklog(date(2026, 12, 20), 3),))
    assert measured(around).last_activity == date(2026, 11, 3)
    (problem,) = told(around, Code.FUTURE_WORKLOG)
    assert render(problem.where, ENGLISH) == "ACME-1"
    assert problem.field == "started"
    assert "2026-12-20" in render(problem.message, ENGLISH)


def test_a_card_whose_last_log_is_misdated_is_stalled_all_the_same() -> None:
    work = issue(1, updated=at(TODAY - timedelta(days=20)))
    around = seen(work, logs=(worklog(date(2026, 12, 20), 3),))
    stalled = [
        fact
        for fact in judge(around).facts
        if fact.ref.key == "risk:deadline.stalled:p1"
    ]
    assert stalled


def test_a_change_dated_after_today_is_no_activity_either() -> None:
    work = (
        issue(1, updated=at(TODAY + timedelta(days=5))),
        issue(2, updated=at(TODAY - timedelta(days=2))),
    )
    assert measured(seen(*work)).last_activity == TODAY - timedelta(days=2)


def test_a_log_of_today_is_activity_and_nothing_to_tell() -> None:
    around = seen(issue(1), logs=(worklog(TODAY, 3),))
    assert measured(around).last_activity == TODAY
    assert told(around, Code.FUTURE_WORKLOG) == []


def test_a_misdated_log_is_told_until_it_is_mended() -> None:
    around = seen(issue(1), logs=(worklog(TODAY + timedelta(days=1), 3),))
    tomorrow = replace(around, today=TODAY + timedelta(days=1))
    assert len(told(around, Code.FUTURE_WORKLOG)) == 1
    assert told(tomorrow, Code.FUTURE_WORKLOG) == []
