"""What the daemon remembers of a workspace, in the state: what was done when, and what people asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from worker.cycle.put_off import PUT_OFF, PutOff
from worker.state import leases, pauses, runs, triggers
from worker.state.pauses import Pause
from worker.state.settings import Setting
from worker.state.store import Store
from worker.state.triggers import Order, Trigger


def _last_date(job: str) -> Setting[str]:
    """Return where the last date of a job is kept, as text."""
    return Setting(f"date.{job}", str, str)


@dataclass(frozen=True, slots=True)
class JobLog:
    """The daemon's log of one workspace, in the database."""

    store: Store
    workspace: str

    def last_success(self, mode: str) -> datetime | None:
        """Return when a cycle of this mode last ended well."""
        with self.store.reading(self.workspace) as tx:
            success = runs.last_success(tx, mode)
        if success is None:
            return None
        return success.ended

    def last_attempt(self) -> datetime | None:
        """Return when the last cycle began that ended by itself, or is under way.

        One that was cut off with its process is tried again at once. Where the one before it was cut off as well, it
        counts: what kills whoever tries it must not be tried without a pause.
        """
        with self.store.reading(self.workspace) as tx:
            latest = runs.recent(tx, 2)
            holder = leases.holder(tx, now=self.store.now())
        counted = [run for run in latest if holder or not run.was_cut_off()]
        if counted:
            return counted[0].started
        if len(latest) == 2:
            return latest[0].started
        return None

    def is_in_doubt(self) -> bool:
        """Tell whether the last cycle left something of which only a later one can tell what became of it."""
        with self.store.reading(self.workspace) as tx:
            latest = runs.recent(tx, 1)
        return any(run.is_in_doubt() for run in latest)

    def last_date(self, job: str) -> date | None:
        """Return the local date a calendar's job was last done for."""
        with self.store.reading(self.workspace) as tx:
            text = _last_date(job).load(tx)
        if not text:
            return None
        return date.fromisoformat(text)

    def mark_date(self, job: str, day: date) -> None:
        """Remember that a calendar's job is done for a local date."""
        with self.store.transaction(self.workspace) as tx:
            _last_date(job).save(tx, day.isoformat())

    def put_off(self) -> PutOff:
        """Return until when no cycle on a schedule is to be tried, and why."""
        with self.store.reading(self.workspace) as tx:
            return PUT_OFF.load(tx)

    def pause(self, now: datetime) -> Pause | None:
        """Return why the workspace is to be left alone now, if it is."""
        with self.store.reading(self.workspace) as tx:
            return pauses.current(tx, now=now)

    def pending_triggers(self) -> tuple[Trigger, ...]:
        """Return the requests that wait."""
        with self.store.reading(self.workspace) as tx:
            return triggers.pending(tx)

    def take(self, run_id: int, order: Order, *, is_reading: bool) -> None:
        """Hand the waiting requests that a run of this order answers to it."""
        if self.pending_triggers():
            with self.store.transaction(self.workspace) as tx:
                triggers.take(tx, run_id, order, is_reading=is_reading)

    def answered(self, run_id: int) -> None:
        """Mark a run's requests as answered, by how it ended; one that was stopped leaves them to wait again."""
        with self.store.transaction(self.workspace) as tx:
            run = runs.get(tx, run_id)
            if run is None or run.was_stopped():
                triggers.give_back(tx, run_id)
            else:
                triggers.finish(tx, run, now=run.ended or self.store.now())
