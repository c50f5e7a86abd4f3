"""Which run a request is to take back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; what was asked before takes none back."""
    with op.batch_alter_table("triggers") as table:
        table.add_column(
            sa.Column("undoes", sa.Integer(), nullable=False, server_default="0")
        )


def downgrade() -> None:
    """Take it away."""
    with op.batch_alter_table("triggers") as table:
        table.drop_column("undoes")
