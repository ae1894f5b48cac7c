"""Booking, holding, moving and cancelling step by step, on both databases.

Locks are taken in one order, so that transactions cannot deadlock: people by id, then slots by id, then the
appointment. Each state is read after its row is locked: what was read before the wait may have changed. SQLite has one
write lock, and the transaction takes it at its start.

Whoever takes a doctor's time locks the accounts of the doctor and of the patient exclusively. Then nobody else books,
holds or moves for either, and the doctor's hours stay as they are.

A refusal may come after a write, such as the deletion of expired holds: the caller must raise its error, so that the
transaction is rolled back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from src.database.statements import insert_unless_conflict
from src.domain.refusals import Refusal, why_not_cancellable
from src.models import Appointment, AppointmentEvent, DoctorProfile
from src.models.appointment import HELD
from src.repositories import availability_repository as slots
from src.repositories import booking_targets, holds
from src.repositories import user_repository as users
from src.repositories.booking_mails import CANCELLED_BY, KEY, insert_mails
from src.repositories.booking_sql import patient_busy, typed
from src.repositories.booking_targets import PublishedSlot, Target
from src.repositories.holds import Holds

_doctor_user_id = DoctorProfile.user_id.label("doctor_user_id")
_PARTIES = (
    select(Appointment.slot_id, Appointment.patient_id, Appointment.doctor_id, _doctor_user_id)
    .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
    .where(Appointment.id == bindparam("appointment_id"), Appointment.status != HELD)
)
_LOCK_APPOINTMENT = (
    select(
        Appointment.status,
        Appointment.slot_id,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.wall_start,
        Appointment.wall_end,
        Appointment.time_zone,
        Appointment.doctor_id,
    )
    .where(Appointment.id == bindparam("appointment_id"))
    .with_for_update(key_share=True)
)
_PATIENT_BUSY = typed(f"SELECT {patient_busy(':me', ':starts_at', ':ends_at')}")
_THIS = update(Appointment).where(Appointment.id == bindparam("appointment_id"))
_SET_CANCELLED = _THIS.values(status="cancelled", cancelled_at=bindparam("now"))


def book(db: Connection, target: Target, patient_id: int, now: datetime) -> int | Refusal:
    """Lock both people, then book the time for the patient, with a hold of the patient's on it if there is one."""
    refusal = lock_both(db, target, patient_id)
    if refusal is not None:
        return refusal
    held = holds.clear(db, target, patient_id, now)
    if held.of_time is not None:
        appointment_id = holds.claim(db, held.of_time, target, now)
    else:
        appointment_id = _add_appointment(db, target, patient_id, now, held)
    if isinstance(appointment_id, str):
        return appointment_id
    if isinstance(target, PublishedSlot):
        slots.mark_booked(db, target.slot_id)
    confirm(db, appointment_id, patient_id, now)
    return appointment_id


def lock_both(db: Connection, target: Target, patient_id: int) -> Refusal | None:
    """Lock the accounts of the doctor and the patient exclusively; return a refusal if one is deleted."""
    living = users.lock_exclusively(db, patient_id, target.doctor_user_id)
    if target.doctor_user_id not in living:
        return "slot_unknown"
    return None if patient_id in living else "account_gone"


def _add_appointment(db: Connection, target: Target, patient_id: int, now: datetime, held: Holds) -> int | Refusal:
    placement = booking_targets.place(db, target, now, me=patient_id)
    if isinstance(placement, str):
        return placement
    if held.number:
        holds.release_excluding(db, placement, patient_id)
    appointment_id = insert_unless_conflict(db, Appointment, patient_id=patient_id, booked_at=now, **placement)
    if appointment_id is not None:
        return appointment_id
    is_busy = db.execute(_PATIENT_BUSY, {"me": patient_id, **placement}).scalar_one()
    return "patient_busy" if is_busy else "slot_taken"


def confirm(db: Connection, appointment_id: int, patient_id: int, now: datetime) -> None:
    """Write the history and the confirmation of a booking."""
    event_id = add_event(db, appointment_id, "booked", patient_id, now)
    db.execute(_MAIL_BOOKED[db.dialect.name], {"event_id": event_id, "now": now})


def cancel(db: Connection, appointment_id: int, actor_id: int, cancelled_by: str, now: datetime) -> int | Refusal:
    """Lock both people, the slot and the appointment, then cancel it. A refusal has written nothing."""
    parties = find_parties(db, appointment_id)
    if parties is None:
        return "appointment_unknown"
    if actor_id not in (parties.patient_id, parties.doctor_user_id):
        return "not_yours"
    if actor_id not in users.lock_people(db, parties.patient_id, parties.doctor_user_id):
        return "account_gone"
    slots.lock_if_published(db, parties.slot_id)
    appointment = lock_appointment(db, appointment_id)
    if appointment.slot_id != parties.slot_id:
        return "again"
    refusal = why_not_cancellable(appointment.status, appointment.starts_at, now)
    if refusal is not None:
        return refusal
    db.execute(_SET_CANCELLED, {"appointment_id": appointment_id, "now": now})
    slots.free(db, parties.slot_id)
    event_id = add_event(db, appointment_id, "cancelled", actor_id, now)
    values = {"event_id": event_id, "actor_id": actor_id, "cancelled_by": cancelled_by, "now": now}
    db.execute(_MAILS_CANCELLED[db.dialect.name], values)
    return appointment_id


def find_parties(db: Connection, appointment_id: int) -> Row[Any] | None:
    """Return (slot_id, patient_id, doctor_id, doctor_user_id) of an appointment; a hold is none."""
    return db.execute(_PARTIES, {"appointment_id": appointment_id}).one_or_none()


def lock_appointment(db: Connection, appointment_id: int) -> Row[Any]:
    """Lock an appointment, and return its status, slot, times, zone and doctor as they are after the wait."""
    return db.execute(_LOCK_APPOINTMENT, {"appointment_id": appointment_id}).one()


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
