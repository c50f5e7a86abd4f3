"""A state of each earlier version is brought up to date with all that is in it, and a copy of it is kept beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from worker.domain.values import Ref
from worker.state import bases, history, journal, memory, runs, triggers
from worker.state.checking import check_state
from worker.state.migrate import configure, head
from worker.state.settings import Setting
from worker.state.store import Store, Tx
from worker.world.memory import Memory, Track

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
RISK = Ref("risks", "risk:deadline.p_on_time:p1")
COUNT = Setting("count", int, int)
EARLIER = [
    script.revision
    for script in ScriptDirectory.from_config(configure()).walk_revisions()
    if script.revision != head()
]
Reader = Callable[[Tx], object]
READERS: dict[str, Reader] = {
    "bases": bases.load,
    "history": history.load,
    "memory": memory.load,
    "settings": COUNT.load,
    "numbers of runs": lambda tx: [run.id for run in runs.recent(tx)],
    "requests": lambda tx: [one.id for one in triggers.recent(tx)],
    "pages made": journal.created_pages,
}


def fill(store: Store) -> None:
    """Keep something in most tables."""
    with store.transaction("main") as tx:
        journal.intend(tx, RISK, {"name": "Late"}, claim="1", now=NOW)
        journal.finish(tx, RISK, "p1", claim="1", now=NOW)
        bases.record(tx, "p1", {"name": "Late", "impact": Decimal(3)})
        history.record(tx, {(RISK, "stage"): "open"}, day=date(2026, 11, 20))
        memory.save(tx, Memory(tracks={"c1": Track("amber", date(2026, 11, 20))}))
        run = runs.start(tx, "manual", now=NOW)
        triggers.ask(tx, now=NOW)
        COUNT.save(tx, 42)
    assert run == 1


def taken_back(path: Path, revision: str) -> dict[str, object]:
    """Make a state of an earlier version and return what it holds."""
    store = Store(f"sqlite:///{path}")
    fill(store)
    with store.reading("main") as tx:
        held = {name: read(tx) for name, read in READERS.items()}
    config = configure()
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    store.close()
    return held


@pytest.mark.parametrize("revision", EARLIER)
def test_a_state_of_an_earlier_version_keeps_all_that_is_in_it(
    tmp_path: Path, revision: str
) -> None:
    path = tmp_path / "state.db"
    held = taken_back(path, revision)
    old = path.with_name("state.db.before-upgrade-of-0000")
    old.write_bytes(b"of the upgrade before")

    store = Store(f"sqlite:///{path}")
    with store.reading("main") as tx:
        assert {name: read(tx) for name, read in READERS.items()} == held
    assert check_state(store) == ()
    store.close()

    kept = path.with_name(f"state.db.before-upgrade-of-{revision}")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not old.exists()
    with closing(sqlite3.connect(kept)) as connection:
        (standing,) = connection.execute("SELECT version_num FROM alembic_version")
    assert standing == (revision,)


def test_opening_a_state_of_today_keeps_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for _ in range(2):
        Store(f"sqlite:///{path}").close()
    assert list(tmp_path.glob("*before-upgrade*")) == []
