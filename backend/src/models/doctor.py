"""Doctors' profiles, which patients see."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

NEW_DESIGNATION = "Dr."
NEW_SPECIALIZATION = "General Practitioner"


class DoctorProfile(Base):
    """A doctor's profile. Its id, not the account's, is the `doctor_id` in the API's paths."""

    __tablename__ = "doctors"
    __table_args__ = (
        CheckConstraint("cancellation_notice BETWEEN 0 AND 527040", name="cancellation_notice"),
        CheckConstraint("most_ahead >= 1", name="most_ahead"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    designation: Mapped[str] = mapped_column(String(200))
    specialization: Mapped[str] = mapped_column(String(200))
    # IANA name; NULL means CLINIC_TIME_ZONE.
    time_zone: Mapped[str | None] = mapped_column(String(64))
    # The last day for which openings were computed; NULL for a doctor who has had none.
    openings_until: Mapped[date | None]
    # How often the weekly hours, or the zone on whose clocks they are, were changed.
    hours_revision: Mapped[int] = mapped_column(server_default="0")
    # What the doctor allows patients: see domain/policies.py. NULL means the clinic's.
    cancellation_notice: Mapped[int | None]
    most_ahead: Mapped[int | None]
