"""The account sprint: whole ISO weeks counted from the first of the ISO year, so that a date names its sprint."""

from __future__ import annotations

from datetime import date

from worker.domain.periods import A_WEEK, monday_of


def sprint_of(day: date, weeks: int) -> str:
    """Return the code of the sprint of `weeks` weeks that holds `day`: `2026-S24`."""
    iso = day.isocalendar()
    before = (iso.week - 1) // weeks
    number = before + 1
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
    anniversary = _in_year(day, today.year)
    if anniversary < today:
        return _in_year(day, today.year + 1)
    return anniversary


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
