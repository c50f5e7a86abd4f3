"""Many items finished at once, by an import or a clean-up, are named and are no speed (docs/method.md 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge
from tests.support.worlds import TODAY, card, client, issue, unit, world
from worker.domain.entities import Issue, Stage
from worker.domain.values import Ref
from worker.method.delivery.bursts import leave_out
from worker.method.measures import Burst, CardMeasure, Rag
from worker.world.world import World

P1 = Ref("projects", "p1")
BEGIN = TODAY - timedelta(weeks=10)
YESTERDAY = TODAY - timedelta(days=1)


def steady(still_open: int = 20) -> list[Issue]:
    """Return ten items finished one a week, and some open ones."""
    finished = [
        issue(n, created=BEGIN, done=YESTERDAY - timedelta(weeks=n)) for n in range(10)
    ]
    return finished + [issue(100 + n, created=BEGIN) for n in range(still_open)]


def imported(count: int, day: date, first: int = 1000) -> list[Issue]:
    """Return items closed on one day."""
    return [issue(first + n, created=BEGIN, done=day) for n in range(count)]


def seen(*issues: Issue, due: date = date(2026, 12, 31)) -> World:
    """Return a world of one running card due at the end of the year."""
    return world(client(), unit(), card(due=due), work={"p1": issues})


def measured(around: World) -> CardMeasure:
    """Return what was measured of the card."""
    return judge(around).measures.cards[P1]


@pytest.mark.parametrize(
    "parts",
    [
        {TODAY - timedelta(days=2): 200},
        {TODAY - timedelta(days=2): 11},
        # Two days in a row, a weekend, and two imports of unlike size.
        {TODAY - timedelta(days=2): 120, TODAY - timedelta(days=5): 80},
        {date(2026, 11, 14): 200},
        {TODAY - timedelta(days=2): 500, TODAY - timedelta(days=20): 20},
    ],
)
def test_an_import_changes_no_date(parts: Mapping[date, int]) -> None:
    """Twenty open items at one a week are twenty weeks: April. An import of any size adds nothing to that speed; the day it
    takes out of the sample moves the date by no more than a week or two."""
    before = measured(seen(*steady()))
    batch = [
        each
        for number, (day, count) in enumerate(parts.items(), start=1)
        for each in imported(count, day, 1000 * number)
    ]
    after = measured(seen(*steady(), *batch))
    assert before.forecast is not None
    assert after.forecast is not None
    assert abs((after.forecast.p50 - before.forecast.p50).days) <= 14
    assert after.forecast.p50 > date(2027, 3, 1)
    assert after.on_time == before.on_time == 0
    assert after.rag is Rag.RED


def test_a_burst_is_named_with_its_day() -> None:
    day = TODAY - timedelta(days=2)
    outcome = judge(seen(*steady(), *imported(200, day)))
    measure = outcome.measures.cards[P1]
    assert measure.bursts == (Burst(day, 200),)
    assert (
        "200 issues were finished at once on Nov 16, 2026: no forecast rests on them."
        in measure.why
    )
    (why,) = [
        fact.why for fact in outcome.facts if fact.ref == P1 and fact.field == "p50"
    ]
    shown = {each.name: each.value for each in why.inputs}
    assert shown["finished at once"] == "200 (2026-11-16)"


def test_the_weekly_figure_leaves_a_burst_out() -> None:
    """Ten in ten weeks is one a week."""
    found = measured(seen(*steady(), *imported(200, TODAY - timedelta(days=2))))
    assert found.throughput == Decimal("1.0")


def test_a_burst_is_no_history() -> None:
    """Three items one a week and sixty at once: three are too few for a forecast, and that is what is said."""
    few = [
        issue(n, created=BEGIN, done=YESTERDAY - timedelta(weeks=n)) for n in range(3)
    ]
    around = seen(*few, *imported(60, TODAY - timedelta(days=2)), issue(99))
    evolving = card(stage=Stage.EVOLUTION, due=date(2026, 12, 31))
    found = measured(replace(around, cards={P1: evolving}))
    assert found.forecast is None
    assert "Too little history: 3 finished issues, 10 are needed." in found.why


@pytest.mark.parametrize(
    ("samples", "kept"),
    [
        # Sprints that close a dozen every second week are how this team works.
        ([1, 1, 12, 1, 1, 12, 1, 1, 12], 9),
        # Ten on one day are no burst, eleven beside single ones are.
        ([1, 0, 1, 10, 1], 5),
        ([1, 0, 1, 11, 1], 4),
        # Five times the third busiest day is still a busy day.
        ([4, 20, 4, 4], 4),
        ([4, 21, 4, 4], 3),
        ([], 0),
        ([0, 0], 2),
        ([30], 0),
    ],
)
def test_a_burst_is_far_beyond_all_but_two_days(samples: list[int], kept: int) -> None:
    left, _ = leave_out(samples, least=10, times=5)
    assert len(left) == kept
