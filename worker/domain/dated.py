"""A value that changes on days: each day keeps the one that was in force on it, so that nothing restates the past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Generic, TypeVar

import msgspec

Value = TypeVar("Value")
A_DAY = timedelta(days=1)


class Dated(msgspec.Struct, Generic[Value], frozen=True, gc=False):
    """A value from the beginning (`first`), and what it became: `changes` are (first day, value), the oldest first."""

    first: Value
    changes: tuple[tuple[date, Value], ...] = ()

    def on(self, day: date) -> Value:
        """Return the value in force on a day."""
        value = self.first
        for start, changed in self.changes:
            if start > day:
                break
            value = changed
        return value

    def values(self) -> tuple[Value, ...]:
        """Return all values it ever had, the oldest first."""
        return (self.first, *(value for _, value in self.changes))

    def spans(self, start: date, end: date) -> Iterator[tuple[date, date, Value]]:
        """Yield the stretches of days from `start` to `end` with the value in force on each."""
        value = self.on(start)
        since = start
        for day, changed in self.changes:
            if not since < day <= end:
                continue
            yield since, day - A_DAY, value
            since = day
            value = changed
        if since <= end:
            yield since, end, value
