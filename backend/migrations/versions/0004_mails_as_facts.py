"""Mails are written as facts, and rendered by the worker."""

from __future__ import annotations

from contextlib import AbstractContextManager

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RENDERED = ("subject", "text", "html")
HAS_CONTENT = "text IS NOT NULL OR (template IS NOT NULL AND facts IS NOT NULL)"


def upgrade() -> None:
    """Mails that are there already stay as rendered."""
    with _outbox() as outbox:
        outbox.add_column(sa.Column("template", sa.String(32)))
        outbox.add_column(sa.Column("facts", sa.JSON()))
        for column in RENDERED:
            outbox.alter_column(column, existing_type=sa.Text(), nullable=True)
        outbox.create_check_constraint(op.f("ck_outbox_has_content"), HAS_CONTENT)


def downgrade() -> None:
    """Refuse while a mail is not rendered: let the worker drain the outbox first."""
    with _outbox() as outbox:
        outbox.drop_constraint(op.f("ck_outbox_has_content"), type_="check")
        for column in RENDERED:
            outbox.alter_column(column, existing_type=sa.Text(), nullable=False)
        outbox.drop_column("facts")
        outbox.drop_column("template")


def _outbox() -> AbstractContextManager[BatchOperations]:
    """Alter the table; on SQLite make it anew as it is there, which forgets AUTOINCREMENT unless it is named."""
    return op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True})
