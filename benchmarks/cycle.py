"""One cycle as it is shipped, planned and written, in a process of its own: `python -m benchmarks.cycle`, orders on stdin.

Prints one line of JSON: what it took. With several workspaces their cycles follow one another, as in a daemon.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr

from worker.app import logs
from worker.app.build import Surroundings, build_context, open_store
from worker.config import JiraSettings, Limits, NotionSettings, Schedule, Workspace
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync

MEGABYTE = 1_000_000


class Orders(msgspec.Struct, frozen=True):
    """Where the services are, which cycle at which moment, and the folder of the state."""

    where: list[dict[str, Any]]
    mode: Mode
    now: datetime
    folder: Path


class Took(msgspec.Struct, frozen=True):
    """What the cycles of all workspaces took: CPU in seconds beyond start-up, memory at its peak and the database in MB.

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


def main() -> None:
    """Run the cycles and print what they took."""
    start = time.process_time()
    logs.configure(level="ERROR")
    orders = msgspec.json.decode(sys.stdin.read(), type=Orders, dec_hook=_read_path)
    store = open_store(f"sqlite:///{orders.folder / 'bench.db'}")
    counts: Counter[str] = Counter()
    for number, where in enumerate(orders.where):
        context = build_context(
            f"bench{number}", _settings(where), store, Surroundings(lambda: orders.now)
        )
        report = sync(context, CycleRequest(orders.mode, "bench"))
        _check(report)
        counts.update(report.requests)
        counts.update(report.applied.counts())
        context.notion.close()
        context.jira.close()
    store.close()

    own = resource.getrusage(resource.RUSAGE_SELF)
    charts = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = Took(
        time.process_time() - start,
        start,
        charts.ru_utime + charts.ru_stime,
        own.ru_maxrss * 1_024 / MEGABYTE,
        counts["notion"],
        counts["jira"],
        counts["create"] + counts["update"] + counts["archive"],
        counts["sections"],
        sum(file.stat().st_size for file in orders.folder.glob("bench.db*")) / MEGABYTE,
    )
    sys.stdout.buffer.write(msgspec.json.encode(took) + b"\n")


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
