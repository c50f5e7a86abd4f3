"""One database, SQLite or PostgreSQL, and its transactions; what is kept in it is said by the modules beside this one.

Transactions that may write take SQLite's write lock at once: a deferred one would lose updates or fail half-way
(docs/facts/reliability.md 2.2). `synchronous=FULL` because a lost intent would be a duplicate row.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Engine, ExceptionContext, make_url
from sqlalchemy.exc import DataError

from worker.state.migrate import revision, upgrade

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_MILLISECONDS = 30_000
_IDLE_MILLISECONDS = 60_000
"""How long PostgreSQL waits for a client that stopped in the middle of a transaction, before it lets go of its locks."""


log = structlog.get_logger(__name__)


class NoState(Exception):
    """There is no database at an address, or nothing was ever kept in it."""


@dataclass(frozen=True, slots=True)
class Tx:
    """One open transaction on behalf of one workspace."""

    connection: Connection
    workspace: str


class Store:
    """The state's database. `url` is SQLAlchemy's (`sqlite:////path/state.db`, `postgresql+psycopg://...`).

    Opening makes the file (0600, its folder 0700) and brings the schema up to date; without `create` it raises
    `NoState` where nothing was kept before, and makes nothing. Thread-safe; a transaction is not.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        parsed = make_url(url)
        self._sqlite = parsed.get_backend_name() == "sqlite"
        if self._sqlite and not create and not Path(parsed.database or "").is_file():
            raise NoState(parsed.database)
        self.engine = (
            _sqlite_engine(parsed) if self._sqlite else _postgres_engine(parsed)
        )
        event.listen(self.engine, "handle_error", _hide_values)
        self._checks: tuple[Callable[[Tx], None], ...] = ()
        if not create and self._is_new():
            self.close()
            raise NoState(parsed.database)
        upgrade(self.engine)

    def _is_new(self) -> bool:
        with self.engine.connect().execution_options(reading=True) as connection:
            return revision(connection) is None

    def guarded(self, check: Callable[[Tx], None]) -> Store:
        """Return the same database, where `check` begins each transaction that may write and may raise to refuse it."""
        found = copy(self)
        found._checks = (*self._checks, check)
        return found

    def unguarded(self) -> Store:
        """Return the same database without checks."""
        found = copy(self)
        found._checks = ()
        return found

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction that may write; commit at the end, roll back on any exception."""
        with self.engine.begin() as connection:
            tx = Tx(connection, workspace)
            for check in self._checks:
                check(tx)
            yield tx

    @contextmanager
    def reading(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction that only reads and waits for no writer."""
        with self.engine.connect().execution_options(reading=True) as connection:
            yield Tx(connection, workspace)

    def now(self) -> datetime:
        """Return the database's clock: the one clock all processes on it share."""
        if self._sqlite:
            return datetime.now(UTC)
        with self.engine.connect() as connection:
            moment: datetime = connection.execute(
                select(func.clock_timestamp())
            ).scalar_one()
            return moment.astimezone(UTC)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _postgres_engine(url: URL) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    event.listen(engine, "connect", _limit_idleness)
    return engine


def _limit_idleness(connection: Any, _record: object) -> None:
    connection.execute(
        f"SET idle_in_transaction_session_timeout = {_IDLE_MILLISECONDS}"
    )
    connection.commit()


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError(
            "the state needs a file: an SQLite database in memory would not outlive the process"
        )
    path = Path(url.database)
    if not path.parent.exists():
        _make_folder(path.parent)
    # Only when it is new: closing a file ends every lock that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    for suffix in ("", "-wal", "-shm", "-journal"):
        _close_to_others(path.with_name(path.name + suffix))

    engine = create_engine(
        url, connect_args={"timeout": _BUSY_MILLISECONDS / 1000}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_folder(folder: Path) -> None:
    """Make a folder that is the owner's alone, and of which git takes nothing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignored = os.open(folder / ".gitignore", os.O_CREAT | os.O_WRONLY, 0o600)
    with os.fdopen(ignored, "w") as file:
        file.write("*\n")


def _close_to_others(path: Path) -> None:
    """Take from others what an older version, a copy or a restored backup left open to them; raises `OSError` where
    only somebody else can."""
    if os.name != "posix" or not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        path.chmod(0o600)
        log.warning("closed to others", file=str(path), mode=f"{mode:04o}")


def _hide_values(context: ExceptionContext) -> None:
    """Leave in an error what was wrong and not with which values: rows hold names, money and private words.

    PostgreSQL puts them into the lines after the first, and into the first when a value is of the wrong kind.
    """
    error = context.original_exception
    is_about_a_value = isinstance(context.sqlalchemy_exception, DataError)
    shown = "" if is_about_a_value else str(error).partition("\n")[0]
    error.args = (shown,)
    if context.sqlalchemy_exception is not None:
        kind = type(error)
        context.sqlalchemy_exception.args = (
            f"({kind.__module__}.{kind.__qualname__}) {shown}",
        )


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = (
        None  # the driver would otherwise begin by itself, deferred
    )
    for pragma in (
        f"busy_timeout={_BUSY_MILLISECONDS}",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    _keep_log_ahead(connection)


def _keep_log_ahead(connection: Any) -> None:
    """Switch to WAL; where several processes do so at once, SQLite turns all but one away without waiting."""
    end = time.monotonic() + _BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def upsert(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of one shape or replace those with the same key; `workspace` is added. Columns not given stay."""
    if rows:
        keys = [column.name for column in table.primary_key]
        dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(table)
        given = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        tx.connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=given)
            if given
            else statement.on_conflict_do_nothing(),
            [{"workspace": tx.workspace, **row} for row in rows],
        )


def insert_new(tx: Tx, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert one row unless its key is taken; tell whether it was inserted."""
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    statement = (
        dialect.insert(table)
        .values(workspace=tx.workspace, **row)
        .on_conflict_do_nothing()
    )
    # An insert's row count is not reported by every driver; what it returns is.
    return (
        tx.connection.execute(statement.returning(table.c.workspace)).first()
        is not None
    )


def delete_keys(tx: Tx, table: Table, column: str, keys: Sequence[str]) -> None:
    """Delete this workspace's rows whose `column` is one of `keys`."""
    for start in range(0, len(keys), 500):
        tx.connection.execute(
            table.delete().where(
                table.c.workspace == tx.workspace,
                table.c[column].in_(keys[start : start + 500]),
            )
        )


def next_number(tx: Tx, name: str, table: Table) -> int:
    """Return the next number of a counter, unique also between concurrent transactions."""
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(workspace=tx.workspace, name=name, value=1)
    return int(
        tx.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace", "name"], set_={"value": table.c.value + 1}
            ).returning(table.c.value)
        ).scalar_one()
    )


def to_micros(instant: datetime) -> int:
    """Return an aware instant as stored."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return a stored instant in UTC."""
    return _EPOCH + timedelta(microseconds=micros)
