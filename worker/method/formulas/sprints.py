"""The account sprint: whole ISO weeks counted from the first of the ISO year, so that a date names its sprint.

Weeks at the end of a year that make no whole sprint belong to its last one: week 53 is no sprint of one week.
"""

from __future__ import annotations

from datetime import date
from math import ceil

from worker.domain.periods import A_WEEK, monday_of

LAST_MONTH = 12
ALWAYS_IN_LAST_WEEK = 28
"""28 December lies in the last ISO week of its year, be that the 52nd or the 53rd."""


def sprint_of(day: date, weeks: int) -> str:
    """Return the code of the sprint of `weeks` weeks that holds `day`: `2026-S24`."""
    iso = day.isocalendar()
    end_of_year = date(iso.year, LAST_MONTH, ALWAYS_IN_LAST_WEEK)
    last_week = end_of_year.isocalendar().week
    whole = last_week // weeks
    begun = ceil(iso.week / weeks)
    number = min(begun, whole)
    return f"{iso.year}-S{number:02d}"


def sprints_between(first: date, last: date, *, weeks: int) -> int:
    """Return how many sprints began after the one of `first`, up to the one of `last`."""
    began = sprint_of(first, weeks)
    codes = {began}
    monday = monday_of(first)
    while monday <= last:
        code = sprint_of(monday, weeks)
        codes.add(code)
        monday += A_WEEK
    codes.discard(began)
    return len(codes)


def next_yearly(day: date, today: date) -> date:
    """Return the next anniversary of `day`, today included; 29 February is kept on the 28th in other years."""
    coming = anniversary(day, today.year)
    if coming < today:
        return anniversary(day, today.year + 1)
    return coming


def anniversary(day: date, year: int) -> date:
    """Return a day's anniversary in a year; 29 February is kept on the 28th in other years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
