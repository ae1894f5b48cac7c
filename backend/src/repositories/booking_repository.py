"""Booking and cancelling: a slot, its appointment, the history and the mails change together or not at all.

On PostgreSQL each is one statement, a transaction by itself. SQLite, which has no data-modifying CTE and no network
either, takes one step after the other under its write lock.

Every statement takes its locks in one order, so that they cannot deadlock: both people by id, then the slot, then the
appointment. Constraints alone would let a booking slip in beside a deletion.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, TextClause, bindparam, insert, text

from src.database.statements import insert_unless_conflict
from src.models import Appointment, AppointmentEvent
from src.models.base import Id, Instant
from src.repositories import availability_repository as slots

KEY = {"postgresql": "gen_random_uuid()::text", "sqlite": "lower(hex(randomblob(16)))"}
JSON = {"postgresql": "json_build_object", "sqlite": "json_object"}

CANCELLED_BY = ", 'cancelled_by', CAST(:cancelled_by AS TEXT)"


def _mails(dialect: str, template: str, sources: str, *, useless_after: str = "NULL", more_facts: str = "") -> str:
    """Return the statement that puts mails into the outbox, as facts; the worker renders them.

    `sources` names what the facts are taken from: event, appointment, doctor, patient, and each recipient.
    """
    return f"""
    INSERT INTO outbox (key, about, event_id, appointment_id, recipient_id, recipient, template, facts,
        due_at, useless_after, created_at)
    SELECT {KEY[dialect]}, 'appointment:' || appointment.id || ' event:' || event.id,
        event.id, appointment.id, recipient.id, recipient.email, '{template}',
        {JSON[dialect]}('number', appointment.id, 'recipient_name', recipient.name,
            'doctor_name', doctor.name, 'specialization', doctor.specialization, 'patient_name', patient.name,
            'starts_at', appointment.starts_at, 'ends_at', appointment.ends_at,
            'time_zone', appointment.time_zone{more_facts}),
        :now, {useless_after}, :now
    FROM {sources}
    """


IDS = ("slot_id", "patient_id", "doctor_id", "appointment_id", "event_id", "actor_id")


def _statement(sql: str) -> TextClause:
    """Give the ids and the instant among the parameters their types."""
    ids = [bindparam(name, type_=Id) for name in IDS if f":{name}" in sql]
    return text(sql).bindparams(*ids, bindparam("now", type_=Instant()))


class Booking(NamedTuple):
    """What became of a booking. A slot that was free and not booked stood against a rule on overlaps."""

    appointment_id: int | None
    slot_was_free: bool


_CONFIRMATION = _mails(
    "postgresql",
    "booked",
    """event CROSS JOIN appointment JOIN people AS patient ON patient.id = :patient_id
    JOIN people AS recipient ON recipient.id = patient.id JOIN people AS doctor ON doctor.id <> patient.id""",
    useless_after="appointment.ends_at",
)
_BOOK = _statement(f"""
    WITH people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization FROM users u LEFT JOIN doctors d ON d.user_id = u.id
        WHERE u.deleted_at IS NULL AND u.id IN (
            :patient_id,
            (SELECT d.user_id FROM availability_slots s JOIN doctors d ON d.id = s.doctor_id WHERE s.id = :slot_id))
        ORDER BY u.id FOR SHARE OF u
    ), slot AS MATERIALIZED (
        SELECT id, doctor_id, starts_at, ends_at, time_zone FROM availability_slots
        WHERE id = :slot_id AND status = 'free' AND starts_at > :now AND (SELECT count(*) FROM people) = 2
        FOR NO KEY UPDATE
    ), appointment AS (
        INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, booked_at)
        SELECT id, doctor_id, :patient_id, starts_at, ends_at, time_zone, :now FROM slot
        ON CONFLICT DO NOTHING RETURNING id, slot_id, starts_at, ends_at, time_zone
    ), taken AS (
        UPDATE availability_slots SET status = 'booked' FROM appointment WHERE availability_slots.id = slot_id
    ), event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'booked', :patient_id, :now FROM appointment RETURNING id
    ), mail AS ({_CONFIRMATION})
    SELECT (SELECT id FROM appointment) AS appointment_id, EXISTS (SELECT FROM slot) AS slot_was_free
    """)


def book(db: Connection, slot_id: int, patient_id: int, now: datetime) -> Booking:
    """Take a free slot that is ahead, add the appointment and its history, and owe the patient a confirmation.

    Without an appointment in the result the caller must roll back, where it began a transaction.
    """
    if db.dialect.name == "postgresql":
        return Booking._make(db.execute(_BOOK, {"slot_id": slot_id, "patient_id": patient_id, "now": now}).one())
    slot = slots.take(db, slot_id, now)
    return Booking(None, False) if slot is None else book_taken(db, slot_id, slot, patient_id, now)


def book_taken(db: Connection, slot_id: int, slot: RowMapping, patient_id: int, now: datetime) -> Booking:
    """Do what is left of booking, step by step, once the slot is held."""
    appointment_id = insert_unless_conflict(
        db, Appointment, slot_id=slot_id, patient_id=patient_id, booked_at=now, **slot
    )
    if appointment_id is not None:
        event_id = add_event(db, appointment_id, "booked", patient_id, now)
        db.execute(_MAIL_BOOKED[db.dialect.name], {"event_id": event_id, "now": now})
    return Booking(appointment_id, True)


_CANCELLATIONS = _mails(
    "postgresql",
    "cancelled",
    """event CROSS JOIN appointment JOIN people AS patient ON patient.id = appointment.patient_id
    JOIN people AS doctor ON doctor.id <> patient.id CROSS JOIN people AS recipient""",
    more_facts=CANCELLED_BY,
)
# The people are counted, not looked for, so that all of them are held before the slot: a CTE is read no further than it
# is asked, and held no further than it is read.
_CANCEL = _statement(f"""
    WITH wanted AS MATERIALIZED (
        SELECT a.id, a.slot_id, a.patient_id, d.user_id AS doctor_user_id
        FROM appointments a JOIN doctors d ON d.id = a.doctor_id
        WHERE a.id = :appointment_id AND :actor_id IN (a.patient_id, d.user_id)
    ), people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization, u.deleted_at
        FROM users u LEFT JOIN doctors d ON d.user_id = u.id
        WHERE u.id IN ((SELECT patient_id FROM wanted), (SELECT doctor_user_id FROM wanted))
        ORDER BY u.id FOR SHARE OF u
    ), slot AS MATERIALIZED (
        SELECT id FROM availability_slots
        WHERE id = (SELECT slot_id FROM wanted)
        AND (SELECT count(*) FILTER (WHERE people.id = :actor_id AND deleted_at IS NULL) FROM people) = 1
        FOR NO KEY UPDATE
    ), appointment AS (
        UPDATE appointments SET status = 'cancelled', cancelled_at = :now FROM slot
        WHERE appointments.id = :appointment_id AND slot_id = slot.id AND status = 'booked' AND starts_at > :now
        RETURNING appointments.id, slot_id, patient_id, starts_at, ends_at, time_zone
    ), freed AS (
        UPDATE availability_slots SET status = 'free' FROM appointment
        WHERE availability_slots.id = slot_id AND status = 'booked'
    ), event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'cancelled', :actor_id, :now FROM appointment RETURNING id
    ), mails AS ({_CANCELLATIONS})
    SELECT id FROM appointment
    """)
_CANCEL_ALONE = _statement("""
    UPDATE appointments SET status = 'cancelled', cancelled_at = :now
    WHERE id = :appointment_id AND status = 'booked' AND starts_at > :now
    AND (patient_id = :actor_id OR doctor_id = (SELECT id FROM doctors WHERE user_id = :actor_id))
    RETURNING slot_id
    """)


def cancel(db: Connection, appointment_id: int, actor_id: int, cancelled_by: str, now: datetime) -> bool:
    """Cancel an appointment of the actor's that is booked and ahead, free its slot, and owe both people a mail.

    `cancelled_by` tells them who it was. False, and nothing changed, where it cannot be cancelled by this actor.
    """
    if db.dialect.name != "postgresql":
        return cancel_in_steps(db, appointment_id, actor_id, cancelled_by, now)
    values = {"appointment_id": appointment_id, "actor_id": actor_id, "cancelled_by": cancelled_by, "now": now}
    return db.execute(_CANCEL, values).one_or_none() is not None


def cancel_in_steps(db: Connection, appointment_id: int, actor_id: int, cancelled_by: str, now: datetime) -> bool:
    """Do the same, one step after the other."""
    values = {"appointment_id": appointment_id, "actor_id": actor_id, "now": now}
    slot_id = db.execute(_CANCEL_ALONE, values).scalar_one_or_none()
    if slot_id is None:
        return False
    slots.release(db, slot_id)
    event_id = add_event(db, appointment_id, "cancelled", actor_id, now)
    facts = {"event_id": event_id, "cancelled_by": cancelled_by, "now": now}
    db.execute(_MAILS_CANCELLED[db.dialect.name], facts)
    return True


_AHEAD = "appointment.doctor_id = :doctor_id AND appointment.status = 'booked' AND appointment.starts_at > :now"
_ADD_EVENTS_OF_ALL = _statement(f"""
    INSERT INTO appointment_events (appointment_id, event, actor_id, at)
    SELECT id, 'cancelled', :actor_id, :now FROM appointments AS appointment WHERE {_AHEAD} ORDER BY id
    """)
_CANCEL_ALL = _statement(f"""
    UPDATE appointments AS appointment SET status = 'cancelled', cancelled_at = :now WHERE {_AHEAD}
    """)


def cancel_all_ahead(db: Connection, doctor_id: int, actor_id: int, cancelled_by: str, now: datetime) -> None:
    """Cancel all booked appointments of a doctor that are ahead, and owe each patient a mail.

    The doctor's account is held against everybody else, and the slots are withdrawn already.
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
    dialect: _statement(_mails(dialect, "booked", _TO_PATIENT + _OF_EVENT, useless_after="appointment.ends_at"))
    for dialect in KEY
}
_MAILS_CANCELLED = {
    dialect: _statement(_mails(dialect, "cancelled", _TO_BOTH + _OF_EVENT, more_facts=CANCELLED_BY)) for dialect in KEY
}
_MAILS_CANCELLED_ALL = {
    dialect: _statement(_mails(dialect, "cancelled", _TO_PATIENT + _OF_ALL, more_facts=CANCELLED_BY)) for dialect in KEY
}
