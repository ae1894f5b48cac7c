"""Keep with a rendered mail where replies to it go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an empty column: mails that were rendered before have no address for replies."""
    op.add_column("outbox", sa.Column("reply_to", sa.String(320)))


def downgrade() -> None:
    op.drop_column("outbox", "reply_to")
