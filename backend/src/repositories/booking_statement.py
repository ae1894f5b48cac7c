"""Booking and cancelling as one statement each, on PostgreSQL: what booking_steps.py tells, as a chain of CTEs.

The statement is a transaction by itself: it takes one round trip, where the steps and their BEGIN and COMMIT take nine.
Locks are taken in the order of the steps. PostgreSQL reads a CTE no further than the rest of the statement asks, and
locks only the rows that it reads: hence the counts, which make it lock both people before the slot, and the slot before
the appointment. A locked row is returned as it is after the wait, so the refusals see the newest state.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from src.domain.refusals import Refusal
from src.repositories.booking_mails import CANCELLED_BY, insert_mails
from src.repositories.booking_sql import COPIED, OPENING_OF_VISIT, minute_after, minute_of, patient_busy, typed
from src.repositories.booking_targets import ComputedTime
from src.repositories.offered import COLUMNS, OF_VERSION, WHY_NOT, offered

_PEOPLE = """
    people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization FROM users u LEFT JOIN doctors d ON d.user_id = u.id
        WHERE u.deleted_at IS NULL AND u.id IN (:me, {doctor_user_id})
        ORDER BY u.id FOR SHARE OF u
    )"""
_PEOPLE_OF_SLOT = _PEOPLE.format(
    doctor_user_id="""(
            SELECT d.user_id FROM availability_slots s JOIN doctors d ON d.id = s.doctor_id WHERE s.id = :slot_id)"""
)
_PEOPLE_OF_TIME = _PEOPLE.format(doctor_user_id=":doctor_user_id")
_WRITTEN = "id, visit_type_id, starts_at, ends_at, time_zone, wall_start, wall_end, place"
_CONFIRMATION = insert_mails(
    "postgresql",
    "booked",
    """event CROSS JOIN appointment JOIN people AS patient ON patient.id = :me
    JOIN people AS recipient ON recipient.id = patient.id JOIN people AS doctor ON doctor.id <> patient.id""",
    useless_after="appointment.ends_at",
)
_EVENT_AND_MAIL = f"""
    event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'booked', :me, :now FROM appointment RETURNING id
    ), mail AS ({_CONFIRMATION})"""
# Then the steps book: they turn a hold into the appointment, or release it.
_HOLDS = "EXISTS (SELECT FROM appointments WHERE patient_id = :me AND status = 'held')"

_OFFERED = offered("postgresql", OF_VERSION, "(SELECT count(*) FROM people) = 2", "FOR SHARE OF version, visit_type")

_BOOK_SLOT = typed(f"""
    WITH {_PEOPLE_OF_SLOT}, slot AS MATERIALIZED (
        SELECT id, doctor_id, starts_at, ends_at, time_zone, wall_start, wall_end, status FROM availability_slots
        WHERE id = :slot_id AND (SELECT count(*) FROM people) = 2
        FOR NO KEY UPDATE
    ), appointment AS (
        INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, wall_start, wall_end,
            booked_at, reason, busy_from, busy_until)
        SELECT id, doctor_id, :me, starts_at, ends_at, time_zone, wall_start, wall_end, :now, :reason,
            {minute_of("postgresql", "starts_at")}, {minute_after("postgresql", "ends_at")}
        FROM slot WHERE status = 'free' AND starts_at > :now
        ON CONFLICT DO NOTHING RETURNING slot_id, {_WRITTEN}
    ), booked AS (
        UPDATE availability_slots SET status = 'booked' FROM appointment WHERE availability_slots.id = slot_id
    ), {_EVENT_AND_MAIL}
    SELECT (SELECT id FROM appointment) AS appointment_id, CASE
        WHEN EXISTS (SELECT FROM appointment) THEN NULL
        WHEN NOT EXISTS (SELECT FROM people WHERE id <> :me) THEN 'slot_unknown'
        WHEN NOT EXISTS (SELECT FROM slot) THEN 'account_gone'
        WHEN (SELECT status FROM slot) = 'withdrawn' THEN 'slot_unknown'
        WHEN (SELECT starts_at FROM slot) <= :now THEN 'slot_past'
        WHEN (SELECT status FROM slot) = 'booked' THEN 'slot_taken'
        WHEN {patient_busy(":me", "(SELECT starts_at FROM slot)", "(SELECT ends_at FROM slot)")} THEN 'patient_busy'
        ELSE 'again'
    END AS refusal
    """)
_BOOK_TIME = typed(f"""
    WITH RECURSIVE {_PEOPLE_OF_TIME},
    {_OFFERED}, opening AS MATERIALIZED (
        SELECT id FROM {OPENING_OF_VISIT} AND EXISTS (SELECT FROM offered) AND NOT {_HOLDS}
        FOR SHARE
    ), appointment AS (
        INSERT INTO appointments (patient_id, booked_at, reason, {", ".join((*COPIED, *COLUMNS))})
        SELECT :me, :now, :reason, {", ".join((*(f":{name}" for name in COPIED), *COLUMNS.values()))}
        FROM offered CROSS JOIN type WHERE EXISTS (SELECT FROM opening)
        ON CONFLICT DO NOTHING RETURNING {_WRITTEN}
    ), {_EVENT_AND_MAIL}
    SELECT (SELECT id FROM appointment) AS appointment_id, CASE
        WHEN EXISTS (SELECT FROM appointment) THEN NULL
        WHEN NOT EXISTS (SELECT FROM people WHERE id <> :me) THEN 'slot_unknown'
        WHEN (SELECT count(*) FROM people) < 2 THEN 'account_gone'
        WHEN {_HOLDS} THEN 'again'
        WHEN EXISTS (SELECT FROM opening) AND {patient_busy(":me", ":starts_at", ":ends_at")} THEN 'patient_busy'
        ELSE {WHY_NOT}
    END AS refusal
    """)


def book_slot(db: Connection, slot_id: int, patient_id: int, now: datetime, reason: str | None = None) -> int | Refusal:
    """Do what `booking_steps.book` does for a published slot; "again" if something that it does not see was quicker.

    That may be a hold, which only the steps can release or claim.
    """
    return _result(db.execute(_BOOK_SLOT, {"slot_id": slot_id, "me": patient_id, "now": now, "reason": reason}).one())


def book_time(
    db: Connection, time: ComputedTime, patient_id: int, now: datetime, reason: str | None = None
) -> int | Refusal:
    """Do the same for a computed time; "again" also if the patient holds any time."""
    return _result(db.execute(_BOOK_TIME, {**time.values(now, me=patient_id), "reason": reason}).one())


_CANCELLATIONS = insert_mails(
    "postgresql",
    "cancelled",
    """event CROSS JOIN appointment JOIN people AS patient ON patient.id = appointment.patient_id
    JOIN people AS doctor ON doctor.id <> patient.id CROSS JOIN people AS recipient""",
    more_facts=CANCELLED_BY,
)
_CANCEL = typed(f"""
    WITH parties AS MATERIALIZED (
        SELECT a.slot_id, a.patient_id, d.user_id AS doctor_user_id
        FROM appointments a JOIN doctors d ON d.id = a.doctor_id
        WHERE a.id = :appointment_id AND a.status <> 'held'
    ), people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization, u.deleted_at
        FROM users u LEFT JOIN doctors d ON d.user_id = u.id
        WHERE u.id IN ((SELECT patient_id FROM parties), (SELECT doctor_user_id FROM parties))
        AND EXISTS (SELECT FROM parties WHERE :actor_id IN (patient_id, doctor_user_id))
        ORDER BY u.id FOR SHARE OF u
    ), slot AS MATERIALIZED (
        SELECT id FROM availability_slots
        WHERE id = (SELECT slot_id FROM parties)
        AND (SELECT count(*) FILTER (WHERE people.id = :actor_id AND deleted_at IS NULL) FROM people) = 1
        FOR NO KEY UPDATE
    ), present AS MATERIALIZED (
        SELECT id, status, starts_at FROM appointments
        WHERE id = :appointment_id AND slot_id = (SELECT slot_id FROM parties)
        AND (SELECT count(*) FILTER (WHERE people.id = :actor_id AND deleted_at IS NULL) FROM people) = 1
        AND (SELECT count(*) FROM slot) <= 1
        FOR NO KEY UPDATE
    ), appointment AS (
        UPDATE appointments SET status = 'cancelled', cancelled_at = :now FROM present
        WHERE appointments.id = present.id AND present.status = 'booked' AND present.starts_at > :now
        RETURNING appointments.id, appointments.slot_id, appointments.patient_id, appointments.visit_type_id,
            appointments.starts_at, appointments.ends_at, appointments.time_zone, appointments.wall_start,
            appointments.wall_end, appointments.place
    ), freed AS (
        UPDATE availability_slots SET status = 'free' FROM appointment
        WHERE availability_slots.id = slot_id AND status = 'booked'
    ), event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'cancelled', :actor_id, :now FROM appointment RETURNING id
    ), mails AS ({_CANCELLATIONS})
    SELECT (SELECT id FROM appointment) AS appointment_id, CASE
        WHEN EXISTS (SELECT FROM appointment) THEN NULL
        WHEN NOT EXISTS (SELECT FROM parties) THEN 'appointment_unknown'
        WHEN NOT EXISTS (SELECT FROM parties WHERE :actor_id IN (patient_id, doctor_user_id)) THEN 'not_yours'
        WHEN NOT EXISTS (SELECT FROM people WHERE id = :actor_id AND deleted_at IS NULL) THEN 'account_gone'
        WHEN NOT EXISTS (SELECT FROM present) THEN 'again'
        WHEN (SELECT status FROM present) = 'cancelled' THEN 'already_cancelled'
        ELSE 'already_begun'
    END AS refusal
    """)


def cancel(db: Connection, appointment_id: int, actor_id: int, cancelled_by: str, now: datetime) -> int | Refusal:
    """Do what `booking_steps.cancel` does; return "again" if the appointment was moved at the same moment."""
    values = {"appointment_id": appointment_id, "actor_id": actor_id, "cancelled_by": cancelled_by, "now": now}
    return _result(db.execute(_CANCEL, values).one())


def _result(row: Row[Any]) -> int | Refusal:
    """Return the appointment's id, or the refusal if the statement wrote nothing."""
    return row.refusal if row.appointment_id is None else row.appointment_id
