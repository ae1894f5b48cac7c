"""When a doctor is open: weekly hours and exceptions, which people edit, and the openings that follow from them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

# The most minutes of an opening: a day may have an hour more when clocks change.
LONGEST_OPENING = 1500
TIMES = "from_time >= 0 AND from_time < until_time AND until_time <= 1440"


class WeeklyHours(Base):
    """Hours of one weekday (0 is Monday), in minutes of the day on the wall clock of the doctor's time zone.

    `visit_types` has the ids of the types that the hours are for; NULL means all.
    """

    __tablename__ = "weekly_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint(TIMES, name="times"),
        CheckConstraint("valid_from <= valid_until", name="validity"),
        Index("ix_weekly_hours_doctor", "doctor_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    weekday: Mapped[int]
    from_time: Mapped[int]
    until_time: Mapped[int]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    visit_types: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    place: Mapped[str | None] = mapped_column(String(200))


class HoursException(Base):
    """Days, or hours of each of these days, that are closed or additionally open, whatever the weekly hours say.

    Without a doctor it is a closure of the whole clinic. Patients never see the reason.
    """

    __tablename__ = "exceptions"
    __table_args__ = (
        CheckConstraint("kind IN ('closed', 'extra')", name="kind"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint(TIMES, name="times"),
        Index("ix_exceptions_doctor", "doctor_id", "last_day"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("doctors.id"))
    kind: Mapped[str] = mapped_column(String(16))
    first_day: Mapped[date]
    last_day: Mapped[date]
    from_time: Mapped[int]
    until_time: Mapped[int]
    visit_types: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    place: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Opening(Base):
    """A stretch of time in which a doctor's visits may begin, in minutes since 2020-01-01T00:00Z.

    domain/openings.py computes openings from weekly hours and exceptions, as far ahead as the doctor's visit types can
    be booked. `day` is the local date. A visit ends by `runs_until`, which is after `until_minute` where the hours go
    on without a gap, as over midnight. Openings for one visit type have its id, those for all types have none.
    """

    __tablename__ = "openings"
    __table_args__ = (
        CheckConstraint(f"until_minute - from_minute BETWEEN 1 AND {LONGEST_OPENING}", name="length"),
        CheckConstraint("runs_until - until_minute BETWEEN 0 AND 1440", name="runs_until"),
        Index("ix_openings_doctor", "doctor_id", "from_minute"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    doctor_id: Mapped[int] = mapped_column(ForeignKey("doctors.id"))
    day: Mapped[date]
    from_minute: Mapped[int] = mapped_column(BigInteger)
    until_minute: Mapped[int] = mapped_column(BigInteger)
    runs_until: Mapped[int] = mapped_column(BigInteger)
    visit_type_id: Mapped[int | None] = mapped_column(ForeignKey("visit_types.id"))
    place: Mapped[str | None] = mapped_column(String(200))
