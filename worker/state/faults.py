"""What is wrong with the state's database, in plain words: one table from the errors of both databases to sentences.

SQLite names an error by its result code (https://www.sqlite.org/rescode.html), PostgreSQL by its SQLSTATE
(https://www.postgresql.org/docs/current/errcodes-appendix.html). A connection that was never made has no SQLSTATE; what
the server or the system said of it is matched then. The words of a driver are never shown: they may quote values.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from worker.domain.messages import Text, tell
from worker.errors import StateFault


class Kind(StrEnum):
    """What can be wrong with a database."""

    DAMAGED = "damaged"
    FOREIGN = "foreign"
    NEWER = "newer"
    FOLDER = "folder"
    FORBIDDEN = "forbidden"
    READ_ONLY = "read-only"
    FULL = "full"
    DEVICE = "device"
    LOCKED = "locked"
    GONE = "gone"
    AWAY = "away"
    CROWDED = "crowded"
    PASSWORD = "password"
    NO_DATABASE = "no-database"


class DatabaseFault(StateFault, SQLAlchemyError):
    """A state fault with its kind; who guards against errors of the database is guarded against it too."""

    def __init__(self, kind: Kind, place: str) -> None:
        row = FAULTS[kind]
        sentence, way_out = row
        super().__init__(place, sentence, way_out=way_out, passes=kind in PASSING)
        self.kind = kind


_RESTORE = tell(
    "look with `rayline state check`; then put the latest backup back with `rayline restore FILE`"
)
FAULTS: Mapping[Kind, tuple[Text, Text]] = {
    Kind.DAMAGED: (tell("the database of the state is damaged"), _RESTORE),
    Kind.FOREIGN: (
        tell("what is kept here is no state of Rayline, or its beginning is damaged"),
        tell(
            "correct `state` in the configuration; if it was one, put the latest backup back with "
            "`rayline restore FILE`"
        ),
    ),
    Kind.NEWER: (
        tell("the state was written by a newer version of Rayline"),
        tell("install that version again, or put the backup back that it made"),
    ),
    Kind.FOLDER: (
        tell(
            "no file can stand here: a folder is in its place, or a file in that of its folder"
        ),
        tell("correct `state` in the configuration, or move away what is in its place"),
    ),
    Kind.FORBIDDEN: (
        tell("this user may not use the database of the state"),
        tell(
            "give the user that runs Rayline the right to read and write it and its folder"
        ),
    ),
    Kind.READ_ONLY: (
        tell("the database of the state can only be read"),
        tell(
            "give the right to write it, or let `state` name the server that takes writes"
        ),
    ),
    Kind.FULL: (
        tell("there is no room left for the state"),
        tell("make room on the disk; nothing that was kept is lost"),
    ),
    Kind.DEVICE: (
        tell("the disk under the state does not read or write"),
        tell("look at the disk and its free room, then run `rayline state check`"),
    ),
    Kind.LOCKED: (
        tell("another process keeps the database of the state locked"),
        tell("try again later; should it stay so, end the program that holds it"),
    ),
    Kind.GONE: (
        tell("the file of the state was taken away or replaced while it was in use"),
        tell("put it back, or put the latest backup back with `rayline restore FILE`"),
    ),
    Kind.AWAY: (
        tell("the server of the state's database does not answer"),
        tell("see whether it runs and can be reached; it is tried again"),
    ),
    Kind.CROWDED: (
        tell("the server of the state's database takes no more connections or work"),
        tell("try again later, or give it more"),
    ),
    Kind.PASSWORD: (
        tell(
            "the server of the state's database does not accept this user or password"
        ),
        tell("correct user and password in `state`"),
    ),
    Kind.NO_DATABASE: (
        tell("the server has no database of this name"),
        tell("make it (CREATE DATABASE), or correct `state`"),
    ),
}
PASSING = frozenset({Kind.FULL, Kind.LOCKED, Kind.AWAY, Kind.CROWDED})
"""What may pass by itself, so that the command may be tried again."""

# The primary result codes of SQLite: an extended one is its primary one, an underscore and more.
_SQLITE: Mapping[str, Kind] = {
    "SQLITE_READONLY_DBMOVED": Kind.GONE,
    "SQLITE_IOERR_NOMEM": Kind.CROWDED,
    # As a full disk shows to who opens the file, before anything is written.
    "SQLITE_IOERR_SHMSIZE": Kind.FULL,
    "SQLITE_CORRUPT": Kind.DAMAGED,
    "SQLITE_NOTADB": Kind.FOREIGN,
    "SQLITE_FORMAT": Kind.DAMAGED,
    "SQLITE_FULL": Kind.FULL,
    "SQLITE_BUSY": Kind.LOCKED,
    "SQLITE_LOCKED": Kind.LOCKED,
    "SQLITE_PROTOCOL": Kind.LOCKED,
    "SQLITE_READONLY": Kind.READ_ONLY,
    "SQLITE_PERM": Kind.FORBIDDEN,
    "SQLITE_AUTH": Kind.FORBIDDEN,
    "SQLITE_CANTOPEN": Kind.FORBIDDEN,
    "SQLITE_IOERR": Kind.DEVICE,
    "SQLITE_NOMEM": Kind.CROWDED,
    "SQLITE_NOLFS": Kind.FULL,
}
_POSTGRES: Mapping[str, Kind] = {
    "28": Kind.PASSWORD,
    "3D000": Kind.NO_DATABASE,
    "25006": Kind.READ_ONLY,
    "42501": Kind.FORBIDDEN,
    "53100": Kind.FULL,
    "53": Kind.CROWDED,
    "58030": Kind.DEVICE,
    "08": Kind.AWAY,
    "57P": Kind.AWAY,
    "25P03": Kind.AWAY,
    "57014": Kind.LOCKED,
    "55P03": Kind.LOCKED,
    "40": Kind.LOCKED,
    "XX001": Kind.DAMAGED,
    "XX002": Kind.DAMAGED,
    "42P01": Kind.DAMAGED,
    "42703": Kind.DAMAGED,
}
_SAID: Mapping[str, Kind] = {
    "password": Kind.PASSWORD,
    "role ": Kind.PASSWORD,
    "pg_hba": Kind.PASSWORD,
    "no such user": Kind.PASSWORD,
    "too many": Kind.CROWDED,
    "remaining connection slots": Kind.CROWDED,
    "database ": Kind.NO_DATABASE,
}
"""Parts of what PostgreSQL says of a connection that it does not give."""


def find_kind(error: BaseException | None) -> Kind | None:
    """Return what an error of a database tells of it; None for one that tells of the program instead."""
    original = getattr(error, "orig", None) or error
    name = getattr(original, "sqlite_errorname", None)
    if name:
        lacks = str(original).startswith(("no such table", "no such column"))
        return Kind.DAMAGED if lacks else _longest(_SQLITE, str(name))
    state = getattr(original, "sqlstate", None)
    if state:
        return _longest(_POSTGRES, str(state))
    module = type(original).__module__
    if module == "sqlite3":
        # Only what the driver itself says has no code: a text that is none, a number beyond all bounds.
        return Kind.DAMAGED
    if module.startswith("psycopg") and type(original).__name__ == "OperationalError":
        return _said(str(original)) or Kind.AWAY
    if isinstance(error, SQLAlchemyError) and type(error).__name__ == "TimeoutError":
        return Kind.CROWDED
    return None


def find_file_kind(error: OSError) -> Kind:
    """Return what an error of the system says of the file of the state, or of its folder."""
    match error:
        case PermissionError():
            return Kind.FORBIDDEN
        case IsADirectoryError() | NotADirectoryError() | FileExistsError():
            return Kind.FOLDER
        case FileNotFoundError():
            return Kind.GONE
    return _ERRNO.get(error.errno or 0, Kind.DEVICE)


_ERRNO: Mapping[int, Kind] = {
    errno.ENOSPC: Kind.FULL,
    errno.EDQUOT: Kind.FULL,
    errno.EFBIG: Kind.FULL,
    errno.EROFS: Kind.READ_ONLY,
}


def _longest(table: Mapping[str, Kind], name: str) -> Kind | None:
    """Return the row of the longest beginning of a name."""
    beginnings = (name[:end] for end in range(len(name), 0, -1))
    return next((table[part] for part in beginnings if part in table), None)


def _said(text: str) -> Kind | None:
    if "starting up" in text or "shutting down" in text or "in recovery" in text:
        return Kind.AWAY
    return next((kind for part, kind in _SAID.items() if part in text), None)
