"""What a doctor's schedule shows of some days: each query returns what overlaps [begin, end), by time.

An index can find what begins in a stretch of time, but not what overlaps it. So each query also reads what begins up to
the greatest length earlier, and drops what had ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select

from src.domain.appointment_rules import LONGEST_SLOT
from src.domain.minutes import minute_after, minute_of
from src.models import Appointment, AvailabilitySlot, Opening
from src.models.appointment import BOOKED, HELD, LONGEST_BUSY
from src.models.availability import WITHDRAWN
from src.models.hours import LONGEST_OPENING
from src.repositories import availability_repository as slots
from src.repositories import exception_repository as exceptions
from src.repositories.appointment_repository import HIDDEN_ID, for_doctor


@dataclass(frozen=True)
class Days:
    """Some days of a doctor: `first` to `last`, both included, from the instant `begin` to the instant `end`."""

    doctor_id: int
    first: date
    last: date
    begin: datetime
    end: datetime

    @property
    def values(self) -> dict[str, Any]:
        minutes = {"from_minute": minute_of(self.begin), "until_minute": minute_after(self.end)}
        return {"doctor_id": self.doctor_id, "begin": self.begin, "end": self.end, **minutes}


_OPENINGS = (
    select(Opening.from_minute, Opening.until_minute, Opening.visit_type_id, Opening.place)
    .where(
        Opening.doctor_id == bindparam("doctor_id"),
        Opening.from_minute > bindparam("from_minute") - LONGEST_OPENING,
        Opening.from_minute < bindparam("until_minute"),
        Opening.until_minute > bindparam("from_minute"),
    )
    .order_by(Opening.from_minute, Opening.id)
)


def openings(db: Connection, days: Days) -> Sequence[Row[Any]]:
    return db.execute(_OPENINGS, days.values).all()


_SLOTS = slots.LISTED.where(
    AvailabilitySlot.status != WITHDRAWN,
    AvailabilitySlot.starts_at > bindparam("earliest"),
    AvailabilitySlot.starts_at < bindparam("end"),
    AvailabilitySlot.ends_at > bindparam("begin"),
).order_by(AvailabilitySlot.starts_at)


def published_slots(db: Connection, days: Days) -> Sequence[Row[Any]]:
    """Return the free and booked slots, as `slots.list_page` does."""
    return db.execute(_SLOTS, days.values | {"earliest": days.begin - LONGEST_SLOT}).all()


# Buffers count. Appointments that had ended when 0013 ran have no `busy_from`.
_OVERLAPS = or_(
    and_(Appointment.starts_at < bindparam("end"), Appointment.ends_at > bindparam("begin")),
    and_(Appointment.busy_from < bindparam("until_minute"), Appointment.busy_until > bindparam("from_minute")),
)
LONGEST_TAKEN = timedelta(minutes=LONGEST_BUSY)
_APPOINTMENTS = (
    for_doctor()
    .add_columns(Appointment.slot_id, Appointment.busy_from, Appointment.busy_until)
    .where(
        Appointment.doctor_id == HIDDEN_ID,
        Appointment.status == BOOKED,
        Appointment.starts_at > bindparam("earliest"),
        Appointment.starts_at < bindparam("latest"),
        _OVERLAPS,
    )
    .order_by(Appointment.starts_at, Appointment.id)
)


def appointments(db: Connection, days: Days) -> Sequence[Row[Any]]:
    """Return the booked appointments, also with buffers that overlap, with slot_id, busy_from and busy_until."""
    around = {"earliest": days.begin - LONGEST_TAKEN, "latest": days.end + LONGEST_TAKEN}
    return db.execute(_APPOINTMENTS, days.values | around | {"of": days.doctor_id}).all()


_HOLDS = (
    select(
        Appointment.slot_id,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.wall_start,
        Appointment.wall_end,
        Appointment.time_zone,
        Appointment.visit_type_id,
        Appointment.held_until,
        Appointment.busy_from,
        Appointment.busy_until,
    )
    .where(
        Appointment.doctor_id == bindparam("doctor_id"),
        Appointment.status == HELD,
        Appointment.held_until > bindparam("now"),
        _OVERLAPS,
    )
    .order_by(Appointment.starts_at, Appointment.id)
)


def holds(db: Connection, days: Days, now: datetime) -> Sequence[Row[Any]]:
    """Return the holds that have not expired, without who holds."""
    return db.execute(_HOLDS, days.values | {"now": now}).all()


def closures(db: Connection, days: Days) -> Sequence[Row[Any]]:
    """Return the closures of the doctor and of the clinic, by the first day."""
    return exceptions.list_closures(db, days.doctor_id, days.first, days.last)
