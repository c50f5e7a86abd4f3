"""Workspaces under watch, whose runs and clock are ours: their state is real, nobody is asked for anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from worker.alerts.books import load
from worker.alerts.ledger import Ledger
from worker.alerts.watch import Watch
from worker.app.build import Surroundings, build_context
from worker.config import Alerts, Workspace
from worker.cycle.context import Context
from worker.errors import RenderedProblem
from worker.state import problems, runs
from worker.state.runs import RunStatus
from worker.state.store import Store

NOON = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # 12:00 in Moscow, a Wednesday
DONE, FAILED, REFUSED = RunStatus.DONE, RunStatus.FAILED, RunStatus.REFUSED


def alerts_to(*targets: str, **more: Any) -> Alerts:
    """Return a table with targets, which tells at once."""
    given: dict[str, Any] = {"gather": 0.001, **more}
    return Alerts(targets=SecretStr("\n".join(targets)), **given)


@dataclass(slots=True)
class Office:
    """Workspaces of one state, on one clock."""

    store: Store
    now: datetime = NOON
    contexts: dict[str, Context] = field(default_factory=dict)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Let another watch take over, that knows only what is in the state."""
        self.watch = Watch(lambda: dict(self.contexts))

    def open(self, alerts: Alerts | None, name: str = "studio", **more: Any) -> Context:
        """Add a workspace."""
        settings = Workspace(alerts=alerts, **more)
        around = Surroundings(now=lambda: self.now)
        context = build_context(name, settings, self.store, around)
        self.contexts[name] = context
        return context

    def pass_time(self, **by: float) -> None:
        """Let time pass and look, three times as the watch would: what is seen, gathered, sent."""
        self.now += timedelta(**by)
        self.look()

    def look(self) -> None:
        """Look, and again a moment later, when what was to be gathered is."""
        self.watch.look()
        self.now += timedelta(seconds=1)
        self.watch.look()
        self.watch.join()

    def run(
        self,
        status: RunStatus,
        name: str = "studio",
        *,
        outcome: Mapping[str, Any] | None = None,
    ) -> int:
        """Leave behind a run that ended just now."""
        number = self.begin(name)
        usual = {"error": "jira is away"} if status is FAILED else {}
        told = {"mode": "delta", **(usual if outcome is None else outcome)}
        with self.store.transaction(name) as tx:
            runs.finish(tx, number, status, outcome=told, requests={}, now=self.now)
        return number

    def begin(self, name: str = "studio") -> int:
        """Leave behind a run that is under way."""
        with self.store.transaction(name) as tx:
            return runs.start(tx, "delta", now=self.now)

    def stand(self, *found: RenderedProblem, name: str = "studio") -> None:
        """Make these the problems that stand."""
        with self.store.transaction(name) as tx:
            problems.replace(tx, found, now=self.now)

    def ledger(self, name: str = "studio") -> Ledger:
        """Return what is kept of the alerts."""
        return load(self.contexts[name])
