"""Weekly hours, exceptions, visit types and openings; holds; what an appointment takes of its doctor's time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from src.database.rebuild import rebuilt
from src.database.upgrades import lock_together

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WALL = sa.DateTime(timezone=False)

# Ids of published slots are smaller than 2^32. That of a computed time is the id of a version of its visit type, times
# 2^24, plus a minute; so the smallest version is 256.
FIRST_VERSION = 256
LIVE = "status IN ('held', 'booked') AND NOT overbooked"
STATUS, OLD_STATUS = "status IN ('held', 'booked', 'cancelled')", "status IN ('booked', 'cancelled')"
EVENT, OLD_EVENT = "event IN ('booked', 'cancelled', 'rescheduled')", "event IN ('booked', 'cancelled')"
CHECKS = {
    "held_until": "status <> 'held' OR held_until IS NOT NULL",
    "busy": "busy_until - busy_from BETWEEN 1 AND 2940",
    "slot_of_type": "(visit_type_id IS NULL) = (slot_id < 4294967296)",
    "seat": "seat BETWEEN 1 AND seats",
    "day_limit": "nth BETWEEN 1 AND most_per_day",
    "attendance": "attendance IN ('arrived', 'fulfilled', 'no_show')",
}
INDEXES = (
    "uq_appointments_active_slot",
    "uq_appointments_day_limit",
    "ix_appointments_live",
    "ix_appointments_patient_held",
    "ix_appointments_doctor_held",
)
# Minutes since 2020-01-01T00:00Z: the last that has begun at an instant, and the first that has not.
MINUTE = {
    "postgresql": "CAST(floor(extract(epoch FROM {0})) AS BIGINT) / 60 - 26297280",
    "sqlite": "CAST(strftime('%s', {0}) AS INTEGER) / 60 - 26297280",
}
MINUTE_AFTER = {
    "postgresql": "(CAST(ceil(extract(epoch FROM {0})) AS BIGINT) + 59) / 60 - 26297280",
    "sqlite": "(CAST(strftime('%s', {0}) AS INTEGER) + 59) / 60 - 26297280",
}


def _of_appointments() -> list[sa.Column[Any]]:
    return [
        sa.Column("busy_from", sa.BigInteger()),
        sa.Column("busy_until", sa.BigInteger()),
        sa.Column("visit_type_id", ID),
        sa.Column("seat", sa.Integer(), server_default="1", nullable=False),
        sa.Column("seats", sa.Integer(), server_default="1", nullable=False),
        sa.Column("day", sa.Date()),
        sa.Column("nth", sa.Integer()),
        sa.Column("most_per_day", sa.Integer()),
        sa.Column("held_until", INSTANT),
        sa.Column("overbooked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attendance", sa.String(16)),
        sa.Column("place", sa.String(200)),
        sa.Column("reason", sa.String(200)),
        sa.Column("note", sa.Text()),
    ]


def _of_events() -> list[sa.Column[Any]]:
    return [
        sa.Column("was_starts_at", INSTANT),
        sa.Column("was_ends_at", INSTANT),
        sa.Column("was_wall_start", WALL),
        sa.Column("was_wall_end", WALL),
        sa.Column("was_time_zone", sa.String(64)),
        sa.Column("was_doctor_id", ID),
    ]


def upgrade() -> None:
    """Keep every row. Appointments that have ended get no `busy_from`: no rule needs it any longer."""
    dialect = op.get_context().dialect.name
    if dialect == "postgresql":
        lock_together("appointments", "appointment_events", "doctors", "outbox", "users")
    _create_tables()
    op.add_column("doctors", sa.Column("openings_until", sa.Date()))
    op.add_column("doctors", sa.Column("hours_revision", sa.Integer(), server_default="0", nullable=False))
    _give_each_doctor_a_visit_type()
    _drop_overlap_rule(dialect)
    op.drop_index("uq_appointments_active_slot", "appointments")
    with rebuilt("appointments") as appointments:
        appointments.drop_constraint(op.f("fk_appointments_slot_id"), type_="foreignkey")
        for column in _of_appointments():
            appointments.add_column(column)
        appointments.create_foreign_key(op.f("fk_appointments_visit_type_id"), "visit_types", ["visit_type_id"], ["id"])
        appointments.drop_constraint(op.f("ck_appointments_status"), type_="check")
        appointments.create_check_constraint(op.f("ck_appointments_status"), STATUS)
        for name, condition in CHECKS.items():
            appointments.create_check_constraint(op.f(f"ck_appointments_{name}"), condition)
    with rebuilt("appointment_events") as events:
        for column in _of_events():
            events.add_column(column)
        events.create_foreign_key(op.f("fk_appointment_events_was_doctor_id"), "doctors", ["was_doctor_id"], ["id"])
        events.drop_constraint(op.f("ck_appointment_events_event"), type_="check")
        events.create_check_constraint(op.f("ck_appointment_events_event"), EVENT)
    # With "= 'booked'", SQLite would read the table in the order of an index of the booked ones, which is slow.
    op.execute(
        f"UPDATE appointments SET busy_from = {MINUTE[dialect].format('starts_at')},"
        f" busy_until = {MINUTE_AFTER[dialect].format('ends_at')}"
        " WHERE status <> 'cancelled' AND ends_at > CURRENT_TIMESTAMP"
    )
    _create_indexes()
    # Without it, the deletion of a hold reads the whole outbox, which may refer to it.
    op.create_index("ix_outbox_appointment", "outbox", ["appointment_id"])
    if dialect == "postgresql":
        _exclude_overlaps_on_postgresql()
    else:
        _exclude_overlaps_on_sqlite()


def downgrade() -> None:
    """Release all holds. Fail if a computed time was booked or an appointment moved: the old version knows neither."""
    dialect = op.get_context().dialect.name
    op.execute("DELETE FROM appointments WHERE status = 'held'")
    op.drop_index("ix_outbox_appointment", "outbox")
    if dialect == "postgresql":
        op.execute("DROP TRIGGER appointments_busy_insert ON appointments")
        op.execute("DROP TRIGGER appointments_busy_update ON appointments")
        op.execute("DROP FUNCTION appointments_fill_busy()")
    else:
        op.execute("DROP TRIGGER appointments_busy_insert")
        op.execute("DROP TRIGGER appointments_busy_update")
    _drop_overlap_rule(dialect)
    for name in INDEXES:
        op.drop_index(name, "appointments")
    with rebuilt("appointment_events") as events:
        events.drop_constraint(op.f("ck_appointment_events_event"), type_="check")
        events.drop_constraint(op.f("fk_appointment_events_was_doctor_id"), type_="foreignkey")
        for column in _of_events():
            events.drop_column(column.name)
        events.create_check_constraint(op.f("ck_appointment_events_event"), OLD_EVENT)
    with rebuilt("appointments") as appointments:
        for name in ("status", *CHECKS):
            appointments.drop_constraint(op.f(f"ck_appointments_{name}"), type_="check")
        appointments.drop_constraint(op.f("fk_appointments_visit_type_id"), type_="foreignkey")
        for column in _of_appointments():
            appointments.drop_column(column.name)
        appointments.create_check_constraint(op.f("ck_appointments_status"), OLD_STATUS)
        appointments.create_foreign_key(op.f("fk_appointments_slot_id"), "availability_slots", ["slot_id"], ["id"])
    _index_appointments("uq_appointments_active_slot", ["slot_id"], "status = 'booked'", unique=True)
    if dialect == "postgresql":
        op.execute(
            "ALTER TABLE appointments ADD CONSTRAINT appointments_doctor_no_overlap EXCLUDE USING gist"
            " (doctor_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status = 'booked')"
        )
    else:
        for when in ("INSERT", "UPDATE OF doctor_id, starts_at, ends_at, status"):
            op.execute(
                f"CREATE TRIGGER appointments_doctor_no_overlap_{when.split()[0].lower()} BEFORE {when} ON appointments"
                " WHEN NEW.status = 'booked' BEGIN SELECT RAISE(ABORT, 'appointments_doctor_no_overlap')"
                " FROM appointments WHERE doctor_id = NEW.doctor_id AND status = 'booked'"
                " AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND id IS NOT NEW.id; END"
            )
    op.drop_column("doctors", "hours_revision")
    op.drop_column("doctors", "openings_until")
    for table in ("openings", "exceptions", "weekly_hours", "visit_type_versions", "visit_types"):
        op.drop_table(table)


def _create_tables() -> None:
    op.create_table(
        "visit_types",
        sa.Column("id", ID, nullable=False),
        sa.Column("doctor_id", ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(1000), server_default="", nullable=False),
        sa.Column("minimum_notice", sa.Integer(), server_default="0", nullable=False),
        sa.Column("horizon", sa.Integer(), server_default="56", nullable=False),
        sa.Column("most_per_day", sa.Integer()),
        sa.Column("capacity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("booked_by", sa.String(16), server_default="patients", nullable=False),
        sa.Column("place", sa.String(200)),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("retired_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_visit_types"),
        sa.ForeignKeyConstraint(["doctor_id"], ["doctors.id"], name="fk_visit_types_doctor_id"),
        sa.CheckConstraint("minimum_notice BETWEEN 0 AND 527040", name=op.f("ck_visit_types_minimum_notice")),
        sa.CheckConstraint("horizon BETWEEN 1 AND 366", name=op.f("ck_visit_types_horizon")),
        sa.CheckConstraint("most_per_day BETWEEN 1 AND 1440", name=op.f("ck_visit_types_most_per_day")),
        sa.CheckConstraint("capacity BETWEEN 1 AND 1000", name=op.f("ck_visit_types_capacity")),
        sa.CheckConstraint("booked_by IN ('patients', 'staff')", name=op.f("ck_visit_types_booked_by")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_visit_types_doctor", "visit_types", ["doctor_id", "id"])
    op.create_table(
        "visit_type_versions",
        sa.Column("id", ID, nullable=False),
        sa.Column("visit_type_id", ID, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_before", sa.Integer(), nullable=False),
        sa.Column("buffer_after", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_visit_type_versions"),
        sa.ForeignKeyConstraint(["visit_type_id"], ["visit_types.id"], name="fk_visit_type_versions_visit_type_id"),
        sa.CheckConstraint("id BETWEEN 256 AND 536870911", name=op.f("ck_visit_type_versions_id")),
        sa.CheckConstraint("minutes BETWEEN 1 AND 1440", name=op.f("ck_visit_type_versions_minutes")),
        sa.CheckConstraint("buffer_before BETWEEN 0 AND 480", name=op.f("ck_visit_type_versions_buffer_before")),
        sa.CheckConstraint("buffer_after BETWEEN 0 AND 480", name=op.f("ck_visit_type_versions_buffer_after")),
        sa.CheckConstraint("step BETWEEN 1 AND 1440", name=op.f("ck_visit_type_versions_step")),
        sqlite_autoincrement=True,
    )
    current = sa.text("is_current")
    op.create_index(
        "uq_visit_type_versions_current",
        "visit_type_versions",
        ["visit_type_id"],
        unique=True,
        postgresql_where=current,
        sqlite_where=current,
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER SEQUENCE visit_type_versions_id_seq START WITH {FIRST_VERSION} RESTART")
    else:
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('visit_type_versions', {FIRST_VERSION - 1})")
    op.create_table(
        "weekly_hours",
        sa.Column("id", ID, nullable=False),
        sa.Column("doctor_id", ID, nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("from_time", sa.Integer(), nullable=False),
        sa.Column("until_time", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("visit_types", sa.JSON(none_as_null=True)),
        sa.Column("place", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_weekly_hours"),
        sa.ForeignKeyConstraint(["doctor_id"], ["doctors.id"], name="fk_weekly_hours_doctor_id"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_weekly_hours_weekday")),
        sa.CheckConstraint(
            "from_time >= 0 AND from_time < until_time AND until_time <= 1440", name=op.f("ck_weekly_hours_times")
        ),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_weekly_hours_validity")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_weekly_hours_doctor", "weekly_hours", ["doctor_id"])
    op.create_table(
        "exceptions",
        sa.Column("id", ID, nullable=False),
        sa.Column("doctor_id", ID),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("from_time", sa.Integer(), nullable=False),
        sa.Column("until_time", sa.Integer(), nullable=False),
        sa.Column("visit_types", sa.JSON(none_as_null=True)),
        sa.Column("place", sa.String(200)),
        sa.Column("reason", sa.String(200)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exceptions"),
        sa.ForeignKeyConstraint(["doctor_id"], ["doctors.id"], name="fk_exceptions_doctor_id"),
        sa.CheckConstraint("kind IN ('closed', 'extra')", name=op.f("ck_exceptions_kind")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_exceptions_days")),
        sa.CheckConstraint(
            "from_time >= 0 AND from_time < until_time AND until_time <= 1440", name=op.f("ck_exceptions_times")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exceptions_doctor", "exceptions", ["doctor_id", "last_day"])
    op.create_table(
        "openings",
        sa.Column("id", ID, nullable=False),
        sa.Column("doctor_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("from_minute", sa.BigInteger(), nullable=False),
        sa.Column("until_minute", sa.BigInteger(), nullable=False),
        sa.Column("runs_until", sa.BigInteger(), nullable=False),
        sa.Column("visit_type_id", ID),
        sa.Column("place", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_openings"),
        sa.ForeignKeyConstraint(["doctor_id"], ["doctors.id"], name="fk_openings_doctor_id"),
        sa.ForeignKeyConstraint(["visit_type_id"], ["visit_types.id"], name="fk_openings_visit_type_id"),
        sa.CheckConstraint("until_minute - from_minute BETWEEN 1 AND 1500", name=op.f("ck_openings_length")),
        sa.CheckConstraint("runs_until - until_minute BETWEEN 0 AND 1440", name=op.f("ck_openings_runs_until")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_openings_doctor", "openings", ["doctor_id", "from_minute"])


def _give_each_doctor_a_visit_type() -> None:
    op.execute(
        "INSERT INTO visit_types (doctor_id, name, created_at) SELECT doctors.id, 'Consultation', CURRENT_TIMESTAMP"
        " FROM doctors JOIN users ON users.id = doctors.user_id WHERE users.deleted_at IS NULL ORDER BY doctors.id"
    )
    op.execute(
        "INSERT INTO visit_type_versions (visit_type_id, minutes, buffer_before, buffer_after, step)"
        " SELECT id, 30, 0, 0, 30 FROM visit_types ORDER BY id"
    )


def _index_appointments(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    rows = sa.text(where)
    op.create_index(name, "appointments", columns, unique=unique, postgresql_where=rows, sqlite_where=rows)


def _create_indexes() -> None:
    _index_appointments("uq_appointments_active_slot", ["slot_id", "seat"], LIVE, unique=True)
    _index_appointments("uq_appointments_day_limit", ["visit_type_id", "day", "nth"], LIVE, unique=True)
    # The rows whose range is known: those that had not ended when 0013 ran, and all later ones.
    _index_appointments("ix_appointments_live", ["doctor_id", "busy_from"], f"{LIVE} AND busy_from IS NOT NULL")
    for person in ("patient", "doctor"):
        _index_appointments(f"ix_appointments_{person}_held", [f"{person}_id"], "status = 'held'")


def _drop_overlap_rule(dialect: str) -> None:
    if dialect == "postgresql":
        op.execute("ALTER TABLE appointments DROP CONSTRAINT appointments_doctor_no_overlap")
    else:
        for event in ("insert", "update"):
            op.execute(f"DROP TRIGGER appointments_doctor_no_overlap_{event}")


def _exclude_overlaps_on_postgresql() -> None:
    """Give `busy_from` and `busy_until` to rows of servers of the version before, then refuse overlaps.

    The seats of a group have one slot_id and share its time. With plain `slot_id`, the planner would use this GiST
    index to find a slot_id, which takes twenty times as long as the B-tree.
    """
    op.execute(
        f"""
        CREATE FUNCTION appointments_fill_busy() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                NEW.busy_from := {MINUTE["postgresql"].format("NEW.starts_at")};
                NEW.busy_until := {MINUTE_AFTER["postgresql"].format("NEW.ends_at")};
            ELSE
                NEW.busy_from := OLD.busy_from + {MINUTE["postgresql"].format("NEW.starts_at")}
                    - ({MINUTE["postgresql"].format("OLD.starts_at")});
                NEW.busy_until := OLD.busy_until + {MINUTE_AFTER["postgresql"].format("NEW.ends_at")}
                    - ({MINUTE_AFTER["postgresql"].format("OLD.ends_at")});
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER appointments_busy_insert BEFORE INSERT ON appointments FOR EACH ROW"
        " WHEN (NEW.busy_from IS NULL) EXECUTE FUNCTION appointments_fill_busy()"
    )
    op.execute(
        "CREATE TRIGGER appointments_busy_update BEFORE UPDATE OF starts_at, ends_at ON appointments FOR EACH ROW"
        " WHEN (NEW.busy_from = OLD.busy_from AND NEW.busy_until = OLD.busy_until AND NEW.slot_id = OLD.slot_id"
        " AND (NEW.starts_at <> OLD.starts_at OR NEW.ends_at <> OLD.ends_at))"
        " EXECUTE FUNCTION appointments_fill_busy()"
    )
    op.execute(
        "ALTER TABLE appointments ADD CONSTRAINT appointments_doctor_no_overlap EXCLUDE USING gist"
        " (doctor_id WITH =, int8range(busy_from, busy_until) WITH &&, (slot_id + 0) WITH <>)"
        f" WHERE ({LIVE} AND busy_from IS NOT NULL)"
    )


def _exclude_overlaps_on_sqlite() -> None:
    """Do the same with triggers. 2940 minutes is the most that an appointment takes, so the search has two ends."""
    live = "NEW.status IN ('held', 'booked') AND NOT NEW.overbooked"
    for when in ("INSERT", "UPDATE OF doctor_id, slot_id, busy_from, busy_until, status, overbooked"):
        op.execute(
            f"CREATE TRIGGER appointments_doctor_no_overlap_{when.split()[0].lower()} BEFORE {when} ON appointments"
            f" WHEN {live} AND NEW.busy_from IS NOT NULL"
            " BEGIN SELECT RAISE(ABORT, 'appointments_doctor_no_overlap') FROM appointments"
            f" WHERE doctor_id = NEW.doctor_id AND {LIVE} AND busy_from IS NOT NULL"
            " AND busy_from < NEW.busy_until AND busy_from > NEW.busy_from - 2940 AND busy_until > NEW.busy_from"
            " AND slot_id <> NEW.slot_id AND id IS NOT NEW.id; END"
        )
    minute, minute_after = MINUTE["sqlite"], MINUTE_AFTER["sqlite"]
    op.execute(
        "CREATE TRIGGER appointments_busy_insert AFTER INSERT ON appointments WHEN NEW.busy_from IS NULL"
        f" BEGIN UPDATE appointments SET busy_from = {minute.format('NEW.starts_at')},"
        f" busy_until = {minute_after.format('NEW.ends_at')} WHERE id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER appointments_busy_update AFTER UPDATE OF starts_at, ends_at ON appointments"
        " WHEN NEW.busy_from = OLD.busy_from AND NEW.busy_until = OLD.busy_until AND NEW.slot_id = OLD.slot_id"
        " AND (NEW.starts_at <> OLD.starts_at OR NEW.ends_at <> OLD.ends_at)"
        " BEGIN UPDATE appointments SET"
        f" busy_from = NEW.busy_from + {minute.format('NEW.starts_at')} - ({minute.format('OLD.starts_at')}),"
        f" busy_until = NEW.busy_until + {minute_after.format('NEW.ends_at')} - ({minute_after.format('OLD.ends_at')})"
        " WHERE id = NEW.id; END"
    )
