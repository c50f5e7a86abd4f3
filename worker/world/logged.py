"""Work logs as the rules see them: by days of the workspace's zone, those of an item once however many cards show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, tzinfo
from typing import Any

from worker.domain.entities import LoggedTime, Worklog
from worker.domain.periods import local_day

QUARTER = 900
"""Seconds: the clocks of all zones differ by whole quarters of an hour."""


def on_days(logs: Iterable[Worklog], zone: tzinfo) -> Iterator[LoggedTime]:
    """Yield the logs, each on its day in a zone; what many have in common is one object (a third of the memory)."""
    days: dict[float, date] = {}
    known: dict[Any, Any] = {}
    for log in logs:
        quarter = log.started.timestamp() // QUARTER
        day = days.get(quarter)
        if day is None:
            day = local_day(log.started, zone)
            day = known.setdefault(day, day)
            days[quarter] = day
        yield LoggedTime(
            known.setdefault(log.issue, log.issue),
            known.setdefault(log.author, log.author),
            day,
            known.setdefault(log.seconds, log.seconds),
        )


def uncounted(logs: Iterable[LoggedTime], counted: set[str]) -> list[LoggedTime]:
    """Return the logs of items that are not among the `counted` yet, by id, and count these: a card shows all logs of an
    item or none."""
    fresh = [log for log in logs if log.issue not in counted]
    counted |= {log.issue for log in fresh}
    return fresh
