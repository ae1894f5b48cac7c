"""Let people log in with a second factor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add empty columns and an empty table: nobody has a second factor yet."""
    op.add_column("users", sa.Column("second_factor_at", INSTANT))
    op.add_column("users", sa.Column("second_factor_id", sa.String(64)))
    op.add_column("users", sa.Column("second_factor_step", sa.BigInteger()))
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )


def downgrade() -> None:
    """Forget all second factors: people log in with their passwords alone."""
    op.drop_table("recovery_codes")
    for name in ("second_factor_step", "second_factor_id", "second_factor_at"):
        op.drop_column("users", name)
