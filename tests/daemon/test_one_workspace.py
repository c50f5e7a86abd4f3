"""One workspace that cannot be served stops no other, and is served again when it can be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.waiting import LONG, wait_for
from worker.config import Schedule, Workspace
from worker.cycle.context import CycleRequest
from worker.cycle.report import Report
from worker.daemon.job_log import JobLog
from worker.daemon.service import WorkspaceRunner, serve
from worker.domain.messages import literal
from worker.errors import (
    Busy,
    Code,
    ConfigError,
    Denied,
    Incomplete,
    Missing,
    Problem,
    Rejected,
    Stopped,
    Transient,
    Unknown,
)
from worker.plan.plan import Plan
from worker.state.store import Store

SATURDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
BAD = Problem(code=Code.CONFIG, where=literal("rayline.toml"), message=literal("bad"))
FAULTS = (
    Denied("notion", "GET /v1/users/me", "API token is invalid", status=401),
    Denied("jira", "GET /rest/api/3/myself", "not you", status=403),
    Missing("notion", "GET /v1/pages/x", "not shared", status=404),
    Rejected("jira", "POST /search", "no such field", status=400),
    Transient("jira", "GET /", "no route to host"),
    Unknown("notion", "POST /v1/pages", "timed out"),
    Incomplete("clients", "cut"),
    Busy("one", "elsewhere"),
    Stopped("not now"),
    ConfigError([BAD]),
    KeyError("a mapping that nobody foresaw"),
    RecursionError(),
    MemoryError(),
)


def _runner(
    name: str, store: Store, run: Callable[[CycleRequest], None]
) -> WorkspaceRunner:
    def work(order: CycleRequest, on_start: Callable[[int], None]) -> Report:
        run(order)
        plan = Plan(name, (), (), ())
        return Report(1, name, 0.0, {"notion": 0, "jira": 0}, plan)

    settings = Workspace(schedule=Schedule(delta=0.2, quiet=0.2, full=3600))
    log = JobLog(store, name)
    return WorkspaceRunner(name, settings, work, log, lambda: SATURDAY)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_the_others_are_served_and_it_too_once_it_can_be(
    tmp_path: Path, fault: Exception
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    mended, stop = threading.Event(), threading.Event()
    tried: list[str] = []
    served: list[str] = []
    others: list[str] = []

    def fail(order: CycleRequest) -> None:
        tried.append(order.trigger)
        if not mended.is_set():
            raise fault
        served.append(order.trigger)

    runners = [
        _runner("one", store, fail),
        *(
            _runner(name, store, lambda order: others.append(order.trigger))
            for name in ("two", "three")
        ),
    ]
    daemon = threading.Thread(target=serve, args=(runners, stop))
    daemon.start()
    try:
        wait_for(lambda: len(tried) > 1 and len(others) > 4)
        assert served == []
        mended.set()
        wait_for(lambda: bool(served))
    finally:
        stop.set()
        daemon.join(LONG)
        store.close()
