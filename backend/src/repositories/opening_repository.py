"""Openings: computed from hours, exceptions and visit types, and kept in a table for the queries that book.

Who lays openings has locked the doctor's account, so that nobody books meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, func, insert, select, update

from src.database.statements import limited
from src.domain import openings as domain
from src.domain.minutes import minute_of
from src.domain.schedule import Schedule
from src.models import Appointment, DoctorProfile, Opening, User, VisitType
from src.models.appointment import BOOKED, HELD
from src.repositories import exception_repository as exceptions
from src.repositories import hours_repository as hours
from src.repositories.appointment_repository import for_doctor
from src.repositories.visit_type_repository import list_living

# Past openings are kept for some days, because a clock or a zone may be behind.
KEPT = timedelta(days=2)


def schedule_of(db: Connection, doctor_id: int, zone: str, now: datetime) -> Schedule:
    """Return what the doctor's openings follow from."""
    horizons = {kind.id: kind.horizon for kind in list_living(db, doctor_id)}
    _, weekly = hours.list_weekly(db, doctor_id)
    schedule = Schedule(zone, now, hours.as_hours(weekly), (), horizons)
    return replace(schedule, exceptions=exceptions.list_ahead(db, doctor_id, schedule.today))


_OPENINGS = select(
    Opening.id,
    Opening.day,
    Opening.from_minute,
    Opening.until_minute,
    Opening.runs_until,
    Opening.visit_type_id,
    Opening.place,
).where(Opening.doctor_id == bindparam("doctor_id"))
_DELETE = delete(Opening).where(Opening.id == bindparam("opening_id"))
_INSERT = insert(Opening)


def lay(db: Connection, doctor_id: int, schedule: Schedule) -> None:
    """Make the table's openings from today on those of the schedule, and delete past ones.

    Rows that stay as they are are not written.
    """
    today, minute = schedule.today, minute_of(schedule.now)
    wanted = set(schedule.openings())
    unwanted: list[int] = []
    for opening_id, *rest in db.execute(_OPENINGS, {"doctor_id": doctor_id}):
        opening = domain.Opening(*rest)
        # Those of an earlier day are ahead if the doctor moved to a zone that is before the old one.
        is_ahead = opening.day >= today or opening.until_minute > minute
        if opening in wanted:
            wanted.remove(opening)
        elif is_ahead or opening.day < today - KEPT:
            unwanted.append(opening_id)
    if unwanted:
        db.execute(_DELETE, [{"opening_id": opening_id} for opening_id in unwanted])
    if wanted:
        db.execute(_INSERT, [opening._asdict() | {"doctor_id": doctor_id} for opening in sorted(wanted, key=_place)])
    _note_last_day(db, doctor_id, schedule.last_day)


def _place(opening: domain.Opening) -> tuple[int, int]:
    return opening.from_minute, opening.visit_type_id or 0


_NOTE_LAST_DAY = (
    update(DoctorProfile)
    .where(DoctorProfile.id == bindparam("doctor_id"), DoctorProfile.openings_until.is_distinct_from(bindparam("day")))
    .values(openings_until=bindparam("day"))
)


def _note_last_day(db: Connection, doctor_id: int, day: date) -> None:
    db.execute(_NOTE_LAST_DAY, {"doctor_id": doctor_id, "day": day})


_BOOKED_AHEAD = (
    for_doctor()
    .add_columns(Appointment.visit_type_id)
    .where(
        Appointment.doctor_id == bindparam("doctor_id"),
        Appointment.status == BOOKED,
        Appointment.starts_at > bindparam("now"),
        # Who leaves cancels what is ahead. What is still booked then has begun, if only after the request arrived.
        select(User.deleted_at).where(User.id == Appointment.patient_id).scalar_subquery().is_(None),
    )
    .order_by(Appointment.starts_at, Appointment.id)
)


def booked_ahead(db: Connection, doctor_id: int, now: datetime) -> Sequence[Row[Any]]:
    """Return the doctor's booked appointments that are ahead, by time, with `visit_type_id`."""
    return db.execute(_BOOKED_AHEAD, {"doctor_id": doctor_id, "now": now}).all()


def erase(db: Connection, doctor_id: int) -> None:
    """Delete the openings of a doctor who leaves, and what patients hold of them."""
    db.execute(delete(Opening).where(Opening.doctor_id == doctor_id))
    db.execute(delete(Appointment).where(Appointment.doctor_id == doctor_id, Appointment.status == HELD))


_DOCTORS = (
    select(
        DoctorProfile.id,
        DoctorProfile.user_id,
        DoctorProfile.time_zone,
        DoctorProfile.openings_until,
        func.count(VisitType.id).label("visit_types"),
        func.max(case((VisitType.retired_at.is_(None), VisitType.horizon))).label("horizon"),
    )
    .join(User, User.id == DoctorProfile.user_id)
    .outerjoin(VisitType, VisitType.doctor_id == DoctorProfile.id)
    .where(DoctorProfile.id > bindparam("after"), User.deleted_at.is_(None))
    .group_by(DoctorProfile.id)
    .order_by(DoctorProfile.id)
)


def list_doctors(db: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return (id, user_id, time_zone, openings_until, visit_types, horizon) of the next doctors after an id.

    `visit_types` is how many there are, retired ones included, and `horizon` the greatest of the others, or None.
    """
    return db.execute(limited(_DOCTORS, limit), {"after": after}).all()
