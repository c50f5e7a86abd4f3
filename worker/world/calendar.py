"""The production calendar of a country with a company's own days over it."""

from __future__ import annotations

from collections.abc import Iterable

import holidays

from worker.config import Holidays
from worker.domain.messages import literal, tell
from worker.domain.periods import WorkCalendar
from worker.errors import Code, ConfigError, Problem, Severity


def work_calendar(settings: Holidays, years: Iterable[int]) -> WorkCalendar:
    """Return the calendar of the given years: public and observed holidays, moved days off and working weekends.

    The company's `days_on` win over holidays, its `days_off` over the country's working weekends. Raises `ConfigError`
    for a country without a calendar; an empty country has no holidays.
    """
    off = frozenset(settings.days_off)
    on = frozenset(settings.days_on)
    if not settings.country:
        return WorkCalendar(off - on, on)
    try:
        country = holidays.country_holidays(
            settings.country, years=list(years), observed=True
        )
    except NotImplementedError:
        raise ConfigError(
            [
                Problem(
                    code=Code.CONFIG,
                    where=literal("config"),
                    field="calendar.country",
                    message=tell(
                        "there is no calendar for the country {country}",
                        country=repr(settings.country),
                    ),
                    hint=tell(
                        "use a two-letter code such as RU, DE or US, or leave it empty"
                    ),
                    severity=Severity.ERROR,
                )
            ]
        ) from None
    working_weekends = frozenset(getattr(country, "weekend_workdays", ()))
    return WorkCalendar((frozenset(country) | off) - on, (working_weekends - off) | on)
