"""Whose a creation is, and since when a lease is held."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; what stands was claimed by a run that nobody knows any more."""
    with op.batch_alter_table("intents") as table:
        table.add_column(
            sa.Column("claim", sa.Text(), nullable=False, server_default="")
        )
    with op.batch_alter_table("leases") as table:
        table.add_column(
            sa.Column("since", sa.BigInteger(), nullable=False, server_default="0")
        )


def downgrade() -> None:
    """Take both away."""
    with op.batch_alter_table("leases") as table:
        table.drop_column("since")
    with op.batch_alter_table("intents") as table:
        table.drop_column("claim")
