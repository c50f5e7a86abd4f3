from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from gateway_rig import Script, VirtualTime, limited, listing, make

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.errors import Transient
from worker.notion.pacer import Pacer


def make_pacer(time: VirtualTime, requests: int, window: float = 60.0) -> Pacer:
    return Pacer(requests, window, sleep=time.sleep, monotonic=time.monotonic)


def test_a_burst_passes_and_the_next_request_waits_for_the_window() -> None:
    time = VirtualTime()
    pacer = make_pacer(time, 5)
    for _ in range(5):
        with pacer.slot():
            pass
    assert time.slept == []
    with pacer.slot():
        assert time.slept == [60.0]


def test_a_request_counts_from_its_answer_on() -> None:
    time = VirtualTime()
    pacer = make_pacer(time, 1)
    with pacer.slot():
        time.sleep(7)
    with pacer.slot():
        assert time.now == pytest.approx(1000 + 7 + 60)


def test_no_fixed_window_of_any_phase_ever_sees_more_than_the_budget() -> None:
    time, chance = VirtualTime(), random.Random(3)
    pacer = make_pacer(time, 20)
    arrivals: list[float] = []
    for _ in range(300):
        time.now += chance.choice((0.0, 0.0, 0.3, 11.0))
        with pacer.slot():
            arrivals.append(time.now + chance.random() * 0.5)
            time.now += 0.6
    for opening in arrivals:
        assert sum(opening <= arrival < opening + 60 for arrival in arrivals) <= 20


def test_a_pause_stops_everybody_and_a_late_turn_is_refused() -> None:
    time = VirtualTime()
    pacer = make_pacer(time, 100)
    pacer.pause(45)
    with pytest.raises(TimeoutError), pacer.slot(longest=30):
        pass
    with pacer.slot():
        assert time.now == 1045


def test_a_slot_is_given_back_when_the_call_crashes() -> None:
    pacer = make_pacer(VirtualTime(), 1, window=0.0)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt), pacer.slot():
            raise KeyboardInterrupt


def test_sixteen_threads_are_never_refused_by_the_sandbox() -> None:
    time = (
        VirtualTime()
    )  # sleeps of many threads add up: the call's own time-out is out of the way below
    sandbox = NotionSandbox(
        Clock(datetime(2026, 11, 20, tzinfo=UTC)), limit=30, real=time.monotonic
    )
    gateway = make(
        HandlerTransport(sandbox.handle),
        time=time,
        token=sandbox.token,
        requests=30,
        timeout=3600,
    )
    with ThreadPoolExecutor(16) as pool:
        assert (
            len(
                [
                    future.result()
                    for future in [pool.submit(gateway.me) for _ in range(150)]
                ]
            )
            == 150
        )
    assert all(entry.status == 200 for entry in sandbox.entries())
    assert gateway.requests() == 150


def test_a_workspace_wide_429_pauses_other_calls_too() -> None:
    time = VirtualTime()
    gateway = make(
        Script(limited(40, "public_api_space_request_rate_limit"), listing([])),
        time=time,
        seconds=1000,
    )
    gateway.children("p")
    assert time.now == 1040


def test_a_spent_budget_that_outlasts_the_deadline_is_transient() -> None:
    gateway = make(Script(listing([])), requests=1, seconds=30)
    gateway.children("p")
    with pytest.raises(Transient):
        gateway.children("p")
