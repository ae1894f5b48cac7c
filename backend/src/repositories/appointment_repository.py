"""Appointments and their history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from src.database.statements import limited
from src.models import Appointment, AppointmentEvent, DoctorProfile, User, VisitType
from src.models.appointment import BOOKED, HELD
from src.models.base import Id

# Every id is smaller: a page without a cursor uses it as `before`.
LARGEST_ID = 2**63 - 1

DoctorUser = aliased(User, name="doctor_users")
PatientUser = aliased(User, name="patient_users")

_HISTORY = (
    select(AppointmentEvent, User.name.label("actor_name"), DoctorUser.name.label("was_doctor_name"))
    .join(User, User.id == AppointmentEvent.actor_id)
    .outerjoin(DoctorProfile, DoctorProfile.id == AppointmentEvent.was_doctor_id)
    .outerjoin(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    .where(AppointmentEvent.appointment_id == bindparam("appointment_id"))
    .order_by(AppointmentEvent.id)
)


def history(db: Connection, appointment_id: int) -> Sequence[Row[Any]]:
    """Return the events of an appointment, oldest first, with `actor_name` and `was_doctor_name`."""
    return db.execute(_HISTORY, {"appointment_id": appointment_id}).all()


# `other_name` is the doctor's name in a patient's list, and the patient's name in a doctor's list.


# A row begins with what is listed and the visit type, in this order: schemas/appointment.py takes them by position.


def for_patient(shown: Any = Appointment) -> Select[Any]:
    return (
        select(
            *listed(shown),
            visit_type(shown),
            DoctorUser.name.label("other_name"),
            DoctorProfile.cancellation_notice,
        )
        .join(DoctorProfile, DoctorProfile.id == shown.doctor_id)
        .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    )


def for_doctor(shown: Any = Appointment) -> Select[Any]:
    # One index lookup for each row. For a join, the planner may expect so many patients that it scans all accounts.
    name = select(PatientUser.name).where(PatientUser.id == shown.patient_id).scalar_subquery()
    return select(*listed(shown), visit_type(shown), name.label("other_name"))


def listed(shown: Any) -> tuple[Any, ...]:
    span = (shown.starts_at, shown.ends_at, shown.wall_start, shown.wall_end, shown.time_zone)
    return (shown.id, *span, shown.status, shown.visit_type_id, shown.place, shown.reason)


def visit_type(shown: Any) -> Any:
    """Return the name of the visit type: one index lookup for each row that has one."""
    name = select(VisitType.name).where(VisitType.id == shown.visit_type_id).scalar_subquery()
    return case((shown.visit_type_id.is_not(None), name)).label("visit_type")


_FULL = (
    select(
        *listed(Appointment),
        visit_type(Appointment),
        Appointment.patient_id,
        Appointment.note,
        Appointment.doctor_id,
        Appointment.slot_id,
        DoctorProfile.designation,
        DoctorProfile.user_id.label("doctor_user_id"),
        DoctorProfile.cancellation_notice,
        DoctorUser.name.label("doctor_name"),
        DoctorUser.deleted_at.is_not(None).label("doctor_has_left"),
        PatientUser.name.label("patient_name"),
        PatientUser.email.label("patient_email"),
        PatientUser.phone.label("patient_phone"),
    )
    .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
    .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    .join(PatientUser, PatientUser.id == Appointment.patient_id)
    .where(Appointment.id == bindparam("appointment_id"), Appointment.status != HELD)
)


def find_full(db: Connection, appointment_id: int) -> Row[Any] | None:
    """Return an appointment with the names and account ids of both people."""
    return db.execute(_FULL, {"appointment_id": appointment_id}).one_or_none()


_TIME = select(Appointment.starts_at, Appointment.ends_at).where(Appointment.id == bindparam("appointment_id"))


def find_time(db: Connection, appointment_id: int) -> Row[Any]:
    """Return (starts_at, ends_at) of an appointment that exists."""
    return db.execute(_TIME, {"appointment_id": appointment_id}).one()


_AT = select(Appointment.id).where(
    Appointment.slot_id == bindparam("slot_id"),
    Appointment.patient_id == bindparam("patient_id"),
    Appointment.status == "booked",
)


def find_at(db: Connection, patient_id: int, slot_id: int) -> int | None:
    """Return the id of the patient's booked appointment at a slot or computed time, or None."""
    return db.scalars(_AT, {"slot_id": slot_id, "patient_id": patient_id}).one_or_none()


# Hides the id from the planner. For the id of somebody with many appointments, PostgreSQL otherwise scans everybody's
# newest rows, expecting one of this person's soon; where this person's are all old, it reads a million rows first.
HIDDEN_ID = select(bindparam("of", type_=Id)).scalar_subquery()


def _page(
    of: InstrumentedAttribute[int],
    other: InstrumentedAttribute[int],
    with_name: Callable[[Any], Select[Any]],
    most: int,
) -> Select[Any]:
    """Return a page, newest first. The index scan starts at the id `before`, so new rows do not shift later pages.

    The limit is in a subquery, below the joins: otherwise PostgreSQL joins all rows before it applies the limit.
    """
    newest = (
        select(*listed(Appointment), other)
        .where(of == HIDDEN_ID, Appointment.id < bindparam("before"), Appointment.status != HELD)
        .order_by(Appointment.id.desc())
    )
    shown = aliased(Appointment, limited(newest, most).subquery())
    return with_name(shown).order_by(shown.id.desc())


@lru_cache(maxsize=1024)
def _page_of_patient(most: int) -> Select[Any]:
    return _page(Appointment.patient_id, Appointment.doctor_id, for_patient, most)


@lru_cache(maxsize=1024)
def _page_of_doctor(most: int) -> Select[Any]:
    return _page(Appointment.doctor_id, Appointment.patient_id, for_doctor, most)


def _next(query: Select[Any]) -> Select[Any]:
    ahead = query.where(Appointment.status == BOOKED, Appointment.starts_at > bindparam("now"))
    return limited(ahead.order_by(Appointment.starts_at, Appointment.id), 1)


_NEXT_OF_PATIENT = _next(for_patient().where(Appointment.patient_id == bindparam("of")))
_NEXT_OF_DOCTOR = _next(for_doctor().where(Appointment.doctor_id == bindparam("of")))
_OF_DOCTOR_BETWEEN = (
    for_doctor()
    .where(
        Appointment.doctor_id == bindparam("of"),
        Appointment.status == BOOKED,
        Appointment.starts_at >= bindparam("begin"),
        Appointment.starts_at < bindparam("end"),
    )
    .order_by(Appointment.starts_at, Appointment.id)
)


def list_of_patient(db: Connection, patient_id: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return a page of a patient's appointments, newest booking first."""
    return db.execute(_page_of_patient(limit), {"of": patient_id, "before": before or LARGEST_ID}).all()


def list_of_doctor(db: Connection, doctor_id: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return a page of a doctor's appointments, newest booking first."""
    return db.execute(_page_of_doctor(limit), {"of": doctor_id, "before": before or LARGEST_ID}).all()


def list_of_doctor_between(db: Connection, doctor_id: int, begin: datetime, end: datetime) -> Sequence[Row[Any]]:
    """Return the booked appointments of a doctor that begin in [begin, end), by time; those of a group by id."""
    return db.execute(_OF_DOCTOR_BETWEEN, {"of": doctor_id, "begin": begin, "end": end}).all()


def next_of_doctor(db: Connection, doctor_id: int, now: datetime) -> Row[Any] | None:
    return db.execute(_NEXT_OF_DOCTOR, {"of": doctor_id, "now": now}).one_or_none()


def next_of_patient(db: Connection, patient_id: int, now: datetime) -> Row[Any] | None:
    return db.execute(_NEXT_OF_PATIENT, {"of": patient_id, "now": now}).one_or_none()


_of_patient = select(func.count()).where(Appointment.patient_id == bindparam("of"))
# Two counts, because an index without the status, which is larger, counts a long history faster.
_COUNT_OF_PATIENT = select(
    _of_patient.scalar_subquery() - _of_patient.where(Appointment.status == HELD).scalar_subquery()
)


def count_of_patient(db: Connection, patient_id: int) -> int:
    """Count a patient's appointments, cancelled ones included."""
    return db.execute(_COUNT_OF_PATIENT, {"of": patient_id}).scalar_one()


def count_ahead_of_patient(db: Connection, patient_id: int, now: datetime) -> int:
    """Count a patient's booked appointments that are ahead."""
    query = select(func.count()).where(
        Appointment.patient_id == patient_id, Appointment.status == BOOKED, Appointment.starts_at > now
    )
    return db.scalars(query).one()


_SET_NOTE = (
    update(Appointment)
    .where(Appointment.id == bindparam("appointment_id"), Appointment.doctor_id == bindparam("of"))
    .where(Appointment.status != HELD)
    .values(note=bindparam("text"))
)


def set_note(db: Connection, appointment_id: int, doctor_id: int, note: str | None) -> bool:
    """Replace the note of an appointment of the doctor's; False if the doctor has no such appointment."""
    return db.execute(_SET_NOTE, {"appointment_id": appointment_id, "of": doctor_id, "text": note}).rowcount > 0
