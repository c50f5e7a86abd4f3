"""One worker of a fleet: a process that takes workspaces from the queue and looks after them, one cycle at a time each.

Any number of them, on any machines, share the database of the state and the configuration. A connection to Notion or
Jira belongs to one cycle, and a workspace has one cycle at a time, so that its budget is spent in one place.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from worker.app.build import Surroundings, open_context, utc_now
from worker.config import Workspace
from worker.cycle.abandoning import abandon
from worker.cycle.context import CycleRequest
from worker.cycle.report import Report
from worker.daemon.job_log import JobLog
from worker.daemon.roster import changes
from worker.daemon.service import WorkspaceRunner, open_runner
from worker.errors import Stopped
from worker.fleet.queue import Queue, Work
from worker.state import triggers
from worker.state.processes import name_owner
from worker.state.store import Store

log = structlog.get_logger("worker.fleet")
POLL = 0.5


@dataclass(slots=True)
class Fleet:
    """All workspaces of a configuration, as one worker of a fleet sees them; its threads look after some of them."""

    workspaces: Mapping[str, Workspace]
    store: Store
    stop: threading.Event
    _in_hand: set[str] = field(default_factory=set)

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
        self._in_hand.add(name)
        try:
            with open_context(name, settings, self.store, around) as context:
                open_runner(context).attend_once()
        finally:
            self._in_hand.discard(name)

    def take_over(self, workspaces: Mapping[str, Workspace]) -> None:
        """Look after these from now on, and log what changed; a cycle under way ends as it began."""
        before, self.workspaces = self.workspaces, workspaces
        for name in sorted({*before, *workspaces}):
            if name not in before:
                log.info("workspace.added", workspace=name)
            elif name not in workspaces:
                log.info("workspace.removed", workspace=name)
            else:
                changed = list(changes(before[name], workspaces[name]))
                if changed:
                    log.info("workspace.changed", workspace=name, changed=changed)

    def abandon(self) -> None:
        """End what hangs in a request, without waiting for it, so that others go on with it at once."""
        for name in list(self._in_hand):
            run_id = abandon(self.store, name, name_owner())
            if run_id:
                log.warning("cycle.abandoned", workspace=name, run=run_id)

    def _watcher(self, name: str) -> WorkspaceRunner:
        """Return a workspace's runner that only looks."""
        jobs = JobLog(self.store, name)
        return WorkspaceRunner(name, self.workspaces[name], _no_cycle, jobs, utc_now)


def _no_cycle(_order: CycleRequest, _on_start: Callable[[int], None]) -> Report:
    raise Stopped("who only looks runs no cycle")


def run_worker(
    fleet: Fleet, queue: Queue, *, concurrency: int, watch: Callable[[], None]
) -> None:
    """Work until the fleet's `stop` is set; the changes in hand are finished first. `watch` is called again and again."""
    asyncio.run(_run(fleet, queue, concurrency, watch))


async def _run(
    fleet: Fleet, queue: Queue, concurrency: int, watch: Callable[[], None]
) -> None:
    working = asyncio.create_task(queue.run(concurrency))
    log.info("fleet.started", workspaces=len(fleet.workspaces), at_once=concurrency)
    while not (fleet.stop.is_set() or working.done()):
        watch()
        await asyncio.wait([working], timeout=POLL)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    log.info("fleet.stopped")
