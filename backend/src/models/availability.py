"""Slots: times of a doctor, each of which one patient can book."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id, WallClock, state_literal

FREE, BOOKED, WITHDRAWN = state_literal("free"), state_literal("booked"), state_literal("withdrawn")


class AvailabilitySlot(Base):
    """A slot is free, booked or withdrawn. Only withdrawn slots may overlap another slot of the same doctor.

    `starts_at` and `ends_at` are instants. `wall_start` and `wall_end` are the date and times that the doctor gave, on
    the clocks of `time_zone`: people see these, and they stay as they are when new zone data changes the instants.
    Servers of the version before 0011 leave them empty; `flask zones` and the worker fill them.

    The rule on overlaps is an EXCLUDE constraint on PostgreSQL and a pair of triggers on SQLite. Both report the name
    `slots_no_overlap`. The migrations create them, because a model cannot describe either for both databases.
    """

    __tablename__ = "availability_slots"
    __table_args__ = (
        CheckConstraint("status IN ('free', 'booked', 'withdrawn')", name="status"),
        CheckConstraint("starts_at < ends_at", name="has_length"),
        # For the most frequent query: the free slots of one doctor by time.
        Index(
            "ix_availability_slots_free",
            "doctor_id",
            "starts_at",
            postgresql_include=["id", "ends_at", "time_zone", "wall_start", "wall_end"],
            postgresql_where=text("status = 'free'"),
            sqlite_where=text("status = 'free'"),
        ),
        Index("ix_availability_slots_doctor", "doctor_id", "starts_at"),
        # Finds the few rows without a wall clock.
        Index(
            "ix_availability_slots_unfilled",
            "id",
            postgresql_where=text("wall_start IS NULL"),
            sqlite_where=text("wall_start IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    # The doctor's zone when the slot was published. The slot keeps it when the doctor changes zones.
    time_zone: Mapped[str] = mapped_column(String(64))
    wall_start: Mapped[datetime | None] = mapped_column(WallClock)
    wall_end: Mapped[datetime | None] = mapped_column(WallClock)
    status: Mapped[str] = mapped_column(String(16), server_default="free")
    created_at: Mapped[datetime]
