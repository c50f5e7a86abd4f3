"""A fleet on a real PostgreSQL: processes that share the work, and go on where one of them was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.support.campus import Campus, bind, open_campus
from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.stages import environment, rayline
from tests.support.waiting import LONG, wait_for
from worker.state import leases, runs
from worker.state.runs import Run, RunStatus
from worker.state.store import Store

MANY = int(os.environ.get("RAYLINE_FLEET_SIZE", "12"))


def all_runs(store: Store, campus: Campus) -> dict[str, tuple[Run, ...]]:
    found = {}
    for name in campus.rooms:
        with store.reading(name) as tx:
            found[name] = runs.recent(tx)
    return found


def count(store: Store, campus: Campus, status: RunStatus) -> int:
    """Return in how many workspaces there is a run of a status."""
    found = all_runs(store, campus)
    return sum(any(run.status is status for run in one) for one in found.values())


def test_a_fleet_of_which_a_worker_was_killed_ends_as_if_nothing_had_happened(
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    names = [f"studio{number}" for number in range(MANY)]
    store = Store(postgres_url)
    with open_campus(tmp_path, names) as (campus, config):
        bind(campus, store)
        more = {"RAYLINE_STATE": postgres_url}
        killed, kept = (start_worker(config, number, **more) for number in (1, 2))
        wait_for(lambda: count(store, campus, RunStatus.DONE) >= MANY // 4)
        owner = f":{killed.pid}:"
        wait_for(lambda: is_writing(campus, store, owner))
        killed.kill()
        killed.wait()

        wait_for(lambda: count(store, campus, RunStatus.DONE) == MANY)
        wait_for(lambda: count(store, campus, RunStatus.RUNNING) == 0)
        shown = rayline(
            "fleet",
            "status",
            "--config",
            str(config),
            "--heartbeat",
            "0.5",
            "--json",
            home=tmp_path,
            **more,
        )
        assert '"workers": 1' in shown.stdout
        assert kept.poll() is None
        kept.send_signal(signal.SIGTERM)
        assert kept.wait(LONG) == 0

        undisturbed = campus.keys(names[0])
        assert undisturbed
        for name in names:
            assert campus.keys(name) == undisturbed
            assert max(Counter(campus.keys(name)).values()) == 1
        for one in all_runs(store, campus).values():
            assert not overlapping(one)
        assert campus.refused_by_budget() == 0
    store.close()


def start_worker(config: Path, number: int, **more: str) -> subprocess.Popen[bytes]:
    """Start one of the fleet, its log in a file: a pipe that nobody reads would stop it."""
    words = ("fleet", "worker", "--config", str(config), "--heartbeat", "0.5")
    home = config.parent
    with (home / f"worker-{number}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "worker", *words],
            cwd=home,
            env=environment(home, **more),
            stderr=log,
        )


def is_writing(campus: Campus, store: Store, owner: str) -> bool:
    """Tell whether a process has a workspace in hand."""
    for name in campus.rooms:
        with store.reading(name) as tx:
            lease = leases.current(tx)
        if lease and owner in lease.owner and lease.until > store.now():
            return True
    return False


def overlapping(found: tuple[Run, ...]) -> bool:
    """Tell whether two runs of a workspace were at work at once."""
    times = sorted((run.started, run.ended or run.started) for run in found)
    return any(end > start for (_, end), (start, _) in pairwise(times))
