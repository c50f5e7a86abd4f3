"""One worker of a fleet: a process that takes workspaces from the queue and looks after them, one cycle at a time each.

Any number of them, on any machines, share the database of the state and the configuration. A connection to Notion or
Jira belongs to one cycle, and a workspace has one cycle at a time, so that its budget is spent in one place.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from worker.app.build import Surroundings, open_context, utc_now
from worker.config import Workspace
from worker.cycle.context import CycleRequest
from worker.cycle.report import Report
from worker.daemon.job_log import JobLog
from worker.daemon.service import WorkspaceRunner, open_runner
from worker.errors import Stopped
from worker.fleet.queue import Queue, Work
from worker.state import triggers
from worker.state.store import Store

log = structlog.get_logger("worker.fleet")


@dataclass(frozen=True, slots=True)
class Fleet:
    """All workspaces of a configuration, as one worker of a fleet sees them."""

    workspaces: Mapping[str, Workspace]
    store: Store
    stop: threading.Event

    def work(self) -> Work:
        """Return what the queue asks of a worker."""
        return Work(self.find_due, self.find_asked, self.look_after)

    def find_due(self) -> list[str]:
        """Return the workspaces where something is due now."""
        return [name for name in self.workspaces if self._watcher(name).is_due()]

    def find_asked(self) -> list[str]:
        """Return the workspaces in which somebody waits for a cycle."""
        with self.store.reading("") as tx:
            asked = triggers.find_asked(tx)
        known = [name for name in asked if name in self.workspaces]
        return [name for name in known if self._watcher(name).is_due()]

    def look_after(self, name: str) -> None:
        """Do what is due in a workspace; one that the configuration no longer names is left alone."""
        settings = self.workspaces.get(name)
        if settings is None:
            log.warning("fleet.unknown", workspace=name)
            return
        around = Surroundings(stop=self.stop)
        with open_context(name, settings, self.store, around) as context:
            open_runner(context).attend_once()

    def _watcher(self, name: str) -> WorkspaceRunner:
        """Return a workspace's runner that only looks."""
        jobs = JobLog(self.store, name)
        return WorkspaceRunner(name, self.workspaces[name], _no_cycle, jobs, utc_now)


def _no_cycle(_order: CycleRequest, _on_start: Callable[[int], None]) -> Report:
    raise Stopped("who only looks runs no cycle")


def run_worker(fleet: Fleet, queue: Queue, *, concurrency: int) -> None:
    """Work until SIGTERM or SIGINT; the changes in hand are finished first."""
    asyncio.run(_run(fleet, queue, concurrency))


async def _run(fleet: Fleet, queue: Queue, concurrency: int) -> None:
    working = asyncio.create_task(queue.run(concurrency))

    def end() -> None:
        fleet.stop.set()
        working.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    log.info("fleet.started", workspaces=len(fleet.workspaces), at_once=concurrency)
    with suppress(asyncio.CancelledError):
        await working
    log.info("fleet.stopped")
