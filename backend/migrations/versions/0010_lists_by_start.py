"""Find the cancelled appointments of a person by their start, as 0001 does for the booked ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CANCELLED = sa.text("status = 'cancelled'")
PEOPLE = ("patient", "doctor")


def upgrade() -> None:
    """Create two partial indexes; an operator may have created them before with CONCURRENTLY."""
    for person in PEOPLE:
        op.create_index(
            f"ix_appointments_{person}_cancelled",
            "appointments",
            [f"{person}_id", "starts_at", "id"],
            postgresql_where=CANCELLED,
            sqlite_where=CANCELLED,
            if_not_exists=True,
        )


def downgrade() -> None:
    for person in PEOPLE:
        op.drop_index(f"ix_appointments_{person}_cancelled", "appointments")
