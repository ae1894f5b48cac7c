"""A table of totals that are read often, so that no request counts all rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "totals",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_totals"),
    )
    op.execute(
        "INSERT INTO totals (name, value)"
        " SELECT 'living_doctors', count(*) FROM users WHERE role = 'doctor' AND deleted_at IS NULL"
    )


def downgrade() -> None:
    op.drop_table("totals")
