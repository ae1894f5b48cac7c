"""Keep the wall clock that people agreed on beside the instants of slots and appointments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from src.database.upgrades import lock_together

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("availability_slots", "appointments")
COLUMNS = ("wall_start", "wall_end")
EMPTY, FREE = sa.text("wall_start IS NULL"), sa.text("status = 'free'")


def upgrade() -> None:
    """Add the columns empty: `flask zones` and the worker fill them, in small transactions.

    Filling a million rows of PostgreSQL takes minutes, because each row changes the index of the rule on overlaps. In
    this transaction nobody could book for that time.
    """
    if op.get_context().dialect.name == "postgresql":
        lock_together(*TABLES)
    for table in TABLES:
        for column in COLUMNS:
            op.add_column(table, sa.Column(column, sa.DateTime(timezone=False)))
        op.create_index(f"ix_{table}_unfilled", table, ["id"], postgresql_where=EMPTY, sqlite_where=EMPTY)
    _index_free_slots("id", "ends_at", "time_zone", *COLUMNS)


def downgrade() -> None:
    _index_free_slots("id", "ends_at", "time_zone")
    for table in TABLES:
        op.drop_index(f"ix_{table}_unfilled", table)
        for column in COLUMNS:
            op.drop_column(table, column)


def _index_free_slots(*include: str) -> None:
    """On PostgreSQL, include all columns that the list of free slots shows, so that it need not read the table."""
    if op.get_context().dialect.name == "postgresql":
        op.drop_index("ix_availability_slots_free", "availability_slots")
        op.create_index(
            "ix_availability_slots_free",
            "availability_slots",
            ["doctor_id", "starts_at"],
            postgresql_include=list(include),
            postgresql_where=FREE,
        )
