"""When the daemon works: beats, local dates, what was missed, what people ask for; on a clock of our own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.support.waiting import LONG, wait_for
from worker.config import Schedule, Workspace
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.daemon.job_log import JobLog
from worker.daemon.service import WorkspaceRunner, next_times, serve
from worker.errors import Busy, Transient
from worker.plan.plan import Plan
from worker.state import leases, pauses, runs, triggers
from worker.state.processes import name_owner
from worker.state.store import Store
from worker.state.triggers import Order, TriggerState

MONDAY = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)  # 8:00 in Moscow
SETTINGS = Workspace(
    time_zone="Europe/Moscow",
    schedule=Schedule(
        delta=300,
        full=21_600,
        nightly=time(23, 59, 59),
        daily=time(8, 30),
        monday=time(8, 0),
    ),
)


@dataclass(slots=True)
class Office:
    """A runner whose cycles only leave a run behind; `before` is called while one is under way."""

    store: Store
    settings: Workspace = SETTINGS
    now: datetime = MONDAY
    orders: list[CycleRequest] = field(default_factory=list)
    error: Exception | None = None
    before: Callable[[], None] = lambda: None
    runner: WorkspaceRunner = field(init=False)

    def __post_init__(self) -> None:
        self.runner = WorkspaceRunner(
            "studio",
            self.settings,
            self._run,
            JobLog(self.store, "studio"),
            lambda: self.now,
        )

    def _run(self, order: CycleRequest, on_start: Callable[[int], None]) -> Report:
        self.orders.append(order)
        if isinstance(self.error, Busy):
            raise self.error
        with self.store.transaction("studio") as tx:
            number = runs.start(tx, order.trigger, now=self.now)
        on_start(number)
        self.before()
        status = runs.RunStatus.FAILED if self.error else runs.RunStatus.DONE
        with self.store.transaction("studio") as tx:
            runs.finish(
                tx,
                number,
                status,
                outcome={"mode": order.mode.value},
                requests={},
                now=self.now,
            )
        if self.error:
            raise self.error
        return Report(
            number, "studio", 0.0, {"notion": 0, "jira": 0}, Plan("studio", (), (), ())
        )

    def ask(self, scope: str = "") -> int:
        with self.store.transaction("studio") as tx:
            return triggers.ask(tx, Order(scope), now=self.now).id

    def state_of(self, number: int) -> TriggerState:
        with self.store.reading("studio") as tx:
            found = triggers.get(tx, number)
        assert found is not None
        return found.state

    def done(self) -> list[tuple[str, str]]:
        found = [(order.trigger, order.mode.value) for order in self.orders]
        self.orders.clear()
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield Office(store)
    store.close()


def test_a_calendars_job_runs_once_per_local_date(office: Office) -> None:
    office.now += timedelta(minutes=30)  # 8:30 in Moscow
    office.runner.run_jobs(["daily"])
    office.runner.run_jobs(["daily"])
    assert office.done() == [("daily", "full")]
    office.now += timedelta(hours=23, minutes=59)
    office.runner.run_jobs(["daily"])
    assert office.done() == []
    office.now += timedelta(minutes=1)
    office.runner.run_jobs(["daily"])
    assert office.done() == [("daily", "full")]


def test_a_job_that_begins_after_midnight_is_its_own_dates_and_the_next_has_its_own(
    office: Office,
) -> None:
    schedule = SETTINGS.schedule.model_copy(update={"daily": time(23, 55)})
    office.runner.settings = SETTINGS.model_copy(update={"schedule": schedule})
    office.now = datetime(2026, 11, 16, 21, 5, tzinfo=UTC)  # Tuesday, 0:05 in Moscow
    office.runner.run_jobs(["daily"])
    assert office.runner.jobs.last_date("daily") == date(2026, 11, 16)
    office.now += timedelta(hours=23, minutes=50)
    office.runner.run_jobs(["daily"])
    assert office.done() == [("daily", "full")] * 2


def test_a_calendars_job_that_failed_is_tried_again_on_the_next_beat(
    office: Office,
) -> None:
    office.error = Transient("jira", "GET /", "unavailable")
    office.runner.run_jobs(["monday"])
    assert office.done() == [("monday", "full")]
    office.error = None
    office.runner.tick(Mode.DELTA)
    assert office.done() == [("monday", "full")]
    office.runner.tick(Mode.DELTA)
    assert office.done() == [("delta", "delta")]


def test_a_start_catches_up_at_once_with_all_that_was_missed_today(
    office: Office,
) -> None:
    office.now += timedelta(hours=1)  # Monday, 9:00
    office.runner.catch_up()
    assert office.done() == [("daily, monday", "full")]
    office.runner.catch_up()
    assert office.done() == [("start", "delta")]


def test_a_start_before_the_hour_or_on_a_day_off_reads_as_much_as_is_due(
    office: Office,
) -> None:
    office.now = MONDAY - timedelta(hours=1)
    office.runner.catch_up()
    assert office.done() == [("start", "full")]
    office.now += timedelta(minutes=30)
    office.runner.catch_up()
    assert office.done() == [("start", "delta")]
    office.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday
    office.runner.catch_up()
    assert office.done() == [("start", "full")]


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2026, 3, 27), 7),
        (date(2026, 3, 30), 6),
        (date(2026, 10, 23), 6),
        (date(2026, 10, 26), 7),
    ],
)
def test_the_calendar_follows_the_wall_clock_through_summer_time(
    office: Office, day: date, utc: int
) -> None:
    berlin = office.settings.model_copy(update={"time_zone": "Europe/Berlin"})
    office.runner.settings = berlin
    office.now = datetime.combine(day, time(utc, 29), UTC)
    assert "daily" not in office.runner.missed()
    office.now += timedelta(minutes=1)
    assert "daily" in office.runner.missed()
    due = next_times(
        berlin, office.now - timedelta(minutes=5), last_full=None, last_delta=None
    )["daily"]
    assert due == datetime.combine(day, time(utc, 30), UTC)


def test_the_next_beats_count_from_the_last_success(office: Office) -> None:
    found = next_times(
        SETTINGS, MONDAY, last_full=MONDAY - timedelta(hours=1), last_delta=None
    )
    assert found["full"] == MONDAY + timedelta(hours=5)
    assert found["delta"] == MONDAY


def test_a_request_is_answered_by_a_run_of_its_client(office: Office) -> None:
    number = office.ask("Acme")
    office.runner.answer_triggers()
    assert [(order.trigger, order.scope) for order in office.orders] == [
        ("manual", "Acme")
    ]
    assert office.state_of(number) is TriggerState.DONE


def test_requests_for_several_clients_are_answered_by_one_run_of_all(
    office: Office,
) -> None:
    numbers = [office.ask("Acme"), office.ask("Beta")]
    office.runner.answer_triggers()
    assert [order.scope for order in office.orders] == [""]
    assert {office.state_of(number) for number in numbers} == {TriggerState.DONE}


def test_a_request_joins_a_run_under_way_that_covers_it_and_waits_for_one_that_does_not(
    office: Office,
) -> None:
    seen: list[TriggerState] = []

    def meanwhile() -> None:
        office.before = lambda: None
        numbers.extend([office.ask("Acme"), office.ask("Beta")])
        office.runner.answer_triggers()
        seen.extend(office.state_of(number) for number in numbers)

    numbers: list[int] = []
    office.before = meanwhile
    office.runner.work(CycleRequest(Mode.DELTA, "manual", "Acme"))
    assert seen == [TriggerState.RUNNING, TriggerState.WAITING]
    assert [office.state_of(number) for number in numbers] == [
        TriggerState.DONE,
        TriggerState.WAITING,
    ]
    office.runner.answer_triggers()
    assert [order.scope for order in office.orders] == ["Acme", "Beta"]


def test_a_request_waits_while_another_process_has_the_workspace(
    office: Office,
) -> None:
    office.error = Busy("studio", "elsewhere")
    number = office.ask()
    office.runner.answer_triggers()
    assert office.state_of(number) is TriggerState.WAITING


def test_a_cycle_that_breaks_does_not_end_the_daemon(office: Office) -> None:
    office.error = ZeroDivisionError("nobody foresaw this")
    assert office.runner.work(CycleRequest()) is None
    office.error = None
    assert office.runner.work(CycleRequest()) is not None


def test_a_delta_gives_way_to_a_cycle_under_way(office: Office) -> None:
    office.runner.jobs.mark_date("monday", MONDAY.date())
    office.before = lambda: office.runner.tick(Mode.DELTA)
    office.runner.tick(Mode.FULL)
    assert office.done() == [("full", "full")]


def test_a_full_pass_that_could_not_be_done_is_made_up_for_by_the_next_beat(
    office: Office,
) -> None:
    office.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday
    office.error = Busy("studio", "a process that died")
    office.runner.catch_up()
    office.error = None
    office.runner.tick(Mode.DELTA)
    office.runner.tick(Mode.DELTA)
    assert office.done() == [("start", "full"), ("full", "full"), ("delta", "delta")]


def test_who_looks_by_a_timer_does_what_is_due_and_nothing_else(office: Office) -> None:
    office.now = datetime(2026, 11, 17, 5, 0, tzinfo=UTC)  # 8:00 on a Tuesday
    assert office.runner.is_due()
    office.runner.attend_once()
    assert not office.runner.is_due()
    office.runner.attend_once()
    office.done()
    office.now += timedelta(minutes=31)
    office.runner.attend_once()
    assert office.done() == [("daily", "full")]
    office.now += timedelta(seconds=SETTINGS.schedule.delta)
    office.runner.attend_once()
    assert office.done() == [("delta", "delta")]


def cut_off(office: Office) -> None:
    """Leave a run behind whose process was killed."""
    with office.store.transaction("studio") as tx:
        runs.start(tx, "delta", now=office.now)


def kill(office: Office) -> None:
    """Leave a run behind that a later one finds cut off."""
    with office.store.transaction("studio") as tx:
        runs.start(tx, "delta", now=office.now)
        runs.close_lost(tx, now=office.now)


def end(office: Office) -> None:
    """Leave a run behind that was asked to end."""
    with office.store.transaction("studio") as tx:
        runs.start(tx, "delta", now=office.now)
        runs.close_lost(tx, now=office.now, reason="asked", stopped=True)


CUTS = (cut_off, kill, end)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_cycle_that_was_cut_off_is_due_again_at_once(
    office: Office, cut: Callable[[Office], None], *, earlier: bool
) -> None:
    office.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a quiet Saturday
    if earlier:
        office.runner.attend_once()
        office.done()
        office.now += timedelta(seconds=SETTINGS.schedule.quiet)
    cut(office)
    office.now += timedelta(seconds=1)
    assert office.runner.is_due()
    office.runner.attend_once()
    assert len(office.done()) == 1
    assert not office.runner.is_due()


@pytest.mark.parametrize("cut", CUTS)
def test_a_days_job_that_was_cut_off_is_due_again_at_once(
    office: Office, cut: Callable[[Office], None]
) -> None:
    office.now = datetime(2026, 11, 17, 5, 0, tzinfo=UTC)  # 8:00 on a Tuesday
    office.runner.attend_once()
    office.done()
    office.now += timedelta(minutes=31)
    cut(office)
    office.now += timedelta(seconds=1)
    office.runner.attend_once()
    assert office.done() == [("daily", "full")]


@pytest.mark.parametrize("cut", CUTS)
def test_what_cuts_every_cycle_off_is_tried_at_the_beats_pace(
    office: Office, cut: Callable[[Office], None]
) -> None:
    office.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for _ in range(3):
        cut(office)
        office.now += timedelta(seconds=1)
    assert not office.runner.is_due()
    office.now += timedelta(seconds=SETTINGS.schedule.quiet)
    assert office.runner.is_due()


@pytest.mark.parametrize("settle", [0.0, 120.0])
def test_what_a_run_left_in_doubt_is_looked_at_when_it_can_be_settled(
    office: Office, settle: float
) -> None:
    notion = SETTINGS.notion.model_copy(update={"settle": settle})
    office.runner.settings = SETTINGS.model_copy(update={"notion": notion})
    office.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    office.runner.start()
    office.done()
    with office.store.transaction("studio") as tx:
        number = runs.start(tx, "delta", now=office.now)
        runs.finish(
            tx,
            number,
            runs.RunStatus.FAILED,
            outcome={"in_doubt": 2},
            requests={},
            now=office.now,
        )
    office.now += timedelta(seconds=29)
    assert not office.runner.is_due()
    office.runner.attend()
    assert office.done() == []

    office.now += timedelta(seconds=max(settle, 30.0) - 29)
    assert office.runner.is_due()
    office.runner.attend()
    assert len(office.done()) == 1
    assert not office.runner.is_due()


def test_a_workspace_that_a_living_process_has_in_hand_is_not_due(
    office: Office,
) -> None:
    office.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    mine = name_owner()
    ttl = timedelta(days=1)
    with leases.hold(office.store, "studio", mine, ttl=ttl, now=office.store.now):
        cut_off(office)
        office.now += timedelta(seconds=1)
        assert not office.runner.is_due()
    assert office.runner.is_due()


def test_requests_in_each_look_do_not_put_off_the_days_pages(office: Office) -> None:
    office.now = datetime(2026, 11, 17, 5, 20, tzinfo=UTC)
    office.runner.attend_once()
    office.done()
    seen = []
    for _ in range(4):
        office.now += timedelta(minutes=4)
        office.ask()
        office.runner.attend_once()
        seen += [trigger for trigger, _ in office.done()]
    assert seen.count("daily") == 1
    assert seen.count("manual") == 4


def test_a_paused_workspace_is_not_due_whoever_waits(office: Office) -> None:
    office.ask()
    with office.store.transaction("studio") as tx:
        pauses.pause(tx, pauses.Pause("Ann", office.now))
    assert not office.runner.is_due()
    office.runner.attend_once()
    assert office.done() == []


@dataclass(frozen=True, slots=True)
class LateLog(JobLog):
    """A log in which somebody asks, and the other thread looks, just when a cycle's requests were answered."""

    look: Callable[[], None] = lambda: None

    def answered(self, run_id: int) -> None:
        JobLog.answered(self, run_id)
        with self.store.transaction(self.workspace) as tx:
            triggers.ask(tx, now=MONDAY)
        other = threading.Thread(target=self.look)
        other.start()
        other.join(LONG)


def test_a_request_that_comes_while_a_cycle_ends_is_not_handed_to_it(
    office: Office,
) -> None:
    runner = office.runner
    runner.jobs = LateLog(office.store, "studio", runner.join_triggers)
    runner.tick(Mode.FULL)
    with office.store.reading("studio") as tx:
        (waiting,) = triggers.pending(tx)
    runner.jobs = JobLog(office.store, "studio")
    runner.answer_triggers()
    assert office.state_of(waiting.id) is TriggerState.DONE


@contextmanager
def served(*desks: WorkspaceRunner) -> Iterator[None]:
    """Have a daemon serve desks in the background."""
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(list(desks), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(LONG)


def test_a_long_cycle_keeps_no_other_workspace_waiting_and_is_joined_while_it_lasts(
    tmp_path: Path,
) -> None:
    going_on = threading.Event()
    saturday = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    slow, quick = (
        Office(Store(f"sqlite:///{tmp_path / name}.db"), now=saturday)
        for name in ("slow", "quick")
    )
    quick.runner.name = "quick"

    def last_long() -> None:
        going_on.wait(LONG)

    slow.before = last_long
    with served(slow.runner, quick.runner):
        wait_for(lambda: bool(slow.orders) and bool(quick.orders))
        first = slow.ask()
        wait_for(lambda: slow.state_of(first) is TriggerState.RUNNING)
        other, later = quick.ask(), slow.ask()
        wait_for(lambda: quick.state_of(other) is TriggerState.DONE)
        wait_for(lambda: slow.state_of(later) is TriggerState.RUNNING)
        going_on.set()
        wait_for(lambda: slow.state_of(first) is TriggerState.DONE)
        wait_for(lambda: slow.state_of(later) is TriggerState.DONE)
    assert [order.trigger for order in slow.orders] == ["start"]
    for office in (slow, quick):
        office.store.close()


def test_a_database_that_is_away_for_a_while_does_not_end_the_daemon(
    tmp_path: Path,
) -> None:
    office = Office(
        Store(f"sqlite:///{tmp_path / 'state.db'}"),
        now=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    )
    with served(office.runner):
        wait_for(lambda: bool(office.orders))
        with capture_logs() as logged:
            rename(office.store, "triggers", "away")
            wait_for(lambda: any(one["event"] == "state.failed" for one in logged))
        rename(office.store, "away", "triggers")
        number = office.ask()
        wait_for(lambda: office.state_of(number) is TriggerState.DONE)
    office.store.close()


def rename(store: Store, table: str, name: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_the_daemon_beats_until_it_is_told_to_end(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    office = Office(
        store,
        Workspace(schedule=Schedule(delta=0.2, quiet=0.2, full=3600)),
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )
    stop = threading.Event()
    beats: list[str] = []

    def count() -> None:
        beats.append(office.orders[-1].trigger)
        if beats.count("delta") == 2:
            stop.set()

    office.before = count
    serve([office.runner], stop)
    assert beats[0] == "start"
    store.close()
