"""Work logs as the rules see them: by days of the workspace's zone, those of an item once however many cards show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, tzinfo
from typing import Any

from worker.domain.entities import LoggedTime, Worklog
from worker.domain.periods import local_day

QUARTER = 15
"""Minutes: the clocks of all zones differ by whole quarters of an hour."""


def on_days(logs: Iterable[Worklog], zone: tzinfo) -> Iterator[LoggedTime]:
    """Yield the logs, each on its day in a zone; what many have in common is one object (a third of the memory)."""
    days: dict[datetime, date] = {}
    known: dict[Any, Any] = {}
    for log in logs:
        minute = log.started.minute // QUARTER * QUARTER
        quarter = log.started.replace(minute=minute, second=0, microsecond=0)
        day = days.get(quarter)
        if day is None:
            day = local_day(quarter, zone)
            day = days[quarter] = known.setdefault(day, day)
        yield LoggedTime(
            known.setdefault(log.issue, log.issue),
            known.setdefault(log.author, log.author),
            day,
            known.setdefault(log.seconds, log.seconds),
        )


def uncounted(logs: Iterable[LoggedTime], counted: set[str]) -> Iterator[LoggedTime]:
    """Yield the logs of items that are not among the `counted` yet, by id, and count these once all came: a card shows
    all logs of an item or none."""
    items: set[str] = set()
    for log in logs:
        if log.issue not in counted:
            items.add(log.issue)
            yield log
    counted |= items
