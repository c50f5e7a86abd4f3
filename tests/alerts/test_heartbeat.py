"""The dead man's switch hears of each run, over a real socket, and no run waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from tests.support.receivers import Receiver, receiving
from tests.support.waiting import wait_for
from tests.support.watched import NOON
from worker.alerts.heartbeat import (
    Heard,
    Look,
    Pulse,
    Signal,
    address_of,
    follow,
    pinger,
)
from worker.config import NotionSettings
from worker.state.runs import Run, RunStatus

DONE, FAILED = RunStatus.DONE, RunStatus.FAILED
REFUSED, RUNNING = RunStatus.REFUSED, RunStatus.RUNNING
MINUTE = timedelta(minutes=1)


@pytest.fixture
def switch() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@dataclass
class Switch:
    """A pulse to a switch, and what it heard."""

    pulse: Pulse
    since: datetime | None = None
    heard: Heard = field(default_factory=Heard)

    def follow(self, latest: list[Run]) -> None:
        self._tell(Look(tuple(latest), NOON, self.since))

    def rest(self, now: datetime, every: timedelta) -> None:
        self._tell(Look((), now, self.since, every))

    def _tell(self, look: Look) -> None:
        self.heard, signals = follow(self.heard, look)
        for signal in signals:
            self.pulse.put(signal)

    def join(self) -> None:
        self.pulse.join()


def pulse_to(switch: Receiver) -> Switch:
    ping = pinger(NotionSettings())
    return Switch(Pulse("studio", partial(ping, switch.url)))


def run(number: int, status: RunStatus, **more: object) -> Run:
    ended = None if status is RUNNING else NOON
    return Run(number, "delta", NOON, ended, status, **more)  # type: ignore[arg-type]


def heard(switch: Receiver, *looks: list[Run]) -> list[str]:
    """Return what the switch hears of runs at several looks, the newest run of each first."""
    pulse = pulse_to(switch)
    for latest in looks:
        pulse.follow(latest)
        pulse.join()
    return [path.removeprefix("/ping-secret-77aa") for path in switch.paths]


@pytest.mark.parametrize(
    ("status", "said"), [(DONE, ""), (FAILED, "/fail"), (REFUSED, "/fail")]
)
def test_each_run_is_told_when_it_begins_and_how_it_ended(
    switch: Receiver, status: RunStatus, said: str
) -> None:
    before = [run(1, DONE)]
    assert heard(
        switch,
        before,
        [run(2, RUNNING), *before],
        [run(2, RUNNING), *before],
        [run(2, status), *before],
        [run(2, status), *before],
    ) == ["/start", said]


def test_what_ended_before_the_first_look_is_no_news(switch: Receiver) -> None:
    assert heard(switch, [run(7, FAILED)], [run(7, FAILED)]) == []


def test_what_began_after_the_watch_is_news_at_the_first_look(switch: Receiver) -> None:
    pulse = pulse_to(switch)
    pulse.since = NOON
    pulse.follow([run(7, DONE)])
    pulse.join()
    assert switch.paths == ["/ping-secret-77aa"]


def test_of_several_runs_between_two_looks_the_last_counts(switch: Receiver) -> None:
    after = [run(5, RUNNING), run(4, DONE), run(3, FAILED), run(2, FAILED)]
    assert sorted(heard(switch, [run(2, FAILED)], after)) in (
        ["", "/start"],
        ["/start"],
    )


@pytest.mark.parametrize(
    "aside",
    [
        run(2, DONE, dry_run=True),
        run(2, DONE, scope="ACME"),
        run(2, FAILED, outcome={"stopped": True}),
    ],
)
def test_runs_that_say_nothing_of_the_schedule_are_not_told(
    switch: Receiver, aside: Run
) -> None:
    assert heard(switch, [run(1, DONE)], [aside, run(1, DONE)]) == []


def test_a_workspace_left_alone_on_purpose_shows_a_sign_of_life(
    switch: Receiver,
) -> None:
    pulse = pulse_to(switch)
    for minute in range(10):
        pulse.rest(NOON + minute * MINUTE, 5 * MINUTE)
        pulse.join()
    assert len(switch.paths) == 2


@pytest.mark.parametrize("status", [404, 429, 500])
def test_a_switch_that_refuses_is_told_once_until_it_answers_again(
    switch: Receiver, status: int
) -> None:
    pulse = pulse_to(switch)
    pulse.follow([run(1, DONE)])
    switch.status = status
    with capture_logs() as logs:
        for number in range(2, 8):
            if number == 6:
                switch.status = 200
            pulse.follow([run(number, DONE)])
            pulse.join()
    told = [line["event"] for line in logs]
    assert told == ["heartbeat.failed", "heartbeat.recovered"]
    assert "secret" not in str(logs)


def test_nobody_at_the_address_is_told_without_the_address() -> None:
    with receiving() as gone:
        url = gone.url
    reason = pinger(NotionSettings())(url, Signal.START)
    assert reason
    assert "secret" not in reason


def test_a_switch_that_hangs_delays_nobody(switch: Receiver) -> None:
    switch.answering.clear()
    pulse = pulse_to(switch)
    pulse.follow([run(1, DONE)])
    pulse.follow([run(2, RUNNING), run(1, DONE)])
    assert switch.arrived.acquire(timeout=600)
    for number in range(2, 50):
        pulse.follow([run(number, DONE)])
        pulse.follow([run(number + 1, RUNNING), run(number, DONE)])
    assert len(switch.paths) == 1
    switch.answering.set()
    pulse.join()
    wait_for(lambda: len(switch.paths) >= 2, "the last ping")
    assert len(switch.paths) <= 3


@pytest.mark.parametrize(
    ("url", "signal", "address"),
    [
        ("https://hc.example/u", Signal.SUCCESS, "https://hc.example/u"),
        ("https://hc.example/u", Signal.START, "https://hc.example/u/start"),
        ("https://hc.example/u/", Signal.FAIL, "https://hc.example/u/fail"),
        ("https://hc.example/u?rid=1", Signal.FAIL, "https://hc.example/u/fail?rid=1"),
    ],
)
def test_a_signal_ends_the_path_of_the_address(
    url: str, signal: Signal, address: str
) -> None:
    assert address_of(url, signal) == address
