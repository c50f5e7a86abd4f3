"""One database, SQLite or PostgreSQL, and its transactions; what is kept in it is said by the modules beside this one.

Transactions that may write take SQLite's write lock at once: a deferred one would lose updates or fail half-way
(docs/facts/reliability.md 2.2). `synchronous=FULL` because a lost intent would be a duplicate row.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import Connection, Executable, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Dialect, Engine, ExceptionContext, make_url
from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlalchemy.sql.compiler import SQLCompiler

from worker.state.faults import DatabaseFault, Kind, find_file_kind, find_kind
from worker.state.file_copy import keep_before_upgrade
from worker.state.migrate import head, is_newer, is_ours, revision, upgrade

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BUSY_SECONDS = 30.0
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
        self.place = _place(parsed)
        self._checks: tuple[Callable[[Tx], None], ...] = ()
        self._file: _File | None = None
        if self._sqlite and not create and not Path(parsed.database or "").exists():
            raise NoState(parsed.database)
        with self._telling():
            if self._sqlite:
                self._file = _File(_prepare_file(parsed))
                _refuse_strange(self._file.path)
                _close_files(self._file.path)
            self.engine = (
                _sqlite_engine(parsed) if self._sqlite else _postgres_engine(parsed)
            )
        event.listen(self.engine, "handle_error", _hide_values)
        try:
            self._open(create=create)
        except BaseException:
            self.close()
            raise

    def _open(self, *, create: bool) -> None:
        with self._telling():
            with self.engine.connect().execution_options(reading=True) as connection:
                if is_newer(connection):
                    raise DatabaseFault(Kind.NEWER, self.place)
                standing = revision(connection)
            if standing is None and not create:
                raise NoState(self.place)
            if self._file and standing not in (None, head()):
                keep_before_upgrade(self._file.path, str(standing))
            upgrade(self.engine)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Raise what goes wrong with the database within as a `StateFault`."""
        try:
            yield
        except DatabaseFault:
            raise
        except SQLAlchemyError as error:
            kind = find_kind(error)
            if kind is None:
                raise
            kind = self._gone_or(kind)
            raise DatabaseFault(kind, self.place) from error
        except sqlite3.Error as error:
            kind = find_kind(error) or Kind.DAMAGED
            kind = self._gone_or(kind)
            raise DatabaseFault(kind, self.place) from error

    def _gone_or(self, kind: Kind) -> Kind:
        """Return what is wrong: a file that was taken away in use fails in ways that tell of devices or damage."""
        file = self._file
        if file is None:
            return kind
        if file.path.is_file():
            return kind
        return Kind.GONE

    def _stay(self) -> None:
        """Make sure that the file is the one that was opened; another one in its place is opened anew."""
        if self._file is None or self._file.is_same():
            return
        if not self._file.path.is_file():
            raise DatabaseFault(Kind.GONE, self.place)
        with self._file.lock:
            if not self._file.is_same():
                self.engine.dispose()
                _refuse_strange(self._file.path)
                self._reopen()
                self._file.look()

    def _reopen(self) -> None:
        try:
            self._open(create=False)
        except NoState:
            raise DatabaseFault(Kind.GONE, self.place) from None

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
        """Yield a transaction that may write; commit at the end, roll back on any exception.

        Raises `StateFault` when the database cannot be used.
        """
        with self._telling(), self._begin() as connection:
            tx = Tx(connection, workspace)
            for check in self._checks:
                check(tx)
            yield tx

    @contextmanager
    def reading(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction that only reads and waits for no writer; raises `StateFault`."""
        with self._telling():
            self._stay()
            with self.engine.connect().execution_options(reading=True) as connection:
                yield Tx(connection, workspace)

    @property
    def file(self) -> Path | None:
        """The file of the database, None for one on a server."""
        if self._file:
            return self._file.path
        return None

    @contextmanager
    def snapshot(self) -> Iterator[Tx]:
        """Yield a transaction of no workspace that sees all tables at one moment."""
        level = {} if self._sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._telling():
            self._stay()
            connecting = self.engine.connect().execution_options(reading=True, **level)
            with connecting as connection:
                yield Tx(connection, "")

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        self._stay()
        with self.engine.begin() as connection:
            yield connection

    def now(self) -> datetime:
        """Return the database's clock: the one clock all processes on it share."""
        if self._sqlite:
            return datetime.now(UTC)
        with self._telling(), self.engine.connect() as connection:
            moment: datetime = connection.execute(
                select(func.clock_timestamp())
            ).scalar_one()
            return moment.astimezone(UTC)

    def close(self) -> None:
        """Close all connections."""
        with self._telling():
            self.engine.dispose()


class _File:
    """The file of a database as it was opened; it may be taken away, or another put in its place, while it is in use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.look()

    def look(self) -> None:
        """Take what stands there now for the file."""
        self._seen = self._inode()

    def is_same(self) -> bool:
        """Tell whether the file stands there still."""
        return self._inode() == self._seen

    def _inode(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino


def file_of(url: str) -> Path | None:
    """Return the file that a database's address names, None for one on a server."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite"
    if is_file:
        return Path(parsed.database or "")
    return None


def _place(url: URL) -> str:
    """Return where a database is, as people say it: the path of a file, else the address without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    shown = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database
    )
    return shown.render_as_string()


def _postgres_engine(url: URL) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    event.listen(engine, "connect", _limit_idleness)
    return engine


def _limit_idleness(connection: Any, _record: object) -> None:
    connection.execute(
        f"SET idle_in_transaction_session_timeout = {_IDLE_MILLISECONDS}"
    )
    connection.commit()


def _prepare_file(url: URL) -> Path:
    """Make the file of a new database, see to it that it is its owner's alone, and return it; raises `DatabaseFault`."""
    if not url.database or url.database == ":memory:":
        raise ValueError(
            "the state needs a file: an SQLite database in memory would not outlive the process"
        )
    path = Path(url.database)
    try:
        if path.exists() and not path.is_file():
            raise DatabaseFault(Kind.FOLDER, str(path))
        if not path.parent.exists():
            _make_folder(path.parent)
        # Only when it is new: closing a file ends every lock that this process has on it.
        with suppress(FileExistsError):
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
            os.close(os.open(path, flags, 0o600))
    except OSError as error:
        raise DatabaseFault(find_file_kind(error), str(path)) from error
    return path


def _refuse_strange(path: Path) -> None:
    """Raise a fault for a file that is no state, before anything in it is touched."""
    address = f"file:{quote(str(path))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        tables = {str(name) for (name,) in names}
    if not is_ours(tables):
        raise DatabaseFault(Kind.FOREIGN, str(path))


def _close_files(path: Path) -> None:
    try:
        for suffix in ("", "-wal", "-shm", "-journal"):
            _close_to_others(path.with_name(path.name + suffix))
    except OSError as error:
        raise DatabaseFault(find_file_kind(error), str(path)) from error


def _sqlite_engine(url: URL) -> Engine:
    given = url.query.get("timeout")
    patience = _BUSY_SECONDS
    if given:
        patience = float(str(given))
    address = f"file:{quote(str(url.database))}?mode=rw"

    def connect() -> sqlite3.Connection:
        # A file that was taken away must not be made anew, empty, by the next connection.
        return sqlite3.connect(
            address, uri=True, timeout=patience, check_same_thread=False
        )

    engine = create_engine(url, creator=connect, hide_parameters=True)
    event.listen(engine, "connect", _prepare(patience))
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
    shown = ""
    if not is_about_a_value:
        shown, _, _ = str(error).partition("\n")
    error.args = (shown,)
    if context.sqlalchemy_exception is not None:
        kind = type(error)
        context.sqlalchemy_exception.args = (
            f"({kind.__module__}.{kind.__qualname__}) {shown}",
        )


def _prepare(patience: float) -> Callable[[Any, object], None]:
    def prepare(connection: Any, _record: object) -> None:
        # The driver would otherwise begin by itself, deferred.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={int(patience * 1000)}",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        _keep_log_ahead(connection, patience)

    return prepare


def _keep_log_ahead(connection: Any, patience: float) -> None:
    """Switch to WAL; where several processes do so at once, SQLite turns all but one away without waiting."""
    end = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if find_kind(error) is not Kind.LOCKED or time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def upsert(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of one shape or replace those with the same key; `workspace` is added. Columns not given stay.

    The rows go to the driver as they are: no column needs to be converted, and to look costs more than to write.
    """
    if not rows:
        return
    names = ("workspace", *rows[0])
    statement = _replacing(table, tx.connection.dialect, names)
    whole: list[Any] = []
    for row in rows:
        whole.append({"workspace": tx.workspace, **row})
    places = statement.positiontup
    if places is not None:
        in_order = itemgetter(*places)
        whole = [in_order(row) for row in whole]
    tx.connection.exec_driver_sql(statement.string, whole)


@lru_cache(maxsize=64)
def _replacing(table: Table, dialect: Dialect, names: tuple[str, ...]) -> SQLCompiler:
    """Return the statement that inserts or replaces rows of these columns; made once, as it is needed at each step."""
    keys = [column.name for column in table.primary_key]
    statement = _insert(table, dialect.name)
    given = {name: statement.excluded[name] for name in names if name not in keys}
    replacing = statement.on_conflict_do_nothing()
    if given:
        replacing = statement.on_conflict_do_update(index_elements=keys, set_=given)
    compiled: SQLCompiler = replacing.compile(dialect=dialect, column_keys=names)
    return compiled


def _insert(table: Table, dialect_name: str) -> sqlite.Insert | postgresql.Insert:
    """Return the insertion of the database in use: what becomes of a key that is taken each of them says in its own way."""
    if dialect_name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def insert_new(tx: Tx, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert one row unless its key is taken; tell whether it was inserted."""
    statement = _inserting(table, tx.connection.dialect.name)
    given = {"workspace": tx.workspace, **row}
    inserted = tx.connection.execute(statement, given).first()
    return inserted is not None


@lru_cache(maxsize=64)
def _inserting(table: Table, dialect_name: str) -> Executable:
    """Return the statement that inserts a row whose key is not taken; made once, as two are made for each new row.

    An insert's row count is not reported by every driver; what it returns is.
    """
    inserting = _insert(table, dialect_name)
    inserting = inserting.on_conflict_do_nothing()
    statement: Executable = inserting.returning(table.c.workspace)
    return statement


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
    inserting = _insert(table, tx.connection.dialect.name)
    statement = inserting.values(workspace=tx.workspace, name=name, value=1)
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
