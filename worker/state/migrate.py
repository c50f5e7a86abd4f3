"""Bringing a database's schema up to date when it is opened."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import Engine

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = (
    0x5241594C  # one upgrade at a time on PostgreSQL; SQLite's write lock does the same
)


def upgrade(engine: Engine) -> None:
    """Run the migrations a database has not seen; safe when several processes open it at once.

    One that is up to date is opened without waiting for whoever writes in it.
    """
    with engine.connect().execution_options(reading=True) as connection:
        if revision(connection) == head():
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK}
            )
        if revision(connection) != head():
            config = configure()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


@cache
def head() -> str | None:
    """Return the newest revision of the packaged migrations."""
    return ScriptDirectory.from_config(configure()).get_current_head()


def revision(connection: Connection) -> str | None:
    """Return the revision a database stands at, None when it is new."""
    return MigrationContext.configure(connection).get_current_revision()


def is_newer(connection: Connection) -> bool:
    """Tell whether a database stands at a revision that this version does not know."""
    standing = revision(connection)
    return standing is not None and standing not in _known()


def is_ours(tables: Collection[str]) -> bool:
    """Tell whether a database with these tables is a state, or nothing yet; a damaged one may lack some."""
    others = set(tables) - {"alembic_version"}
    return not others or bool(others & {"intents", "bases", "pages"})


@cache
def _known() -> frozenset[str]:
    scripts = ScriptDirectory.from_config(configure()).walk_revisions()
    return frozenset(script.revision for script in scripts)


def configure() -> Config:
    """Return alembic's configuration for the packaged migrations."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
