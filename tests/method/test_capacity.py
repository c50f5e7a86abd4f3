"""Hours people have: by contract and in effect, of one person and of groups, and how work lies on their days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import person, ref
from worker.domain.entities import Person
from worker.domain.periods import WorkCalendar
from worker.domain.values import Span
from worker.method.capacity.load import Piece, first_run, hours, spread
from worker.method.formulas.working_time import (
    contracted,
    daily_hours,
    effective,
    full_weeks_ahead,
    full_weeks_before,
    hours_at_work,
    part_of,
)

MONDAY = date(2026, 11, 2)
"""November 2026 begins on a Sunday; its first week is 2 to 8, and Wednesday the 4th is a holiday."""

HOLIDAY = WorkCalendar(
    days_off=frozenset({date(2026, 11, 4)}), days_on=frozenset({date(2026, 11, 14)})
)
WEEK = Span(MONDAY, date(2026, 11, 8))
TWO_WEEKS = Span(MONDAY, date(2026, 11, 15))


def in_effect(somebody: Person, span: Span) -> Decimal | None:
    """Return the hours of somebody in a span with a holiday and a working Saturday."""
    return effective(somebody, span, HOLIDAY)


def test_a_holiday_takes_hours_in_effect_but_not_by_contract() -> None:
    anna = person("anna", capacity=Decimal(40))
    assert contracted(anna, WEEK) == 40
    assert in_effect(anna, WEEK) == 32


def test_a_working_saturday_gives_hours_in_effect() -> None:
    anna = person("anna", capacity=Decimal(20))
    assert contracted(anna, TWO_WEEKS) == 40
    assert in_effect(anna, TWO_WEEKS) == 40, (
        "one day lost on Wednesday, one won on Saturday"
    )


def test_time_off_is_taken_out_once_though_its_lines_overlap() -> None:
    away = (
        Span(date(2026, 11, 3), date(2026, 11, 5)),
        Span(date(2026, 11, 5), date(2026, 11, 9)),
    )
    anna = person("anna", capacity=Decimal(40), time_off=away)
    assert in_effect(anna, TWO_WEEKS) == 48, (
        "of ten days 3, 5, 6 and 9 November are free"
    )


def test_one_line_of_time_off_inside_another_counts_once() -> None:
    away = (
        Span(MONDAY, date(2026, 11, 13)),
        Span(date(2026, 11, 5), date(2026, 11, 6)),
    )
    assert hours_at_work(person("anna", time_off=away), TWO_WEEKS, HOLIDAY) == 8, (
        "the working Saturday"
    )


def test_nobody_has_hours_before_the_first_day() -> None:
    anna = person("anna", capacity=Decimal(40), start=date(2026, 11, 12))
    assert contracted(anna, TWO_WEEKS) == 16
    assert in_effect(anna, TWO_WEEKS) == 24, "Thursday, Friday and the working Saturday"
    assert contracted(anna, WEEK) == in_effect(anna, WEEK) == 0


def test_who_has_no_hours_a_week_is_unknown() -> None:
    anna = person("anna")
    assert contracted(anna, WEEK) is None
    assert in_effect(anna, WEEK) is None


@pytest.mark.parametrize(
    ("spent", "capacity", "expected"),
    [
        (Decimal(30), Decimal(40), Decimal("0.75")),
        (Decimal(30), Decimal(0), None),
        (None, Decimal(40), None),
        (Decimal(0), Decimal(40), Decimal(0)),
        (Decimal(10), None, None),
    ],
)
def test_zero_capacity_has_no_ratio(
    spent: Decimal | None, capacity: Decimal | None, expected: Decimal | None
) -> None:
    assert part_of(spent, capacity) == expected


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 11, 16), date(2026, 11, 16)),
        (date(2026, 11, 17), date(2026, 11, 23)),
        (date(2026, 11, 22), date(2026, 11, 23)),
    ],
)
def test_the_weeks_ahead_are_full_weeks(today: date, first: date) -> None:
    weeks = full_weeks_ahead(today, 2)
    assert [week.start for week in weeks] == [first, first + timedelta(days=7)]
    assert weeks[0].end == first + timedelta(days=6)


@pytest.mark.parametrize(
    "today", [date(2026, 11, 16), date(2026, 11, 18), date(2026, 11, 22)]
)
def test_the_weeks_behind_ended_before_this_one(today: date) -> None:
    assert full_weeks_before(today, 4) == Span(date(2026, 10, 19), date(2026, 11, 15))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)), max_size=5),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_the_days_of_two_spans_are_those_of_the_whole(
    away: list[tuple[int, int]], middle: int, start: int
) -> None:
    off = tuple(
        Span(MONDAY + timedelta(days=first), MONDAY + timedelta(days=first + length))
        for first, length in away
    )
    anna = person(
        "anna", capacity=Decimal(40), time_off=off, start=MONDAY + timedelta(days=start)
    )
    cut = MONDAY + timedelta(days=middle)
    whole, left = Span(MONDAY, MONDAY + timedelta(days=40)), Span(MONDAY, cut)
    right = Span(cut + timedelta(days=1), whole.end)
    assert in_effect(anna, whole) == sum(
        (hours_at_work(anna, part, HOLIDAY) for part in (left, right)), Decimal(0)
    )
    assert in_effect(anna, whole) == sum(daily_hours(anna, whole, HOLIDAY))


def test_nobody_has_hours_after_the_last_day() -> None:
    """Until Tuesday the 10th: two days of the second week, five by contract of the first."""
    anna = person("anna", capacity=Decimal(40), end=date(2026, 11, 10))
    assert contracted(anna, TWO_WEEKS) == 56
    assert in_effect(anna, TWO_WEEKS) == 48, "without Wednesday, the holiday"
    late = Span(date(2026, 11, 11), date(2026, 11, 15))
    assert contracted(anna, late) == in_effect(anna, late) == 0


def test_time_off_beyond_the_last_day_takes_nothing() -> None:
    away = (Span(date(2026, 11, 9), date(2026, 11, 20)),)
    anna = person("anna", capacity=Decimal(40), end=date(2026, 11, 10), time_off=away)
    assert in_effect(anna, TWO_WEEKS) == 32


def test_a_month_of_somebody_who_comes_and_goes() -> None:
    """From Thursday the 5th to Monday the 9th there are three working days."""
    anna = person(
        "anna", capacity=Decimal(40), start=date(2026, 11, 5), end=date(2026, 11, 9)
    )
    assert contracted(anna, TWO_WEEKS) == in_effect(anna, TWO_WEEKS) == 24


def pattern(*hours: int | str) -> tuple[Decimal, ...]:
    """Return the hours of weekdays from Monday on; the others are free."""
    return tuple(Decimal(hour) for hour in (*hours, *(0,) * (7 - len(hours))))


@pytest.mark.parametrize(
    ("week", "contract", "in_effect_of_first", "in_effect_of_both"),
    [
        # Wednesday the 4th is lost; Saturday the 14th is worked as a mean day of 32 / 5 hours.
        (pattern(8, 8, 8, 8, 0), 64, 24, Decimal("62.4")),
        # Who does not work on Wednesdays loses nothing.
        (pattern(8, 8, 0, 8, 8), 64, 32, Decimal("70.4")),
        (pattern(4, 4, 4, 4, 4), 40, 16, 40),
        # Saturday is a day of theirs, with its own hours, decreed or not.
        (pattern(0, 8, 8, 8, 8, 6), 76, 30, 68),
    ],
)
def test_a_weekly_pattern_says_which_days_are_worked(
    week: tuple[Decimal, ...],
    contract: int,
    in_effect_of_first: int,
    in_effect_of_both: Decimal,
) -> None:
    anna = person("anna", capacity=sum(week, Decimal(0)), week=week)
    assert contracted(anna, TWO_WEEKS) == contract
    assert in_effect(anna, WEEK) == in_effect_of_first
    assert in_effect(anna, TWO_WEEKS) == in_effect_of_both
    assert in_effect(anna, TWO_WEEKS) == pytest.approx(
        Decimal(sum(daily_hours(anna, TWO_WEEKS, HOLIDAY)))
    )


def test_a_holiday_on_a_working_saturday_of_the_pattern_is_free() -> None:
    saturday = WorkCalendar(days_off=frozenset({date(2026, 11, 7)}))
    anna = person("anna", capacity=Decimal(30), week=pattern(0, 6, 6, 6, 6, 6))
    assert effective(anna, WEEK, saturday) == 24


SHORT = WorkCalendar(
    days_off=frozenset({date(2026, 11, 4)}), days_short=frozenset({date(2026, 11, 3)})
)


@pytest.mark.parametrize(
    ("fields", "hours_of_the_week"),
    [
        ({"capacity": Decimal(40)}, 31),
        ({"capacity": Decimal(20)}, 15),
        # Half an hour cannot be an hour shorter.
        ({"capacity": Decimal("2.5")}, Decimal("1.5")),
        ({"capacity": Decimal(32), "week": pattern(8, 0, 8, 8, 8)}, 24),
        (
            {
                "capacity": Decimal(40),
                "time_off": (Span(date(2026, 11, 3), date(2026, 11, 3)),),
            },
            24,
        ),
    ],
)
def test_a_shortened_day_is_an_hour_shorter(
    fields: dict[str, object], hours_of_the_week: Decimal
) -> None:
    anna = person("anna", **fields)
    assert effective(anna, WEEK, SHORT) == hours_of_the_week
    assert SHORT.working_days(WEEK.start, WEEK.end) == 4, "a working day all the same"


def lie(
    *pieces: Piece, calendar: WorkCalendar = HOLIDAY, **fields: object
) -> list[Decimal]:
    """Return the hours of Anna's first three weeks under the pieces."""
    anna = person("anna", **{"capacity": Decimal(40), **fields})
    load = spread(
        pieces,
        {anna.ref: anna},
        Span(MONDAY, MONDAY + timedelta(days=20)),
        calendar=calendar,
    )[anna.ref]
    return [
        hours(
            load.within(
                Span(
                    MONDAY + timedelta(days=7 * week),
                    MONDAY + timedelta(days=7 * week + 6),
                )
            )
        )
        for week in range(3)
    ]


def piece(amount: float, start: int, end: int) -> Piece:
    """Return Anna's work between two days counted from Monday, 2 November."""
    return Piece(
        ref("people", "anna"),
        amount,
        MONDAY + timedelta(days=start),
        MONDAY + timedelta(days=end),
    )


def test_work_lies_evenly_on_the_days_at_work() -> None:
    assert lie(piece(30, 0, 13)) == [12, 18, 0], (
        "three hours on 4 days of the first week and 6 of the second"
    )


def test_work_lies_on_the_hours_of_a_pattern() -> None:
    """Monday 8 h and Tuesday 4 h a week: of 36 h of three weeks 12 a week, whatever their dates."""
    week = pattern(8, 4)
    assert lie(piece(36, 0, 20), week=week, calendar=WorkCalendar()) == [12, 12, 12]
    assert lie(piece(36, 1, 13), week=week, calendar=WorkCalendar()) == [9, 27, 0], (
        "4 h of the first week, 12 of the second"
    )


def test_work_of_somebody_who_leaves_lies_before_that() -> None:
    last = MONDAY + timedelta(days=8)
    assert lie(piece(12, 0, 20), end=last) == [8, 4, 0], "four days and two"


def test_work_waits_for_its_person_to_come_back() -> None:
    away = (Span(MONDAY, MONDAY + timedelta(days=6)),)
    assert lie(piece(30, 0, 13), time_off=away) == [0, 30, 0]


def test_work_of_somebody_away_to_its_end_lies_on_the_working_days() -> None:
    away = (Span(MONDAY, MONDAY + timedelta(days=20)),)
    assert lie(piece(20, 0, 13), time_off=away) == [8, 12, 0]


def test_work_due_on_days_off_alone_lies_on_its_last_day() -> None:
    assert lie(piece(5, 5, 6)) == [5, 0, 0]


def test_work_beyond_the_window_counts_by_its_part() -> None:
    assert lie(piece(200, 14, 27), calendar=WorkCalendar()) == [0, 0, 100]
    assert lie(piece(100, -14, 4), calendar=WorkCalendar()) == [Decimal("33.33"), 0, 0]


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.integers(0, 20), st.integers(0, 20)), max_size=6
    )
)
def test_no_hour_is_lost_inside_the_window(works: list[tuple[float, int, int]]) -> None:
    pieces = [
        piece(amount, min(first, last), max(first, last))
        for amount, first, last in works
    ]
    anna = person(
        "anna",
        capacity=Decimal(40),
        time_off=(Span(date(2026, 11, 9), date(2026, 11, 12)),),
    )
    load = spread(
        pieces,
        {anna.ref: anna},
        Span(MONDAY, MONDAY + timedelta(days=20)),
        calendar=HOLIDAY,
    )[anna.ref]
    assert load.within(Span(MONDAY, MONDAY + timedelta(days=20))) == pytest.approx(
        sum(one.hours for one in pieces)
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", None),
        ("1", None),
        ("11", (0, 1)),
        ("0110", (1, 2)),
        ("101011", (4, 5)),
        ("1110", (0, 1, 2)),
        # What cannot be told neither breaks a run nor makes it.
        ("1-1", (0, 2)),
        ("1--10", (0, 3)),
        ("1-0-1", None),
        ("-1-", None),
        ("---", None),
    ],
)
def test_the_first_long_enough_run_is_found(
    flags: str, expected: tuple[int, ...] | None
) -> None:
    told = {"1": True, "0": False, "-": None}
    assert first_run([told[flag] for flag in flags], 2) == expected
