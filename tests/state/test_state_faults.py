"""Whatever is wrong with the database of the state is a sentence with a way out, and passes or does not."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from worker.codecs.records import Page
from worker.domain.entities import Issue
from worker.errors import StateFault
from worker.state import snapshots
from worker.state.checking import UNREADABLE, check_state, find_damage
from worker.state.faults import FAULTS, DatabaseFault, Kind
from worker.state.settings import Setting
from worker.state.store import NoState, Store

COUNT = Setting("count", int, int)
WORDS = "Carla said the team is slow"
PASSWORD = "hunter22"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a state in which something is kept."""
    path = tmp_path / "state.db"
    store = Store(address(path))
    with store.transaction("main") as tx:
        COUNT.save(tx, 42)
    store.close()
    return path


def address(path: Path, *, patience: float = 0.2) -> str:
    return f"sqlite:///{path}?timeout={patience}"


def fault_of(act: Callable[[], object]) -> DatabaseFault:
    """Return the fault that an act ends with; its words tell nothing of a driver, and it says what to do."""
    with pytest.raises(DatabaseFault) as raised:
        act()
    said = str(raised.value)
    for word in ("sqlite3", "psycopg", "Error", "malformed", "SELECT", PASSWORD):
        assert word not in said
    assert "(" in said
    return raised.value


def open_and_write(path: Path) -> None:
    store = Store(address(path))
    try:
        with store.transaction("main") as tx:
            COUNT.save(tx, 43)
    finally:
        store.close()


def _text(path: Path) -> None:
    path.write_text("a letter, and no database\n" * 100)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _header(path: Path) -> None:
    path.write_bytes(b"X" + path.read_bytes()[1:])


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "note.txt").write_text(WORDS)


def _stranger(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def _lacks_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE settings")


@pytest.mark.parametrize(
    ("spoil", "kinds"),
    [
        (_text, {Kind.FOREIGN}),
        (_header, {Kind.FOREIGN}),
        (_cut, {Kind.DAMAGED}),
        (_folder, {Kind.FOLDER}),
        (_stranger, {Kind.FOREIGN}),
        (_newer, {Kind.NEWER}),
        (_lacks_table, {Kind.DAMAGED}),
    ],
)
def test_what_stands_in_the_place_of_the_state_is_told_and_left_as_it_was(
    file: Path, spoil: Callable[[Path], None], kinds: set[Kind]
) -> None:
    spoil(file)
    before = None if file.is_dir() else file.read_bytes()
    mode = file.stat().st_mode
    fault = fault_of(lambda: open_and_write(file))
    assert fault.kind in kinds
    assert not fault.passes
    assert str(file) in str(fault)
    if spoil is _stranger:
        assert file.read_bytes() == before
    if before is None:
        assert file.stat().st_mode == mode
        assert (file / "note.txt").read_text() == WORDS


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text(WORDS)
    fault = fault_of(lambda: open_and_write(tmp_path / "home" / "state.db"))
    assert fault.kind is Kind.FOLDER


def test_an_empty_file_is_a_new_state_and_none_to_look_at(file: Path) -> None:
    file.write_bytes(b"")
    with pytest.raises(NoState):
        Store(address(file), create=False)
    open_and_write(file)
    assert check_state(Store(address(file))) == ()


def test_a_lock_of_another_is_told_at_the_start_and_later_and_passes(
    file: Path,
) -> None:
    store = Store(address(file))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def write() -> None:
        with store.transaction("main") as tx:
            COUNT.save(tx, 44)

    fault = fault_of(write)
    assert fault.kind is Kind.LOCKED
    assert fault.passes
    other.execute("ROLLBACK")
    write()
    with store.reading("main") as tx:
        assert COUNT.load(tx) == 44
    store.close()

    other.execute("PRAGMA journal_mode=DELETE")
    other.execute("BEGIN EXCLUSIVE")
    fault = fault_of(lambda: open_and_write(file))
    assert fault.kind is Kind.LOCKED
    other.close()
    open_and_write(file)


def test_a_file_taken_away_in_use_is_told_is_not_made_anew_and_is_found_again(
    file: Path,
) -> None:
    store = Store(address(file))

    def count() -> int:
        with store.transaction("main") as tx:
            return COUNT.load(tx)

    assert count() == 42
    away = file.with_name("away.db")
    for side in ("", "-wal", "-shm"):
        Path(f"{file}{side}").replace(f"{away}{side}")
    assert fault_of(count).kind is Kind.GONE
    assert not file.exists()
    for side in ("", "-wal", "-shm"):
        Path(f"{away}{side}").replace(f"{file}{side}")
    assert count() == 42
    store.close()


def _open(path: Path) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master")


@pytest.mark.parametrize("content", [b"no database at all" * 99, None])
def test_whatever_fails_once_the_file_is_gone_is_put_down_to_that(
    file: Path, content: bytes | None
) -> None:
    other = file.with_name("other.db")
    if content is not None:
        other.write_bytes(content)
    store = Store(address(file))

    def fail() -> None:
        with store._telling():
            _open(other)

    assert fault_of(fail).kind is not Kind.GONE
    file.unlink()
    assert fault_of(fail).kind is Kind.GONE
    store.close()


def test_a_fault_that_is_told_already_and_an_error_of_the_program_stay_what_they_are(
    file: Path,
) -> None:
    store = Store(address(file))
    file.unlink()
    for error in (DatabaseFault(Kind.LOCKED, "here"), ValueError("ours")):
        with pytest.raises(type(error)) as raised, store._telling():
            raise error
        assert raised.value is error
    store.close()


def test_another_copy_put_in_the_place_of_a_state_in_use_is_taken_up(
    file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(file, copy)
    store = Store(address(file))
    with store.transaction("main") as tx:
        COUNT.save(tx, 50)
    for side in ("-wal", "-shm"):
        Path(f"{file}{side}").unlink()
    copy.replace(file)
    with store.transaction("main") as tx:
        assert COUNT.load(tx) == 42
    store.close()


def _write_until_full(path: Path) -> None:
    store = Store(address(path))
    with store.transaction("main") as tx:
        tx.connection.exec_driver_sql("PRAGMA max_page_count = 1")
        for number in range(200):
            Setting(f"s{number}", str, str).save(tx, WORDS * 200)


def test_a_full_disk_is_told_loses_nothing_and_passes(file: Path) -> None:
    fault = fault_of(lambda: _write_until_full(file))
    assert fault.kind is Kind.FULL
    assert fault.passes
    with Store(address(file)).reading("main") as tx:
        assert COUNT.load(tx) == 42


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from worker.state.settings import Setting
from worker.state.store import Store
from worker.codecs.records import Page
from worker.domain.entities import Issue
from worker.errors import StateFault
from worker.state import snapshots
most = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    store = Store(sys.argv[1])
    with store.transaction("main") as tx:
        for number in range(2000):
            Setting(f"s{number}", str, str).save(tx, "x" * 4000)
except StateFault as fault:
    print(fault.kind)
"""


@pytest.mark.parametrize(
    ("most", "kinds"), [(200_000, {Kind.FULL, Kind.DEVICE}), (20_000, {Kind.FULL})]
)
def test_a_limit_on_the_size_of_files_is_told(
    file: Path, most: int, kinds: set[Kind]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, address(file), str(most)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() in kinds, done.stderr
    with Store(address(file)).reading("main") as tx:
        assert COUNT.load(tx) == 42


@pytest.mark.parametrize("seed", range(60))
def test_no_flipped_byte_anywhere_is_more_than_a_sentence(
    file: Path, seed: int
) -> None:
    draw = random.Random(seed)
    content = bytearray(file.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)
    try:
        store = Store(address(file))
    except StateFault:
        return
    try:
        with store.transaction("main") as tx:
            assert COUNT.load(tx) in (0, 42) or check_state(store)
            COUNT.save(tx, 43)
    except StateFault:
        return
    except UNREADABLE as error:
        damage = find_damage(store, error)
        if damage is None:
            pytest.fail(f"not told as damage: {error!r}")
    check_state(store)
    store.close()


def test_what_was_changed_by_another_hand_is_told_and_mended_by_the_next_read(
    file: Path,
) -> None:
    page = Page("p1", {"Name": "Acme"})
    now = datetime(2026, 11, 20, tzinfo=UTC)
    issue = Issue(
        "1", "ACME-1", "ACME", "Task", 0, "Open", "new", now, now, summary="Acme"
    )
    store = Store(address(file))

    def keep() -> tuple[frozenset[str], frozenset[str]]:
        with store.transaction("main") as tx:
            delta = snapshots.save_pages(tx, "clients", [page], complete=True)
            return delta.changed, snapshots.save_issues(tx, [issue])

    assert keep() == (frozenset({"p1"}), frozenset({"1"}))
    assert keep() == (frozenset(), frozenset())
    with store.transaction("main") as tx:
        for table in ("pages", "issues"):
            tx.connection.exec_driver_sql(
                f"UPDATE {table} SET body = CAST(replace(body, 'Acme', 'Axme') AS BLOB)"
            )
    assert len(check_state(store)) == 2
    assert keep() == (frozenset({"p1"}), frozenset({"1"}))
    with store.reading("main") as tx:
        assert snapshots.load_pages(tx) == {"clients": (page,)}
        assert snapshots.load_issues(tx) == (issue,)
    assert check_state(store) == ()
    store.close()


def test_an_error_of_the_program_is_not_put_down_to_a_sound_state(file: Path) -> None:
    store = Store(address(file))
    assert find_damage(store, ValueError("a bug")) is None
    store.close()


@pytest.fixture
def server(postgres_url: str) -> str:  # noqa: F811 - the fixture
    store = Store(postgres_url)
    with store.transaction("main") as tx:
        COUNT.save(tx, 42)
    store.close()
    return postgres_url


def test_an_unreachable_server_passes_and_its_password_stays_unsaid() -> None:
    url = f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:1/db?sslpassword={PASSWORD}"
    fault = fault_of(lambda: Store(url))
    assert fault.kind is Kind.AWAY
    assert fault.passes
    assert "127.0.0.1:1" in str(fault)


def test_a_name_the_server_does_not_know_is_told(server: str) -> None:
    url = make_url(server)
    nowhere = url.set(database="nowhere").render_as_string(hide_password=False)
    fault = fault_of(lambda: Store(nowhere))
    assert fault.kind is Kind.NO_DATABASE
    assert not fault.passes
    stranger = url.set(username="stranger", password=PASSWORD)
    fault = fault_of(lambda: Store(stranger.render_as_string(hide_password=False)))
    assert fault.kind is Kind.PASSWORD
    assert not fault.passes


def test_a_connection_that_was_ended_is_told_and_the_next_one_works(
    server: str,
) -> None:
    store = Store(server)
    plain = make_url(server).set(drivername="postgresql")

    def lose() -> None:
        with store.transaction("main") as tx:
            pid = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            COUNT.save(tx, 50)
            with psycopg.connect(
                plain.render_as_string(hide_password=False), autocommit=True
            ) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [pid])
            COUNT.save(tx, 51)

    fault = fault_of(lose)
    assert fault.kind is Kind.AWAY
    with store.reading("main") as tx:
        assert COUNT.load(tx) == 42
    store.close()


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SET default_transaction_read_only = on", Kind.READ_ONLY),
        ("DROP TABLE settings", Kind.DAMAGED),
    ],
)
def test_what_a_server_refuses_is_told(server: str, statement: str, kind: Kind) -> None:
    store = Store(server)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(statement)

    def write() -> None:
        with store.transaction("main") as tx:
            COUNT.save(tx, 50)

    assert fault_of(write).kind is kind
    store.close()


def test_the_whole_trace_of_a_fault_quotes_no_value(file: Path) -> None:
    store = Store(address(file))

    def overfill() -> None:
        with store.transaction("main") as tx:
            tx.connection.exec_driver_sql("PRAGMA max_page_count = 1")
            Setting("s", str, str).save(tx, WORDS * 20_000)

    fault = fault_of(overfill)
    assert WORDS not in "".join(traceback.format_exception(fault))
    store.close()


def test_every_kind_has_its_sentence_and_way_out() -> None:
    assert FAULTS.keys() == set(Kind)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_of_somebody_else_is_told(file: Path) -> None:
    file.chmod(0o400)
    fault = fault_of(lambda: open_and_write(file))
    assert fault.kind in {Kind.READ_ONLY, Kind.FORBIDDEN}
