"""When a workspace is tried again after a cycle that could not be: what a service asks, what a person has to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from worker.config import Schedule, Workspace
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.put_off import PUT_OFF, PutOff, note_failure, note_wait
from worker.cycle.report import Report
from worker.daemon.job_log import JobLog
from worker.daemon.service import WorkspaceRunner
from worker.domain.messages import tell
from worker.errors import (
    Code,
    ConfigError,
    Denied,
    Missing,
    Postponed,
    Problem,
    RaylineError,
    Rejected,
    Stopped,
    Transient,
    Unreachable,
)
from worker.plan.plan import Plan
from worker.state.store import Store

NOW = datetime(2026, 11, 17, 7, 0, tzinfo=UTC)
SCHEDULE = Schedule(delta=300, full=21_600)
POSTPONED = Postponed("jira", "GET field", "slow down", retry_after=1200)
UNREACHABLE = Unreachable(
    "jira",
    "GET field",
    tell("there is no host {host}", host="x"),
    way_out=tell("correct {side}.proxy", side="x"),
)


def config_error(code: Code) -> ConfigError:
    return ConfigError([Problem(code=code, where=tell("configuration"))])


@pytest.mark.parametrize(
    ("error", "seconds", "lasting"),
    [
        (POSTPONED, 1200, False),
        (UNREACHABLE, 900, True),
        (Denied("notion", "GET /v1/users/me"), 900, True),
        (Missing("notion", "GET /v1/pages/x"), 900, True),
        (config_error(Code.NO_ROOT_PAGE), 900, True),
        (config_error(Code.SCOPE), None, False),
        (Transient("jira", "GET field", "unavailable"), None, False),
        (Rejected("jira", "GET field", "no"), None, False),
        (ValueError("a fault of ours"), None, False),
    ],
)
def test_each_kind_of_error_puts_off_by_its_own_time(
    office: Office, error: Exception, seconds: int | None, lasting: bool
) -> None:
    office.fail(error)
    found = office.put_off()
    if seconds is None:
        assert found == PutOff()
        return
    assert found.until - office.now == timedelta(seconds=seconds)
    assert (found.lasting, found.reason) == (lasting, str(error))


@dataclass(slots=True)
class Office:
    """A runner whose cycles end as `errors` say, and write down when they were tried."""

    store: Store
    now: datetime = NOW
    errors: list[RaylineError] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    runner: WorkspaceRunner = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin as a new daemon."""
        self.runner = WorkspaceRunner(
            "studio",
            Workspace(schedule=SCHEDULE),
            self._run,
            JobLog(self.store, "studio"),
            lambda: self.now,
        )

    def fail(self, error: Exception) -> None:
        with self.store.transaction("studio") as tx:
            note_failure(tx, error, SCHEDULE, now=self.now)

    def put_off(self) -> PutOff:
        with self.store.reading("studio") as tx:
            return PUT_OFF.load(tx)

    def _run(self, order: CycleRequest, on_start: Callable[[int], None]) -> Report:
        self.orders.append(order.trigger)
        if self.errors:
            error = self.errors.pop(0)
            self.fail(error)
            raise error
        with self.store.transaction("studio") as tx:
            note_wait(tx, None, SCHEDULE, now=self.now)
        return Report(1, "studio", 0.0, {}, Plan("studio", (), (), ()))

    def beat(self, minutes: int) -> list[str]:
        """Return what was tried when a delta is due after some minutes."""
        self.now += timedelta(minutes=minutes)
        self.orders.clear()
        self.runner.work(CycleRequest(Mode.DELTA, "delta"), wait=False)
        return self.orders[:]

    def ask(self, trigger: str) -> list[str]:
        self.orders.clear()
        self.runner.work(CycleRequest(Mode.FULL, trigger))
        return self.orders[:]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield Office(store)
    store.close()


def test_beats_wait_until_the_service_said_and_then_go_on(office: Office) -> None:
    office.errors = [POSTPONED]
    assert office.beat(0) == ["delta"]
    assert office.beat(19) == []
    assert [office.ask(job) for job in ("daily", "monday", "full")] == [[], [], []]
    assert office.beat(1) == ["delta"]
    assert office.put_off() == PutOff()
    assert office.beat(5) == ["delta"]


def test_a_person_is_answered_at_once_and_frees_the_beats(office: Office) -> None:
    office.errors = [POSTPONED, POSTPONED]
    office.beat(0)
    assert office.ask("manual") == ["manual"]
    assert office.beat(10) == []
    assert office.ask("manual") == ["manual"]
    assert office.beat(1) == ["delta"]


def test_a_new_daemon_tries_what_a_person_may_have_mended_and_waits_for_services(
    office: Office,
) -> None:
    office.errors = [UNREACHABLE, UNREACHABLE, POSTPONED]
    office.beat(0)
    office.start()
    assert office.ask("start") == ["start"]
    assert office.beat(14) == []
    assert office.beat(1) == ["delta"]
    office.start()
    assert office.ask("start") == []


def test_a_stop_forgets_no_wait(office: Office) -> None:
    office.fail(POSTPONED)
    office.fail(Stopped("ended before jira"))
    assert office.put_off().until == NOW + timedelta(seconds=1200)


def test_the_same_reason_is_an_error_in_the_log_once(office: Office) -> None:
    office.errors = [UNREACHABLE, UNREACHABLE, POSTPONED]
    with capture_logs() as logs:
        for _ in range(4):
            office.beat(20)
        office.errors = [UNREACHABLE]
        office.beat(20)
    levels = [one["log_level"] for one in logs if one["event"] == "cycle.failed"]
    assert levels == ["error", "info", "error", "error"]
