"""The queue of a fleet, in PostgreSQL: which workspaces are to be looked after, as jobs of procrastinate.

A job names a workspace and nothing else. What is due there is asked of the state when the job runs, so that one which
comes late, or twice, does no more than it should; the lease of the workspace sees to the rest. A job runs once at a
time and waits once at a time for each workspace (procrastinate's `lock` and `queueing_lock`).

The queue holds nothing that could not be told anew. Each version of the library therefore has tables of its own, in a
schema named after it: machines of an old and a new version work side by side, and no table is ever migrated.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import procrastinate
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection, sql
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

from worker.domain.structs import make_ready

log = structlog.get_logger("worker.fleet")

CYCLE, BEAT, LISTEN = "cycle", "beat", "listen"
EVERY_MINUTE = "* * * * *"
EVERY_FIVE_SECONDS = "* * * * * */5"
URGENT = 1
"""Looking what is due goes before the cycles that wait, which may be hundreds."""
_WAITING, _WORKING = "todo", "doing"
"""States of a job, in the words of the library."""
_LIVING = """
SELECT count(*) AS living
FROM procrastinate_workers
WHERE last_heartbeat > now() - make_interval(secs => %(silent)s)
"""
_LOCK = 0x464C4545
"""One process at a time makes the tables."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a fleet does: find the workspaces where something is due, those where people wait, and look after one."""

    find_due: Callable[[], Sequence[str]]
    find_asked: Callable[[], Sequence[str]]
    look_after: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a worker shows that it lives: seconds between its heartbeats, and after how many silent ones it counts as
    dead and its jobs are given to others."""

    heartbeat: float = 10.0
    patience: int = 3

    @property
    def stalled(self) -> float:
        """Return the seconds of silence after which a worker is dead."""
        return self.heartbeat * self.patience


@dataclass(frozen=True, slots=True)
class Queue:
    """A fleet's queue in the database of the state; `url` is SQLAlchemy's."""

    url: str
    work: Work
    rhythm: Rhythm = Rhythm()

    async def run(self, concurrency: int) -> None:
        """Work as one of the fleet until cancelled; jobs under way are finished first."""
        await self._make_tables()
        app = self.open()
        async with app.open_async():
            await _defer(app, BEAT, timestamp=0)
            await app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="always",
                update_heartbeat_interval=self.rhythm.heartbeat,
                stalled_worker_timeout=self.rhythm.stalled,
            )

    async def count(self) -> Mapping[str, int]:
        """Return how many workspaces wait and are at work, and how many workers live."""
        await self._make_tables()
        app = self.open()
        async with app.open_async():
            jobs = await app.job_manager.list_jobs_async(task=CYCLE)
            workers = await app.connector.execute_query_one_async(
                _LIVING, silent=self.rhythm.stalled
            )

        states = Counter(job.status for job in jobs)
        return {
            "waiting": states[_WAITING],
            "working": states[_WORKING],
            "workers": workers["living"],
        }

    def open(self) -> App:
        """Return the library's application with the tasks of a fleet."""
        app = App(connector=PsycopgConnector(conninfo=self._conninfo()))
        work = self.work
        make_ready()

        @app.task(name=CYCLE)
        def cycle(workspace: str) -> None:
            work.look_after(workspace)

        @app.periodic(cron=EVERY_MINUTE)
        @app.task(name=BEAT, queueing_lock=BEAT, priority=URGENT)
        async def beat(timestamp: int) -> None:
            due = await asyncio.to_thread(work.find_due)
            await _order(app, due)

        @app.periodic(cron=EVERY_FIVE_SECONDS)
        @app.task(name=LISTEN, queueing_lock=LISTEN, priority=URGENT)
        async def listen(timestamp: int) -> None:
            left = await _take_back(app, self.rhythm.stalled)
            asked = await asyncio.to_thread(work.find_asked)
            await _order(app, [*left, *asked])

        return app

    def _conninfo(self) -> str:
        address = _address(self.url)
        return make_conninfo(address, options=f"-c search_path={_schema()}")

    async def _make_tables(self) -> None:
        """Make the queue's tables unless they are there."""
        schema = sql.Identifier(_schema())
        async with await AsyncConnection.connect(_address(self.url)) as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            found = await connection.execute(
                "SELECT 1 FROM pg_namespace WHERE nspname = %s", [_schema()]
            )
            if await found.fetchone():
                return

            create = sql.SQL("CREATE SCHEMA {}").format(schema)
            enter = sql.SQL("SET LOCAL search_path TO {}").format(schema)
            tables = SchemaManager.get_schema()
            for statement in (create, enter, tables):
                await connection.execute(statement)
        log.info("fleet.queue_made", schema=_schema())


def _address(url: str) -> str:
    """Return a database's address as PostgreSQL's own programs read it."""
    plain = make_url(url).set(drivername="postgresql")
    return plain.render_as_string(hide_password=False)


def _schema() -> str:
    """Return the schema of the queue's tables for this version of the library."""
    version = re.sub(r"\W", "_", procrastinate.__version__)
    return f"rayline_queue_{version}"


async def _order(app: App, workspaces: Iterable[str]) -> None:
    """Have workspaces looked after; one that waits already is not ordered twice."""
    for workspace in dict.fromkeys(workspaces):
        job = app.configure_task(CYCLE, lock=workspace, queueing_lock=workspace)
        try:
            await job.defer_async(workspace=workspace)
        except AlreadyEnqueued:
            continue


async def _defer(app: App, task: str, **values: int) -> None:
    try:
        await app.configure_task(task, queueing_lock=task).defer_async(**values)
    except AlreadyEnqueued:
        return


async def _take_back(app: App, seconds: float) -> list[str]:
    """Take their jobs from workers that gave no sign of life, and return the workspaces of these.

    They end here instead of being tried again as they are: a job for the same workspace may wait already.
    """
    jobs = app.job_manager
    left = []
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=seconds):
        await jobs.finish_job(job, status=Status.FAILED, delete_job=True)

        workspace = job.task_kwargs.get("workspace")
        if isinstance(workspace, str):
            left.append(workspace)
            log.warning("fleet.taken_back", workspace=workspace, worker=job.worker_id)
    return left
