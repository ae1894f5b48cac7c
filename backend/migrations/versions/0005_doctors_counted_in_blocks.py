"""Count doctors in blocks of ids, so that a late page of their list is found without reading all earlier rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIVING = "doctors JOIN users ON users.id = doctors.user_id WHERE users.deleted_at IS NULL"


def upgrade() -> None:
    """Count the doctors that have an account in each block of 200 profile ids."""
    op.create_table(
        "doctor_blocks",
        sa.Column("block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("living", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_doctor_blocks"),
    )
    op.execute(f"INSERT INTO doctor_blocks (block, living) SELECT doctors.id / 200, count(*) FROM {LIVING} GROUP BY 1")
    op.drop_table("totals")


def downgrade() -> None:
    op.create_table(
        "totals",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_totals"),
    )
    op.execute(f"INSERT INTO totals (name, value) SELECT 'living_doctors', count(*) FROM {LIVING}")
    op.drop_table("doctor_blocks")
