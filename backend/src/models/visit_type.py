"""Visit types: what a doctor offers, how long it takes, and who may book how much of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

PATIENTS, STAFF = "patients", "staff"


class VisitType(Base):
    """A kind of visit of one doctor. A retired one stays on its appointments.

    Length, buffers and step are in its versions: a change of these makes a new version, because the ids of the times
    that were offered name the version, and must not come to mean another length. All else is changed in place.
    """

    __tablename__ = "visit_types"
    __table_args__ = (
        CheckConstraint("minimum_notice BETWEEN 0 AND 527040", name="minimum_notice"),
        CheckConstraint("horizon BETWEEN 1 AND 366", name="horizon"),
        CheckConstraint("most_per_day BETWEEN 1 AND 1440", name="most_per_day"),
        CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),
        CheckConstraint("booked_by IN ('patients', 'staff')", name="booked_by"),
        Index("ix_visit_types_doctor", "doctor_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(1000), server_default="")
    # In minutes: how long before its start a time can be booked at the latest.
    minimum_notice: Mapped[int] = mapped_column(server_default="0")
    # In days of 24 hours: how far ahead a time can be booked at the earliest.
    horizon: Mapped[int] = mapped_column(server_default="56")
    # How many appointments of the type a day of the doctor's zone may have; NULL is no limit.
    most_per_day: Mapped[int | None]
    # How many patients share one time.
    capacity: Mapped[int] = mapped_column(server_default="1")
    booked_by: Mapped[str] = mapped_column(String(16), server_default="patients")
    place: Mapped[str | None] = mapped_column(String(200))
    # The doctor chose this type for clients that name none.
    is_default: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class VisitTypeVersion(Base):
    """The length, buffers and step of a visit type, in minutes. Rows are never changed, but for `is_current`."""

    __tablename__ = "visit_type_versions"
    __table_args__ = (
        # So that the id of a computed time is larger than that of every published slot, and exact in JavaScript.
        CheckConstraint("id BETWEEN 256 AND 536870911", name="id"),
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes"),
        CheckConstraint("buffer_before BETWEEN 0 AND 480", name="buffer_before"),
        CheckConstraint("buffer_after BETWEEN 0 AND 480", name="buffer_after"),
        CheckConstraint("step BETWEEN 1 AND 1440", name="step"),
        Index(
            "uq_visit_type_versions_current",
            "visit_type_id",
            unique=True,
            postgresql_where=text("is_current"),
            sqlite_where=text("is_current"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_type_id: Mapped[int] = mapped_column(ForeignKey("visit_types.id"))
    minutes: Mapped[int]
    buffer_before: Mapped[int]
    buffer_after: Mapped[int]
    # Visits begin at the start of an opening, and at every multiple of this after it.
    step: Mapped[int]
    is_current: Mapped[bool] = mapped_column(server_default=true())
