"""The cascade: exact to the cent for any target, calendar and pins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.worlds import TODAY
from worker.domain.money import CENT
from worker.domain.periods import Period, WorkCalendar, children, quarter_of
from worker.method.formulas.cascade import Cascade, Given, cascade

Q4 = quarter_of(TODAY)
MONTHS = children(Q4)
WEEKS = tuple(week for month in MONTHS for week in children(month))
CODES = [period.code for period in (Q4, *MONTHS, *WEEKS)]

amounts = st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100)
calendars = st.builds(
    WorkCalendar,
    st.frozensets(st.dates(Q4.start, Q4.end), max_size=40),
    st.frozensets(st.dates(Q4.start, Q4.end), max_size=5),
)
pinnings = st.dictionaries(st.sampled_from(CODES), amounts, max_size=6)


def inexact(plan: Cascade) -> set[str]:
    """Return the periods whose parts do not add up to them."""
    wrong = set()
    for period in (Q4, *MONTHS):
        parts = [plan.targets[part.code] for part in children(period)]
        if (
            plan.targets[period.code] is not None
            and sum(part or 0 for part in parts) != plan.targets[period.code]
        ):
            wrong.add(period.code)
    return wrong


@settings(max_examples=150)
@given(total=amounts, calendar=calendars, pins=pinnings)
def test_parts_sum_exactly_to_the_whole_but_for_reported_conflicts(
    total: Decimal, calendar: WorkCalendar, pins: Mapping[str, Decimal]
) -> None:
    plan = cascade(total, Q4, calendar, given=Given(CENT, pins=pins))
    assert (
        inexact(plan)
        <= {conflict.period.code for conflict in plan.conflicts} & pins.keys()
    )


@settings(max_examples=100)
@given(
    total=amounts,
    calendar=calendars,
    pins=pinnings,
    moved=st.sampled_from(CODES),
    to=amounts,
)
def test_moving_a_pin_never_changes_another_pin(
    total: Decimal,
    calendar: WorkCalendar,
    pins: dict[str, Decimal],
    moved: str,
    to: Decimal,
) -> None:
    plan = cascade(total, Q4, calendar, given=Given(CENT, pins={**pins, moved: to}))
    assert {code: plan.targets[code] for code in pins if code != moved} == {
        code: value for code, value in pins.items() if code != moved
    }
    assert plan.targets[moved] == to


@settings(max_examples=50)
@given(total=amounts, calendar=calendars)
def test_without_pins_there_is_a_conflict_only_when_nobody_works(
    total: Decimal, calendar: WorkCalendar
) -> None:
    plan = cascade(total, Q4, calendar, given=Given(CENT, pins={}))
    assert bool(plan.conflicts) == (total > 0 and calendar.in_period(Q4) == 0)


def test_months_get_their_share_by_working_days() -> None:
    # October 2026 has 22 weekdays, November 21, December 23: 66 in all; 660 is 10 a day.
    plan = cascade(Decimal(660), Q4, WorkCalendar(), given=Given(CENT, pins={}))
    assert [plan.targets[month.code] for month in MONTHS] == [220, 210, 230]
    # November's weeks: Sunday the 1st alone, then four whole weeks of 5 days and Monday the 30th.
    assert [plan.targets[week.code] for week in children(MONTHS[1])] == [
        0,
        50,
        50,
        50,
        50,
        10,
    ]


def test_a_company_day_off_moves_money_to_the_other_days() -> None:
    # 4 November off leaves 65 days: 650 is 10 a day and November gets 20 days' worth.
    plan = cascade(
        Decimal(650),
        Q4,
        WorkCalendar(frozenset({date(2026, 11, 4)})),
        given=Given(CENT, pins={}),
    )
    assert plan.targets["2026-11"] == 200
    assert plan.targets["2026-11-W45"] == 40


def test_odd_cents_go_to_the_largest_remainders() -> None:
    # 100 over 22:21:23 of 66: 33.333.., 31.818.., 34.848..; floors 33.33+31.81+34.84 leave 2 cents, for .848 and .818.
    plan = cascade(Decimal(100), Q4, WorkCalendar(), given=Given(CENT, pins={}))
    assert [plan.targets[month.code] for month in MONTHS] == [
        Decimal("33.33"),
        Decimal("31.82"),
        Decimal("34.85"),
    ]


def test_a_pinned_month_leaves_the_rest_to_its_siblings() -> None:
    # 660 - 300 = 360 over 22 + 23 = 45 days: 8 a day.
    plan = cascade(
        Decimal(660),
        Q4,
        WorkCalendar(),
        given=Given(CENT, pins={"2026-11": Decimal(300)}),
    )
    assert [plan.targets[month.code] for month in MONTHS] == [176, 300, 184]
    assert not plan.conflicts


def test_a_month_takes_what_its_pinned_weeks_need() -> None:
    # Week 46 alone asks for 400, more than November's share of 210: the others share the remaining 260 over 45 days.
    plan = cascade(
        Decimal(660),
        Q4,
        WorkCalendar(),
        given=Given(CENT, pins={"2026-11-W46": Decimal(400)}),
    )
    assert plan.targets["2026-11"] == 400
    assert plan.targets["2026-11-W45"] == 0
    assert plan.targets["2026-10"] == Decimal("127.11")
    assert inexact(plan) == set()


def test_a_pinned_month_below_its_pinned_weeks_is_a_conflict_and_both_stand() -> None:
    pins = {
        "2026-11": Decimal(100),
        "2026-11-W46": Decimal(80),
        "2026-11-W47": Decimal(70),
    }
    plan = cascade(Decimal(660), Q4, WorkCalendar(), given=Given(CENT, pins=pins))
    (conflict,) = plan.conflicts
    assert (conflict.period.code, conflict.target, conflict.below) == (
        "2026-11",
        Decimal(100),
        Decimal(150),
    )
    assert {code: plan.targets[code] for code in pins} == pins
    assert inexact(plan) == {"2026-11"}


def test_an_unpinned_quarter_gives_way_to_three_pinned_months_and_says_so() -> None:
    plan = cascade(
        Decimal(660),
        Q4,
        WorkCalendar(),
        given=Given(CENT, pins={month.code: Decimal(100) for month in MONTHS}),
    )
    assert plan.targets["2026-Q4"] == 300
    assert [conflict.period for conflict in plan.conflicts] == [Q4]
    assert inexact(plan) == set()


def test_without_a_quarter_target_only_pinned_parts_have_one() -> None:
    plan = cascade(
        None, Q4, WorkCalendar(), given=Given(CENT, pins={"2026-11": Decimal(210)})
    )
    assert plan.targets["2026-Q4"] is None
    assert plan.targets["2026-10"] is None
    assert plan.targets["2026-11-W46"] == 50


def test_the_pinned_quarter_wins_over_the_policy() -> None:
    assert (
        cascade(
            Decimal(1),
            Q4,
            WorkCalendar(),
            given=Given(CENT, pins={"2026-Q4": Decimal(660)}),
        ).targets["2026-10"]
        == 220
    )


def test_weeks_never_cross_a_month() -> None:
    assert all(week.start.month == week.end.month for week in WEEKS)
    assert (
        sum((week.end - week.start).days + 1 for week in WEEKS)
        == (Q4.end - Q4.start + timedelta(days=1)).days
    )


def test_a_quarter_is_a_period_of_three_months() -> None:
    assert [month.code for month in MONTHS] == ["2026-10", "2026-11", "2026-12"]
    assert isinstance(Q4, Period)
