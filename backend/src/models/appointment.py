"""Appointments and their history."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id, WallClock, state_literal

BOOKED = state_literal("booked")
CANCELLED = state_literal("cancelled")
HELD = state_literal("held")
# The appointments that take their doctor's time. SQLite uses an index on these rows only for this very condition.
LIVE = "status IN ('held', 'booked') AND NOT overbooked"
IS_CANCELLED = "status = 'cancelled'"
# Ids of published slots are smaller.
FIRST_COMPUTED_SLOT = 2**32
# The most minutes that an appointment takes of its doctor's time.
LONGEST_BUSY = 2940


def _partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=text(where))


class Appointment(Base):
    """A patient's appointment for a published slot or a computed time. Cancelled ones are never deleted.

    It copies the instants and the wall clock. The database refuses overlapping appointments of one doctor
    (`appointments_doctor_no_overlap`), by `busy_from` and `busy_until`, except those with one `slot_id`, which are the
    seats of a group; and of one patient (`appointments_patient_no_overlap`), by `starts_at` and `ends_at`. The
    migrations create both rules: EXCLUDE on PostgreSQL, triggers on SQLite.

    A row that is `held` reserves the time until `held_until` and is not an appointment yet. It becomes one when its
    patient books, or is deleted.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint("status IN ('held', 'booked', 'cancelled')", name="status"),
        CheckConstraint("starts_at < ends_at", name="has_length"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_at"),
        CheckConstraint("status <> 'held' OR held_until IS NOT NULL", name="held_until"),
        CheckConstraint(f"busy_until - busy_from BETWEEN 1 AND {LONGEST_BUSY}", name="busy"),
        CheckConstraint(f"(visit_type_id IS NULL) = (slot_id < {FIRST_COMPUTED_SLOT})", name="slot_of_type"),
        CheckConstraint("seat BETWEEN 1 AND seats", name="seat"),
        CheckConstraint("nth BETWEEN 1 AND most_per_day", name="day_limit"),
        CheckConstraint("attendance IN ('arrived', 'fulfilled', 'no_show')", name="attendance"),
        # Decides who wins when several patients book a time at once: each seat has only one appointment.
        _partial_index("uq_appointments_active_slot", "slot_id", "seat", where=LIVE, unique=True),
        # The same for the appointments of a visit type that a day may have.
        _partial_index("uq_appointments_day_limit", "visit_type_id", "day", "nth", where=LIVE, unique=True),
        # Finds what takes a doctor's time. Appointments that had ended when 0013 ran have no range.
        _partial_index("ix_appointments_live", "doctor_id", "busy_from", where=f"{LIVE} AND busy_from IS NOT NULL"),
        _partial_index("ix_appointments_patient_held", "patient_id", where="status = 'held'"),
        _partial_index("ix_appointments_doctor_held", "doctor_id", where="status = 'held'"),
        # For the lists, newest first. Not covering indexes: those double the time to count a long history.
        Index("ix_appointments_patient", "patient_id", "id"),
        Index("ix_appointments_doctor", "doctor_id", "id"),
        _partial_index("ix_appointments_doctor_ahead", "doctor_id", "starts_at", where="status = 'booked'"),
        _partial_index("ix_appointments_patient_ahead", "patient_id", "starts_at", where="status = 'booked'"),
        # For the lists by start, which merge these with the two above.
        _partial_index(
            "ix_appointments_patient_cancelled", "patient_id", "starts_at", "id", where="status = 'cancelled'"
        ),
        _partial_index(
            "ix_appointments_doctor_cancelled", "doctor_id", "starts_at", "id", where="status = 'cancelled'"
        ),
        # Finds the few rows without a wall clock.
        _partial_index("ix_appointments_unfilled", "id", where="wall_start IS NULL"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # A published slot, or a computed time: the id of the visit type's version times 2^24, plus the minute of its start.
    slot_id: Mapped[int] = mapped_column(Id)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    time_zone: Mapped[str] = mapped_column(String(64))
    wall_start: Mapped[datetime | None] = mapped_column(WallClock)
    wall_end: Mapped[datetime | None] = mapped_column(WallClock)
    status: Mapped[str] = mapped_column(String(16), server_default="booked")
    booked_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    # What it takes of the doctor's time, buffers included, in minutes since 2020-01-01T00:00Z.
    busy_from: Mapped[int | None] = mapped_column(BigInteger)
    busy_until: Mapped[int | None] = mapped_column(BigInteger)
    # NULL for a published slot.
    visit_type_id: Mapped[int | None] = mapped_column(ForeignKey("visit_types.id"))
    seat: Mapped[int] = mapped_column(server_default="1")
    seats: Mapped[int] = mapped_column(server_default="1")
    # The local date, and the place among the appointments of its visit type on that day, if there is a limit.
    day: Mapped[date | None]
    nth: Mapped[int | None]
    most_per_day: Mapped[int | None]
    held_until: Mapped[datetime | None]
    # Staff booked it on top of others. It takes no time that others could have.
    overbooked: Mapped[bool] = mapped_column(server_default=false())
    # What became of the visit. The time stays taken.
    attendance: Mapped[str | None] = mapped_column(String(16))
    place: Mapped[str | None] = mapped_column(String(200))
    # By the patient. Neither this nor the note, which patients never see, is in any mail or log.
    reason: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(Text)


class AppointmentEvent(Base):
    """What happened to an appointment, who did it, and when.

    Rows are inserted only, never changed or deleted, except that the reasons go when the patient leaves.
    That of a move keeps the old time and doctor in the columns `was_…`.

    The changes that a patient makes are numbered. Two changes by one patient at the same moment get the same number, so
    only one of them can be inserted: whoever has counted the patient's appointments has counted all.
    """

    __tablename__ = "appointment_events"
    __table_args__ = (
        CheckConstraint("event IN ('booked', 'cancelled', 'rescheduled')", name="event"),
        Index("ix_appointment_events_appointment", "appointment_id", "id"),
        _partial_index(
            "uq_appointment_events_patient_nth", "actor_id", "patient_nth", where="patient_nth IS NOT NULL", unique=True
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    event: Mapped[str] = mapped_column(String(16))
    was_starts_at: Mapped[datetime | None]
    was_ends_at: Mapped[datetime | None]
    was_wall_start: Mapped[datetime | None] = mapped_column(WallClock)
    was_wall_end: Mapped[datetime | None] = mapped_column(WallClock)
    was_time_zone: Mapped[str | None] = mapped_column(String(64))
    was_doctor_id: Mapped[int | None] = mapped_column(ForeignKey("doctors.id"))
    # Why it was cancelled. Reasons of doctors are in the mails, those of patients are not.
    reason: Mapped[str | None] = mapped_column(String(200))
    # The number among the changes that the patient made; NULL if somebody else made this one.
    patient_nth: Mapped[int | None] = mapped_column(BigInteger)
