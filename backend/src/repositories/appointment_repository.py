"""Appointments and what happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from src.models import Appointment, AppointmentEvent, DoctorProfile, User
from src.repositories.base import insert_unless_conflict

DoctorUser = aliased(User, name="doctor_users")
PatientUser = aliased(User, name="patient_users")


def add(
    db: Session,
    *,
    slot_id: int,
    doctor_id: int,
    patient_id: int,
    starts_at: datetime,
    ends_at: datetime,
    time_zone: str,
    now: datetime,
) -> int | None:
    """Book and return the appointment's id, or None when a rule on overlaps stands against it."""
    return insert_unless_conflict(
        db,
        Appointment,
        slot_id=slot_id,
        doctor_id=doctor_id,
        patient_id=patient_id,
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=time_zone,
        booked_at=now,
    )


def add_event(db: Session, appointment_id: int, event: str, actor_id: int, now: datetime) -> int:
    """Write history and return the event's id."""
    statement = (
        insert(AppointmentEvent)
        .values(appointment_id=appointment_id, event=event, actor_id=actor_id, at=now)
        .returning(AppointmentEvent.id)
    )
    return db.scalars(statement).one()


def find_full(db: Session, appointment_id: int) -> Row[Any] | None:
    """Return the appointment with both people's names, ids and addresses; None when unknown."""
    return db.execute(_full().where(Appointment.id == appointment_id)).one_or_none()


def list_full_ahead_of_doctor(db: Session, doctor_id: int, now: datetime) -> list[Row[Any]]:
    """Return the doctor's booked appointments that are ahead, like `find_full`, in the order of ids."""
    query = _full().where(
        Appointment.doctor_id == doctor_id, Appointment.status == "booked", Appointment.starts_at > now
    )
    return list(db.execute(query.order_by(Appointment.id)))


def cancel(db: Session, appointment_id: int, now: datetime) -> bool:
    """Cancel a booked appointment; False when somebody else was faster."""
    statement = (
        update(Appointment)
        .where(Appointment.id == appointment_id, Appointment.status == "booked")
        .values(status="cancelled", cancelled_at=now)
        .returning(Appointment.id)
    )
    return db.scalars(statement).one_or_none() is not None


def history(db: Session, appointment_id: int) -> list[Row[tuple[str, datetime, str]]]:
    """Return (event, at, name of who did it), oldest first."""
    query = (
        select(AppointmentEvent.event, AppointmentEvent.at, User.name)
        .join(User, User.id == AppointmentEvent.actor_id)
        .where(AppointmentEvent.appointment_id == appointment_id)
        .order_by(AppointmentEvent.id)
    )
    return list(db.execute(query))


def list_of_patient(db: Session, patient_id: int, *, before: int | None, limit: int) -> list[Row[Any]]:
    """Return a patient's appointments with `other_name`, the doctor's; newest booking first."""
    return _page(db, _of_patient(patient_id), before, limit)


def list_of_doctor(db: Session, doctor_id: int, *, before: int | None, limit: int) -> list[Row[Any]]:
    """Return a doctor's appointments with `other_name`, the patient's; newest booking first."""
    return _page(db, _of_doctor(doctor_id), before, limit)


def list_of_doctor_between(db: Session, doctor_id: int, begin: datetime, end: datetime) -> list[Row[Any]]:
    """Return the booked appointments of a doctor that begin in [begin, end), by time."""
    query = _of_doctor(doctor_id).where(
        Appointment.status == "booked", Appointment.starts_at >= begin, Appointment.starts_at < end
    )
    return list(db.execute(query.order_by(Appointment.starts_at)))


def next_of_doctor(db: Session, doctor_id: int, now: datetime) -> Row[Any] | None:
    """Return the doctor's next appointment."""
    return _next(db, _of_doctor(doctor_id), now)


def next_of_patient(db: Session, patient_id: int, now: datetime) -> Row[Any] | None:
    """Return the patient's next appointment."""
    return _next(db, _of_patient(patient_id), now)


def count_of_patient(db: Session, patient_id: int) -> int:
    """Count all appointments of a patient, cancelled ones included."""
    return db.scalars(select(func.count()).where(Appointment.patient_id == patient_id)).one()


def count_ahead_of_patient(db: Session, patient_id: int, now: datetime) -> int:
    """Count a patient's booked appointments that are ahead."""
    query = select(func.count()).where(
        Appointment.patient_id == patient_id, Appointment.status == "booked", Appointment.starts_at > now
    )
    return db.scalars(query).one()


def _full() -> Select[Any]:
    return (
        select(
            Appointment.id,
            Appointment.slot_id,
            Appointment.doctor_id,
            Appointment.patient_id,
            Appointment.starts_at,
            Appointment.ends_at,
            Appointment.time_zone,
            Appointment.status,
            DoctorProfile.user_id.label("doctor_user_id"),
            DoctorProfile.specialization,
            DoctorUser.name.label("doctor_name"),
            DoctorUser.email.label("doctor_email"),
            PatientUser.name.label("patient_name"),
            PatientUser.email.label("patient_email"),
        )
        .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
        .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
        .join(PatientUser, PatientUser.id == Appointment.patient_id)
    )


_LISTED = (Appointment.id, Appointment.starts_at, Appointment.ends_at, Appointment.time_zone, Appointment.status)


def _of_patient(patient_id: int) -> Select[Any]:
    return (
        select(*_LISTED, DoctorUser.name.label("other_name"))
        .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
        .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
        .where(Appointment.patient_id == patient_id)
    )


def _of_doctor(doctor_id: int) -> Select[Any]:
    return (
        select(*_LISTED, PatientUser.name.label("other_name"))
        .join(PatientUser, PatientUser.id == Appointment.patient_id)
        .where(Appointment.doctor_id == doctor_id)
    )


def _page(db: Session, query: Select[Any], before: int | None, limit: int) -> list[Row[Any]]:
    if before is not None:
        query = query.where(Appointment.id < before)
    return list(db.execute(query.order_by(Appointment.id.desc()).limit(limit)))


def _next(db: Session, query: Select[Any], now: datetime) -> Row[Any] | None:
    ahead = query.where(Appointment.status == "booked", Appointment.starts_at > now)
    return db.execute(ahead.order_by(Appointment.starts_at).limit(1)).one_or_none()
