"""The lists of appointments are answered from their indexes alone."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PEOPLE = {"patient": "doctor", "doctor": "patient"}
SHOWN = ["starts_at", "ends_at", "time_zone", "status"]


def upgrade() -> None:
    """Put what is shown into the indexes; SQLite has no such columns, and no need of them."""
    if op.get_bind().dialect.name == "postgresql":
        for reader, other in PEOPLE.items():
            _replace(reader, postgresql_include=[f"{other}_id", *SHOWN])


def downgrade() -> None:
    """Take it out again."""
    if op.get_bind().dialect.name == "postgresql":
        for reader in PEOPLE:
            _replace(reader)


def _replace(reader: str, **options: list[str]) -> None:
    op.drop_index(f"ix_appointments_{reader}", "appointments")
    op.create_index(f"ix_appointments_{reader}", "appointments", [f"{reader}_id", "id"], **options)
