"""The queue: one job a workspace, tables made once, jobs of the dead taken back, and what a configuration leaves out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from tests.support.campus import bind, open_campus
from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.stages import rayline
from tests.support.waiting import LONG
from worker.app.settings import load_settings
from worker.fleet.queue import Queue, Rhythm, Work
from worker.fleet.service import Fleet
from worker.state import runs, triggers
from worker.state.runs import RunStatus
from worker.state.store import Store

QUICK = Rhythm(heartbeat=0.5)


class Desk:
    """A fleet's work that only notes who was looked after; `hold` keeps each one until it is set."""

    def __init__(self, *due: str) -> None:
        self.due = list(due)
        self.seen: list[str] = []
        self.hold = threading.Event()
        self.hold.set()

    def work(self) -> Work:
        return Work(lambda: self.due, list, self.look_after)

    def look_after(self, name: str) -> None:
        self.seen.append(name)
        self.hold.wait(LONG)


async def until(seen: Callable[[], bool]) -> None:
    while not seen():
        await asyncio.sleep(0.05)


async def work_until(
    queue: Queue, seen: Callable[[], bool], *, at_once: int = 1
) -> None:
    """Work as one of a fleet until something is seen."""
    working = asyncio.create_task(queue.run(at_once))
    await asyncio.wait_for(until(seen), LONG)
    working.cancel()
    await asyncio.wait([working])


def test_each_workspace_that_is_due_is_looked_after_once(
    postgres_url: str,  # noqa: F811
) -> None:
    desk = Desk("b", "a", "a", "c")
    queue = Queue(postgres_url, desk.work(), QUICK)
    asyncio.run(work_until(queue, lambda: len(desk.seen) >= 3))
    assert sorted(desk.seen) == ["a", "b", "c"]


def test_two_workers_that_start_at_once_share_one_queue(
    postgres_url: str,  # noqa: F811
) -> None:
    desks = Desk("a", "b", "c", "d"), Desk("a", "b", "c", "d")

    def is_done() -> bool:
        return len({*desks[0].seen, *desks[1].seen}) == 4

    async def both() -> None:
        queues = [Queue(postgres_url, desk.work(), QUICK) for desk in desks]
        await asyncio.gather(*(work_until(queue, is_done) for queue in queues))

    asyncio.run(both())
    assert is_done()


def test_a_workspace_at_work_is_not_looked_after_by_another(
    postgres_url: str,  # noqa: F811
) -> None:
    desk = Desk("a")
    desk.hold.clear()
    queue = Queue(postgres_url, desk.work(), QUICK)

    async def look() -> Mapping[str, int]:
        working = asyncio.create_task(queue.run(2))
        await asyncio.wait_for(until(lambda: bool(desk.seen)), LONG)
        # Another that is due at once waits for the end of the one under way.
        second = asyncio.create_task(Queue(postgres_url, desk.work(), QUICK).run(2))
        counted = await queue.count()
        # The second one signs on and waits, in whichever order.
        while not (counted["waiting"] and counted["workers"] > 1):
            counted = await queue.count()
        desk.hold.set()
        for task in (working, second):
            task.cancel()
        await asyncio.wait([working, second])
        return counted

    counted = asyncio.run(asyncio.wait_for(look(), LONG))
    assert counted == {"waiting": 1, "working": 1, "workers": 2}


def test_jobs_of_a_worker_that_is_silent_are_taken_back(
    postgres_url: str,  # noqa: F811
) -> None:
    desk = Desk()
    queue = Queue(postgres_url, desk.work(), QUICK)
    asyncio.run(queue.count())
    address = postgres_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        schema = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rayline_queue_%'"
        ).fetchone()
        assert schema
        connection.execute(f'SET search_path TO "{schema[0]}"')  # type: ignore[call-overload,unused-ignore]
        worker = connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id"
        ).fetchone()
        assert worker
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id)"
            """ VALUES ('default', 'cycle', 'a', 'a', '{"workspace": "a"}', 'doing', %s)""",
            [worker[0]],
        )
    asyncio.run(work_until(queue, lambda: bool(desk.seen)))
    assert desk.seen == ["a"]


@pytest.fixture
def fleet(
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Fleet]:
    store = Store(postgres_url)
    with open_campus(tmp_path, ["north", "south"]) as (campus, config):
        bind(campus, store)
        settings = load_settings(config)
        yield Fleet(settings.workspaces, store, threading.Event())
    store.close()


def test_what_is_due_is_told_by_the_state(fleet: Fleet) -> None:
    assert fleet.find_due() == ["north", "south"]
    assert fleet.find_asked() == []
    fleet.look_after("north")
    assert fleet.find_due() == ["south"]
    fleet.look_after("north")
    with fleet.store.reading("north") as tx:
        (run,) = runs.recent(tx)
    assert run.status is RunStatus.DONE


def test_what_people_ask_for_is_due_at_once(fleet: Fleet) -> None:
    fleet.look_after("north")
    with fleet.store.transaction("north") as tx:
        asked = triggers.ask(tx, now=fleet.store.now())
    assert fleet.find_asked() == ["north"]
    assert "north" in fleet.find_due()
    fleet.look_after("north")
    with fleet.store.reading("north") as tx:
        answered = triggers.get(tx, asked.id)
    assert answered
    assert answered.state is triggers.TriggerState.DONE
    assert fleet.find_asked() == []


def test_a_workspace_that_the_configuration_no_longer_names_is_left_alone(
    fleet: Fleet,
) -> None:
    with fleet.store.transaction("closed") as tx:
        triggers.ask(tx, now=fleet.store.now())
    assert fleet.find_asked() == []
    fleet.look_after("closed")
    with fleet.store.reading("closed") as tx:
        assert runs.recent(tx) == ()


def test_a_state_in_a_file_is_no_state_for_a_fleet(tmp_path: Path) -> None:
    with open_campus(tmp_path, ["north"]) as (_, config):
        refused = rayline("fleet", "status", "--config", str(config), home=tmp_path)
    assert refused.returncode == 2
    assert "postgresql+psycopg://" in refused.stderr
