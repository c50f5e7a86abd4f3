"""Response steps as lines of text that people may edit, and read again for the days they are for (docs/method.md 6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache

from worker.domain.period_titles import period_title
from worker.domain.periods import A_DAY, month_of
from worker.domain.words import Words
from worker.method.measures import Step

BACK = 100
AHEAD = 200
"""Days before and after today in which a written date is looked for."""


def write_steps(steps: Iterable[Step], words: Words) -> str:
    """Return one line a step, with its month and week: `November 2026 · Week 47 · Nov 19: Call`."""
    lines = []
    for step in steps:
        heading = _heading(step.day, words)
        lines.append(f"{heading}: {step.text}")
    return "\n".join(lines)


@lru_cache(maxsize=1024)
def _heading(day: date, words: Words) -> str:
    month = period_title(month_of(day), words)
    week = words.say("Week {number}", number=day.isocalendar().week)
    written = words.day_month(day)
    return f"{month} · {week} · {written}"


def read_steps(text: str, today: date, words: Words) -> tuple[Step, ...]:
    """Return the steps whose date can be read, near enough to today; other lines are people's notes."""
    known = _dates(today, words)
    steps = []
    for line in text.splitlines():
        step = _read_step(line, known)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _read_step(line: str, known: Mapping[str, date]) -> Step | None:
    heading, _, text = line.partition(": ")
    # The date ends the heading; the month and the week before it are for the eye.
    _, _, written = heading.rpartition(" · ")
    day = known.get(written.strip())
    if day is None:
        return None
    return Step(day, text.strip())


@lru_cache(maxsize=8)
def _dates(today: date, words: Words) -> dict[str, date]:
    """Return the days near today by the way they are written."""
    dates = {}
    day = today - timedelta(days=BACK)
    last = today + timedelta(days=AHEAD)
    while day <= last:
        # With its year too: so were steps written before, and people may add it.
        for written in (words.day_month(day), words.date(day)):
            dates[written] = day
        day += A_DAY
    return dates
