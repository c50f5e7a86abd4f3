"""The production calendar of a country, or of one of its regions, with a company's own days over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import holidays

from worker.config import Holidays
from worker.domain.messages import Text, literal, tell
from worker.domain.periods import A_DAY, WorkCalendar
from worker.errors import Code, ConfigError, Problem, Severity

SHORTER = frozenset({"RU"})
"""Countries whose law makes the day before a holiday an hour shorter (docs/facts/definitions.md 1)."""

EVERY_YEAR = 5
"""A country that moved days in so many years in a row is taken to decree them every year."""

PLANNED_AHEAD = timedelta(weeks=26)

Moves = Mapping[int, Sequence[tuple[date, date]]]


def work_calendar(settings: Holidays, years: Iterable[int]) -> WorkCalendar:
    """Return the calendar of the given years: public and observed holidays, moved days off, working weekends, short days.

    The company's `days_on` win over holidays, its `days_off` over the country's working weekends. Raises `ConfigError`
    for a country or region without a calendar; an empty country has no holidays.
    """
    off = frozenset(settings.days_off)
    on = frozenset(settings.days_on)
    if not settings.country:
        return WorkCalendar(off - on, on)
    fault = find_fault(settings.country)
    if fault is not None:
        text, hint = fault
        raise ConfigError(
            [
                Problem(
                    code=Code.CONFIG,
                    where=literal("config"),
                    field="calendar.country",
                    message=text,
                    hint=hint,
                    severity=Severity.ERROR,
                )
            ]
        )
    country, region = _parts(settings.country)
    span = sorted(years)
    public = holidays.country_holidays(
        country, subdiv=region or None, years=span, observed=True
    )
    working_weekends = frozenset(getattr(public, "weekend_workdays", ()))
    days_off = (frozenset(public) | off) - on
    days_on = (working_weekends - off) | on
    moves = _moves(public)
    short: frozenset[date] = frozenset()
    if country in SHORTER:
        plain = holidays.country_holidays(
            country, subdiv=region or None, years=span, observed=False
        )
        moved = {day for one in moves.values() for day, _ in one}
        proper = frozenset(plain) - moved - on
        short = _shortened(WorkCalendar(days_off, days_on), proper, moves)
    undecreed = frozenset(_undecreed(moves, span))
    return WorkCalendar(
        days_off, days_on, short, undecreed.difference(settings.decreed)
    )


def _moves(public: holidays.HolidayBase) -> Moves:
    """Return the weekends that a country moved, by year: the weekday that is off, and the day it was moved from."""
    moves: dict[int, list[tuple[date, date]]] = {}
    listed = getattr(public, "special_public_holidays", {})
    for year, days in listed.items():
        several = days if days and isinstance(days[0], tuple) else (days,)
        for day in several:
            # Others than (month, day, from month, from day[, from year]) are holidays of their own.
            if len(day) >= 4:
                to_month, to_day, month, number, *other = day
                source = date(other[0] if other else year, month, number)
                to = date(year, to_month, to_day)
                moves.setdefault(year, []).append((to, source))
    return moves


def _undecreed(moves: Moves, years: Sequence[int]) -> Iterable[int]:
    """Yield the years after the last that was decreed, of a country that moves days every year up to now."""
    latest = sorted(moves)[-EVERY_YEAR:]
    if len(latest) < EVERY_YEAR or latest[-1] < years[0]:
        return
    if latest[-1] - latest[0] == EVERY_YEAR - 1:
        for year in years:
            if year > latest[-1]:
                yield year


def _shortened(
    calendar: WorkCalendar, proper: frozenset[date], moves: Moves
) -> frozenset[date]:
    """Return the working days before a holiday proper; a working weekend is as long as the day it is worked for."""
    before = {holiday - A_DAY for holiday in proper}
    worked_for = {
        source for one in moves.values() for day, source in one if day in before
    }
    return frozenset(day for day in before | worked_for if calendar.is_working(day))


def provisional_problems(calendar: WorkCalendar, today: date) -> list[Problem]:
    """Return a problem for the next year that is planned for before its days are decreed."""
    soon = today + PLANNED_AHEAD
    near = sorted(year for year in calendar.provisional if year <= soon.year)
    return [
        Problem(
            code=Code.PROVISIONAL_CALENDAR,
            where=literal("config"),
            field="calendar.decreed",
            message=tell(
                "the days moved in {year} are not known yet: plans and available hours of that year are provisional",
                year=year,
            ),
            hint=tell(
                "update Rayline when they are decreed, or write them into calendar.days_off and calendar.days_on, and the year into calendar.decreed"
            ),
            severity=Severity.INFO,
        )
        for year in near[:1]
    ]


def find_fault(country: str) -> tuple[Text, Text] | None:
    """Return what is wrong with a country (`DE`) or region (`DE-BY`, ISO 3166-2) and the way out; None: it is known."""
    supported = holidays.list_supported_countries()
    name, region = _parts(country)
    if name not in supported:
        return (
            tell("there is no calendar for the country “{country}”", country=country),
            tell(
                "use a two-letter code such as RU or DE, a region: DE-BY, or leave it empty"
            ),
        )
    regions = supported[name]
    if not region or region in regions:
        return None
    hint = tell("{country} has no regions here: write {country}", country=name)
    if regions:
        named = ", ".join(regions)
        hint = tell("regions of {country}: {regions}", country=name, regions=named)
    return tell(
        "there is no calendar for the country “{country}”", country=country
    ), hint


def _parts(country: str) -> tuple[str, str]:
    """Return the code of the country and the region, which stands behind a dash and may hold dashes of its own."""
    name, _, region = country.partition("-")
    return name, region
