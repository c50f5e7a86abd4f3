"""The production calendar of a country, or of one of its regions, with a company's own days over it."""

from __future__ import annotations

from collections.abc import Iterable

import holidays

from worker.config import Holidays
from worker.domain.messages import Text, literal, tell
from worker.domain.periods import WorkCalendar
from worker.errors import Code, ConfigError, Problem, Severity


def work_calendar(settings: Holidays, years: Iterable[int]) -> WorkCalendar:
    """Return the calendar of the given years: public and observed holidays, moved days off and working weekends.

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
    public = holidays.country_holidays(
        country, subdiv=region or None, years=list(years), observed=True
    )
    working_weekends = frozenset(getattr(public, "weekend_workdays", ()))
    return WorkCalendar((frozenset(public) | off) - on, (working_weekends - off) | on)


def find_fault(country: str) -> tuple[Text, Text] | None:
    """Return what is wrong with a country (`DE`) or region (`DE-BY`, ISO 3166-2) and the way out; None: it is known."""
    supported = holidays.list_supported_countries()
    name, region = _parts(country)
    if name not in supported:
        return (
            tell(
                "there is no calendar for the country {country}", country=repr(country)
            ),
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
        "there is no calendar for the country {country}", country=repr(country)
    ), hint


def _parts(country: str) -> tuple[str, str]:
    """Return the code of the country and the region, which stands behind a dash and may hold dashes of its own."""
    name, _, region = country.partition("-")
    return name, region
