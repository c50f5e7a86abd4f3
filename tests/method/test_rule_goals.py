"""Goals split into months and weeks, rolled up, and their pace against the working days (docs/method.md 5.6)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.outcomes import outcome_of
from tests.support.worlds import TODAY, unit, world
from worker.domain.entities import Goal
from worker.domain.periods import WorkCalendar, children, quarter_of
from worker.domain.values import Ref, Span, Unset, Value
from worker.method.growth.goals import measure_goals
from worker.method.growth.parts import period_of, shares
from worker.method.run import Run
from worker.world.memory import Memory
from worker.world.world import World

G1, U1, AM = Ref("goals", "g1"), Ref("units", "u1"), Ref("people", "am")
Q4 = Span(date(2026, 10, 1), date(2026, 12, 31))
OCT, NOV, DEC = (Ref("goals", f"goal:g1:2026-{month}") for month in (10, 11, 12))


def goal(page: str = "g1", **fields: Any) -> Goal:
    """Return a quarter's goal to ship 66 features."""
    return Goal(
        Ref("goals", page),
        page.upper(),
        f"https://notion.so/{page}",
        **{
            "owner": (AM,),
            "unit": U1,
            "grain": "quarter",
            "period": Q4,
            "measure": "features",
            "target": Decimal(66),
            **fields,
        },
    )


def aims(*goals: Goal, **fields: Any) -> World:
    """Return a world with goals, without holidays."""
    return world(unit(), goals={one.ref: one for one in goals}, **fields)


def facts(seen: World, ref: Ref = G1) -> dict[str, Value | Unset]:
    """Return the facts of one row."""
    found = measure_goals(seen).facts
    return {fact.field: fact.value for fact in found if fact.ref == ref}


def remembered(seen: World) -> Memory:
    """Return what is remembered of the rule's run."""
    run = Run(seen)
    run(measure_goals, None)
    return outcome_of(run).memory


def part(month: int, **fields: Any) -> Goal:
    """Return a month the worker made, as it reads afterwards."""
    start = date(2026, month, 1)
    return goal(
        f"goal:g1:2026-{month}",
        key=f"goal:g1:2026-{month}",
        **{
            "grain": "month",
            "period": Span(start, start),
            "parent": G1,
            "target": Decimal(22),
            **fields,
        },
    )


def test_a_quarter_is_split_into_its_months_and_the_weeks_of_the_running_one() -> None:
    found = measure_goals(aims(goal()))
    targets = {
        fact.ref.key: fact.value for fact in found.facts if fact.field == "target"
    }
    # Working days without holidays: October 22, November 21, December 23, 66 in all: one feature a day.
    # November's weeks: 1 (a Sunday) has none and is left out, the next four have five each, 30 (a Monday) has one.
    assert targets == {
        "goal:g1:2026-10": 22,
        "goal:g1:2026-11": 21,
        "goal:g1:2026-12": 23,
        "goal:g1:2026-11-W45": 5,
        "goal:g1:2026-11-W46": 5,
        "goal:g1:2026-11-W47": 5,
        "goal:g1:2026-11-W48": 5,
        "goal:g1:2026-11-W49": 1,
    }


def test_a_part_is_made_whole() -> None:
    made = facts(aims(goal()), NOV)
    assert made == {
        "name": "G1 · November 2026",
        "unit": (U1,),
        "owner": (AM,),
        "grain": "month",
        "measure": "features",
        "period": Span(date(2026, 11, 1), date(2026, 11, 30)),
        "rollup": None,
        "target": 21,
        "parent": (G1,),
        "rolled_up": None,
        "pace": None,
        "health": "grey",
        "why": "Nobody has entered where it stands.",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"measure": None},
        {"target": None},
        {"target": Decimal(0)},
        {"period": None},
        {"status": "reached"},
        {"status": "dropped"},
        {"period": Span(date(2026, 7, 1), date(2026, 9, 30))},
    ],
)
def test_a_goal_that_cannot_be_measured_or_is_over_is_not_split(
    fields: dict[str, Any],
) -> None:
    assert {fact.ref for fact in measure_goals(aims(goal(**fields))).facts} == {G1}


def test_a_part_that_a_person_deleted_stays_deleted_with_its_weeks() -> None:
    found = measure_goals(aims(goal(), trashed=frozenset({NOV})))
    refs = {fact.ref for fact in found.facts}
    assert refs == {G1, OCT, DEC}


def test_a_month_that_people_made_themselves_is_not_made_again() -> None:
    own = goal(
        "own",
        grain="month",
        period=Span(date(2026, 11, 1), date(2026, 11, 30)),
        parent=G1,
        target=Decimal(10),
    )
    targets = {
        fact.ref.key: fact.value
        for fact in measure_goals(aims(goal(), own)).facts
        if fact.field == "target"
    }
    assert "goal:g1:2026-11" not in targets
    # The person's month is split by its own target: ten over 21 working days of five weeks.
    parts = [value for key, value in targets.items() if key.startswith("goal:own:")]
    amounts = [value for value in parts if isinstance(value, Decimal)]
    assert amounts == parts
    assert sum(amounts) == 10


def test_a_changed_month_is_split_by_its_own_target() -> None:
    seen = aims(goal(), part(11, target=Decimal(42)))
    weeks = {
        fact.ref.key: fact.value
        for fact in measure_goals(seen).facts
        if fact.field == "target" and "W" in fact.ref.key
    }
    assert weeks["goal:g1:2026-11-W47"] == 10


@pytest.mark.parametrize(
    ("rollup", "values", "rolled"),
    [
        (None, (None, None), None),
        (None, (20, 7), 27),
        ("sum", (20, None), 20),
        ("latest", (40, 52), 52),
        ("latest", (40, None), 40),
    ],
)
def test_parts_are_summed_or_the_latest_counts(
    rollup: str | None, values: tuple[int | None, ...], rolled: int | None
) -> None:
    october, november = (None if value is None else Decimal(value) for value in values)
    seen = aims(
        goal(rollup=rollup), part(10, current=october), part(11, current=november)
    )
    assert facts(seen)["rolled_up"] == rolled


def test_weeks_roll_up_into_the_month_and_the_quarter() -> None:
    week = goal(
        "goal:g1:2026-11-W46",
        key="goal:g1:2026-11-W46",
        grain="week",
        parent=NOV,
        current=Decimal(4),
        period=Span(date(2026, 11, 9), date(2026, 11, 15)),
    )
    seen = aims(goal(), part(10, current=Decimal(20)), part(11), week)
    assert (facts(seen, NOV)["rolled_up"], facts(seen)["rolled_up"]) == (4, 24)
    dropped = replace(
        seen, goals={**seen.goals, NOV: replace(seen.goals[NOV], status="dropped")}
    )
    assert facts(dropped)["rolled_up"] == 20


def test_a_ring_of_parents_is_walked_once() -> None:
    one, two = (
        goal("g1", parent=Ref("goals", "g2")),
        goal("g2", parent=G1, current=Decimal(3)),
    )
    assert facts(aims(one, two))["rolled_up"] == 3


@pytest.mark.parametrize(
    ("value", "pace", "health"),
    [
        # 17 November is the 34th of 66 working days (October 22, November 12): 34 features were due.
        (34, "1", "green"),
        (33, "0.9706", "green"),
        (32, "0.9412", "amber"),
        (26, "0.7647", "amber"),
        (25, "0.7353", "red"),
        (0, "0", "red"),
    ],
)
def test_the_pace_is_against_the_working_days_behind_us(
    value: int, pace: str, health: str
) -> None:
    found = facts(aims(goal(current=Decimal(value))))
    assert (found["pace"], found["health"]) == (Decimal(pace), health)


def test_the_reason_holds_the_numbers() -> None:
    assert (
        facts(aims(goal(current=Decimal(25))))["why"]
        == "25 of 66 (features); 34 were due by now: pace 74%."
    )


def test_a_level_is_judged_by_the_target_itself() -> None:
    found = facts(
        aims(
            goal(
                rollup="latest", target=Decimal(50), measure="NPS", current=Decimal(40)
            )
        )
    )
    assert (found["pace"], found["health"]) == (Decimal("0.8"), "amber")
    parts = {
        fact.value
        for fact in measure_goals(aims(goal(rollup="latest"))).facts
        if fact.field == "target"
    }
    assert parts == {66}


@pytest.mark.parametrize(
    ("fields", "health", "why"),
    [
        ({"status": "dropped"}, None, "The goal was dropped."),
        ({"status": "reached"}, "green", "People say it is reached."),
        ({"measure": None}, "grey", "The goal has no measure, target or period."),
        (
            {
                "period": Span(date(2026, 11, 16), date(2026, 11, 22)),
                "grain": "week",
                "current": Decimal(1),
            },
            "red",
            "1 of 66 (features); 26.4 were due by now: pace 4%.",
        ),
        (
            {
                "period": Span(date(2027, 1, 1), date(2027, 3, 31)),
                "current": Decimal(1),
            },
            "grey",
            "Too early: 0% of the working days have passed.",
        ),
    ],
)
def test_the_colour_has_its_reason(
    fields: dict[str, Any], health: str | None, why: str
) -> None:
    found = facts(aims(goal(**fields)))
    assert (found["health"], found["why"]) == (health, why)


def test_a_colour_is_believed_on_the_second_day() -> None:
    seen = aims(goal(current=Decimal(34)))
    later = replace(seen, memory=remembered(seen), goals={G1: goal(current=Decimal(1))})
    assert facts(later)["health"] == "green"
    tomorrow = replace(later, memory=remembered(later), today=TODAY + timedelta(days=1))
    assert facts(tomorrow)["health"] == "red"


@pytest.mark.parametrize(
    ("grain", "start", "end", "code"),
    [
        (None, date(2026, 10, 1), date(2026, 12, 31), "2026-Q4"),
        (None, date(2026, 11, 1), date(2026, 11, 30), "2026-11"),
        (None, date(2026, 11, 16), date(2026, 11, 20), "2026-11-W47"),
        ("quarter", date(2026, 11, 1), date(2026, 11, 1), "2026-Q4"),
        ("decade", date(2026, 11, 1), date(2026, 11, 30), "2026-11"),
    ],
)
def test_the_period_is_of_the_grain_or_as_long_as_the_dates(
    grain: str | None, start: date, end: date, code: str
) -> None:
    found = period_of(goal(grain=grain, period=Span(start, end)))
    assert found is not None
    assert found.code == code


@given(
    st.decimals(0, 10**6, places=3, allow_nan=False),
    st.sets(st.dates(date(2026, 10, 1), date(2026, 12, 31))),
)
def test_the_parts_sum_exactly_whatever_the_target_and_the_calendar(
    target: Decimal, off: set[date]
) -> None:
    months = children(quarter_of(TODAY))
    calendar = WorkCalendar(frozenset(off))
    parts = shares(goal(target=target), months, calendar)
    assert sum(parts.values()) == target
    assert all(value >= 0 for value in parts.values())
    if target == target.to_integral_value():
        assert all(value == value.to_integral_value() for value in parts.values())


def test_the_goals_are_measured_for_the_agenda() -> None:
    found = measure_goals(aims(goal(current=Decimal(25)))).value or ()
    (own,) = [one for one in found if one.ref == G1]
    assert (own.owner, own.period.code, str(own.current)) == (AM, "2026-Q4", "25")
    assert (own.rag.value, own.status) == ("red", "open")
    assert len(found) == 9
