"""The machine's clock beside the servers': every answer says in its Date header what time it is there.

A clock that is wrong makes a plan of the wrong day, and a lease that outlives the workspace. Both servers are asked in
every cycle, so that looking at their clocks costs no request. Of three clocks the two that agree are believed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from worker.errors import ClockFault, WrongClock

TOLERANCE = timedelta(minutes=5)
"""By how much clocks may differ: as much as certificates and tokens forgive."""


class Skew(msgspec.Struct, frozen=True, gc=False):
    """By how much a server's clock was ahead of ours during a run, at the least and at the most."""

    least: timedelta
    most: timedelta

    @property
    def widest(self) -> timedelta:
        """Return the one that is further off."""
        return max(self.least, self.most, key=abs)

    @property
    def is_off(self) -> bool:
        """Tell whether it is further off than clocks may be."""
        return abs(self.widest) > TOLERANCE

    @property
    def has_jumped(self) -> bool:
        """Tell whether ours was set during the run: a server's is not."""
        return self.most - self.least > TOLERANCE


def judge(skews: Mapping[str, Skew]) -> WrongClock | None:
    """Return what is wrong with the machine's clock, by the clocks of all servers that told; None when it is right."""
    off = {api: skew.widest for api, skew in skews.items() if skew.is_off}
    if any(skew.has_jumped for skew in skews.values()):
        return WrongClock(ClockFault.JUMPED, off)
    if not off or len(off) < len(skews):
        return None
    if max(off.values()) - min(off.values()) > TOLERANCE:
        return WrongClock(ClockFault.UNCLEAR, off)
    return WrongClock(ClockFault.WRONG, off)


class Clocks:
    """What the servers' clocks said in the run under way; `now` is the machine's, None where it is nobody's to judge.
    Thread-safe."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now
        self._skews: dict[str, Skew] = {}
        self._lock = threading.Lock()

    def restart(self) -> None:
        """Forget what an earlier run saw."""
        with self._lock:
            self._skews = {}

    def note(self, api: str, headers: Mapping[str, str]) -> None:
        """Take note of an answer that has just begun; one out of a cache tells of another time."""
        date = _read_date(headers.get("date"))
        if self._now is None or date is None or headers.get("age", "0") != "0":
            return
        skew = date - self._now()
        with self._lock:
            known = self._skews.get(api, Skew(skew, skew))
            self._skews[api] = Skew(min(known.least, skew), max(known.most, skew))

    def skews(self) -> dict[str, Skew]:
        """Return what is known, by service."""
        with self._lock:
            return dict(self._skews)

    def check(self) -> None:
        """Raise `WrongClock` when the machine's clock cannot be right."""
        fault = judge(self.skews())
        if fault is not None:
            raise fault

    def odd_server(self) -> tuple[str, timedelta] | None:
        """Return the service whose clock is wrong, where ours agrees with the other's, and by how much."""
        skews = self.skews()
        off = [(api, skew.widest) for api, skew in skews.items() if skew.is_off]
        return off[0] if len(off) == 1 and len(skews) > 1 else None


def _read_date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
