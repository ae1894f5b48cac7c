"""Let a mail be about anything, not only about an event of an appointment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from src.database.rebuild import rebuilt

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Code of the version before does not write the column `about`, so the default must be a value that no other mail has.
UNIQUE_DEFAULT = {"postgresql": "gen_random_uuid()::text", "sqlite": "(lower(hex(randomblob(16))))"}
ABOUT = "'appointment:' || appointment_id || ' event:' || event_id"
# On PostgreSQL, mails that no longer wait keep the empty text: giving them another one would rewrite all of them, and
# nobody could book for the minutes in which the table is locked.
NOT_EMPTY = sa.text("about <> ''")


def upgrade() -> None:
    """Add `about`, a text that names what the mail is about, and make event and appointment optional."""
    kind = op.get_context().dialect.name
    with rebuilt("outbox") as outbox:
        outbox.drop_constraint(op.f("uq_outbox_event_id_recipient_id"), type_="unique")
        outbox.add_column(sa.Column("about", sa.Text(), server_default="", nullable=False))
        outbox.alter_column("about", existing_type=sa.Text(), server_default=sa.text(UNIQUE_DEFAULT[kind]))
        for column in ("event_id", "appointment_id"):
            outbox.alter_column(column, existing_type=sa.BigInteger(), nullable=True)
    rows = "status = 'waiting'" if kind == "postgresql" else "true"
    op.execute(f"UPDATE outbox SET about = {ABOUT} WHERE {rows}")
    op.create_index(
        "uq_outbox_about",
        "outbox",
        ["about", "recipient_id", "template"],
        unique=True,
        postgresql_where=NOT_EMPTY,
        sqlite_where=NOT_EMPTY,
    )


def downgrade() -> None:
    """Fail if a mail has no event."""
    op.drop_index("uq_outbox_about", "outbox")
    with rebuilt("outbox") as outbox:
        for column in ("event_id", "appointment_id"):
            outbox.alter_column(column, existing_type=sa.BigInteger(), nullable=False)
        outbox.drop_column("about")
        outbox.create_unique_constraint(op.f("uq_outbox_event_id_recipient_id"), ["event_id", "recipient_id"])
