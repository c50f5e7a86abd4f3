"""Who asked for a cycle, what exactly, and how it ended; of a run its client, and how far it has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def upgrade() -> None:
    """Add them; what was asked before says nothing of who it was."""
    with op.batch_alter_table("triggers") as table:
        for name in ("asked_by", "source", "checksum", "error"):
            table.add_column(_text(name))
        for name in ("full", "dry_run", "force"):
            table.add_column(_integer(name))
        table.add_column(
            sa.Column("also", sa.LargeBinary(), nullable=False, server_default="[]")
        )
        table.add_column(sa.Column("ended_at", sa.BigInteger()))
    with op.batch_alter_table("runs") as table:
        for name in ("scope", "phase"):
            table.add_column(_text(name))
        for name in ("dry_run", "done", "total"):
            table.add_column(_integer(name))


def downgrade() -> None:
    """Take them away."""
    with op.batch_alter_table("runs") as table:
        for name in ("scope", "phase", "dry_run", "done", "total"):
            table.drop_column(name)
    with op.batch_alter_table("triggers") as table:
        for name in (
            "asked_by",
            "source",
            "checksum",
            "error",
            "full",
            "dry_run",
            "force",
            "also",
            "ended_at",
        ):
            table.drop_column(name)
