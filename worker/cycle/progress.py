"""How far a run has come: told to who watches this process, and to the state, where every process can read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from worker.state import runs
from worker.state.store import Store

log = structlog.get_logger("worker.cycle")
PACE = 1.0
"""Seconds between two records within a phase: a row in the database for each change would cost more than it tells."""


@dataclass(slots=True)
class ProgressRecord:
    """Hears phase, done and total of a run and passes them on; a phase is recorded when it begins. Thread-safe."""

    store: Store
    workspace: str
    run_id: int
    watcher: Callable[[str, int, int], None]
    clock: Callable[[], float] = time.monotonic
    _phase: str = ""
    _recorded: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Pass on where the run is."""
        self.watcher(phase, done, total)
        if self._is_worth_a_row(phase):
            self._record(runs.Progress(phase, done, total))

    def _is_worth_a_row(self, phase: str) -> bool:
        with self._lock:
            now = self.clock()
            if phase == self._phase and now - self._recorded < PACE:
                return False
            self._phase, self._recorded = phase, now
            return True

    def _record(self, progress: runs.Progress) -> None:
        """Record it; a run does not fail for its progress not being seen."""
        try:
            with self.store.transaction(self.workspace) as tx:
                runs.save_progress(tx, self.run_id, progress)
        except SQLAlchemyError as error:
            log.warning(
                "progress.not_recorded",
                workspace=self.workspace,
                error=type(error).__name__,
            )
