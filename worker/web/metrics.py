"""What Prometheus reads: every run that ended since the start is counted once, and how each workspace stands now.

Runs are taken from the state, so that those of other processes count too. Nothing here names a client or a person.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from worker.cycle.context import Context
from worker.cycle.tokens import expiries
from worker.daemon.standing import Standing, read_standing
from worker.domain.periods import day_begins
from worker.errors import Severity
from worker.state import runs
from worker.state.runs import Run, RunStatus

ENDS = tuple(status for status in RunStatus if status is not RunStatus.RUNNING)
UNKNOWN = "unknown"
BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(slots=True)
class Metrics:
    """The figures of one process. Safe to use from several threads."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _seen: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _figures: _Figures = field(init=False)

    def __post_init__(self) -> None:
        self._figures = _Figures(self.registry)

    def expose(self, contexts: Mapping[str, Context]) -> bytes:
        """Return all figures in Prometheus' text format; asks the state alone."""
        with self._lock:
            self._figures.forget()
            for name, context in contexts.items():
                self._count_runs(name, context)
                self._figures.stand(read_standing(context), context)
            return generate_latest(self.registry)

    def _count_runs(self, name: str, context: Context) -> None:
        with context.reading() as tx:
            if name not in self._seen:
                newest = next(iter(runs.recent(tx, 1)), None)
                self._seen[name] = newest.id if newest else 0
            fresh = runs.since(tx, self._seen[name])
        for run in _ended(fresh):
            self._figures.count(name, run)
            self._seen[name] = run.id


def _ended(fresh: Iterable[Run]) -> Iterable[Run]:
    """Yield the runs up to the first that is under way, which is counted when it has ended."""
    for run in fresh:
        if run.status is RunStatus.RUNNING:
            return
        yield run


class _Figures:
    """Every figure by name; a table in docs/operations.md says what each means."""

    def __init__(self, registry: CollectorRegistry) -> None:
        own, api = ["workspace"], ["workspace", "api", "status"]
        self._gauges: list[Gauge] = []

        def gauge(name: str, text: str, labels: list[str]) -> Gauge:
            made = Gauge(f"rayline_{name}", text, labels, registry=registry)
            self._gauges.append(made)
            return made

        def counter(name: str, text: str, labels: list[str]) -> Counter:
            return Counter(f"rayline_{name}", text, labels, registry=registry)

        self.seconds = Histogram(
            "rayline_cycle_seconds",
            "Seconds a cycle took.",
            ["workspace", "mode"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.runs = counter("runs", "Runs that ended, by how.", [*own, "status"])
        self.requests = counter("requests", "Requests of ended runs, by answer.", api)
        self.changes = counter("changes", "Changes written.", [*own, "kind"])
        self.refusals = counter("refusals", "Plans refused as unsafe.", own)
        self.conflicts = gauge("conflicts", "Conflicts the last run met.", own)
        self.budget = gauge(
            "budget_used_ratio", "Share of the last hour's Notion requests used.", own
        )
        self.age = gauge(
            "data_age_seconds", "Seconds since a good read.", [*own, "mode"]
        )
        self.queue = gauge("queue_waiting", "Requests for a run that wait.", own)
        self.problems = gauge("problems", "Problems that stand.", [*own, "severity"])
        self.unsettled = gauge("unsettled", "Creations with unknown outcome.", own)
        self.expiry = gauge(
            "token_expiry_timestamp_seconds",
            "When a token ends, where that is known.",
            ["workspace", "api"],
        )
        self.working = gauge("run_active", "1 while a run is under way.", own)

    def forget(self) -> None:
        """Forget how workspaces stood: one that is served no more must not stand for ever as it did last."""
        for each in self._gauges:
            each.clear()

    def count(self, workspace: str, run: Run) -> None:
        """Count a run that ended."""
        outcome = run.outcome
        self.runs.labels(workspace, run.status.value).inc()
        if run.ended is not None:
            seconds = (run.ended - run.started).total_seconds()
            mode = str(outcome.get("mode", "unknown"))
            self.seconds.labels(workspace, mode).observe(max(0.0, seconds))
        answers = run.outcome.get("answers")
        for api, sent in run.requests.items():
            # A run that was lost, or is older, does not tell what was answered.
            counts = (answers or {}).get(api, {UNKNOWN: sent})
            for status, count in counts.items():
                self.requests.labels(workspace, api, status).inc(count)
        for kind, count in (outcome.get("changes") or {}).items():
            self.changes.labels(workspace, kind).inc(count)
        if run.status is RunStatus.REFUSED:
            self.refusals.labels(workspace).inc()

    def stand(self, standing: Standing, context: Context) -> None:
        """Say how a workspace stands now."""
        name = standing.workspace
        last = next((run for run in standing.latest if run.ended), None)
        self.refusals.labels(name)
        # From zero on, so that the first one counts as an increase.
        for status in ENDS:
            self.runs.labels(name, status.value)
        conflicts = last.outcome.get("conflicts", 0) if last else 0
        self.conflicts.labels(name).set(int(conflicts))
        self.budget.labels(name).set(budget_used(standing, context))
        for mode, at in standing.success.items():
            if at is not None:
                age = max(0.0, (standing.now - at).total_seconds())
                self.age.labels(name, mode).set(age)
        zone = ZoneInfo(context.settings.time_zone)
        for expiry in expiries(context.settings):
            ends = day_begins(expiry.day + timedelta(days=1), zone)
            self.expiry.labels(name, expiry.side).set(ends.timestamp())
        self.queue.labels(name).set(len(standing.waiting))
        self.unsettled.labels(name).set(len(standing.unsettled))
        self.working.labels(name).set(int(standing.holder is not None))
        counts = collections.Counter(problem.severity for problem in standing.problems)
        for severity in Severity:
            self.problems.labels(name, severity.value).set(counts[severity])


def budget_used(standing: Standing, context: Context) -> float:
    """Return the share of an hour's Notion requests that was used in the last own."""
    notion = context.settings.notion
    allowed = notion.requests * 3600.0 / notion.window
    return standing.requests.get("notion", 0) / allowed
