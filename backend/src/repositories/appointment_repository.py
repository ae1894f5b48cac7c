"""Appointments and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Row, Select, bindparam, func, insert, select, text, update
from sqlalchemy.orm import aliased

from src.models import Appointment, AppointmentEvent, DoctorProfile, User
from src.models.base import Id, Instant
from src.repositories import availability_repository
from src.repositories.base import insert_unless_conflict

# Ids are smaller than this: a page without a cursor begins here.
LARGEST_ID = 2**63 - 1

DoctorUser = aliased(User, name="doctor_users")
PatientUser = aliased(User, name="patient_users")


class Booked(NamedTuple):
    """A slot that was taken; without `appointment_id` and `event_id` where a rule on overlaps stood against it."""

    doctor_id: int
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    appointment_id: int | None
    event_id: int | None


# One round trip instead of three: taking the slot, the appointment and its history, each from the one before.
_BOOK = (
    text("""
    WITH taken AS (
        UPDATE availability_slots SET status = 'booked'
        WHERE id = :slot_id AND status = 'free' AND starts_at > :now
        RETURNING id, doctor_id, starts_at, ends_at, time_zone
    ), booked AS (
        INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, booked_at)
        SELECT id, doctor_id, :patient_id, starts_at, ends_at, time_zone, :now FROM taken
        ON CONFLICT DO NOTHING RETURNING id
    ), event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'booked', :patient_id, :now FROM booked RETURNING id
    )
    SELECT doctor_id, starts_at, ends_at, time_zone, booked.id AS appointment_id, event.id AS event_id
    FROM taken LEFT JOIN booked ON true LEFT JOIN event ON true
    """)
    .bindparams(bindparam("slot_id", type_=Id), bindparam("patient_id", type_=Id), bindparam("now", type_=Instant()))
    .columns(starts_at=Instant(), ends_at=Instant())
)


def book(db: Connection, slot_id: int, patient_id: int, now: datetime) -> Booked | None:
    """Take a free slot that is ahead, add the appointment and write its history; None when the slot cannot be taken."""
    if db.dialect.name == "postgresql":
        row = db.execute(_BOOK, {"slot_id": slot_id, "patient_id": patient_id, "now": now}).one_or_none()
        return None if row is None else Booked._make(row)
    slot = availability_repository.take(db, slot_id, now)
    if slot is None:
        return None
    appointment_id = insert_unless_conflict(
        db,
        Appointment,
        slot_id=slot_id,
        doctor_id=slot.doctor_id,
        patient_id=patient_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        time_zone=slot.time_zone,
        booked_at=now,
    )
    event_id = None if appointment_id is None else add_event(db, appointment_id, "booked", patient_id, now)
    return Booked._make((*slot, appointment_id, event_id))


_ADD_EVENT = insert(AppointmentEvent).returning(AppointmentEvent.id)


def add_event(db: Connection, appointment_id: int, event: str, actor_id: int, now: datetime) -> int:
    """Write history and return the event's id."""
    row = {"appointment_id": appointment_id, "event": event, "actor_id": actor_id, "at": now}
    return db.execute(_ADD_EVENT, row).scalar_one()


_FULL = (
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
_ONE_FULL = _FULL.where(Appointment.id == bindparam("appointment_id"))
_FULL_AHEAD = _FULL.where(
    Appointment.doctor_id == bindparam("of_doctor"),
    Appointment.status == "booked",
    Appointment.starts_at > bindparam("now"),
).order_by(Appointment.id)


def find_full(db: Connection, appointment_id: int) -> Row[Any] | None:
    """Return the appointment with both people's names, ids and addresses; None when unknown."""
    return db.execute(_ONE_FULL, {"appointment_id": appointment_id}).one_or_none()


def list_full_ahead_of_doctor(db: Connection, doctor_id: int, now: datetime) -> Sequence[Row[Any]]:
    """Return the doctor's booked appointments that are ahead, like `find_full`, in the order of ids."""
    return db.execute(_FULL_AHEAD, {"of_doctor": doctor_id, "now": now}).all()


_CANCEL = text("""
    WITH freed AS (
        UPDATE availability_slots SET status = CASE status WHEN 'booked' THEN 'free' ELSE status END
        WHERE id = :slot_id RETURNING id
    ), cancelled AS (
        UPDATE appointments SET status = 'cancelled', cancelled_at = :now FROM freed
        WHERE appointments.id = :appointment_id AND slot_id = freed.id AND status = 'booked' RETURNING appointments.id
    )
    INSERT INTO appointment_events (appointment_id, event, actor_id, at)
    SELECT id, 'cancelled', :actor_id, :now FROM cancelled RETURNING id
    """).bindparams(
    bindparam("slot_id", type_=Id),
    bindparam("appointment_id", type_=Id),
    bindparam("actor_id", type_=Id),
    bindparam("now", type_=Instant()),
)
_CANCEL_ALONE = (
    update(Appointment)
    .where(Appointment.id == bindparam("appointment_id"), Appointment.status == "booked")
    .values(status="cancelled", cancelled_at=bindparam("now"))
    .returning(Appointment.id)
)


def cancel(db: Connection, appointment_id: int, slot_id: int, actor_id: int, now: datetime) -> int | None:
    """Free the slot, cancel a booked appointment and write its history; return the event's id.

    None when somebody else was faster: then the caller must roll back, for the slot may be somebody else's by now.
    """
    if db.dialect.name == "postgresql":
        values = {"slot_id": slot_id, "appointment_id": appointment_id, "actor_id": actor_id, "now": now}
        return db.execute(_CANCEL, values).scalar_one_or_none()
    availability_repository.release(db, slot_id)
    if db.execute(_CANCEL_ALONE, {"appointment_id": appointment_id, "now": now}).one_or_none() is None:
        return None
    return add_event(db, appointment_id, "cancelled", actor_id, now)


def history(db: Connection, appointment_id: int) -> list[Row[tuple[str, datetime, str]]]:
    """Return (event, at, name of who did it), oldest first."""
    query = (
        select(AppointmentEvent.event, AppointmentEvent.at, User.name)
        .join(User, User.id == AppointmentEvent.actor_id)
        .where(AppointmentEvent.appointment_id == appointment_id)
        .order_by(AppointmentEvent.id)
    )
    return list(db.execute(query))


_LISTED = (Appointment.id, Appointment.starts_at, Appointment.ends_at, Appointment.time_zone, Appointment.status)
# Each of these carries `other_name`, the name of the person whom the reader does not know yet.
_OF_PATIENT = (
    select(*_LISTED, DoctorUser.name.label("other_name"))
    .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
    .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    .where(Appointment.patient_id == bindparam("of"))
)
_OF_DOCTOR = (
    select(*_LISTED, PatientUser.name.label("other_name"))
    .join(PatientUser, PatientUser.id == Appointment.patient_id)
    .where(Appointment.doctor_id == bindparam("of"))
)


def _page(query: Select[Any]) -> Select[Any]:
    """Newest first, in pages that stay in place while new ones come (keyset: the index is entered at `before`)."""
    before = query.where(Appointment.id < bindparam("before"))
    # Written into the statement: not knowing it, PostgreSQL plans for a tenth of all rows.
    most = bindparam("most", type_=Integer, literal_execute=True)
    return before.order_by(Appointment.id.desc()).limit(most)


def _next(query: Select[Any]) -> Select[Any]:
    ahead = query.where(Appointment.status == "booked", Appointment.starts_at > bindparam("now"))
    return ahead.order_by(Appointment.starts_at).limit(1)


_PAGE_OF_PATIENT = _page(_OF_PATIENT)
_PAGE_OF_DOCTOR = _page(_OF_DOCTOR)
_NEXT_OF_PATIENT = _next(_OF_PATIENT)
_NEXT_OF_DOCTOR = _next(_OF_DOCTOR)
_OF_DOCTOR_BETWEEN = _OF_DOCTOR.where(
    Appointment.status == "booked",
    Appointment.starts_at >= bindparam("begin"),
    Appointment.starts_at < bindparam("end"),
).order_by(Appointment.starts_at)


def list_of_patient(db: Connection, patient_id: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return a patient's appointments with `other_name`, the doctor's; newest booking first."""
    return db.execute(_PAGE_OF_PATIENT, {"of": patient_id, "before": before or LARGEST_ID, "most": limit}).all()


def list_of_doctor(db: Connection, doctor_id: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return a doctor's appointments with `other_name`, the patient's; newest booking first."""
    return db.execute(_PAGE_OF_DOCTOR, {"of": doctor_id, "before": before or LARGEST_ID, "most": limit}).all()


def list_of_doctor_between(db: Connection, doctor_id: int, begin: datetime, end: datetime) -> Sequence[Row[Any]]:
    """Return the booked appointments of a doctor that begin in [begin, end), by time."""
    return db.execute(_OF_DOCTOR_BETWEEN, {"of": doctor_id, "begin": begin, "end": end}).all()


def next_of_doctor(db: Connection, doctor_id: int, now: datetime) -> Row[Any] | None:
    """Return the doctor's next appointment."""
    return db.execute(_NEXT_OF_DOCTOR, {"of": doctor_id, "now": now}).one_or_none()


def next_of_patient(db: Connection, patient_id: int, now: datetime) -> Row[Any] | None:
    """Return the patient's next appointment."""
    return db.execute(_NEXT_OF_PATIENT, {"of": patient_id, "now": now}).one_or_none()


def count_of_patient(db: Connection, patient_id: int) -> int:
    """Count all appointments of a patient, cancelled ones included."""
    return db.scalars(select(func.count()).where(Appointment.patient_id == patient_id)).one()


def count_ahead_of_patient(db: Connection, patient_id: int, now: datetime) -> int:
    """Count a patient's booked appointments that are ahead."""
    query = select(func.count()).where(
        Appointment.patient_id == patient_id, Appointment.status == "booked", Appointment.starts_at > now
    )
    return db.scalars(query).one()
