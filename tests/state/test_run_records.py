"""What a run leaves in the state: what it did, and nothing again that stands there already."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.stages import small_play
from worker.cycle.context import Mode
from worker.domain.values import Ref
from worker.plan.facts import Why
from worker.plan.plan import Change, FieldChange, Kind, Plan, to_data
from worker.state import runs
from worker.state.checking import check_state
from worker.state.runs import RunStatus
from worker.state.store import Store
from worker.state.tables import plans

NOW = datetime(2026, 11, 18, tzinfo=UTC)
IDLE = 1_000
"""Bytes that a cycle may leave which found nothing to do."""


def size(database: Path) -> int:
    """Return the bytes of all that is kept, apart from how the database lays it out."""
    with sqlite3.connect(database) as connection:
        total = 0
        names = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        for (table,) in names.fetchall():
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            lengths = " + ".join(
                f"coalesce(length(cast({column[1]} AS blob)), 0)" for column in columns
            )
            query = f"SELECT coalesce(sum({lengths}), 0) FROM {table}"
            total += connection.execute(query).fetchone()[0]
    return total


def test_a_cycle_that_finds_nothing_to_do_leaves_its_line_alone(tmp_path: Path) -> None:
    with small_play(tmp_path) as play:
        report = play.sync()
        (database,) = play.folder.glob("*.db")
        sizes = []
        for _ in range(10):
            play.later(minutes=5)
            report = play.sync(Mode.DELTA)
            assert report.problems()
            sizes.append(size(database))
        assert sizes[-1] - sizes[-2] < IDLE

        with play.stage.store.reading("studio") as tx:
            first, last = runs.get(tx, 2), runs.recent(tx, 1)[0]
        assert first is not None
        assert last.outcome["problems"] == report.data()["problems"]
        assert first.outcome["problems"]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'runs.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    store = Store(url)
    yield store
    store.close()


def finish(store: Store, problems: list[dict[str, Any]], at: datetime = NOW) -> int:
    with store.transaction("studio") as tx:
        run_id = runs.start(tx, "manual", now=at)
        runs.finish(
            tx,
            run_id,
            RunStatus.DONE,
            outcome={"mode": "full", "problems": problems},
            requests={},
            now=at,
        )
    return run_id


def told(store: Store, run_id: int) -> object:
    with store.reading("studio") as tx:
        run = runs.get(tx, run_id)
    assert run is not None
    assert "problems_of" not in run.outcome
    return run.outcome.get("problems")


def test_each_run_tells_its_own_problems_however_many_have_the_same(
    store: Store,
) -> None:
    lists: list[list[dict[str, Any]]] = [
        [{"code": "a"}, {"code": "b"}],
        [{"code": "b"}],
        [],
        [{"code": "a"}, {"code": "b"}],
    ]
    ids = [finish(store, problems) for problems in lists]
    assert [told(store, run_id) or [] for run_id in ids] == lists
    with store.reading("studio") as tx:
        newest = runs.recent(tx)
        after = runs.since(tx, ids[0])
        done = runs.last_success(tx, "full")
    assert [run.outcome.get("problems") or [] for run in newest] == lists[::-1]
    assert [run.outcome.get("problems") or [] for run in after] == lists[1:]
    assert done is not None
    assert done.outcome["problems"] == lists[-1]


def test_a_list_is_kept_as_long_as_a_run_has_it(store: Store) -> None:
    shared, old = [{"code": "shared"}], [{"code": "old"}]
    long_ago = NOW - timedelta(days=100)
    finish(store, shared, long_ago)
    finish(store, old, long_ago)
    kept = finish(store, shared)
    with store.transaction("studio") as tx:
        runs.prune(tx, before=NOW - timedelta(days=90))
        keys = [
            key
            for (key,) in tx.connection.exec_driver_sql("SELECT key FROM settings")
            if key.startswith("run_problems:")
        ]
    assert len(keys) == 1
    assert told(store, kept) == shared


@pytest.mark.parametrize("second", [(), ("b",)], ids=["nothing more", "more"])
def test_a_run_that_was_cut_off_in_its_second_pass_still_tells_of_its_first(
    tmp_path: Path, second: tuple[str, ...]
) -> None:
    def plan_for(*pages: str) -> Plan:
        changes = (
            Change(Kind.ARCHIVE, Ref("tasks", page), page, page) for page in pages
        )
        return Plan("studio", tuple(changes))

    store = Store(f"sqlite:///{tmp_path / 'rayline.db'}")
    with store.transaction("studio") as tx:
        number = runs.start(tx, "clock", now=NOW)
        runs.save_plan(tx, plan_for("a"), number, now=NOW)
        runs.save_plan(tx, plan_for(*second), number, now=NOW + timedelta(seconds=5))
        runs.close_lost(tx, now=NOW + timedelta(minutes=5))
    with store.reading("studio") as tx:
        run = runs.get(tx, number)
        assert run is not None
        plan = runs.plan_of(tx, run)
    assert plan is not None
    assert [change.page_id for change in plan.changes] == ["a", *second]

    with store.transaction("studio") as tx:
        merged_at = NOW + timedelta(seconds=9)
        runs.save_plan(tx, plan_for("a", *second), number, now=merged_at)
        again = runs.plan_of(tx, run)
    store.close()
    assert again is not None
    assert again.changes == plan.changes


def _plan_of_many(rows: int) -> Plan:
    """Return a plan that sets a field of each of many rows, each for a reason of its own."""
    return Plan(
        "studio",
        tuple(
            Change(
                Kind.UPDATE,
                Ref("tasks", f"task-{row}"),
                f"page-{row}",
                f"Task {row}",
                (
                    FieldChange(
                        "name", "", f"Task {row}", Why("tasks.name", (), f"row {row}")
                    ),
                ),
            )
            for row in range(rows)
        ),
    )


def test_a_plan_is_kept_packed_and_one_of_an_earlier_release_is_read_as_it_is(
    tmp_path: Path,
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'rayline.db'}")
    plan = _plan_of_many(200)
    bare = msgspec.json.encode(to_data(plan))
    place = (Ref("tasks", "task-7"), "name")
    with store.transaction("studio") as tx:
        runs.save_plan(tx, plan, None, now=NOW)
        packed = tx.connection.execute(select(plans.c.body)).scalar_one()
        assert len(packed) * 6 < len(bare)
        assert runs.load_plan(tx) == plan
        why = runs.find_reasons(tx, [place])
        assert why[place].rule == "tasks.name"

        tx.connection.execute(plans.update().values(body=bare))
        assert runs.load_plan(tx) == plan
        assert runs.find_reasons(tx, [place]) == why
    assert check_state(store) == ()

    with store.transaction("studio") as tx:
        tx.connection.execute(plans.update().values(body=packed[:-9]))
    assert [problem.where for problem in check_state(store)] != []
    store.close()
