"""The first tables: accounts, doctors, slots, appointments, their history and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(320)),
        sa.Column("email_key", sa.String(640)),
        sa.Column("password_hash", sa.String(512)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("token_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
        sa.CheckConstraint("role IN ('doctor', 'patient')", name="ck_users_role"),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (email IS NOT NULL)"
            " AND (deleted_at IS NULL) = (email_key IS NOT NULL)"
            " AND (deleted_at IS NULL) = (password_hash IS NOT NULL)",
            name="ck_users_erased_when_deleted",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "doctors",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("designation", sa.String(200), nullable=False),
        sa.Column("specialization", sa.String(200), nullable=False),
        sa.Column("time_zone", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_doctors"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_doctors_user_id"),
        sa.UniqueConstraint("user_id", name="uq_doctors_user_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "availability_slots",
        sa.Column("id", ID, nullable=False),
        sa.Column("doctor_id", ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), server_default="free", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_availability_slots"),
        sa.ForeignKeyConstraint(["doctor_id"], ["doctors.id"], name="fk_availability_slots_doctor_id"),
        sa.CheckConstraint("status IN ('free', 'booked', 'withdrawn')", name="ck_availability_slots_status"),
        sa.CheckConstraint("starts_at < ends_at", name="ck_availability_slots_has_length"),
        sqlite_autoincrement=True,
    )
    _partial_index(
        "ix_availability_slots_free",
        "availability_slots",
        ["doctor_id", "starts_at"],
        "status = 'free'",
        postgresql_include=["id", "ends_at", "time_zone"],
    )
    op.create_index("ix_availability_slots_doctor", "availability_slots", ["doctor_id", "starts_at"])
    op.create_table(
        "appointments",
        sa.Column("id", ID, nullable=False),
        sa.Column("slot_id", ID, nullable=False),
        sa.Column("doctor_id", ID, nullable=False),
        sa.Column("patient_id", ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), server_default="booked", nullable=False),
        sa.Column("booked_at", INSTANT, nullable=False),
        sa.Column("cancelled_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_appointments"),
        sa.ForeignKeyConstraint(["slot_id"], ["availability_slots.id"], name="fk_appointments_slot_id"),
        sa.ForeignKeyConstraint(["doctor_id"], ["doctors.id"], name="fk_appointments_doctor_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["users.id"], name="fk_appointments_patient_id"),
        sa.CheckConstraint("status IN ('booked', 'cancelled')", name="ck_appointments_status"),
        sa.CheckConstraint("starts_at < ends_at", name="ck_appointments_has_length"),
        sa.CheckConstraint("(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="ck_appointments_cancelled_at"),
        sqlite_autoincrement=True,
    )
    active = "status = 'booked'"
    _partial_index("uq_appointments_active_slot", "appointments", ["slot_id"], active, unique=True)
    _partial_index("ix_appointments_doctor_ahead", "appointments", ["doctor_id", "starts_at"], active)
    _partial_index("ix_appointments_patient_ahead", "appointments", ["patient_id", "starts_at"], active)
    op.create_index("ix_appointments_patient", "appointments", ["patient_id", "id"])
    op.create_index("ix_appointments_doctor", "appointments", ["doctor_id", "id"])
    op.create_table(
        "appointment_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("appointment_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_appointment_events"),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name="fk_appointment_events_appointment_id"),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_appointment_events_actor_id"),
        sa.CheckConstraint("event IN ('booked', 'cancelled')", name="ck_appointment_events_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_appointment_events_appointment", "appointment_events", ["appointment_id", "id"])
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("appointment_id", ID, nullable=False),
        sa.Column("recipient_id", ID, nullable=False),
        sa.Column("recipient", sa.String(320)),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("status", sa.String(16), server_default="waiting", nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("useless_after", INSTANT),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["event_id"], ["appointment_events.id"], name="fk_outbox_event_id"),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name="fk_outbox_appointment_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["users.id"], name="fk_outbox_recipient_id"),
        sa.UniqueConstraint("event_id", "recipient_id", name="uq_outbox_event_id_recipient_id"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
        sa.CheckConstraint("status IN ('waiting', 'sent', 'dropped', 'set_aside')", name="ck_outbox_status"),
        sqlite_autoincrement=True,
    )
    waiting = "status = 'waiting'"
    _partial_index("ix_outbox_waiting", "outbox", ["due_at", "id"], waiting)
    _partial_index("ix_outbox_waiting_in_order", "outbox", ["appointment_id", "recipient_id", "id"], waiting)
    op.create_index("ix_outbox_recipient", "outbox", ["recipient_id"])

    if op.get_bind().dialect.name == "postgresql":
        _exclude_overlaps_on_postgresql()
    else:
        _exclude_overlaps_on_sqlite()


def downgrade() -> None:
    # Triggers and constraints are dropped with their tables.
    for table in ("outbox", "appointment_events", "appointments", "availability_slots", "doctors", "users"):
        op.drop_table(table)


def _partial_index(name: str, table: str, columns: list[str], where: str, **options: object) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition, **options)


# Name, table, column and condition: rows that meet the condition and agree in the column must not overlap.
OVERLAP_RULES = (
    ("slots_no_overlap", "availability_slots", "doctor_id", "status <> 'withdrawn'"),
    ("appointments_doctor_no_overlap", "appointments", "doctor_id", "status = 'booked'"),
    ("appointments_patient_no_overlap", "appointments", "patient_id", "status = 'booked'"),
)


def _exclude_overlaps_on_postgresql() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for name, table, owner, counts in OVERLAP_RULES:
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist"
            f" ({owner} WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE ({counts})"
        )


def _exclude_overlaps_on_sqlite() -> None:
    for name, table, owner, counts in OVERLAP_RULES:
        for when in ("INSERT", f"UPDATE OF {owner}, starts_at, ends_at, status"):
            event = when.split()[0].lower()
            op.execute(
                f"CREATE TRIGGER {name}_{event} BEFORE {when} ON {table} WHEN NEW.{counts}"
                f" BEGIN SELECT RAISE(ABORT, '{name}') FROM {table}"
                f" WHERE {owner} = NEW.{owner} AND {counts} AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at"
                f" AND id IS NOT NEW.id; END"
            )
