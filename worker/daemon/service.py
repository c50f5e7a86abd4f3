"""The daemon: clocks around the cycle, each workspace on a thread of its own.

A thread asks again and again what is due (`worker.daemon.beats`, `worker.daemon.calendar`), so no timer can be lost.
What was done when is in the database, so a restart catches up from the last success and a calendar's job runs once per
local date (docs/facts/reliability.md 2.1).
"""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from worker.config import Workspace
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.counterparts import is_errand, run_matches
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.cycle.undoing import undo
from worker.daemon.beats import Beat, is_due, is_overdue, pace
from worker.daemon.calendar import Due, is_of_today, jobs_of, last_due, next_due
from worker.daemon.heap import give_back
from worker.daemon.job_log import JobLog
from worker.daemon.maintenance import Window, current_window
from worker.daemon.rests import Rest
from worker.domain.structs import make_ready
from worker.errors import Busy, RaylineError, StateFault, Stopped
from worker.plan.undo import RULE
from worker.state import triggers
from worker.state.checking import find_damage
from worker.state.pauses import Pause
from worker.state.triggers import Order, Source, Trigger

log = structlog.get_logger("worker.daemon")
POLL = 0.5
LOOK = 15.0
"""Seconds between two looks at the calendar."""
PAUSE = 5.0
SOONEST = 30.0
"""Seconds between two looks at what is in doubt, where it may be settled at once."""
AHEAD = timedelta(days=2)
"""As far ahead of today a date that was done is believed: a clock was set back. Beyond that it was wrong before."""
NOBODY = Pause("", datetime.min.replace(tzinfo=UTC))


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
    stop: threading.Event = field(default_factory=threading.Event)
    steady: Callable[[], float] = clock.monotonic
    _failed_at: float = -60.0
    _rest: Rest = field(default_factory=Rest)
    _beat: Beat | None = None
    _looked: Beat | None = None
    _tried: dict[str, date] = field(default_factory=dict)
    _paused: Pause | None = None
    _window: Window | None = None
    _told: str = ""
    failure: RaylineError | None = None
    """What the last cycle failed at, for who does not read the log."""

    def work(self, order: CycleRequest, *, wait: bool = True) -> Report | None:
        """Run one cycle, or skip it when one is under way and `wait` is false; errors are logged, never raised."""
        self.failure = None
        if self.is_put_off(order):
            return None
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
                undoes=order.undoes,
            )
            report = self.run(order, self._started)
        except Busy as error:
            self.failure = error
            log.warning("cycle.busy", workspace=self.name, holder=error.holder)
        except Stopped as error:
            self.failure = error
            log.info("cycle.stopped", workspace=self.name, trigger=order.trigger)
        except RaylineError as error:
            self.failure = error
            self._tell_failure(order, str(error))
        except Exception as error:
            self.failure = find_damage(self.jobs.store, error)
            if self.failure is None:
                log.exception("cycle.broke", workspace=self.name, trigger=order.trigger)
            else:
                self._tell_failure(order, str(self.failure))
        else:
            self._told = ""
            self.on_report(report)
            return report
        finally:
            self._let_go()
        return None

    def is_put_off(self, order: CycleRequest) -> bool:
        """Tell whether a cycle on a schedule is not to be tried yet.

        People's own requests are tried at once: they may have mended what was in the way, or know better. So is the
        first cycle of a daemon, unless a service itself asked to wait.
        """
        if order.trigger in ("manual", RULE):
            return False
        standing = self.jobs.put_off()
        if standing.lasting and order.trigger == "start":
            return False
        return self.now() < standing.until

    def _tell_failure(self, order: CycleRequest, error: str) -> None:
        """Log why a cycle could not be: loudly once, as long as the reason stays."""
        write = log.info if error == self._told else log.error
        self._told = error
        write("cycle.failed", workspace=self.name, trigger=order.trigger, error=error)

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
        is_told = not asks_a_person(pending)
        if is_told and not self._rest.is_over(self.steady()):
            return
        if self.work(_answer(pending), wait=False) is None:
            self._failed_at = clock.monotonic()
        if is_told:
            self._rest.begin(self.steady())

    def tick(self, mode: Mode) -> None:
        """Run a scheduled cycle; a delta gives way to whatever is under way, and to what should have been done: a
        calendar's job that failed, a full pass that could not be."""
        if mode is Mode.FULL:
            self.work(CycleRequest(mode, mode.value))
            return
        missed = self.missed()
        if missed:
            self.run_jobs(missed)
        else:
            wanted = Mode.FULL if self.is_full_due() else Mode.DELTA
            self.work(CycleRequest(wanted, wanted.value), wait=False)

    def is_full_due(self) -> bool:
        """Tell whether no full pass ended well for longer than its schedule allows."""
        last = self.jobs.last_success(Mode.FULL.value)
        return is_overdue(last, self.now(), self.settings.schedule.full)

    def run_jobs(self, names: Sequence[str]) -> None:
        """Run a calendar's jobs that are not done for the local dates they were due for last: one cycle does for all."""
        with self._dates:
            last = self._last_due()
            due = {
                name: latest.day
                for name in names
                if (latest := last[name]) and not self._is_done(name, latest)
            }
            self._tried |= due
            order = CycleRequest(Mode.FULL, ", ".join(due))
            if due and self.work(order) is not None:
                for name, day in due.items():
                    self.jobs.mark_date(name, day)

    def start(self) -> None:
        """Begin the daemon's work, unless the workspace is left alone: catch up with what was missed."""
        if not (self.is_paused() or self.is_maintained()):
            self._beat = self._mark()
            self.catch_up()

    def catch_up(self) -> None:
        """Run what was missed while nobody was running: calendar's jobs of today, else a full or a delta pass."""
        missed = self.missed()
        if missed:
            self.run_jobs(missed)
        else:
            self.work(
                CycleRequest(Mode.FULL if self.is_full_due() else Mode.DELTA, "start")
            )

    def attend(self) -> None:
        """Do what is due now: what people ask for, a calendar's job whose time has come, a beat."""
        if self.is_paused():
            return
        if self.is_maintained():
            self._answer_people()
            return
        self.answer_triggers()
        now = self._mark()
        if is_due(self._looked, now, LOOK):
            self._looked = now
            self._run_untried()
        if self._has_come(now):
            self._beat = now
            self.tick(Mode.DELTA)

    def _run_untried(self) -> None:
        """Run the calendar's jobs whose time has come; one that failed is tried again by the beats."""
        untried = []
        for name in self.missed():
            day = self._day_of(name)
            if self._tried.get(name) != day:
                untried.append(name)
        if untried:
            self.run_jobs(untried)

    def is_due(self) -> bool:
        """Tell whether something is due, by the state alone: for who keeps no clock between two looks.

        A beat counts from the last run that was not cut off; so does a calendar's job that was tried since it fell due.
        """
        if self.is_paused():
            return False
        pending = self.jobs.pending_triggers()
        if self.is_maintained():
            return asks_a_person(pending)
        if pending:
            return not self.is_put_off(_answer(pending))
        return not self.is_put_off(CycleRequest()) and (
            self._is_beat_due() or bool(self._due_since_last_run())
        )

    def _has_come(self, now: Beat) -> bool:
        """Tell whether it is time for the next beat; where something is in doubt, as soon as it can be settled."""
        if is_due(self._beat, now, pace(self.settings, now.at)):
            return True
        return is_due(self._beat, now, self._settling()) and self.jobs.is_in_doubt()

    def _is_beat_due(self) -> bool:
        """Tell the same by the state alone."""
        now, last = self.now(), self.jobs.last_attempt()
        if is_overdue(last, now, pace(self.settings, now)):
            return True
        return is_overdue(last, now, self._settling()) and self.jobs.is_in_doubt()

    def _settling(self) -> float:
        """Return after how many seconds a look can tell what became of what is in doubt."""
        return max(self.settings.notion.settle, SOONEST)

    def _due_since_last_run(self) -> list[str]:
        """Return the calendar's jobs that fell due since the last cycle began, and are not done."""
        last = self.jobs.last_attempt()
        return [
            name
            for name, due in self._missed().items()
            if last is None or due.at > last
        ]

    def attend_once(self) -> None:
        """Do what is due, if anything is: what people wait for, and the calendar's jobs too, which a request in each
        look would otherwise put off for ever."""
        if not self.is_due():
            return
        if self.is_maintained():
            self._answer_people()
            return
        untried = self._due_since_last_run()
        pending = self.jobs.pending_triggers()
        if pending:
            self.answer_triggers()
        if untried:
            self.run_jobs(untried)
        elif not pending:
            self.tick(Mode.DELTA)

    def is_maintained(self) -> bool:
        """Tell whether it is a window in which nothing runs on a schedule, and log when that changes."""
        window = current_window(self.settings, self.now())
        if (window is None) != (self._window is None):
            log.info(
                "maintenance.began" if window else "maintenance.ended",
                workspace=self.name,
                until=window.end.isoformat() if window else None,
            )
        self._window = window
        return window is not None

    def _answer_people(self) -> None:
        """Answer what a person asks for in a window: who does knows of it; what only tells of a change can wait."""
        if asks_a_person(self.jobs.pending_triggers()):
            self.answer_triggers()

    def is_paused(self) -> bool:
        """Tell whether the workspace is to be left alone, and log when that changes."""
        pause = self.jobs.pause(self.now())
        if (pause is None) != (self._paused is None):
            log.info(
                "workspace.paused" if pause else "workspace.resumed",
                workspace=self.name,
                by=(pause or self._paused or NOBODY).by,
            )
        self._paused = pause
        return pause is not None

    def _mark(self) -> Beat:
        return Beat(self.now(), self.steady())

    def _day_of(self, name: str) -> date | None:
        due = self._last_due()[name]
        if due is None:
            return None
        return due.day

    def missed(self) -> list[str]:
        """Return the calendar's jobs that were due today and are not done."""
        return list(self._missed())

    def _missed(self) -> Mapping[str, Due]:
        zone, now = ZoneInfo(self.settings.time_zone), self.now()
        return {
            name: due
            for name, due in self._last_due().items()
            if due and is_of_today(due, now, zone) and not self._is_done(name, due)
        }

    def _last_due(self) -> Mapping[str, Due | None]:
        zone, now = ZoneInfo(self.settings.time_zone), self.now()
        jobs = jobs_of(self.settings.schedule)
        return {job.name: last_due(job, now, zone) for job in jobs}

    def _is_done(self, name: str, due: Due) -> bool:
        last = self.jobs.last_date(name)
        if last is None:
            return False
        ahead = last - due.day
        return timedelta() <= ahead <= AHEAD


def asks_a_person(pending: Sequence[Trigger]) -> bool:
    """Tell whether somebody waits for the answer, and not services alone tell of a change."""
    askers = [asker for one in pending for asker in (one.asker, *one.also)]
    return any(asker.source is not Source.WEBHOOK for asker in askers)


def _answer(pending: Sequence[Trigger]) -> CycleRequest:
    """Return the cycle that answers the first of the requests that wait, and with it all it can."""
    order = triggers.merge([one.order for one in pending])
    trigger = "manual" if asks_a_person(pending) else "webhook"
    return CycleRequest(
        Mode.FULL if order.full else Mode.DELTA,
        RULE if order.undoes else trigger,
        order.scope,
        order.force,
        order.checksum,
        order.dry_run,
        order.undoes,
        pending[0].asker.name,
    )


def serve(
    runners: list[WorkspaceRunner],
    stop: threading.Event,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Run all workspaces until `stop` is set; then finish the change in hand and return.

    `watch` is called again and again; what it raises ends the daemon in the same way.
    """
    desks = [Desk(runner) for runner in runners]
    for desk in desks:
        desk.open()
    log.info("daemon.started", workspaces=[runner.name for runner in runners])
    try:
        while not stop.is_set():
            watch()
            for desk in desks:
                desk.hand_over()
            stop.wait(POLL)
    finally:
        stop.set()
        for desk in desks:
            desk.close()
        for desk in desks:
            desk.join()
        log.info("daemon.stopped", at=clock.strftime("%H:%M:%S"))


class Desk:
    """One workspace's runner on a thread of its own, so that a long cycle of one keeps no other waiting."""

    def __init__(self, runner: WorkspaceRunner) -> None:
        self.runner = runner
        self._thread = threading.Thread(
            target=self._tend, name=f"desk-{runner.name}", daemon=True
        )

    def open(self) -> None:
        """Begin to work."""
        make_ready()
        self._thread.start()

    def hand_over(self) -> None:
        """Hand requests that came meanwhile to the cycle under way."""
        _guarded(self.runner, self.runner.join_triggers)

    def close(self) -> None:
        """Ask it to finish the change in hand and end."""
        self.runner.stop.set()

    def is_alive(self) -> bool:
        """Tell whether it is at work."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _tend(self) -> None:
        runner = self.runner
        is_well = _guarded(runner, runner.start)
        while not runner.stop.is_set():
            pause = POLL if is_well else PAUSE
            runner.stop.wait(pause)
            if runner.stop.is_set():
                return
            is_well = _guarded(runner, runner.attend)


def _guarded(runner: WorkspaceRunner, step: Callable[[], None]) -> bool:
    """Take a step and tell whether it went well: a database that is away for a while must not end the daemon."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - logged, and tried again on the next tick
        reason = str(error) if isinstance(error, StateFault) else ""
        kind = type(error).__name__
        log.error("state.failed", workspace=runner.name, error=kind, reason=reason)
        return False
    return True


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
        with context.reading() as tx:
            is_match = is_errand(tx, order)
        if is_match:
            return run_matches(context, order, on_start=on_start)
        carry_out = undo if order.undoes else sync
        try:
            return carry_out(context, order, on_start=on_start)
        finally:
            give_back()

    return WorkspaceRunner(
        context.name,
        context.settings,
        run,
        JobLog(context.store, context.name),
        context.now,
        on_report,
        stop=context.stop,
    )
