"""`state check`, `backup` and `restore` as commands, over a state that real runs made."""

from __future__ import annotations

import json
import logging
import random
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from tests.support.campus import Campus, bind, open_campus
from tests.support.offices import open_office
from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.stages import rayline, start_rayline
from tests.support.waiting import LONG, wait_for, wait_for_line
from worker.cli.main import app
from worker.domain.messages import ENGLISH, render
from worker.errors import Severity
from worker.state import leases
from worker.state.checking import check_state
from worker.state.store import Store

CODES = {0, 2, 75}


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with one workspace and a state in a file."""

    campus: Campus
    config: Path
    state: Path

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command and return how it ended and what it said."""
        given = [*words, "--config", str(self.config)]
        done = CliRunner().invoke(app, given, env={"COLUMNS": "400"})
        return done.exit_code, done.stdout, done.stderr

    def run_alone(self, *words: str) -> tuple[int, str, str]:
        """Run a command in a process of its own and return how it ended and what it said."""
        done = rayline(*words, "--config", str(self.config), home=self.config.parent)
        return done.returncode, done.stdout, done.stderr

    def told(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run a command and return how it ended and its JSON."""
        code, said, _ = self.run(*words, "--json")
        return code, dict(json.loads(said))

    def keys(self) -> list[str]:
        """Return the keys of the worker's rows in Notion."""
        return self.campus.keys("north")


@pytest.fixture(autouse=True)
def _signals_and_logs() -> Iterator[None]:
    """Put back what a command changes of its process."""
    handlers = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)
    }
    root = logging.getLogger().handlers[:]
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    logging.getLogger().handlers[:] = root
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Yield a workspace after its first run, for tests that change nothing of it."""
    folder = tmp_path_factory.mktemp("machine")
    with open_campus(folder, ["north"]) as (campus, config):
        state = folder / "state" / "rayline.db"
        state.parent.mkdir()
        text = config.read_text("utf-8")
        address = f'state = "sqlite:///{state}"\n'
        config.write_text(address + text, "utf-8")
        store = Store(f"sqlite:///{state}")
        bind(campus, store)
        store.close()
        machine = Machine(campus, config, state)
        code, _, said = machine.run("sync")
        assert code == 0, said
        yield machine


@pytest.fixture
def machine(synced: Machine, tmp_path: Path) -> Machine:
    """Return the same workspace with a copy of its state that a test may spoil."""
    state = tmp_path / "home" / "rayline.db"
    state.parent.mkdir()
    shutil.copy(synced.state, state)
    config = tmp_path / "rayline.toml"
    text = synced.config.read_text("utf-8")
    config.write_text(text.replace(str(synced.state), str(state)), "utf-8")
    config.chmod(0o600)
    return Machine(synced.campus, config, state)


def test_a_state_that_runs_made_is_sound(machine: Machine) -> None:
    code, told = machine.told("state", "check")
    assert (code, told["sound"], told["problems"]) == (0, True, [])
    code, said, _ = machine.run("state", "check")
    assert code == 0
    assert "sound" in said


def _spoil(machine: Machine, statement: str) -> None:
    with closing(sqlite3.connect(machine.state)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pages SET body = x'7b7d7b'",
        "UPDATE pages SET body = replace(body, 'Acme', 'Axme')",
        "UPDATE issues SET body = x'00' WHERE 1",
        "UPDATE bases SET value = x'ff'",
        "UPDATE intents SET status = 'dnne'",
        "UPDATE memory SET body = x''",
        "UPDATE runs SET outcome = x'5b'",
        "UPDATE settings SET body = x'2c'",
        "UPDATE bindings SET body = x'7b'",
        "DROP TABLE leases",
        "ALTER TABLE runs RENAME COLUMN phase TO fase",
    ],
)
def test_what_is_wrong_in_a_state_is_told_with_the_way_out(
    machine: Machine, statement: str
) -> None:
    with closing(sqlite3.connect(machine.state)) as connection:
        changed = connection.execute(statement).rowcount
        connection.commit()
    if changed == 0:
        pytest.skip("nothing of this kind is kept here")
    with closing(Store(f"sqlite:///{machine.state}")) as store:
        found = check_state(store)
    assert found
    assert found[0].severity is Severity.ERROR
    assert "restore" in render(found[0].hint, ENGLISH)


def test_what_runs_leave_behind_is_told_and_is_no_fault(machine: Machine) -> None:
    _spoil(machine, "UPDATE intents SET status = 'unknown', sent_at = 1, page_id = ''")
    code, told = machine.told("state", "check")
    assert code == 0
    assert "not settled" in told["problems"][0]["message"]


def test_a_backup_is_private_whole_and_never_written_over_another(
    machine: Machine,
) -> None:
    target = machine.state.with_name("copy.db")
    code, told = machine.told("backup", str(target))
    assert code == 0, told
    assert told["rows"]["runs"] == 1
    assert target.stat().st_mode & 0o777 == 0o600
    code, _, said = machine.run("backup", str(target))
    assert code == 2
    assert "--replace" in said
    code, _ = machine.told("backup", str(target), "--replace")
    assert code == 0
    assert [one.name for one in machine.state.parent.glob(".*")] == []

    code, told = machine.told("backup")
    assert code == 0
    assert Path(told["file"]).parent == machine.state.parent
    code, _, said = machine.run("backup", str(target / "below"))
    assert code == 2, said
    assert "Traceback" not in said


def test_a_backup_puts_back_what_was_and_keeps_the_other_aside(
    machine: Machine,
) -> None:
    target = machine.state.with_name("copy.db")
    assert machine.told("backup", str(target))[0] == 0
    code, _, said = machine.run("sync")
    assert code == 0, said
    code, told = machine.told("restore", str(target))
    assert code == 0, told
    assert told["rows"]["runs"] == 1
    with closing(sqlite3.connect(told["aside"])) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)
    assert machine.state.stat().st_mode & 0o777 == 0o600
    before = machine.keys()
    code, told = machine.told("sync")
    assert code == 0
    assert machine.keys() == before
    assert machine.told("state", "check")[0] == 0


def test_a_broken_state_is_put_back_and_a_broken_copy_is_refused(
    machine: Machine,
) -> None:
    target = machine.state.with_name("copy.db")
    assert machine.told("backup", str(target))[0] == 0
    machine.state.write_bytes(b"no database at all" * 1000)
    code, _, said = machine.run("status")
    assert code == 2
    assert "restore" in said

    spoiled = target.with_name("spoiled.db")
    spoiled.write_bytes(target.read_bytes()[:20_000])
    code, _, said = machine.run("restore", str(spoiled))
    assert code == 2
    assert "Traceback" not in said
    assert machine.state.read_bytes().startswith(b"no database")
    assert machine.run("restore", str(target.with_name("nothing.db")))[0] == 2

    code, _ = machine.told("restore", str(target))
    assert code == 0
    assert machine.run("status")[0] == 0


def test_nothing_is_put_back_while_a_daemon_lives(machine: Machine) -> None:
    target = machine.state.with_name("copy.db")
    assert machine.told("backup", str(target))[0] == 0
    process = start_rayline(
        "run", "-c", str(machine.config), home=machine.config.parent
    )
    try:
        wait_for_line(process, "daemon.started")
        before = machine.state.stat().st_ino
        code, _, said = machine.run("restore", str(target))
        assert code == 75, said
        assert "in use" in said
        assert machine.state.stat().st_ino == before
        assert machine.run("backup", str(target), "--replace")[0] == 0
    finally:
        process.kill()
        process.communicate(timeout=LONG)
    # The lease of a dead process keeps nobody out.
    assert machine.run("restore", str(target))[0] == 0


def test_a_daemon_outlives_a_state_that_is_taken_away_and_put_back(
    tmp_path: Path,
) -> None:
    state, away = tmp_path / "state.db", tmp_path / "away.db"

    def move(here: Path, there: Path) -> None:
        for side in ("", "-wal", "-shm"):
            if Path(f"{here}{side}").exists():
                Path(f"{here}{side}").replace(f"{there}{side}")

    office = open_office(tmp_path, f"sqlite:///{state}", lease=6)
    with office.daemon() as process:
        move(state, away)
        assert "rayline restore" in wait_for_line(process, "state.failed")
        assert not state.exists()
        move(away, state)
        renewed = office.lease().until
        wait_for(lambda: office.lease().until > renewed)
        assert process.poll() is None
    office.store.close()


def test_a_state_moves_to_a_server_and_back(
    machine: Machine,
    postgres_url: str,  # noqa: F811 - the fixture
) -> None:
    target = machine.state.with_name("copy.db")
    _, made = machine.told("backup", str(target))
    text = machine.config.read_text("utf-8")
    _, _, rest = text.partition("\n")
    machine.config.write_text(f'state = "{postgres_url}"\n{rest}', "utf-8")
    code, told = machine.told("restore", str(target))
    assert code == 0, told
    assert told["rows"] == made["rows"]
    before = machine.keys()
    code, said, warned = machine.run("sync")
    assert code == 0, said + warned
    assert machine.keys() == before

    back = machine.state.with_name("back.db")
    code, told = machine.told("backup", str(back))
    assert code == 0, told
    machine.config.write_text(text, "utf-8")
    assert machine.told("restore", str(back))[0] == 0
    assert machine.told("state", "check")[0] == 0


def test_a_restored_copy_holds_no_lease_and_no_request_of_then(
    machine: Machine,
) -> None:
    _spoil(machine, "UPDATE leases SET until = 9000000000000000, owner = 'far:1:x'")
    target = machine.state.with_name("copy.db")
    assert machine.run("backup", str(target))[0] == 0
    _spoil(machine, "UPDATE leases SET until = 0")
    assert machine.run("trigger")[0] == 0
    assert machine.run("restore", str(target))[0] == 0
    store = Store(f"sqlite:///{machine.state}")
    assert leases.find_living(store) == ""
    store.close()


@pytest.mark.parametrize("seed", range(3))
def test_no_flipped_byte_brings_a_trace_or_a_second_row(
    machine: Machine, seed: int
) -> None:
    before = sorted(set(machine.keys()))
    draw = random.Random(seed)
    content = bytearray(machine.state.read_bytes())
    for _ in range(4):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    machine.state.write_bytes(content)
    for words in (("status",), ("sync",)):
        code, said, warned = machine.run_alone(*words)
        assert code in CODES, (words, said, warned)
        assert "Traceback" not in said + warned
    assert sorted(machine.keys()) == before


def test_a_locked_state_is_told_and_may_be_tried_again(machine: Machine) -> None:
    text = machine.config.read_text("utf-8")
    machine.config.write_text(text.replace('.db"', '.db?timeout=1"'), "utf-8")
    with closing(sqlite3.connect(machine.state, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        code, _, said = machine.run("sync")
        assert code == 75
        assert "locked" in said
    machine.config.write_text(text, "utf-8")
    code, _, said = machine.run("sync")
    assert code == 0, said
