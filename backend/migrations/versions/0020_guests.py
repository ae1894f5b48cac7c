"""Let people book as guests, without a password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UNCONFIRMED = sa.text("guest_since IS NOT NULL AND email_confirmed_at IS NULL")


def upgrade() -> None:
    """Add an empty column, and an index of the few guests who have not confirmed their addresses."""
    op.add_column("users", sa.Column("guest_since", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_users_unconfirmed_guests", "users", ["guest_since"], postgresql_where=UNCONFIRMED, sqlite_where=UNCONFIRMED
    )


def downgrade() -> None:
    """Forget who is a guest: they choose a password as people do who have forgotten theirs."""
    op.drop_index("ix_users_unconfirmed_guests", "users")
    op.drop_column("users", "guest_since")
