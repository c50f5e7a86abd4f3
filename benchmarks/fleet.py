"""How many workspaces a fleet looks after: processes that share a real PostgreSQL, small workspaces on real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.campus import Campus, bind, open_campus
from tests.support.postgres import empty_database
from tests.support.stages import environment
from worker.state import runs
from worker.state.runs import RunStatus
from worker.state.store import Store
from worker.state.triggers import ask

Line = tuple[int, int, str, float, float, float, float, int]


def main() -> None:
    """Print one JSON line: workspaces, workers, what, seconds, cycles a minute, requests and CPU seconds a cycle, 429s."""
    many = int(sys.argv[1])
    lines = [line for workers in (1, 2) for line in _measure(many, workers)]
    sys.stdout.write(json.dumps(lines) + "\n")


def _measure(many: int, workers: int) -> Iterator[Line]:
    names = [f"studio{number}" for number in range(many)]
    with (
        empty_database() as url,
        tempfile.TemporaryDirectory() as folder,
        open_campus(Path(folder), names) as (campus, config),
    ):
        store = Store(url)
        bind(campus, store)
        yield _rush(store, campus, config, workers, "first pass", 1)
        for name in names:
            with store.transaction(name) as tx:
                ask(tx, now=store.now())
        yield _rush(store, campus, config, workers, "nothing changed", 2)
        store.close()


def _rush(
    store: Store, campus: Campus, config: Path, workers: int, what: str, cycles: int
) -> Line:
    """Let a fleet run until each workspace has had so many cycles, and return what it took."""
    many = len(campus.rooms)
    sent = _requests(campus)
    began = time.monotonic()
    fleet = [
        _start(config, str(store.engine.url.render_as_string(False)))
        for _ in range(workers)
    ]
    while _done(store, campus, cycles) < many:
        time.sleep(0.5)
    seconds = time.monotonic() - began
    for one in fleet:
        one.send_signal(signal.SIGTERM)
    cpu = sum(_cpu(one) for one in fleet)
    requests = (_requests(campus) - sent) / many
    return (
        many,
        workers,
        what,
        round(seconds, 1),
        round(60 * many / seconds, 1),
        round(requests, 1),
        round(cpu / many, 2),
        campus.refused_by_budget(),
    )


def _start(config: Path, url: str) -> subprocess.Popen[bytes]:
    words = ("fleet", "worker", "--config", str(config))
    more = {"RAYLINE_STATE": url, "RAYLINE_LOG": "WARNING"}
    return subprocess.Popen(
        [sys.executable, "-m", "worker", *words],
        cwd=config.parent,
        env=environment(config.parent, **more),
        stderr=subprocess.DEVNULL,
    )


def _cpu(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process and return the seconds of CPU that it and its children took."""
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime


def _requests(campus: Campus) -> int:
    return sum(
        entry.actor != "person" for room in campus.rooms.values() for entry in room.log
    )


def _done(store: Store, campus: Campus, cycles: int) -> int:
    """Return in how many workspaces so many cycles ended well."""
    done = 0
    for name in campus.rooms:
        with store.reading(name) as tx:
            well = [run for run in runs.recent(tx) if run.status is RunStatus.DONE]
        done += len(well) >= cycles
    return done


if __name__ == "__main__":
    main()
