"""Let people change their accounts, and confirm their e-mail addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OF_USERS = {
    "phone": sa.String(20),
    "language": sa.String(16),
    # Not "time_zone": a statement of the version before joins this table and would find the name ambiguous.
    "own_time_zone": sa.String(64),
    "email_confirmed_at": INSTANT,
}


def upgrade() -> None:
    """Add empty columns, and a table of the addresses that mails with a token confirm."""
    for name, kind in OF_USERS.items():
        op.add_column("users", sa.Column(name, kind))
    op.create_table(
        "email_confirmations",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(640), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_email_confirmations_user_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_confirmations_token_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_confirmations")),
    )
    op.create_index("ix_email_confirmations_expires_at", "email_confirmations", ["expires_at"])
    op.create_index("ix_email_confirmations_user_id", "email_confirmations", ["user_id"])


def downgrade() -> None:
    """Forget telephone numbers, languages, time zones of patients, and which addresses are confirmed."""
    op.drop_table("email_confirmations")
    for name in reversed(OF_USERS):
        op.drop_column("users", name)
