"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INDEXES = {
    "worklogs": "worklogs_by_issue",
    "triggers": "triggers_by_state",
    "runs": "runs_by_start",
    "intents": "intents_by_status",
    "history": "history_open",
    "creations": "creations_by_ref",
}
"""The index of each table that has one."""

TABLES = (
    "worklogs",
    "triggers",
    "settings",
    "runs",
    "problems",
    "plans",
    "pages",
    "memory",
    "leases",
    "issues",
    "intents",
    "history",
    "cursors",
    "creations",
    "counters",
    "bindings",
    "bases",
)
"""All tables, as they are dropped."""


def upgrade() -> None:
    """Make all tables."""
    _make_snapshots()
    _make_journal()
    _make_records()
    _make_memory()


def _make_snapshots() -> None:
    # What both systems last answered.
    op.create_table(
        "pages",
        _text("workspace"),
        _text("source"),
        _text("page_id"),
        _blob("digest"),
        _text("edited"),
        _integer("missing"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "source", "page_id"),
    )
    op.create_table(
        "issues",
        _text("workspace"),
        _text("id"),
        _blob("digest"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    op.create_table(
        "worklogs",
        _text("workspace"),
        _text("id"),
        _text("issue"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    op.create_index(INDEXES["worklogs"], "worklogs", ["workspace", "issue"])
    op.create_table(
        "cursors",
        _text("workspace"),
        _text("scope"),
        _text("value"),
        sa.PrimaryKeyConstraint("workspace", "scope"),
    )


def _make_journal() -> None:
    # What we wrote, and what we were about to write.
    op.create_table(
        "bases",
        _text("workspace"),
        _text("page_id"),
        _text("field"),
        _blob("value", nullable=True),
        _blob("attempted", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "page_id", "field"),
    )
    op.create_table(
        "intents",
        _text("workspace"),
        _text("ref"),
        _text("status"),
        _text("page_id"),
        _instant("sent_at"),
        _integer("attempt"),
        _blob("wanted"),
        sa.PrimaryKeyConstraint("workspace", "ref"),
    )
    op.create_index(INDEXES["intents"], "intents", ["workspace", "status"])
    op.create_table(
        "creations",
        _text("workspace"),
        _text("page_id"),
        _text("ref"),
        _instant("at"),
        sa.PrimaryKeyConstraint("workspace", "page_id"),
    )
    op.create_index(INDEXES["creations"], "creations", ["workspace", "ref"])


def _make_records() -> None:
    # What happened.
    op.create_table(
        "runs",
        _text("workspace"),
        _number("id"),
        _instant("started"),
        _instant("ended", nullable=True),
        _text("trigger"),
        _text("status"),
        _blob("outcome"),
        _blob("requests"),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    op.create_index(INDEXES["runs"], "runs", ["workspace", "started"])
    op.create_table(
        "plans",
        _text("workspace"),
        _text("checksum"),
        _integer("run_id", nullable=True),
        _instant("made_at"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "checksum"),
    )
    op.create_table(
        "problems",
        _text("workspace"),
        _text("digest"),
        _instant("first_seen"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "digest"),
    )
    op.create_table(
        "history",
        _text("workspace"),
        _text("ref"),
        _text("field"),
        _text("start"),
        _text("until", nullable=True),
        _text("value"),
        sa.PrimaryKeyConstraint("workspace", "ref", "field", "start"),
    )
    op.create_index(INDEXES["history"], "history", ["workspace", "until"])


def _make_memory() -> None:
    # What is remembered, claimed and asked for.
    op.create_table(
        "memory",
        _text("workspace"),
        _text("kind"),
        _text("key"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "kind", "key"),
    )
    op.create_table(
        "leases",
        _text("workspace"),
        _text("owner"),
        _integer("epoch"),
        _instant("until"),
        sa.PrimaryKeyConstraint("workspace"),
    )
    op.create_table(
        "triggers",
        _text("workspace"),
        _number("id"),
        _text("scope"),
        _instant("asked_at"),
        _text("state"),
        _integer("run_id", nullable=True),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    op.create_index(INDEXES["triggers"], "triggers", ["workspace", "state"])
    op.create_table(
        "bindings",
        _text("workspace"),
        _text("source"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "source"),
    )
    op.create_table(
        "settings",
        _text("workspace"),
        _text("key"),
        _blob("body"),
        sa.PrimaryKeyConstraint("workspace", "key"),
    )
    op.create_table(
        "counters",
        _text("workspace"),
        _text("name"),
        _integer("value"),
        sa.PrimaryKeyConstraint("workspace", "name"),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _blob(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    # We count these ourselves.
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False)


def downgrade() -> None:
    """Drop all tables."""
    for table in TABLES:
        if table in INDEXES:
            op.drop_index(INDEXES[table], table_name=table)
        op.drop_table(table)
