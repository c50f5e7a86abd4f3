"""The tables of the state, as SQLAlchemy Core knows them; `worker.state.migrations` builds them in a database.

Every table has `workspace` in its primary key. Instants are microseconds since 1970 (UTC), so that both databases sort
and compare them alike; days are ISO text; blobs are msgspec's JSON or MessagePack. No table holds a secret.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.engine import Dialect

metadata = MetaData()


class Blob(LargeBinary):
    """Bytes handed to the driver as they are: wrapping each costs half of a large save on SQLite."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Wrap nothing: both drivers take bytes."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Unwrap nothing: both drivers give bytes."""


def _key(name: str) -> Column[Any]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)


def _blob(name: str) -> Column[Any]:
    return Column(name, Blob, nullable=False)


def _integer(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def _instant(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=nullable)


# One row per page as Notion last answered it; `missing` counts the complete reads in a row that did not show it.
pages = Table(
    "pages",
    metadata,
    _key("workspace"),
    _key("source"),
    _key("page_id"),
    _blob("digest"),
    _text("edited"),
    _integer("missing"),
    _blob("body"),
)
issues = Table(
    "issues", metadata, _key("workspace"), _key("id"), _blob("digest"), _blob("body")
)
worklogs = Table(
    "worklogs", metadata, _key("workspace"), _key("id"), _text("issue"), _blob("body")
)
cursors = Table("cursors", metadata, _key("workspace"), _key("scope"), _text("value"))

# `value` is what the API answered after our last write, `attempted` a write whose answer we have not seen.
bases = Table(
    "bases",
    metadata,
    _key("workspace"),
    _key("page_id"),
    _key("field"),
    Column("value", Blob),
    Column("attempted", Blob),
)
intents = Table(
    "intents",
    metadata,
    _key("workspace"),
    _key("ref"),
    _text("status"),
    _text("page_id"),
    _instant("sent_at"),
    _integer("attempt"),
    _blob("wanted"),
    _text("claim"),
)
creations = Table(
    "creations",
    metadata,
    _key("workspace"),
    _key("page_id"),
    _text("ref"),
    _instant("at"),
)

runs = Table(
    "runs",
    metadata,
    _key("workspace"),
    Column("id", Integer, primary_key=True, autoincrement=False),
    _instant("started"),
    _instant("ended", nullable=True),
    _text("trigger"),
    _text("status"),
    _blob("outcome"),
    _blob("requests"),
    _text("scope"),
    _integer("dry_run"),
    _text("phase"),
    _integer("done"),
    _integer("total"),
)
plans = Table(
    "plans",
    metadata,
    _key("workspace"),
    _key("checksum"),
    Column("run_id", Integer),
    _instant("made_at"),
    _blob("body"),
)
problems = Table(
    "problems",
    metadata,
    _key("workspace"),
    _key("digest"),
    _instant("first_seen"),
    _blob("body"),
)
history = Table(
    "history",
    metadata,
    _key("workspace"),
    _key("ref"),
    _key("field"),
    _key("start"),
    Column("until", Text),
    _text("value"),
)

memory = Table(
    "memory", metadata, _key("workspace"), _key("kind"), _key("key"), _blob("body")
)
leases = Table(
    "leases",
    metadata,
    _key("workspace"),
    _text("owner"),
    _integer("epoch"),
    _instant("until"),
    _instant("since"),
)
triggers = Table(
    "triggers",
    metadata,
    _key("workspace"),
    Column("id", Integer, primary_key=True, autoincrement=False),
    _text("scope"),
    _instant("asked_at"),
    _text("state"),
    Column("run_id", Integer),
    _text("asked_by"),
    _text("source"),
    _integer("full"),
    _integer("dry_run"),
    _integer("force"),
    _text("checksum"),
    _integer("undoes"),
    _blob("also"),
    _text("error"),
    _instant("ended_at", nullable=True),
)
bindings = Table("bindings", metadata, _key("workspace"), _key("source"), _blob("body"))
settings = Table("settings", metadata, _key("workspace"), _key("key"), _blob("body"))
counters = Table(
    "counters", metadata, _key("workspace"), _key("name"), _integer("value")
)

Index("creations_by_ref", creations.c.workspace, creations.c.ref)
Index("intents_by_status", intents.c.workspace, intents.c.status)
Index("runs_by_start", runs.c.workspace, runs.c.started)
Index("history_open", history.c.workspace, history.c.until)
Index("triggers_by_state", triggers.c.workspace, triggers.c.state)
Index("worklogs_by_issue", worklogs.c.workspace, worklogs.c.issue)
