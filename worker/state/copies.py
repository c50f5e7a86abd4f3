"""Copies of the state: a backup made while everybody works, put back, or carried from one kind of database to the other.

A backup is always an SQLite file, whatever holds the state. It is written beside its place, looked through, and only
then given its name: there is never half a backup.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from worker.errors import Problem, Severity
from worker.state.checking import check_state, count_rows
from worker.state.faults import DatabaseFault, find_file_kind
from worker.state.file_copy import copy_file, open_file
from worker.state.leases import find_living
from worker.state.snapshots import count_all_as_changed
from worker.state.store import NoState, Store, file_of
from worker.state.tables import leases, metadata, triggers
from worker.state.triggers import OPEN

CHUNK = 1000
SIDES = ("-wal", "-shm", "-journal")


class NotSound(Exception):
    """A copy is not sound: what is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(one.code.value for one in problems))
        self.problems = problems


class InUse(Exception):
    """The state is in use: `holder` is the process that holds a workspace of it, or that has its file open."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was made: where, how many bytes, how many rows of each table; `aside` is where the old state went."""

    path: Path
    size: int
    rows: Mapping[str, int]
    aside: Path | None = None


def back_up(store: Store, path: Path, *, replace: bool = False) -> Copied:
    """Write a consistent copy of the state into a file, mode 0600, and return it.

    Raises `FileExistsError` when the file is there and may not be replaced, `NotSound` and `StateFault`.
    """
    if path.exists() and not replace:
        raise FileExistsError(path)
    with _unfinished(path) as part:
        _write(store, part)
        rows = _look_through(part)
        _name(part, path, replace=replace)
    return Copied(path, path.stat().st_size, rows)


def restore(url: str, source: Path, *, now: datetime) -> Copied:
    """Put a copy in the place of the state at `url`; one of an older version is brought up to date.

    A file that stood there is kept aside, and named. Of a database of PostgreSQL all rows are replaced. Raises `InUse`
    while a process works with the state, `NotSound`, `FileNotFoundError` and `StateFault`.
    """
    if not source.is_file():
        raise FileNotFoundError(source)
    path = file_of(url)
    if path is None:
        return _restore_server(url, source)
    return _restore_file(path, source, now=now)


def _restore_file(path: Path, source: Path, *, now: datetime) -> Copied:
    refuse_use(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _unfinished(path) as part:
        rows = _take_over(source, part)
        aside = None
        if path.exists():
            aside = _put_aside(path, now)
        _name(part, path, replace=True)
    return Copied(path, path.stat().st_size, rows, aside)


def _restore_server(url: str, source: Path) -> Copied:
    target = Store(url)
    try:
        holder = find_living(target)
        if holder:
            raise InUse(holder)
        with _unfinished(source) as part:
            rows = _take_over(source, part)
            with closing(Store(f"sqlite:///{part}")) as origin:
                _carry(origin, target)
    finally:
        target.close()
    return Copied(source, source.stat().st_size, rows)


def _write(store: Store, part: Path) -> None:
    """Write all that a state holds into a new file."""
    file = store.file
    if file is None:
        with closing(Store(f"sqlite:///{part}")) as target:
            _carry(store, target)
        return
    copy_file(file, part)


def _carry(origin: Store, target: Store) -> None:
    """Replace all rows of one database by those of another, each seen at one moment."""
    with origin.snapshot() as there, target.transaction("") as here:
        for table in metadata.sorted_tables:
            here.connection.execute(table.delete())
            result = there.connection.execute(select(table))
            for part in result.mappings().partitions(CHUNK):
                rows = [dict(row) for row in part]
                here.connection.execute(table.insert(), rows)


def _take_over(source: Path, part: Path) -> Mapping[str, int]:
    """Make a sound state of today's version out of a copy; raises `NotSound` and `StateFault`."""
    copy_file(source, part)
    with closing(Store(f"sqlite:///{part}")) as store:
        _refuse_unsound(store)
        with store.transaction("") as tx:
            # Whoever held or asked for something then is not there any more.
            tx.connection.execute(leases.update().values(until=0))
            is_open = triggers.c.state.in_(OPEN)
            tx.connection.execute(triggers.delete().where(is_open))
            # The next cycle is to judge anew what it finds, though nothing changes from now on.
            count_all_as_changed(tx)
            rows = count_rows(tx)
    for side in SIDES:
        part.with_name(part.name + side).unlink(missing_ok=True)
    return rows


def _look_through(part: Path) -> Mapping[str, int]:
    """Return how many rows a copy holds; raises `NotSound`."""
    with closing(Store(f"sqlite:///{part}")) as store:
        _refuse_unsound(store)
        with store.reading("") as tx:
            return count_rows(tx)


def _refuse_unsound(store: Store) -> None:
    found = check_state(store)
    errors = tuple(one for one in found if one.severity is Severity.ERROR)
    if errors:
        raise NotSound(errors)


def refuse_use(path: Path) -> None:
    """Raise `InUse` while a process works with the state in a file."""
    for pid in _users(path):
        raise InUse(str(pid))
    with suppress(NoState, DatabaseFault, OSError):
        if path.is_file() and path.stat().st_size:
            with closing(Store(f"sqlite:///{path}", create=False)) as store:
                holder = find_living(store)
                if holder:
                    raise InUse(holder)


def _users(path: Path) -> Iterator[int]:
    """Yield the other processes that have a file open, as far as the system shows them (proc(5): `fd`)."""
    place = str(path.resolve())
    for folder in Path("/proc").glob("[0-9]*/fd"):
        pid = int(folder.parent.name)
        if pid == os.getpid():
            continue
        with suppress(OSError):
            if any(os.readlink(one) == place for one in folder.iterdir()):
                yield pid


def _put_aside(path: Path, now: datetime) -> Path:
    """Move a state, and what SQLite keeps beside it, out of the way; return where it stands now."""
    with suppress(sqlite3.Error), closing(open_file(path, "rw")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = path.with_name(f"{path.name}.before-restore-{now:%Y%m%d-%H%M%S}")
    for side in (*SIDES, ""):
        standing = path.with_name(path.name + side)
        if standing.exists():
            standing.replace(aside.with_name(aside.name + side))
    return aside


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """Yield an empty file of ours beside a path; what is left of it at the end is taken away."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _take_away(part)
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        os.close(os.open(part, flags, 0o600))
        yield part
    except OSError as error:
        if isinstance(error, FileExistsError | FileNotFoundError):
            raise
        raise DatabaseFault(find_file_kind(error), str(path)) from error
    finally:
        with suppress(OSError):
            _take_away(part)


def _take_away(part: Path) -> None:
    for side in ("", *SIDES):
        part.with_name(part.name + side).unlink(missing_ok=True)


def _name(part: Path, path: Path, *, replace: bool) -> None:
    """Give a finished copy its name, at once and for good."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    if replace:
        part.replace(path)
    else:
        os.link(part, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
