"""Appointments and their history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id, WallClock, state_literal

BOOKED = state_literal("booked")
CANCELLED = state_literal("cancelled")


class Appointment(Base):
    """A patient's appointment for a slot. Cancelled ones are never deleted.

    It copies the slot's instants and wall clock. `doctor_id`, `starts_at` and `ends_at` let the database refuse
    overlapping booked appointments of one doctor (`appointments_doctor_no_overlap`) and of one patient
    (`appointments_patient_no_overlap`). The migrations create both rules: EXCLUDE on PostgreSQL, triggers on SQLite.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint("status IN ('booked', 'cancelled')", name="status"),
        CheckConstraint("starts_at < ends_at", name="has_length"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_at"),
        # Decides who wins when several patients book a slot at once: it can have only one booked appointment.
        Index(
            "uq_appointments_active_slot",
            "slot_id",
            unique=True,
            postgresql_where=text("status = 'booked'"),
            sqlite_where=text("status = 'booked'"),
        ),
        # For the lists, newest first. Not covering indexes: those double the time to count a long history.
        Index("ix_appointments_patient", "patient_id", "id"),
        Index("ix_appointments_doctor", "doctor_id", "id"),
        Index(
            "ix_appointments_doctor_ahead",
            "doctor_id",
            "starts_at",
            postgresql_where=text("status = 'booked'"),
            sqlite_where=text("status = 'booked'"),
        ),
        Index(
            "ix_appointments_patient_ahead",
            "patient_id",
            "starts_at",
            postgresql_where=text("status = 'booked'"),
            sqlite_where=text("status = 'booked'"),
        ),
        # For the lists by start, which merge these with the two above.
        Index(
            "ix_appointments_patient_cancelled",
            "patient_id",
            "starts_at",
            "id",
            postgresql_where=text("status = 'cancelled'"),
            sqlite_where=text("status = 'cancelled'"),
        ),
        Index(
            "ix_appointments_doctor_cancelled",
            "doctor_id",
            "starts_at",
            "id",
            postgresql_where=text("status = 'cancelled'"),
            sqlite_where=text("status = 'cancelled'"),
        ),
        # Finds the few rows without a wall clock.
        Index(
            "ix_appointments_unfilled",
            "id",
            postgresql_where=text("wall_start IS NULL"),
            sqlite_where=text("wall_start IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("availability_slots.id"))
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


class AppointmentEvent(Base):
    """One booking or cancellation: who did it, and when. Rows are inserted only, never changed or deleted."""

    __tablename__ = "appointment_events"
    __table_args__ = (
        CheckConstraint("event IN ('booked', 'cancelled')", name="event"),
        Index("ix_appointment_events_appointment", "appointment_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    event: Mapped[str] = mapped_column(String(16))
