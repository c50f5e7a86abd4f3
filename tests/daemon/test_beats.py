"""Days of the schedule on clocks of our own: what is done when, through weekends, summer time, jumps and pauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from worker.config import Holidays, Schedule, Workspace
from worker.cycle.context import CycleRequest
from worker.cycle.report import Report
from worker.daemon.beats import Beat, is_due, is_overdue, is_working_time, pace
from worker.daemon.job_log import JobLog
from worker.daemon.service import WorkspaceRunner
from worker.errors import Transient
from worker.plan.plan import Plan
from worker.state import pauses, runs, triggers
from worker.state.pauses import Pause
from worker.state.store import Store
from worker.state.triggers import Trigger, TriggerState

DONE = runs.RunStatus.DONE
STEP = timedelta(minutes=10)
BERLIN = Workspace(
    time_zone="Europe/Berlin",
    calendar=Holidays(country="DE"),
    schedule=Schedule(
        delta=1200,
        quiet=7200,
        full=86_400,
        nightly=time(2, 30),
        daily=time(8, 30),
        monday=time(8, 0),
    ),
)


@dataclass(frozen=True, slots=True)
class Diary(JobLog):
    """A log that is kept in memory: years go by in it, and a database would take a minute for each."""

    dates: dict[str, date] = field(default_factory=dict)
    successes: dict[str, datetime] = field(default_factory=dict)

    def last_success(self, mode: str) -> datetime | None:
        return self.successes.get(mode)

    def last_date(self, job: str) -> date | None:
        return self.dates.get(job)

    def mark_date(self, job: str, day: date) -> None:
        self.dates[job] = day

    def pending_triggers(self) -> tuple[Trigger, ...]:
        return ()

    def pause(self, now: datetime) -> Pause | None:
        return None


@dataclass(slots=True)
class Days:
    """A runner whose two clocks go on together, unless somebody sets the wall's; `fault` is what its cycles end in."""

    now: datetime
    log: JobLog
    settings: Workspace = BERLIN
    tick: float = 0.0
    done: list[tuple[datetime, str]] = field(default_factory=list)
    fault: Exception | None = None
    runner: WorkspaceRunner = field(init=False)

    def __post_init__(self) -> None:
        self.runner = WorkspaceRunner(
            "studio",
            self.settings,
            self._run,
            self.log,
            lambda: self.now,
            steady=lambda: self.tick,
        )

    def _run(self, order: CycleRequest, on_start: Callable[[int], None]) -> Report:
        self.done.append((self.now, order.trigger))
        if self.fault:
            raise self.fault
        if isinstance(self.log, Diary):
            self.log.successes[order.mode.value] = self.now
        else:
            with self.log.store.transaction("studio") as tx:
                number = runs.start(tx, order.trigger, now=self.now)
            on_start(number)
            with self.log.store.transaction("studio") as tx:
                outcome = {"mode": order.mode.value}
                runs.finish(
                    tx, number, DONE, outcome=outcome, requests={}, now=self.now
                )
        return Report(1, "studio", 0.0, {}, Plan("studio", (), (), ()))

    def live(self, span: timedelta, step: timedelta = STEP) -> list[tuple[str, date]]:
        """Let time go by, and return what was done, with the local date of each."""
        zone = ZoneInfo(self.settings.time_zone)
        before = len(self.done)
        for _ in range(span // step):
            self.runner.attend()
            self.now += step
            self.tick += step.total_seconds()
        return [(name, at.astimezone(zone).date()) for at, name in self.done[before:]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('days') / 'state.db'}")
    yield opened
    opened.close()


def days(store: Store, start: datetime, settings: Workspace = BERLIN) -> Days:
    return Days(start, Diary(store, "studio"), settings)


def jobs(lived: list[tuple[str, date]]) -> Counter[tuple[str, date]]:
    """Count each calendar's job by its date; one cycle may do for several."""
    return Counter(
        (job, day)
        for name, day in lived
        for job in name.split(", ")
        if job in ("nightly", "daily", "monday")
    )


def expected(first: date, count: int) -> Counter[tuple[str, date]]:
    dates = [first + timedelta(days=number) for number in range(count)]
    return Counter(
        [
            *(("nightly", day) for day in dates),
            *(("daily", day) for day in dates if day.weekday() < 5),
            *(("monday", day) for day in dates if day.weekday() == 0),
        ]
    )


def test_thirty_days_have_each_job_once_on_each_of_its_dates(store: Store) -> None:
    lived = days(store, datetime(2026, 11, 1, 23, tzinfo=UTC)).live(timedelta(days=30))
    assert jobs(lived) == expected(date(2026, 11, 2), 30)


def test_people_at_work_are_looked_after_often_and_nights_and_days_off_seldom(
    store: Store,
) -> None:
    office = days(store, datetime(2026, 12, 20, 23, tzinfo=UTC))
    office.live(timedelta(days=7))
    zone = ZoneInfo("Europe/Berlin")
    beats = Counter(at.astimezone(zone).date().day for at, _ in office.done)
    by_night = [at for at, _ in office.done if not is_working_time(BERLIN, at)]
    assert all(beats[day] > 40 for day in (21, 22, 23, 24))
    assert all(beats[day] < 15 for day in (25, 26, 27)), "Christmas and a Sunday"
    assert len(by_night) < 100


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]
)
def test_a_year_with_its_changes_of_the_clock_has_each_job_once_a_date(
    store: Store, zone: str
) -> None:
    schedule = BERLIN.schedule.model_copy(
        update={"delta": 86_000.0, "nightly": time(0, 30)}
    )
    settings = BERLIN.model_copy(update={"time_zone": zone, "schedule": schedule})
    midnight = datetime.combine(date(2027, 1, 1), time(), ZoneInfo(zone))
    year = days(store, midnight.astimezone(UTC), settings)
    lived = year.live(timedelta(days=365), timedelta(hours=1))
    assert jobs(lived) == expected(date(2027, 1, 1), 365)


@pytest.mark.parametrize("jump", [-3.0, -0.5, 0.5, 3.0, 30.0, -30.0])
def test_a_clock_that_is_set_anew_doubles_no_job_of_a_date_and_stops_nothing(
    store: Store, jump: float
) -> None:
    office = days(store, datetime(2026, 11, 18, 12, tzinfo=UTC))
    before = office.live(timedelta(hours=6))
    office.now += timedelta(hours=jump)
    after = office.live(timedelta(days=3))
    assert max(jobs(before + after).values()) == 1
    beats = [at for at, name in office.done if name == "delta"]
    later = [at for at in beats if at >= office.now - timedelta(days=3)]
    assert len(later) > 60


def test_a_clock_that_was_years_ahead_keeps_no_job_from_its_dates(store: Store) -> None:
    office = days(store, datetime(2030, 11, 18, 12, tzinfo=UTC))
    office.live(timedelta(hours=6))
    office.now = datetime(2026, 11, 17, 0, tzinfo=UTC)
    lived = office.live(timedelta(days=2))
    assert jobs(lived) >= expected(date(2026, 11, 17), 2)


def test_after_a_sleep_of_the_machine_what_was_missed_is_caught_up_once(
    store: Store,
) -> None:
    office = days(store, datetime(2026, 11, 13, 12, tzinfo=UTC))
    office.live(timedelta(hours=1))
    office.now = datetime(2026, 11, 16, 9, tzinfo=UTC)  # Monday
    first, later = office.live(STEP), office.live(timedelta(hours=5))
    assert first[0] == ("nightly, daily, monday", date(2026, 11, 16))
    assert not jobs(later)


def test_a_job_that_fails_is_tried_again_with_the_beats_and_not_all_the_time(
    store: Store,
) -> None:
    office = days(store, datetime(2026, 11, 17, 7, tzinfo=UTC))
    office.fault = Transient("jira", "GET /", "unavailable")
    failed = office.live(timedelta(hours=2), timedelta(minutes=1))
    assert 4 <= len([name for name, _ in failed if "daily" in name]) <= 8
    office.fault = None
    office.live(timedelta(minutes=25), timedelta(minutes=1))
    assert office.runner.missed() == []


TUESDAY = datetime(2026, 11, 17, 9, tzinfo=UTC)


def state_of(store: Store, number: int) -> TriggerState:
    with store.reading("studio") as tx:
        trigger = triggers.get(tx, number)
    assert trigger is not None
    return trigger.state


def test_a_paused_workspace_is_left_alone_until_it_is_over_and_loses_no_request(
    store: Store,
) -> None:
    office = Days(TUESDAY, JobLog(store, "studio"))
    office.live(timedelta(hours=1))
    since, until = office.now, office.now + timedelta(hours=3)
    with store.transaction("studio") as tx:
        pauses.pause(tx, Pause("Ann", since, until, "Notion moves house"))
        number = triggers.ask(tx, now=since).id
    count = len(office.done)
    office.live(timedelta(hours=3))
    assert len(office.done) == count
    assert state_of(store, number) is TriggerState.WAITING
    office.live(timedelta(hours=1))
    assert len(office.done) > count
    assert state_of(store, number) is TriggerState.DONE


def test_a_window_of_maintenance_begins_by_itself_and_is_ended_by_resuming(
    store: Store,
) -> None:
    office = Days(TUESDAY, JobLog(store, "studio"))
    begin = office.now + timedelta(hours=2)
    with store.transaction("studio") as tx:
        pauses.pause(tx, Pause("Ann", begin))
        assert pauses.current(tx, now=office.now) is None
        assert pauses.planned(tx, now=office.now) == Pause("Ann", begin)
    office.live(timedelta(hours=2))
    count = len(office.done)
    assert count > 3
    office.live(timedelta(hours=30))
    assert len(office.done) == count
    with store.transaction("studio") as tx:
        pauses.resume(tx)
    office.live(timedelta(hours=1))
    assert len(office.done) > count


NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("steady", "wall", "due"),
    [
        (0, 0, False),
        (299, 299, False),
        (300, 300, True),
        (300, -90_000, True),
        (1, 400, True),
    ],
)
def test_a_beat_counts_by_the_clock_that_nobody_sets_and_by_the_one_that_never_sleeps(
    steady: float, wall: float, due: bool
) -> None:
    now = Beat(NOON + timedelta(seconds=wall), 50.0 + steady)
    assert is_due(Beat(NOON, 50.0), now, 300) is due
    assert is_due(None, now, 300)


@pytest.mark.parametrize(
    ("hours", "due"),
    [(-1, False), (-5.9, False), (-6, True), (0.05, False), (24, True)],
)
def test_a_success_that_lies_ahead_of_the_clock_keeps_nothing_waiting(
    hours: float, due: bool
) -> None:
    assert is_overdue(NOON + timedelta(hours=hours), NOON, 6 * 3600) is due


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        (datetime(2026, 11, 18, 5, 59, tzinfo=UTC), 7200),
        (datetime(2026, 11, 18, 6, 0, tzinfo=UTC), 1200),
        (datetime(2026, 11, 18, 19, 59, tzinfo=UTC), 1200),
        (datetime(2026, 11, 18, 20, 0, tzinfo=UTC), 7200),
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), 7200),
        (datetime(2026, 12, 25, 12, 0, tzinfo=UTC), 7200),
        (datetime(2027, 7, 1, 5, 0, tzinfo=UTC), 1200),
    ],
)
def test_the_pace_is_that_of_local_working_hours(
    moment: datetime, seconds: float
) -> None:
    assert pace(BERLIN, moment) == seconds
