"""Keep when a mail was first due: each attempt moves `due_at`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from src.database.rebuild import rebuilt

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column that may be NULL, which needs no new table on SQLite and no rewrite on PostgreSQL."""
    op.add_column("outbox", sa.Column("first_due_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with rebuilt("outbox") as outbox:
        outbox.drop_column("first_due_at")
