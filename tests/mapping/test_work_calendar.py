"""The production calendar knows the country's days and the company's own."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.support.english import english
from worker.config import Holidays
from worker.domain.periods import even_week
from worker.errors import ConfigError, in_words
from worker.locales import load_words
from worker.world.calendar import provisional_problems, work_calendar

YEARS = range(2025, 2028)
FORTY = even_week(Decimal(40))


def test_russia_has_its_moved_days_off_and_working_saturdays() -> None:
    calendar = work_calendar(Holidays(country="RU"), YEARS)
    assert not calendar.is_working(date(2026, 1, 9)), "moved from Saturday, 3 January"
    assert not calendar.is_working(date(2026, 3, 9)), "8 March is a Sunday"
    assert not calendar.is_working(date(2026, 11, 4))
    assert calendar.is_working(date(2025, 11, 1)), "a working Saturday"
    assert not calendar.is_working(date(2026, 11, 21))


def test_the_month_of_may_2025_has_the_official_number_of_working_days() -> None:
    calendar = work_calendar(Holidays(country="RU"), YEARS)
    assert calendar.working_days(date(2025, 5, 1), date(2025, 5, 31)) == 18
    assert calendar.working_days(date(2025, 1, 1), date(2025, 12, 31)) == 247


@pytest.mark.parametrize(
    ("year", "days", "hours", "short"),
    [
        # 22 February is off for the working Saturday, 20 February, which is as long as the Monday would have been.
        (2021, 247, 1972, ["02-20", "04-30", "06-11", "11-03"]),
        (2022, 247, 1973, ["02-22", "03-05", "11-03"]),
        (2023, 247, 1973, ["02-22", "03-07", "11-03"]),
        # 2 November is worked for 30 April; 28 December for the 30th, which no holiday follows.
        (2024, 248, 1979, ["02-22", "03-07", "05-08", "06-11", "11-02"]),
        (2025, 247, 1972, ["03-07", "04-30", "06-11", "11-01"]),
        (2026, 247, 1972, ["04-30", "05-08", "06-11", "11-03"]),
    ],
)
def test_a_russian_year_has_its_official_hours(
    year: int, days: int, hours: int, short: list[str]
) -> None:
    """The norm of a 40-hour week: 8 h on each working day, an hour less on those before a holiday."""
    calendar = work_calendar(Holidays(country="RU"), [year - 1, year, year + 1])
    first, last = date(year, 1, 1), date(year, 12, 31)
    assert calendar.working_days(first, last) == days
    assert calendar.hours(FORTY, first, last) == hours == 8 * days - len(short)
    found = sorted(day for day in calendar.days_short if day.year == year)
    assert [f"{day:%m-%d}" for day in found] == short


def test_the_hours_of_a_span_are_those_of_its_days() -> None:
    calendar = work_calendar(Holidays(country="RU"), YEARS)
    week = tuple(map(Decimal, (8, 4, 0, 8, 8, 2, 0)))
    first = date(2025, 10, 20)
    days = [first + timedelta(days=number) for number in range(400)]
    for last in days[::7]:
        span = days[: days.index(last) + 1]
        expected = sum((calendar.hours_on(week, day) for day in span), Decimal(0))
        assert calendar.hours(week, first, last) == expected


@pytest.mark.parametrize("country", ["DE", "DE-BY", "FR", ""])
def test_elsewhere_no_day_is_shorter(country: str) -> None:
    calendar = work_calendar(Holidays(country=country), YEARS)
    assert calendar.days_short == frozenset()


def test_no_day_is_shorter_before_a_holiday_that_the_company_works() -> None:
    settings = Holidays(country="RU", days_on=(date(2026, 6, 12),))
    assert date(2026, 6, 11) not in work_calendar(settings, YEARS).days_short


def test_a_short_day_that_the_company_has_off_is_off() -> None:
    settings = Holidays(country="RU", days_off=(date(2026, 6, 11),))
    calendar = work_calendar(settings, YEARS)
    assert calendar.hours_on(FORTY, date(2026, 6, 11)) == 0


@pytest.mark.parametrize(
    ("country", "decreed", "provisional"),
    [
        ("RU", (), {2028, 2029}),
        ("RU", (2028,), {2029}),
        ("BY", (), {2027, 2028, 2029}),
        # Neither moves days, or does so only now and then.
        ("DE", (), set()),
        ("LV", (), set()),
        # Ukraine moved days every year, and stopped.
        ("UA", (), set()),
        ("", (), set()),
    ],
)
def test_years_whose_moved_days_are_not_decreed_are_provisional(
    country: str, decreed: tuple[int, ...], provisional: set[int]
) -> None:
    """Read from `holidays` 0.109, which knows the Russian decree for 2027 and the Belarusian one for 2026."""
    settings = Holidays(country=country, decreed=decreed)
    assert work_calendar(settings, range(2023, 2030)).provisional == provisional


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2026, 11, 18), []),
        (date(2027, 7, 2), []),
        (date(2027, 7, 3), ["2028"]),
        (date(2028, 3, 1), ["2028"]),
        (date(2028, 12, 1), ["2028"]),
    ],
)
def test_a_provisional_year_is_told_once_and_half_a_year_ahead(
    today: date, told: list[str]
) -> None:
    """26 weeks before Saturday, 1 January 2028, is 3 July 2027."""
    calendar = work_calendar(Holidays(country="RU"), range(2024, 2031))
    problems = provisional_problems(calendar, today)
    assert [english(one.message).split()[4] for one in problems] == told
    assert all(one.severity == "info" for one in problems)


def test_the_company_has_the_last_word() -> None:
    settings = Holidays(
        country="RU",
        days_off=(date(2025, 11, 1), date(2026, 11, 23)),
        days_on=(date(2026, 1, 9),),
    )
    calendar = work_calendar(settings, YEARS)
    assert not calendar.is_working(date(2025, 11, 1))
    assert not calendar.is_working(date(2026, 11, 23))
    assert calendar.is_working(date(2026, 1, 9))


def test_no_country_is_weekends_only() -> None:
    calendar = work_calendar(
        Holidays(country="", days_off=(date(2026, 11, 23),)), YEARS
    )
    assert calendar.working_days(date(2026, 1, 1), date(2026, 1, 31)) == 22
    assert not calendar.is_working(date(2026, 11, 23))


@pytest.mark.parametrize(
    ("region", "country", "free"),
    [
        # Epiphany (a Tuesday) and Corpus Christi (a Thursday); All Saints is a Sunday.
        ("DE-BY", "DE", {date(2026, 1, 6), date(2026, 6, 4)}),
        # International Women's Day is a Sunday in 2026; Berlin has no other of its own.
        ("DE-BE", "DE", set()),
        # Repentance Day is the Wednesday before 23 November; Reformation Day is a Saturday.
        ("DE-SN", "DE", {date(2026, 11, 18)}),
    ],
)
def test_a_region_has_its_own_holidays_besides_those_of_its_country(
    region: str, country: str, free: set[date]
) -> None:
    whole, part = (
        work_calendar(Holidays(country=name), [2026]) for name in (country, region)
    )
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    working = {day for day in days if whole.is_working(day)}
    assert {day for day in working if not part.is_working(day)} == free


def test_the_company_has_the_last_word_in_a_region_too() -> None:
    settings = Holidays(country="DE-BY", days_on=(date(2026, 6, 4),))
    assert work_calendar(settings, YEARS).is_working(date(2026, 6, 4))


@pytest.mark.parametrize(
    ("country", "hint"),
    [
        ("DE-XX", "BB, BE, BW, BY"),
        ("RU-MOW", "RU has no regions here: write RU"),
        ("XX-BY", "DE-BY"),
    ],
)
def test_an_unknown_region_names_those_there_are(country: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        work_calendar(Holidays(country=country), YEARS)
    (problem,) = caught.value.problems
    assert f"“{country}”" in english(problem.message)
    assert hint in english(problem.hint)


def test_an_unknown_country_is_a_configuration_problem() -> None:
    with pytest.raises(ConfigError, match="“XX”") as caught:
        work_calendar(Holidays(country="XX"), YEARS)
    (problem,) = caught.value.problems
    russian = in_words(problem, load_words("ru", "RUB"))
    assert russian.message == "для страны «XX» нет календаря"
    assert russian.hint.startswith("укажите двухбуквенный код")
