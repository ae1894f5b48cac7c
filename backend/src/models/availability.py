"""A stretch of a doctor's time that one patient can book."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id, word

FREE, BOOKED, WITHDRAWN = word("free"), word("booked"), word("withdrawn")


class AvailabilitySlot(Base):
    """A slot is free, booked or withdrawn; two of one doctor that are not withdrawn never overlap.

    The rule on overlaps is an EXCLUDE constraint on PostgreSQL and a pair of triggers on SQLite, both named
    `slots_no_overlap` and written in the migrations, because models cannot express either for both databases.
    """

    __tablename__ = "availability_slots"
    __table_args__ = (
        CheckConstraint("status IN ('free', 'booked', 'withdrawn')", name="status"),
        CheckConstraint("starts_at < ends_at", name="has_length"),
        # For the most frequent query of patients: the free slots of one doctor by time.
        Index(
            "ix_availability_slots_free",
            "doctor_id",
            "starts_at",
            postgresql_include=["id", "ends_at", "time_zone"],
            postgresql_where=text("status = 'free'"),
            sqlite_where=text("status = 'free'"),
        ),
        Index("ix_availability_slots_doctor", "doctor_id", "starts_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    # The zone it was published in: its wall-clock times never change, wherever the doctor moves.
    time_zone: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16), server_default="free")
    created_at: Mapped[datetime]
