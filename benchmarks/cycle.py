"""Cycles as they are shipped, planned and written, in a process of their own: `python -m benchmarks.cycle`, orders on stdin.

Prints for each line of orders one of JSON: what its cycle took. With several workspaces their cycles follow one another, as in
a daemon.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr

from worker.app import logs
from worker.app.build import Surroundings, build_context, open_store
from worker.config import JiraSettings, Limits, NotionSettings, Schedule, Workspace
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.state.store import Store

MEGABYTE = 1_000_000


class Orders(msgspec.Struct, frozen=True):
    """Where the services are, which cycle at which moment, and the folder of the state."""

    where: list[dict[str, Any]]
    mode: Mode
    now: datetime
    folder: Path


class Took(msgspec.Struct, frozen=True):
    """What the cycles of all workspaces took: CPU in seconds beyond start-up and the cycles before, memory at its peak and the
    database in MB.

    Charts are drawn by a process of its own.
    """

    cpu: float
    start: float
    charts_cpu: float
    peak: float
    notion: int
    jira: int
    rows: int
    sections: int
    database: float


@dataclass
class Bench:
    """A process at work, opened for the first orders."""

    orders: Orders
    contexts: list[Context] = field(default_factory=list)

    def open(self) -> Store:
        """Open the state and every workspace; returns the state."""
        store = open_store(f"sqlite:///{self.orders.folder / 'bench.db'}")
        for number, where in enumerate(self.orders.where):
            surroundings = Surroundings(lambda: self.orders.now)
            context = build_context(
                f"bench{number}", _settings(where), store, surroundings
            )
            self.contexts.append(context)
        return store


def main() -> None:
    """Run the cycles and print what they took."""
    start = time.process_time()
    logs.configure(level="ERROR")
    bench, store = None, None
    for line in sys.stdin:
        orders = msgspec.json.decode(line, type=Orders, dec_hook=_read_path)
        if bench is None:
            bench = Bench(orders)
            store = bench.open()
        bench.orders = orders
        took = _run(bench, start)
        sys.stdout.buffer.write(msgspec.json.encode(took) + b"\n")
        sys.stdout.buffer.flush()
        start = time.process_time()
    if bench is not None and store is not None:
        for context in bench.contexts:
            context.notion.close()
            context.jira.close()
        store.close()


def _run(bench: Bench, start: float) -> Took:
    """Let all workspaces go through a cycle, and count from a moment of this process's CPU on."""
    counts: Counter[str] = Counter()
    for context in bench.contexts:
        report = sync(context, CycleRequest(bench.orders.mode, "bench"))
        _check(report)
        counts.update(report.requests)
        counts.update(report.applied.counts())

    own = resource.getrusage(resource.RUSAGE_SELF)
    charts = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(
        time.process_time() - start,
        start,
        charts.ru_utime + charts.ru_stime,
        own.ru_maxrss * 1_024 / MEGABYTE,
        counts["notion"],
        counts["jira"],
        counts["create"] + counts["update"] + counts["archive"],
        counts["sections"],
        sum(file.stat().st_size for file in bench.orders.folder.glob("bench.db*"))
        / MEGABYTE,
    )


def _read_path(kind: type[Any], raw: Any) -> Any:
    return kind(raw)


def _settings(where: dict[str, Any]) -> Workspace:
    notion, jira = where["notion"], where["jira"]
    return Workspace(
        locale="en",
        currency="EUR",
        limits=Limits(changes=1_000_000),
        notion=NotionSettings(
            base_url=notion["base_url"],
            token=SecretStr(notion["token"]),
            root_page_id=notion["root_page_id"],
            requests=1_000_000,
            window=60.0,
        ),
        jira=JiraSettings(
            base_url=jira["base_url"],
            email=jira["email"],
            token=SecretStr(jira["token"]),
        ),
        schedule=Schedule(run_limit=86_400),
    )


def _check(report: Report) -> None:
    """End where a cycle did not do all that it was to do: its figures would be those of something else."""
    if report.refused or report.applied.failures or report.applied.stopped:
        sys.exit(f"{report.refused or report.applied.failures or 'stopped'}"[:2_000])


if __name__ == "__main__":
    main()
