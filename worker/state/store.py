"""One database, SQLite or PostgreSQL, and its transactions; what is kept in it is said by the modules beside this one.

Transactions that may write take SQLite's write lock at once: a deferred one would lose updates or fail half-way
(facts/reliability.md 2.2). `synchronous=FULL` because a lost intent would be a duplicate row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Engine, ExceptionContext, make_url
from sqlalchemy.exc import DataError

from worker.state.migrate import upgrade

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_MILLISECONDS = 30_000


@dataclass(frozen=True, slots=True)
class Tx:
    """One open transaction on behalf of one workspace."""

    connection: Connection
    workspace: str


class Store:
    """The state's database. `url` is SQLAlchemy's (`sqlite:////path/state.db`, `postgresql+psycopg://...`).

    Opening makes the file (0600, its folder 0700) and brings the schema up to date. Thread-safe; a transaction is not.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._sqlite = parsed.get_backend_name() == "sqlite"
        self.engine = (
            _sqlite_engine(parsed)
            if self._sqlite
            else create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
        )
        event.listen(self.engine, "handle_error", _hide_values)
        upgrade(self.engine)

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction that may write; commit at the end, roll back on any exception."""
        with self.engine.begin() as connection:
            yield Tx(connection, workspace)

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
            found: datetime = connection.execute(
                select(func.clock_timestamp())
            ).scalar_one()
            return found.astimezone(UTC)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError(
            "the state needs a file: an SQLite database in memory would not outlive the process"
        )
    path = Path(url.database)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(
        url,
        connect_args={"timeout": _BUSY_MILLISECONDS / 1000},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


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
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={_BUSY_MILLISECONDS}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


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
