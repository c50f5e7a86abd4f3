"""Spending Notion's request budget without being refused.

The budget is a fixed 60-second window per connection, shared by all threads of this process, and through the state by
all processes (`worker.http.budget`); answers never say how much is left (docs/facts/notion-api.md 2.1, 2.5). A request counts from its answer on: the server saw it no later, so that
`requests` answers within any `window` seconds can never exceed the server's window, whenever that began.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from worker.http.budget import EVERYTHING, SharedBudget

_POLL = 0.02
"""Seconds between looks while every slot is taken by a request still under way."""


class Unaffordable(TimeoutError):
    """A turn comes only in `seconds`, which is longer than anybody may wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the request budget is free again in {seconds:.0f} s")
        self.seconds = seconds


class Pacer:
    """At most `requests` per `window` seconds, bursts let through; a pause stops everybody.

    `sleep` and `monotonic` must tell the same time; `shared` is the budget with what other processes spend of it.
    Thread-safe.
    """

    def __init__(
        self,
        requests: int,
        window: float,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._requests = requests
        self._window = window
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._answered: deque[float] = deque()
        self._under_way = 0
        self._paused_until = float("-inf")
        self.shared: SharedBudget | None = None
        self._granted = 0
        self._lapses = float("-inf")

    @contextmanager
    def slot(
        self, longest: float = float("inf"), part: str = EVERYTHING
    ) -> Iterator[None]:
        """Wait for the turn of a request to a part of the service, and hold it; raise `Unaffordable` when that takes
        longer than `longest` seconds."""
        self._enter(longest, part)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                self._answered.append(self._monotonic())

    def pause(self, seconds: float) -> None:
        """Let nobody start for `seconds`."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._monotonic() + seconds)
        if self.shared is not None:
            self.shared.pause(seconds)

    def tell_others(self, seconds: float, part: str) -> None:
        """Let no other process ask a part of the service for `seconds`; whoever asked here waits by itself."""
        if self.shared is not None:
            self.shared.pause(seconds, part)

    def _enter(self, longest: float, part: str) -> None:
        latest = self._monotonic() + longest
        while (delay := self._take(part)) > 0:
            if self._monotonic() + delay > latest:
                raise Unaffordable(delay)
            self._sleep(delay)

    def _take(self, part: str) -> float:
        """Take a slot and return 0, or return the seconds until the next look."""
        with self._lock:
            now = self._monotonic()
            while self._answered and self._answered[0] + self._window <= now:
                self._answered.popleft()
            if now < self._paused_until:
                return self._paused_until - now
            if self._under_way + len(self._answered) >= self._requests:
                return self._until_free(now)
            delay = self._ask_others(now, part)
            if delay <= 0:
                self._under_way += 1
            return delay

    def _until_free(self, now: float) -> float:
        return self._answered[0] + self._window - now if self._answered else _POLL

    def _ask_others(self, now: float, part: str) -> float:
        """Take a request out of our block, or reserve another one; return the seconds to wait when there is none."""
        if self.shared is None:
            return 0.0
        pause = self.shared.paused(part)
        if pause > 0:
            return pause
        if self._granted <= 0 or now >= self._lapses:
            ages = Counter(int(now - at) for at in self._answered)
            granted, seconds = self.shared.take(sorted(ages.items()), self._under_way)
            if not granted:
                return seconds
            self._granted = granted
            self._lapses = now + seconds
        self._granted -= 1
        return 0.0
