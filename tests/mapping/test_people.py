"""What people write into a person's row: the week, the last day, and whose the hours are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from tests.support.english import english
from tests.support.worlds import person, ref, row, unit
from worker.domain.entities import Person
from worker.domain.values import Ref, Span, Value
from worker.errors import Problem
from worker.mapping.load import load_schema
from worker.world.allocations import allocate
from worker.world.entities import Reader, parse_week, read_person

SOURCE = load_schema().sources["people"]
U1, U2, U3 = (ref("units", key) for key in ("u1", "u2", "u3"))
UNITS = {
    U1: unit("u1", name="North"),
    U2: unit("u2", name="Unit 2"),
    U3: unit("u3", name="Север и Юг"),
}


def read(**cells: Value) -> tuple[Person, list[Problem]]:
    """Return a person as read from cells, and what is wrong with them."""
    found = replace(row("people", "anna", worker=False, title="Anna"), fields=cells)
    reader = Reader(found, SOURCE, ZoneInfo("Europe/Moscow"), {})
    return read_person(reader), reader.problems


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("8 8 8 8 0", "8 8 8 8 0 0 0"),
        ("  8   8 8 8 7,5 ", "8 8 8 8 7.5 0 0"),
        ("0 8 8 8 8 6.25", "0 8 8 8 8 6.25 0"),
        ("4 4 4 4 4 0 4", "4 4 4 4 4 0 4"),
        ("24 0 0 0 0", "24 0 0 0 0 0 0"),
    ],
)
def test_a_week_is_read_from_monday_on(text: str, days: str) -> None:
    expected = tuple(map(Decimal, days.split()))
    anna, problems = read(week=text)
    assert anna.week == expected
    assert (anna.capacity, problems) == (sum(expected), [])


@pytest.mark.parametrize(
    "text",
    [
        "8",
        "8 8 8 8",
        "8 8 8 8 8 8 8 8",
        "0 0 0 0 0",
        "8 8 8 8 25",
        "8 8 8 8 -8",
        "8 8 8 8 x",
        "8,8,8,8,0",
        "Mon-Thu 8",
        "8h 8h 8h 8h 8h",
        "٨ ٨ ٨ ٨ ٨",
        "8 8 8 8 1e1",
        "8 8 8 8 NaN",
    ],
)
def test_a_week_that_cannot_be_read_is_told_and_the_hours_a_week_count(
    text: str,
) -> None:
    anna, (problem,) = read(week=text, capacity=Decimal(40))
    assert anna.week is None
    assert anna.capacity == 40
    assert (problem.code, problem.field) == ("bad-week", "week")
    assert problem.url == "https://notion.so/anna"
    assert "8 8 8 8 0" in english(problem.hint)
    assert parse_week(text) is None


def test_hours_a_week_that_differ_from_the_days_are_told_and_the_days_count() -> None:
    anna, (problem,) = read(week="8 8 8 8 0", capacity=Decimal(40))
    assert anna.capacity == 32
    assert english(problem.message) == (
        "the days come to 32 h, the contract to 40 h a week; the days count"
    )
    assert read(week="8 8 8 8 8", capacity=Decimal(40))[1] == []


def test_a_last_day_before_the_first_is_told() -> None:
    anna, (problem,) = read(start=date(2026, 11, 10), end=date(2026, 11, 2))
    assert (problem.code, problem.field) == ("reversed-dates", "start")
    assert (anna.start, anna.end) == (None, date(2026, 11, 2))


def test_a_person_is_staff_to_the_last_day() -> None:
    span = Span(date(2026, 11, 2), date(2026, 11, 3))
    anna, problems = read(end=span)
    assert problems == []
    assert anna.is_staff(date(2026, 11, 3))
    assert not anna.is_staff(date(2026, 11, 4))
    assert read()[0].is_staff(date(2100, 1, 1))


def shared(text: str) -> tuple[tuple[tuple[Ref, Decimal], ...], list[Problem]]:
    """Return the allocation of a person of unit u1 that a cell tells, and what is wrong with it."""
    anna = person("anna", unit=U1, url="https://notion.so/anna")
    cell = row("people", "anna", worker=False, allocation=text)
    people, problems = allocate({anna.ref: anna}, [cell], UNITS)
    return people[anna.ref].allocation, problems


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("North 60 %, Unit 2 40 %", [(U1, "0.6"), (U2, "0.4")]),
        ("North: 30%; Unit 2: 70%", [(U2, "0.7"), (U1, "0.3")]),
        ("north 50 %\nсевер и  юг — 50%", [(U1, "0.5"), (U3, "0.5")]),
        ("Unit 2 33,3 %, North 33.3 %", [(U1, "0.333"), (U2, "0.333")]),
        ("North 20 %, Unit 2 30 %, North 20 %,", [(U1, "0.4"), (U2, "0.3")]),
        ("North 100%, Unit 2 0%", [(U1, "1")]),
        ("North 50 %", [(U1, "0.5")]),
        ("", []),
        ("  ", []),
    ],
)
def test_shares_of_units_are_read(text: str, shares: list[tuple[Ref, str]]) -> None:
    assert shared(text) == (tuple((unit, Decimal(part)) for unit, part in shares), [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("North 60 %, Unit 2 50 %", "the shares come to 110%"),
        ("North 60 %, North 40.5 %", "the shares come to 100.5%"),
        ("West 60 %, North 40 %", "there is no unit “West”"),
        ("Unit 60 %", "there is no unit “Unit”"),
        ("North", "cannot read “North”"),
        ("Unit 2", "cannot read “Unit 2”"),
        ("60 % North", "cannot read “60 % North”"),
        ("North 60", "cannot read “North 60”"),
        ("North 60 % and Unit 2 40 %", "cannot read “North 60 % and Unit 2 40 %”"),
    ],
)
def test_shares_that_cannot_be_taken_are_told_whole(text: str, fault: str) -> None:
    shares, (problem,) = shared(text)
    assert shares == ()
    assert (problem.code, problem.field) == ("bad-allocation", "allocation")
    assert english(problem.message) == fault
    assert problem.url == "https://notion.so/anna"


def test_a_name_of_two_units_is_nobodys() -> None:
    twin = {**UNITS, U2: unit("u2", name="NORTH ")}
    anna = person("anna")
    cell = row("people", "anna", worker=False, allocation="North 50 %")
    people, (problem,) = allocate({anna.ref: anna}, [cell], twin)
    assert people[anna.ref].allocation == ()
    assert english(problem.message) == "2 units are named “North”"
