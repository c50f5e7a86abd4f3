"""How much of the budget is spent at real latencies, in virtual time."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Semaphore

import httpx
import pytest
from gateway_rig import Script, VirtualTime, listing, make

from worker.config import NotionSettings
from worker.notion.pacer import Pacer

MINUTES = 10


class Over(Exception):
    """The time that was to be looked at is over."""


class Timeline:
    """Virtual time in which many threads wait side by side: one at a time goes on, whose time has come first."""

    def __init__(self) -> None:
        self.now = 0.0
        self._is_over = False
        self._waiting: list[tuple[float, int, Semaphore]] = []
        self._order: Iterator[int] = count()
        self._idle = Semaphore(0)

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the others go on for so long."""
        turn = Semaphore(0)
        heapq.heappush(self._waiting, (self.now + seconds, next(self._order), turn))
        self._idle.release()
        turn.acquire()
        if self._is_over:
            raise Over

    def run(self, works: Sequence[Callable[[], None]], until: float) -> None:
        """Have all begin now, and go on until this moment."""
        with ThreadPoolExecutor(len(works)) as pool:
            for work in works:
                pool.submit(self._begin, work)
                self._idle.acquire()
            while self._waiting:
                self.now, _, turn = heapq.heappop(self._waiting)
                self._is_over = self.now > until
                turn.release()
                self._idle.acquire()

    def _begin(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Over:
            self._idle.release()


def spend(settings: NotionSettings, latency: float) -> list[float]:
    """Return which share of the budget is spent in each full minute of an endless run of requests."""
    timeline = Timeline()
    pacer = Pacer(
        settings.requests,
        settings.window,
        sleep=timeline.sleep,
        monotonic=timeline.monotonic,
    )
    answers: Counter[int] = Counter()

    def work() -> None:
        while True:
            with pacer.slot():
                timeline.sleep(latency)
            answers[int(timeline.now // 60)] += 1

    width = settings.side_by_side(lambda: latency)
    timeline.run([work] * width, until=60.0 * MINUTES)
    return [answers[minute] / settings.requests for minute in range(MINUTES)]


@pytest.mark.parametrize(
    ("requests", "latency", "least"),
    [
        (600, 0.05, 0.98),
        (600, 0.3, 0.98),
        (600, 0.6, 0.95),
        (600, 1.0, 0.95),
        (180, 0.6, 0.95),
        (180, 1.0, 0.95),
    ],
)
def test_every_full_minute_is_used_at_real_latencies(
    requests: int, latency: float, least: float
) -> None:
    shares = spend(NotionSettings(requests=requests), latency)
    assert min(shares) >= least, shares
    assert max(shares) <= 1


def test_a_width_that_is_set_is_kept_and_no_budget_asks_for_too_many() -> None:
    assert NotionSettings(width=2, requests=600).side_by_side(lambda: 5.0) == 2
    assert NotionSettings(requests=600).side_by_side(lambda: 0.0) == 4
    assert NotionSettings(requests=600).side_by_side(lambda: 60.0) == 16
    assert NotionSettings(requests=10**6).side_by_side(lambda: 0.1) == 4


def test_the_latency_is_that_of_the_last_answers() -> None:
    time = VirtualTime()

    def answer(seconds: float) -> httpx.Response:
        time.now += seconds
        return listing([])

    slow = [lambda _: answer(8.0)] * 10
    quick = [lambda _: answer(0.5)] * 50
    gateway = make(Script(*slow, *quick), time=time)
    assert gateway.latency() == 0
    for _ in slow:
        gateway.children("p")
    assert gateway.latency() == pytest.approx(8)
    for _ in quick:
        gateway.children("p")
    assert gateway.latency() == pytest.approx(0.5)
