"""Steady work looked at morning after morning: forecast and earned schedule (docs/method.md 1.1), counted by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge
from tests.support.worlds import TODAY, card, client, issue, unit, world
from worker.domain.entities import Issue
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref
from worker.method.measures import CardMeasure, Rag
from worker.world.memory import Baseline, Memory
from worker.world.world import World

P1 = Ref("projects", "p1")
WEEK = timedelta(weeks=1)
CALENDAR = WorkCalendar()
START = date(2026, 11, 2)
"""A Monday."""
END = date(2026, 11, 27)
"""The Friday four weeks on: twenty working days."""


def weekday(number: int, start: date = START) -> date:
    """Return the working day so many working days after the first."""
    return CALENDAR.add(start, number)


def running(*issues: Issue, today: date = TODAY, memory: Memory | None = None) -> World:
    """Return a world of one card in progress from START to END, looked at on a morning."""
    return world(
        client(),
        unit(),
        card(start=START, due=END),
        work={"p1": issues},
        today=today,
        memory=memory,
    )


def measured(seen: World) -> CardMeasure:
    """Return what was measured of the card."""
    return judge(seen).measures.cards[P1]


def one_a_day(done: int, whole: int) -> list[Issue]:
    """Return items made when the work began, of which so many are finished, one each working day."""
    finished = [issue(n, done=weekday(n), created=START) for n in range(done)]
    return finished + [issue(n, created=START) for n in range(done, whole)]


# --- forecast and due date count today alike


@pytest.mark.parametrize("done", range(10, 20))
def test_one_item_a_day_on_plan_is_sure_on_every_morning(done: int) -> None:
    """Twenty items in twenty days; `done` days are over, and twenty less `done` are left, today's among them. The items
    were made on the first day, so that no idle day is ever drawn."""
    found = measured(running(*one_a_day(done, 20), today=weekday(done)))
    assert found.forecast is not None
    assert found.on_time == 1
    assert found.forecast.p85 == END


@pytest.mark.parametrize(
    ("today", "p50"),
    [
        # Two a day, six left: three days, today among them.
        (date(2026, 11, 18), date(2026, 11, 20)),
        # From a Thursday: Thursday, Friday, Monday.
        (date(2026, 11, 19), date(2026, 11, 23)),
        # From a Saturday: no day is lost, none is won: Monday to Wednesday.
        (date(2026, 11, 21), date(2026, 11, 25)),
    ],
)
def test_the_first_day_of_a_forecast_is_today_or_the_next_working_day(
    today: date, p50: date
) -> None:
    first = CALENDAR.add(today, -10)
    items = [
        issue(number, done=weekday(number // 2, first), created=first)
        for number in range(20)
    ]
    left = [issue(100 + number, created=first) for number in range(6)]
    forecast = measured(running(*items, *left, today=today)).forecast
    assert forecast is not None
    assert (forecast.p50, forecast.p85) == (p50, p50)


def test_what_was_finished_this_morning_does_not_count_as_tomorrows_speed() -> None:
    """Ten days at one a day, ten left when the day begins: ten days from today. In the evening, with today's item done,
    nine are left and the day is over: the same end."""
    for done in (10, 11):
        found = measured(running(*one_a_day(done, 20), today=weekday(10)))
        assert found.forecast is not None
        assert (found.forecast.p50, found.on_time) == (END, Decimal(1))


def test_steady_work_on_plan_is_green_on_every_morning() -> None:
    """The colour of a project exactly on plan, with the forecast and the schedule both told."""
    for done in range(10, 20):
        seen = running(*one_a_day(done, 20), today=weekday(done))
        assert measured(seen).rag is Rag.GREEN


# --- earned schedule, to the end of yesterday


@pytest.mark.parametrize("done", range(3, 20))
def test_a_project_exactly_on_plan_has_earned_every_day_that_passed(done: int) -> None:
    assert measured(
        running(*one_a_day(done, 20), today=weekday(done))
    ).spi_t == Decimal(1)


@pytest.mark.parametrize(
    ("done", "whole", "spi"),
    [
        # Half as fast: after ten days five of twenty.
        (5, 20, "0.50"),
        # Three items earn the days of six: 3 / 10 of twenty days are six, in ten days.
        (3, 10, "0.60"),
        # Ahead: fifteen of twenty days' work in ten days.
        (15, 20, "1.50"),
    ],
)
def test_the_schedule_earned_is_that_of_the_days_that_are_over(
    done: int, whole: int, spi: str
) -> None:
    items = [issue(n, done=START if n < done else None) for n in range(whole)]
    assert measured(running(*items, today=weekday(10))).spi_t == Decimal(spi)


def test_what_is_finished_today_is_earned_today() -> None:
    """On the eleventh morning ten of twenty days have passed; the eleventh item, finished before the run, belongs to the
    eleventh day, which is not over: 10 / 10."""
    assert measured(running(*one_a_day(11, 20), today=weekday(10))).spi_t == Decimal(1)


def test_a_weekend_after_a_week_on_plan_changes_nothing() -> None:
    items = one_a_day(5, 20)
    for today in (date(2026, 11, 7), date(2026, 11, 8), date(2026, 11, 9)):
        assert measured(running(*items, today=today)).spi_t == Decimal(1)
    assert measured(running(*items, today=date(2026, 11, 10))).spi_t == Decimal("0.83")


# --- planned value by the due dates of the items


def phased(parts: Mapping[int, int], done: int) -> list[Issue]:
    """Return items due at the ends of weeks, so many by the number of the week; the first so many are finished."""
    dues = [
        START + WEEK * number - timedelta(days=3)
        for number, count in parts.items()
        for _ in range(count)
    ]
    return [
        issue(number, due=due, done=START if number < done else None)
        for number, due in enumerate(dues)
    ]


def due_by(items: list[Issue], due: date, today: date) -> World:
    """Return a world of one card of these items, due on a day."""
    return replace(running(*items, today=today), cards={P1: card(start=START, due=due)})


def test_planned_value_comes_from_the_due_dates_of_the_items() -> None:
    """Twenty items, planned 10, 20, 40, 70 and 100 % by the ends of five weeks; seven are done (35 %) at the end of the
    third: between the second (20 %) and the third (40 %), 2 + 15/20 = 2.75 weeks; 2.75 / 3 = 0.917."""
    items = phased({1: 2, 2: 2, 3: 4, 4: 6, 5: 6}, done=7)
    seen = due_by(items, date(2026, 12, 4), today=date(2026, 11, 23))
    assert measured(seen).spi_t == Decimal("0.92")


@pytest.mark.parametrize(
    ("done", "spi"),
    [
        # Back-loaded over four weeks: 1, 2, 4 and all 10. On plan, one is done after the first week.
        (1, "1.00"),
        # Two are the plan of two weeks.
        (2, "2.00"),
        # Half of the first item's week cannot be earned: nothing done is nothing earned.
        (0, "0.00"),
        # Seven stand half between four (three weeks) and ten (four): 3.5 weeks in one.
        (7, "3.50"),
    ],
)
def test_a_late_heavy_plan_expects_little_at_first(done: int, spi: str) -> None:
    items = phased({1: 1, 2: 1, 3: 2, 4: 6}, done=done)
    assert measured(running(*items, today=date(2026, 11, 9))).spi_t == Decimal(spi)


def test_items_without_a_date_are_planned_evenly() -> None:
    """Ten items are due after the second week, ten bear no date: after one week of four 5 + 2.5 of twenty are planned. Six
    are done: the curve rises by 1.5 a day in the first two weeks, so that four days are earned in five."""
    dated = [issue(n, due=date(2026, 11, 13)) for n in range(10)]
    plain = [issue(n, done=START if n < 16 else None) for n in range(10, 20)]
    seen = running(*dated, *plain, today=date(2026, 11, 9))
    assert measured(seen).spi_t == Decimal("0.80")


def test_between_two_due_dates_the_plan_rises_evenly() -> None:
    """Four of eight items are due after the first week, four after the fourth. After the second week a third of the way to
    the fourth is behind, so that with five items done (a quarter of that way) 5 + 15/4 = 8.75 of ten days are earned."""
    items = phased({1: 4, 4: 4}, done=5)
    seen = running(*items, today=date(2026, 11, 16))
    assert measured(seen).spi_t == Decimal("0.88")


def test_all_planned_work_done_before_the_date_of_the_card_is_on_time() -> None:
    """All items were due after two weeks and are done then, though the card itself has four: ten days earned in ten."""
    items = [
        issue(n, due=date(2026, 11, 13), done=date(2026, 11, 13)) for n in range(4)
    ]
    assert measured(running(*items, today=date(2026, 11, 25))).spi_t == Decimal(1)


def test_a_due_date_that_moves_later_does_not_move_the_plan() -> None:
    """Twenty items, five a week; frozen on the first day. At the end of week two five are done of ten: one week earned in
    two. All dates then move to the last day: the plan stays."""
    planned = phased({1: 5, 2: 5, 3: 5, 4: 5}, done=0)
    frozen = judge(running(*planned, today=START)).memory
    late = phased({1: 5, 2: 5, 3: 5, 4: 5}, done=5)
    today = date(2026, 11, 16)
    assert measured(running(*late, today=today, memory=frozen)).spi_t == Decimal("0.50")
    moved = [replace(each, due=END) for each in late]
    assert measured(running(*moved, today=today, memory=frozen)).spi_t == Decimal(
        "0.50"
    )


# --- the baselined scope alone earns


def test_work_added_later_earns_nothing() -> None:
    """Ten items are planned and none is done; ten are added afterwards and all are done."""
    planned = [issue(n) for n in range(10)]
    frozen = judge(running(*planned, today=START)).memory
    added = [issue(100 + n, created=weekday(3), done=weekday(4)) for n in range(10)]
    seen = running(*planned, *added, today=weekday(10), memory=frozen)
    assert measured(seen).spi_t == 0


def test_work_added_later_does_not_slow_what_was_planned() -> None:
    """Half of ten planned items in half of the time is on plan, whatever forty others say."""
    planned = [issue(n, done=START if n < 5 else None) for n in range(10)]
    frozen = judge(running(*[issue(n) for n in range(10)], today=START)).memory
    added = [issue(100 + n, created=weekday(3)) for n in range(40)]
    seen = running(*planned, *added, today=weekday(10), memory=frozen)
    assert measured(seen).spi_t == Decimal(1)


def test_planned_work_that_left_the_card_leaves_the_plan() -> None:
    """Ten planned, five were taken away: four of the five that stayed are 4/5 of twenty days, sixteen in ten."""
    frozen = judge(running(*[issue(n) for n in range(10)], today=START)).memory
    left = [issue(n, done=START if n < 4 else None) for n in range(5)]
    seen = running(*left, today=weekday(10), memory=frozen)
    assert measured(seen).spi_t == Decimal("1.60")


def test_the_clock_stops_when_the_planned_work_is_done() -> None:
    """Ten planned items are all done after ten of twenty days, and one is added that stays open: 20 / 10 for ever."""
    frozen = judge(running(*[issue(n) for n in range(10)], today=START)).memory
    done = [issue(n, done=weekday(9)) for n in range(10)]
    later = issue(100, created=weekday(12))
    for today in (weekday(13), weekday(30)):
        assert measured(
            running(*done, later, today=today, memory=frozen)
        ).spi_t == Decimal(2)


def test_a_plan_frozen_before_items_were_kept_takes_those_that_stood_then() -> None:
    """Of two items one stood when the plan was frozen; the other, made later and done, earns nothing."""
    kept = Baseline(START, START, END, 1.0)
    memory = Memory(baselines={"projects/p1": kept}, first_run=False)
    later = issue(2, created=weekday(2), done=weekday(3))
    seen = running(issue(1, created=START), later, today=weekday(10), memory=memory)
    outcome = judge(seen)
    assert outcome.measures.cards[P1].spi_t == 0
    assert set(outcome.memory.baselines["projects/p1"].items) == {"1"}


# --- what was there before the work began, and what came back


@pytest.mark.parametrize(("done", "spi"), [(5, "1.00"), (3, "0.60"), (0, "0.00")])
def test_what_was_done_before_the_start_is_no_speed(done: int, spi: str) -> None:
    """Ten items of an earlier part are done when twenty days of work on ten others begin. After ten days five of those
    should be done: 5 of 5, 3 of 5, none; never the fifteen of twenty that the card shows."""
    before = [
        issue(100 + n, done=START - WEEK, created=START - 4 * WEEK) for n in range(10)
    ]
    seen = running(*before, *one_a_day(done, 10), today=weekday(10))
    assert measured(seen).spi_t == Decimal(spi)


def test_a_plan_that_was_kept_with_them_leaves_them_out_too() -> None:
    before = [
        issue(100 + n, done=START - WEEK, created=START - 4 * WEEK) for n in range(10)
    ]
    first = running(*before, *one_a_day(0, 10), today=START)
    kept = judge(first).memory
    baseline = kept.baselines[str(P1)]
    items = {str(one.id): baseline.items[one.id] for one in one_a_day(0, 10)}
    old = {**items, **{one.id: items["0"] for one in before}}
    memory = replace(kept, baselines={str(P1): replace(baseline, items=old)})
    seen = running(*before, *one_a_day(5, 10), today=weekday(10), memory=memory)
    assert measured(seen).spi_t == Decimal("1.00")


def test_work_reopened_after_the_start_is_work_of_the_plan() -> None:
    """Nine items stand, and one of an earlier part is reopened: ten in twenty days, five of them after ten."""
    again = issue(100, created=START - 4 * WEEK)
    seen = running(again, *one_a_day(5, 9), today=weekday(10))
    assert measured(seen).spi_t == Decimal("1.00")
