"""Windows in which a workspace is left alone, as they recur by the local wall clock: pure, the clock is given.

Each date has one window of each kind, whatever the clock of the zone does (`worker.daemon.calendar`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from worker.config import WEEKDAYS, Maintenance, Workspace
from worker.daemon.calendar import instant_of
from worker.domain.messages import message
from worker.domain.periods import local_day
from worker.domain.words import Words
from worker.state.pauses import Pause

_DAY = timedelta(days=1)
_AHEAD = 8
"""Dates that are looked through for the next window: a week has each weekday."""
NOBODY = message("the calendar")


class Window(msgspec.Struct, frozen=True, gc=False):
    """One window: from an instant to another (UTC), and why."""

    start: datetime
    end: datetime
    reason: str = ""


def current_window(settings: Workspace, now: datetime) -> Window | None:
    """Return the window that it is now; of several the one that ends last."""
    latest = None
    for window in _windows(settings, now):
        is_open = window.start <= now < window.end
        if is_open and (latest is None or window.end > latest.end):
            latest = window
    return latest


def next_window(settings: Workspace, now: datetime) -> Window | None:
    """Return the window that begins next."""
    first = None
    for window in _windows(settings, now):
        is_coming = window.start > now
        if is_coming and (first is None or window.start < first.start):
            first = window
    return first


def pause_of(settings: Workspace, now: datetime, words: Words) -> Pause | None:
    """Return the window that it is now as the pause it is."""
    window = current_window(settings, now)
    if window is None:
        return None
    reason = window.reason or words.say("maintenance")
    return Pause(words.say(NOBODY), window.start, window.end, reason)


def _windows(settings: Workspace, now: datetime) -> Iterator[Window]:
    zone = ZoneInfo(settings.time_zone)
    for rule in settings.maintenance:
        yield from _of_rule(rule, zone, now)


def _of_rule(rule: Maintenance, zone: ZoneInfo, now: datetime) -> Iterator[Window]:
    """Yield the windows of one rule around an instant, from the day before it on."""
    last = timedelta() if rule.start < rule.end else _DAY
    for day in _days(local_day(now, zone) - _DAY):
        if WEEKDAYS[day.weekday()] not in rule.days:
            continue
        start = instant_of(day, rule.start, zone)
        end = instant_of(day + last, rule.end, zone)
        if start is None or end is None:
            continue
        if start < end:
            yield Window(start, end, rule.reason)


def _days(first: date) -> Iterator[date]:
    day = first
    for _ in range(_AHEAD + 1):
        yield day
        day += _DAY
