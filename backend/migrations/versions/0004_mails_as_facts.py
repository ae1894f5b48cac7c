"""The outbox stores the facts of a mail, and the worker renders them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from src.database.rebuild import rebuilt

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RENDERED = ("subject", "text", "html")
HAS_CONTENT = "text IS NOT NULL OR (template IS NOT NULL AND facts IS NOT NULL)"


def upgrade() -> None:
    """Add template and facts; existing mails keep their rendered text."""
    with rebuilt("outbox") as outbox:
        outbox.add_column(sa.Column("template", sa.String(32)))
        outbox.add_column(sa.Column("facts", sa.JSON()))
        for column in RENDERED:
            outbox.alter_column(column, existing_type=sa.Text(), nullable=True)
        outbox.create_check_constraint(op.f("ck_outbox_has_content"), HAS_CONTENT)


def downgrade() -> None:
    """Fail if a mail is not rendered; the worker must first send all mails."""
    with rebuilt("outbox") as outbox:
        outbox.drop_constraint(op.f("ck_outbox_has_content"), type_="check")
        for column in RENDERED:
            outbox.alter_column(column, existing_type=sa.Text(), nullable=False)
        outbox.drop_column("facts")
        outbox.drop_column("template")
