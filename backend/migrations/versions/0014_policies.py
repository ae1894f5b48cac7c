"""What doctors allow their patients, how many changes a patient has made, and reasons for cancellations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from src.database.rebuild import rebuilt
from src.database.upgrades import lock_together

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OF_PATIENTS = sa.text("patient_nth IS NOT NULL")
CHECKS = {"cancellation_notice": "cancellation_notice BETWEEN 0 AND 527040", "most_ahead": "most_ahead >= 1"}


def upgrade() -> None:
    """Add empty columns: the clinic's policies apply, and changes are counted from now on."""
    if op.get_context().dialect.name == "postgresql":
        lock_together("appointment_events", "doctors")
    with rebuilt("doctors") as doctors:
        for name, condition in CHECKS.items():
            doctors.add_column(sa.Column(name, sa.Integer()))
            doctors.create_check_constraint(op.f(f"ck_doctors_{name}"), condition)
    op.add_column("appointment_events", sa.Column("reason", sa.String(200)))
    op.add_column("appointment_events", sa.Column("patient_nth", sa.BigInteger()))
    op.create_index(
        "uq_appointment_events_patient_nth",
        "appointment_events",
        ["actor_id", "patient_nth"],
        unique=True,
        postgresql_where=OF_PATIENTS,
        sqlite_where=OF_PATIENTS,
    )


def downgrade() -> None:
    """Forget policies, counts and reasons."""
    op.drop_index("uq_appointment_events_patient_nth", "appointment_events")
    op.drop_column("appointment_events", "patient_nth")
    op.drop_column("appointment_events", "reason")
    with rebuilt("doctors") as doctors:
        for name in CHECKS:
            doctors.drop_constraint(op.f(f"ck_doctors_{name}"), type_="check")
            doctors.drop_column(name)
