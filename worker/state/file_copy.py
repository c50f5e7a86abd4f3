"""A copy of an SQLite database that may be in use, whole and of one moment; one is kept before each upgrade."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import structlog

from worker.state.faults import DatabaseFault, Kind, find_kind

log = structlog.get_logger(__name__)
_OF_SOURCE = (Kind.DAMAGED, Kind.FOREIGN, Kind.LOCKED)


def open_file(path: Path, mode: str = "ro") -> sqlite3.Connection:
    """Return a connection to a file that is there, by default one that only reads."""
    address = f"file:{quote(str(path))}?mode={mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None)


def copy_file(source: Path, target: Path) -> None:
    """Copy a database into a new or empty file; raises `DatabaseFault`."""
    try:
        with closing(open_file(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        # What cannot be written is the copy, what cannot be read the database.
        kind = find_kind(error) or Kind.DAMAGED
        place = target
        if kind in _OF_SOURCE:
            place = source
        raise DatabaseFault(kind, str(place)) from error


def keep_before_upgrade(path: Path, standing: str) -> Path:
    """Copy a state of an older version beside itself, and drop the copies of upgrades before; return the copy."""
    kept = path.with_name(f"{path.name}.before-upgrade-of-{standing}")
    part = kept.with_name(f".{kept.name}.{os.getpid()}.part")
    try:
        flags = os.O_CREAT | os.O_TRUNC | os.O_RDWR
        os.close(os.open(part, flags, 0o600))
        copy_file(path, part)
        part.replace(kept)
    finally:
        part.unlink(missing_ok=True)
    for older in path.parent.glob(f"{path.name}.before-upgrade-of-*"):
        if older != kept:
            older.unlink(missing_ok=True)
    log.warning("state.copied_before_upgrade", file=str(kept))
    return kept
