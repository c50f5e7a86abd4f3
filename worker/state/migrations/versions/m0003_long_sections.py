"""Sections that may be out of order are written again."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SECTION, BLOCKS = "§", "§blocks"
MOST = 100
"""What came in one request was always in order."""

bases = sa.table(
    "bases",
    sa.column("workspace", sa.Text()),
    sa.column("page_id", sa.Text()),
    sa.column("field", sa.Text()),
    sa.column("value", sa.LargeBinary()),
)


def upgrade() -> None:
    """Forget what long sections say, so that they are read and put in order; finished ones stay as they are."""
    connection = op.get_bind()
    remembered = connection.execute(
        sa.select(bases.c.workspace, bases.c.page_id, bases.c.value).where(
            bases.c.field == BLOCKS, bases.c.value.is_not(None)
        )
    ).all()
    for workspace, page_id, value in remembered:
        if len(json.loads(value)["list"]) > MOST:
            connection.execute(
                sa.update(bases)
                .where(
                    bases.c.workspace == workspace,
                    bases.c.page_id == page_id,
                    bases.c.field == SECTION,
                    bases.c.value.is_not(None),
                )
                .values(value=b'""')
            )


def downgrade() -> None:
    """Nothing to take back: a section is written again at most once."""
