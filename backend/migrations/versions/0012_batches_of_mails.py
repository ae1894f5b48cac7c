"""Remember which mails were sent to the provider together, under which key and in which order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

IN_A_BATCH = sa.text("batch_key IS NOT NULL")


def upgrade() -> None:
    """Add the key of the batch and the position in it."""
    op.add_column("outbox", sa.Column("batch_key", sa.String(36)))
    op.add_column("outbox", sa.Column("batch_position", sa.Integer()))
    op.create_index(
        "ix_outbox_batch", "outbox", ["batch_key", "id"], postgresql_where=IN_A_BATCH, sqlite_where=IN_A_BATCH
    )


def downgrade() -> None:
    """Forget the batches: their mails go on one by one, each under its own key."""
    op.drop_index("ix_outbox_batch", "outbox")
    op.drop_column("outbox", "batch_position")
    op.drop_column("outbox", "batch_key")
