"""The daemon: clocks and signals around the cycle, one workspace at a time each.

APScheduler only ticks (in-memory job store, no grace limit, coalescing); what was done when is in the database, so a
restart catches up from the last success and a calendar's job runs once per local date (docs/facts/reliability.md 2.1).
"""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from worker.config import Workspace
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.daemon.calendar import Due, Job, is_of_today, jobs_of, last_due, next_due
from worker.daemon.job_log import JobLog
from worker.errors import Busy, RaylineError, Stopped
from worker.state import triggers
from worker.state.triggers import Order, Source, Trigger

log = structlog.get_logger("worker.daemon")
POLL = 0.5
PAUSE = 5.0


@dataclass(slots=True)
class WorkspaceRunner:
    """One workspace at work: how to run a cycle, its settings and the log of its jobs. Only one cycle runs at a time."""

    name: str
    settings: Workspace
    run: Callable[[CycleRequest, Callable[[int], None]], Report]
    jobs: JobLog
    now: Callable[[], datetime]
    on_report: Callable[[Report], None] = lambda report: None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _dates: threading.Lock = field(default_factory=threading.Lock)
    _joining: threading.Lock = field(default_factory=threading.Lock)
    _current: int = 0
    _order: Order = field(default_factory=Order)
    _failed_at: float = -60.0

    def work(self, order: CycleRequest, *, wait: bool = True) -> Report | None:
        """Run one cycle, or skip it when one is under way and `wait` is false; errors are logged, never raised."""
        if not self._lock.acquire(blocking=wait):
            log.info("cycle.joined", workspace=self.name, trigger=order.trigger)
            return None
        try:
            self._order = Order(
                order.scope,
                full=order.mode is Mode.FULL,
                dry_run=order.dry_run,
                force=order.force,
                checksum=order.checksum,
            )
            report = self.run(order, self._started)
        except Busy as error:
            log.warning("cycle.busy", workspace=self.name, holder=error.holder)
        except Stopped:
            log.info("cycle.stopped", workspace=self.name, trigger=order.trigger)
        except RaylineError as error:
            log.error(
                "cycle.failed",
                workspace=self.name,
                trigger=order.trigger,
                error=str(error),
            )
        except Exception:
            log.exception("cycle.broke", workspace=self.name, trigger=order.trigger)
        else:
            self.on_report(report)
            return report
        finally:
            self._let_go()
        return None

    def _let_go(self) -> None:
        """End the cycle under way; that its requests are answered can wait for the database (`close_lost`)."""
        with self._joining:
            ended, self._current = self._current, 0
        try:
            if ended:
                self.jobs.answered(ended)
        except Exception:
            log.exception("state.failed", workspace=self.name)
        finally:
            self._lock.release()

    def _started(self, run_id: int) -> None:
        self._current = run_id
        self.join_triggers(is_reading=False)

    def join_triggers(self, *, is_reading: bool = True) -> None:
        """Hand people's requests to the cycle under way if it answers them.

        A cycle that ends takes no more of them before it answers those it has: a request handed to it later would
        wait for an answer that was given already.
        """
        with self._joining:
            if self._current:
                self.jobs.take(self._current, self._order, is_reading=is_reading)

    def answer_triggers(self) -> None:
        """Answer people's requests: join the cycle under way, or run one now.

        Requests for several clients are answered by one cycle of all.
        """
        self.join_triggers()
        pending = () if self._current else self.jobs.pending_triggers()
        is_patient = clock.monotonic() - self._failed_at <= PAUSE
        if not pending or is_patient:
            return
        if self.work(_answer(pending), wait=False) is None:
            self._failed_at = clock.monotonic()

    def tick(self, mode: Mode) -> None:
        """Run a scheduled cycle; a delta gives way to whatever is under way, and to what should have been done: a
        calendar's job that failed, a full pass that could not be."""
        if mode is Mode.FULL:
            self.work(CycleRequest(mode, mode.value))
            return
        missed = self.missed()
        for job in missed:
            self.run_daily_job(job)
        if not missed:
            wanted = Mode.FULL if self.is_full_due() else Mode.DELTA
            self.work(CycleRequest(wanted, wanted.value), wait=False)

    def is_full_due(self) -> bool:
        """Tell whether no full pass ended well for longer than its schedule allows."""
        last = self.jobs.last_success(Mode.FULL.value)
        return last is None or self.now() - last >= timedelta(
            seconds=self.settings.schedule.full
        )

    def run_daily_job(self, name: str) -> None:
        """Run a calendar's job unless it was done for the local date it was due for last."""
        with self._dates:
            due = self._last_due()[name]
            if (
                due is not None
                and not self._is_done(name, due)
                and self.work(CycleRequest(Mode.FULL, name)) is not None
            ):
                self.jobs.mark_date(name, due.day)

    def catch_up(self) -> None:
        """Run what was missed while nobody was running: calendar's jobs of today, else a full or a delta pass."""
        missed = self.missed()
        for job in missed:
            self.run_daily_job(job)
        if not missed:
            self.work(
                CycleRequest(Mode.FULL if self.is_full_due() else Mode.DELTA, "start")
            )

    def missed(self) -> list[str]:
        """Return the calendar's jobs that were due today and are not done."""
        zone, now = ZoneInfo(self.settings.time_zone), self.now()
        return [
            name
            for name, due in self._last_due().items()
            if due and is_of_today(due, now, zone) and not self._is_done(name, due)
        ]

    def _last_due(self) -> Mapping[str, Due | None]:
        zone, now = ZoneInfo(self.settings.time_zone), self.now()
        jobs = jobs_of(self.settings.schedule)
        return {job.name: last_due(job, now, zone) for job in jobs}

    def _is_done(self, name: str, due: Due) -> bool:
        return self.jobs.last_date(name) == due.day


class CalendarTrigger(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """When a calendar's job is due, as the scheduler asks for it."""

    def __init__(self, job: Job, zone: ZoneInfo) -> None:
        self.job = job
        self.zone = zone

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Return the first instant after the one before, or after now; None when there is none."""
        due = next_due(self.job, previous_fire_time or now, self.zone)
        return due.at if due else None


def _answer(pending: Sequence[Trigger]) -> CycleRequest:
    """Return the cycle that answers the first of the requests that wait, and with it all it can."""
    order = triggers.merge([one.order for one in pending])
    is_told = all(one.asker.source is Source.WEBHOOK for one in pending)
    return CycleRequest(
        Mode.FULL if order.full else Mode.DELTA,
        "webhook" if is_told else "manual",
        order.scope,
        order.force,
        order.checksum,
        order.dry_run,
    )


def serve(
    runners: list[WorkspaceRunner],
    stop: threading.Event,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Run all workspaces until `stop` is set; then finish the change in hand and return.

    `watch` is called again and again; what it raises ends the daemon in the same way. Beats count in UTC seconds; the
    calendar's jobs follow local wall clocks.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max(4, 2 * len(runners)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for runner in runners:
        _schedule(scheduler, runner)
    threads = [
        thread
        for runner in runners
        for thread in (
            threading.Thread(
                target=_guarded,
                args=(runner, runner.catch_up),
                name=f"start-{runner.name}",
            ),
            threading.Thread(
                target=_listen,
                args=(runner, stop),
                name=f"pending_triggers-{runner.name}",
            ),
        )
    ]
    for thread in threads:
        thread.start()
    scheduler.start()
    log.info("daemon.started", workspaces=[runner.name for runner in runners])
    try:
        while not stop.is_set():
            watch()
            for runner in runners:
                _guarded(runner, runner.join_triggers)
            stop.wait(POLL)
    finally:
        stop.set()
        scheduler.shutdown(wait=True)
        for thread in threads:
            thread.join()
        log.info("daemon.stopped", at=clock.strftime("%H:%M:%S"))


def _listen(runner: WorkspaceRunner, stop: threading.Event) -> None:
    """Answer a runner's requests until the end: on a thread of its own, for a long cycle of one workspace keeps nobody
    else waiting."""
    while not stop.is_set():
        healthy = _guarded(runner, runner.answer_triggers)
        stop.wait(POLL if healthy else PAUSE)


def _guarded(runner: WorkspaceRunner, step: Callable[[], None]) -> bool:
    """Take a step and tell whether it went well: a database that is away for a while must not end the daemon."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - logged, and tried again on the next tick
        log.error("state.failed", workspace=runner.name, error=type(error).__name__)
        return False
    return True


def _schedule(scheduler: BackgroundScheduler, runner: WorkspaceRunner) -> None:
    schedule = runner.settings.schedule
    zone = ZoneInfo(runner.settings.time_zone)
    for mode, seconds in ((Mode.DELTA, schedule.delta), (Mode.FULL, schedule.full)):
        scheduler.add_job(
            runner.tick,
            IntervalTrigger(seconds=seconds, timezone=UTC),
            args=[mode],
            id=f"{runner.name}.{mode.value}",
            name=f"{runner.name}: {mode.value}",
        )
    for job in jobs_of(schedule):
        scheduler.add_job(
            runner.run_daily_job,
            CalendarTrigger(job, zone),
            args=[job.name],
            id=f"{runner.name}.{job.name}",
            name=f"{runner.name}: {job.name}",
        )


def next_times(
    settings: Workspace,
    now: datetime,
    *,
    last_full: datetime | None,
    last_delta: datetime | None,
) -> dict[str, datetime]:
    """Return when each job of a workspace is next due, for `status` (UTC)."""
    zone = ZoneInfo(settings.time_zone)
    beats = {
        "delta": (last_delta, settings.schedule.delta),
        "full": (last_full, settings.schedule.full),
    }
    times = {
        name: max(now, last + timedelta(seconds=seconds)) if last else now
        for name, (last, seconds) in beats.items()
    }
    for job in jobs_of(settings.schedule):
        due = next_due(job, now, zone)
        if due is not None:
            times[job.name] = due.at
    return times


def open_runner(
    context: Context, on_report: Callable[[Report], None] = lambda report: None
) -> WorkspaceRunner:
    """Return the runner of one workspace."""

    def run(order: CycleRequest, on_start: Callable[[int], None]) -> Report:
        return sync(context, order, on_start=on_start)

    return WorkspaceRunner(
        context.name,
        context.settings,
        run,
        JobLog(context.store, context.name),
        context.now,
        on_report,
    )
