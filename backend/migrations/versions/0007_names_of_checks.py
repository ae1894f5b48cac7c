"""Give CHECK constraints the names that the models use: 0001 gave them their prefix twice."""

from __future__ import annotations

from alembic import op

from src.database.upgrades import lock_together

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CHECKS = {
    "users": ("role", "erased_when_deleted"),
    "availability_slots": ("status", "has_length"),
    "appointments": ("status", "has_length", "cancelled_at"),
    "appointment_events": ("event",),
    "outbox": ("status",),
}


def upgrade() -> None:
    """Rename the constraints on PostgreSQL; on SQLite, `rebuilt` does it when a later migration rebuilds the table."""
    if op.get_context().dialect.name == "postgresql":
        lock_together(*CHECKS)
        for table, names in CHECKS.items():
            for name in names:
                op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT ck_{table}_ck_{table}_{name} TO ck_{table}_{name}")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for table, names in CHECKS.items():
            for name in names:
                op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT ck_{table}_{name} TO ck_{table}_ck_{table}_{name}")
