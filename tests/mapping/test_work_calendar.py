"""The production calendar knows the country's days and the company's own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.support.english import english
from worker.config import Holidays
from worker.errors import ConfigError, in_words
from worker.locales import load_words
from worker.world.calendar import work_calendar

YEARS = range(2025, 2028)


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
    assert repr(country) in english(problem.message)
    assert hint in english(problem.hint)


def test_an_unknown_country_is_a_configuration_problem() -> None:
    with pytest.raises(ConfigError, match="'XX'") as caught:
        work_calendar(Holidays(country="XX"), YEARS)
    (problem,) = caught.value.problems
    russian = in_words(problem, load_words("ru", "RUB"))
    assert russian.message == "для страны 'XX' нет календаря"
    assert russian.hint.startswith("укажите двухбуквенный код")
