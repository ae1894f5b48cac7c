"""Booking and cancelling step by step, on both databases.

Locks are taken in one order, so that transactions cannot deadlock: both people by id, then the slot, then the
appointment. Each state is read after its row is locked: what was read before the wait may have changed. SQLite has one
write lock, and the transaction takes it at its start.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from src.database.statements import insert_unless_conflict
from src.domain.refusals import Refusal, why_not_bookable, why_not_cancellable
from src.models import Appointment, AppointmentEvent, AvailabilitySlot, DoctorProfile
from src.repositories import availability_repository as slots
from src.repositories import user_repository as users
from src.repositories.booking_mails import CANCELLED_BY, KEY, insert_mails, typed

_DOCTOR_OF_SLOT = (
    select(DoctorProfile.user_id)
    .join(AvailabilitySlot, AvailabilitySlot.doctor_id == DoctorProfile.id)
    .where(AvailabilitySlot.id == bindparam("slot_id"))
)
_PARTIES = (
    select(Appointment.slot_id, Appointment.patient_id, DoctorProfile.user_id.label("doctor_user_id"))
    .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
    .where(Appointment.id == bindparam("appointment_id"))
)
_LOCK_APPOINTMENT = (
    select(Appointment.status, Appointment.starts_at)
    .where(Appointment.id == bindparam("appointment_id"))
    .with_for_update(key_share=True)
)
_SET_CANCELLED = (
    update(Appointment)
    .where(Appointment.id == bindparam("appointment_id"))
    .values(status="cancelled", cancelled_at=bindparam("now"))
)


def book(db: Connection, slot_id: int, patient_id: int, now: datetime) -> int | Refusal:
    """Lock both people and the slot, then book it for the patient. A refusal has written nothing."""
    doctor_user_id = db.execute(_DOCTOR_OF_SLOT, {"slot_id": slot_id}).scalar_one_or_none()
    if doctor_user_id is None:
        return "slot_unknown"
    living = users.lock_people(db, patient_id, doctor_user_id)
    if doctor_user_id not in living:
        return "slot_unknown"
    if patient_id not in living:
        return "account_gone"
    slot = slots.lock(db, slot_id)
    refusal = why_not_bookable(slot.status, slot.starts_at, now)
    return refusal or add_appointment(db, slot, patient_id, now)


def add_appointment(db: Connection, slot: Row[Any], patient_id: int, now: datetime) -> int | Refusal:
    """Write the appointment, unless the patient has another one at that time, its history and the confirmation."""
    appointment_id = insert_unless_conflict(
        db,
        Appointment,
        slot_id=slot.id,
        doctor_id=slot.doctor_id,
        patient_id=patient_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        time_zone=slot.time_zone,
        wall_start=slot.wall_start,
        wall_end=slot.wall_end,
        booked_at=now,
    )
    if appointment_id is None:
        return "patient_busy"
    slots.mark_booked(db, slot.id)
    event_id = add_event(db, appointment_id, "booked", patient_id, now)
    db.execute(_MAIL_BOOKED[db.dialect.name], {"event_id": event_id, "now": now})
    return appointment_id


def cancel(db: Connection, appointment_id: int, actor_id: int, cancelled_by: str, now: datetime) -> int | Refusal:
    """Lock both people, the slot and the appointment, then cancel it. A refusal has written nothing."""
    parties = db.execute(_PARTIES, {"appointment_id": appointment_id}).one_or_none()
    if parties is None:
        return "appointment_unknown"
    if actor_id not in (parties.patient_id, parties.doctor_user_id):
        return "not_yours"
    if actor_id not in users.lock_people(db, parties.patient_id, parties.doctor_user_id):
        return "account_gone"
    slots.lock(db, parties.slot_id)
    appointment = db.execute(_LOCK_APPOINTMENT, {"appointment_id": appointment_id}).one()
    refusal = why_not_cancellable(appointment.status, appointment.starts_at, now)
    if refusal is not None:
        return refusal
    db.execute(_SET_CANCELLED, {"appointment_id": appointment_id, "now": now})
    slots.free(db, parties.slot_id)
    event_id = add_event(db, appointment_id, "cancelled", actor_id, now)
    values = {"event_id": event_id, "actor_id": actor_id, "cancelled_by": cancelled_by, "now": now}
    db.execute(_MAILS_CANCELLED[db.dialect.name], values)
    return appointment_id


_AHEAD = "appointment.doctor_id = :doctor_id AND appointment.status = 'booked' AND appointment.starts_at > :now"
_ADD_EVENTS_OF_ALL = typed(f"""
    INSERT INTO appointment_events (appointment_id, event, actor_id, at)
    SELECT id, 'cancelled', :actor_id, :now FROM appointments AS appointment WHERE {_AHEAD} ORDER BY id
    """)
_CANCEL_ALL = typed(f"""
    UPDATE appointments AS appointment SET status = 'cancelled', cancelled_at = :now WHERE {_AHEAD}
    """)


def cancel_all_ahead(db: Connection, doctor_id: int, actor_id: int, cancelled_by: str, now: datetime) -> None:
    """Cancel all booked appointments of a doctor that are ahead, and write a mail to each patient.

    The caller has locked the doctor's account and withdrawn the slots, so that nobody books meanwhile.
    """
    values = {"doctor_id": doctor_id, "actor_id": actor_id, "now": now}
    db.execute(_ADD_EVENTS_OF_ALL, values)
    db.execute(_MAILS_CANCELLED_ALL[db.dialect.name], {**values, "cancelled_by": cancelled_by})
    db.execute(_CANCEL_ALL, values)


_ADD_EVENT = insert(AppointmentEvent).returning(AppointmentEvent.id)


def add_event(db: Connection, appointment_id: int, event: str, actor_id: int, now: datetime) -> int:
    """Write history and return the event's id."""
    row = {"appointment_id": appointment_id, "event": event, "actor_id": actor_id, "at": now}
    return db.execute(_ADD_EVENT, row).scalar_one()


# Where one step follows the other, the facts are read from the tables.
_TABLES = """
    appointment_events AS event
    JOIN appointments AS appointment ON appointment.id = event.appointment_id
    JOIN users AS patient ON patient.id = appointment.patient_id
    JOIN (SELECT d.id AS doctor_id, u.id, u.name, d.specialization FROM doctors d JOIN users u ON u.id = d.user_id)
        AS doctor ON doctor.doctor_id = appointment.doctor_id
"""
_TO_PATIENT = _TABLES + " JOIN users AS recipient ON recipient.id = patient.id"
_TO_BOTH = _TABLES + " JOIN users AS recipient ON recipient.id IN (patient.id, doctor.id)"
_OF_EVENT = " WHERE event.id = :event_id"
# Of those that are just being cancelled: they have the event already, and the status not yet.
_OF_ALL = f" WHERE event.event = 'cancelled' AND {_AHEAD} ORDER BY event.id"

_MAIL_BOOKED = {
    dialect: typed(insert_mails(dialect, "booked", _TO_PATIENT + _OF_EVENT, useless_after="appointment.ends_at"))
    for dialect in KEY
}
_MAILS_CANCELLED = {
    dialect: typed(insert_mails(dialect, "cancelled", _TO_BOTH + _OF_EVENT, more_facts=CANCELLED_BY)) for dialect in KEY
}
_MAILS_CANCELLED_ALL = {
    dialect: typed(insert_mails(dialect, "cancelled", _TO_PATIENT + _OF_ALL, more_facts=CANCELLED_BY))
    for dialect in KEY
}
