"""Spending Notion's request budget without being refused.

The budget is a fixed 60-second window per connection, shared by all threads of this process; answers never say how
much is left (docs/facts/notion-api.md 2.1, 2.5). A request counts from its answer on: the server saw it no later, so that
`requests` answers within any `window` seconds can never exceed the server's window, whenever that began.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLL = 0.02
"""Seconds between looks while every slot is taken by a request still under way."""


class Unaffordable(TimeoutError):
    """A turn comes only in `seconds`, which is longer than anybody may wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the request budget is free again in {seconds:.0f} s")
        self.seconds = seconds


class Pacer:
    """At most `requests` per `window` seconds, bursts let through; a pause stops everybody.

    `sleep` and `monotonic` must tell the same time. Thread-safe.
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

    @contextmanager
    def slot(self, longest: float = float("inf")) -> Iterator[None]:
        """Wait for a request's turn and hold it; raise `Unaffordable` when that takes longer than `longest` seconds."""
        self._enter(longest)
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

    def _enter(self, longest: float) -> None:
        latest = self._monotonic() + longest
        while (delay := self._take()) > 0:
            if self._monotonic() + delay > latest:
                raise Unaffordable(delay)
            self._sleep(delay)

    def _take(self) -> float:
        """Take a slot and return 0, or return the seconds until the next look."""
        with self._lock:
            now = self._monotonic()
            while self._answered and self._answered[0] + self._window <= now:
                self._answered.popleft()
            if now < self._paused_until:
                return self._paused_until - now
            if self._under_way + len(self._answered) < self._requests:
                self._under_way += 1
                return 0.0
            return self._answered[0] + self._window - now if self._answered else _POLL
