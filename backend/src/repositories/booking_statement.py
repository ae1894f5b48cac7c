"""Booking and cancelling as one statement each, on PostgreSQL: what booking_steps.py tells, as a chain of CTEs.

The statement is a transaction by itself: it takes one round trip, where the steps and their BEGIN and COMMIT take nine.
Locks are taken in the order of the steps. PostgreSQL reads a CTE no further than the rest of the statement asks, and
locks only the rows that it reads: hence the counts, which make it lock both people before the slot, and the slot before
the appointment. A locked row is returned as it is after the wait, so the refusals see the newest state.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, TextClause
from sqlalchemy.exc import IntegrityError

from src.database.constraints import violates
from src.domain.policies import Policies
from src.domain.refusals import Late, Refusal, Refused
from src.errors import StepsNeeded
from src.repositories.booking_limits import LAST_NTH, limited, limits, values
from src.repositories.booking_mails import CANCELLED_BY, insert_mails
from src.repositories.booking_sql import COPIED, OPENING_OF_VISIT, minute_after, minute_of, patient_busy, typed
from src.repositories.booking_targets import ComputedTime
from src.repositories.cancellations import Cancellation
from src.repositories.offered import COLUMNS, OF_VERSION, WHY_NOT, offered

_PEOPLE = """
    people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization, d.id AS doctor_id, d.most_ahead
        FROM users u LEFT JOIN doctors d ON d.user_id = u.id
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
_LIMITS = f"""
    limits AS MATERIALIZED ({
    limits("(SELECT doctor_id FROM people WHERE id <> :me)", "(SELECT most_ahead FROM people WHERE id <> :me)")
}
    )"""
_NOT_LIMITED = "(SELECT count(*) FROM people) = 2 AND (SELECT refusal FROM limits) IS NULL"
_EVENT_AND_MAIL = f"""
    event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at, patient_nth)
        SELECT id, 'booked', :me, :now, nth + 1 FROM appointment CROSS JOIN limits RETURNING id
    ), mail AS ({_CONFIRMATION})"""
# Then the steps book: they turn a hold into the appointment, or release it.
_HOLDS = "EXISTS (SELECT FROM appointments WHERE patient_id = :me AND status = 'held')"

_OFFERED = offered("postgresql", OF_VERSION, _NOT_LIMITED, "FOR SHARE OF version, visit_type")
_RESULT = "SELECT (SELECT id FROM appointment) AS appointment_id, limits.most, limits.changed_at, CASE"

_BOOK_SLOT = typed(f"""
    WITH {_PEOPLE_OF_SLOT}, {_LIMITS}, slot AS MATERIALIZED (
        SELECT id, doctor_id, starts_at, ends_at, time_zone, wall_start, wall_end, status FROM availability_slots
        WHERE id = :slot_id AND {_NOT_LIMITED}
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
    {_RESULT}
        WHEN EXISTS (SELECT FROM appointment) THEN NULL
        WHEN NOT EXISTS (SELECT FROM people WHERE id <> :me) THEN 'slot_unknown'
        WHEN (SELECT count(*) FROM people) < 2 THEN 'account_gone'
        WHEN limits.refusal IS NOT NULL THEN limits.refusal
        WHEN (SELECT status FROM slot) = 'withdrawn' THEN 'slot_unknown'
        WHEN (SELECT starts_at FROM slot) <= :now THEN 'slot_past'
        WHEN (SELECT status FROM slot) = 'booked' THEN 'slot_taken'
        WHEN {patient_busy(":me", "(SELECT starts_at FROM slot)", "(SELECT ends_at FROM slot)")} THEN 'patient_busy'
        ELSE 'again'
    END AS refusal FROM limits
    """)
_BOOK_TIME = typed(f"""
    WITH RECURSIVE {_PEOPLE_OF_TIME}, {_LIMITS},
    {_OFFERED}, opening AS MATERIALIZED (
        SELECT id FROM {OPENING_OF_VISIT} AND EXISTS (SELECT FROM offered) AND NOT {_HOLDS}
        FOR SHARE
    ), appointment AS (
        INSERT INTO appointments (patient_id, booked_at, reason, {", ".join((*COPIED, *COLUMNS))})
        SELECT :me, :now, :reason, {", ".join((*(f":{name}" for name in COPIED), *COLUMNS.values()))}
        FROM offered CROSS JOIN type WHERE EXISTS (SELECT FROM opening)
        ON CONFLICT DO NOTHING RETURNING {_WRITTEN}
    ), {_EVENT_AND_MAIL}
    {_RESULT}
        WHEN EXISTS (SELECT FROM appointment) THEN NULL
        WHEN NOT EXISTS (SELECT FROM people WHERE id <> :me) THEN 'slot_unknown'
        WHEN (SELECT count(*) FROM people) < 2 THEN 'account_gone'
        WHEN limits.refusal IS NOT NULL THEN limits.refusal
        WHEN {_HOLDS} THEN 'again'
        WHEN EXISTS (SELECT FROM opening) AND {patient_busy(":me", ":starts_at", ":ends_at")} THEN 'patient_busy'
        ELSE {WHY_NOT}
    END AS refusal FROM limits
    """)


def book_slot(
    db: Connection, slot_id: int, patient_id: int, now: datetime, policies: Policies, reason: str | None = None
) -> int | Refused:
    """Do what `booking_steps.book` does for a published slot; "again" if something that it does not see was quicker.

    That may be a hold, which only the steps can release or claim. Raises StepsNeeded if the patient makes another
    change at the same moment.
    """
    who = {"slot_id": slot_id, "me": patient_id, "moving": 0, "now": now, "reason": reason}
    return _booked(_run(db, _BOOK_SLOT, {**who, **values(policies, now)}), policies, now)


def book_time(
    db: Connection, time: ComputedTime, patient_id: int, now: datetime, policies: Policies, reason: str | None = None
) -> int | Refused:
    """Do the same for a computed time; "again" also if the patient holds any time."""
    who = {**time.values(now, me=patient_id), "reason": reason}
    return _booked(_run(db, _BOOK_TIME, {**who, **values(policies, now)}), policies, now)


def _booked(row: Row[Any], policies: Policies, now: datetime) -> int | Refused:
    return limited(row, policies, now) or _result(row)


def _run(db: Connection, statement: TextClause, parameters: dict[str, Any]) -> Row[Any]:
    """Run a statement that is a transaction by itself, and return its row.

    Raises StepsNeeded if the patient makes another change at the same moment: then both get one number.
    """
    try:
        return db.execute(statement, parameters).one()
    except IntegrityError as error:
        if violates(error, "uq_appointment_events_patient_nth"):
            raise StepsNeeded from error
        raise


_CANCELLATIONS = insert_mails(
    "postgresql",
    "cancelled",
    """event CROSS JOIN appointment JOIN people AS patient ON patient.id = appointment.patient_id
    JOIN people AS doctor ON doctor.id <> patient.id CROSS JOIN people AS recipient""",
    more_facts=CANCELLED_BY,
)
_CANCEL = typed(f"""
    WITH parties AS MATERIALIZED (
        SELECT a.slot_id, a.patient_id, d.user_id AS doctor_user_id, CASE
            WHEN a.patient_id = :actor_id THEN coalesce(d.cancellation_notice, :cancellation_notice) ELSE 0
        END AS notice
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
        SELECT id, status, starts_at, time_zone, starts_at - (SELECT notice FROM parties) * interval '1 minute' AS until
        FROM appointments
        WHERE id = :appointment_id AND slot_id = (SELECT slot_id FROM parties)
        AND (SELECT count(*) FILTER (WHERE people.id = :actor_id AND deleted_at IS NULL) FROM people) = 1
        AND (SELECT count(*) FROM slot) <= 1
        FOR NO KEY UPDATE
    ), appointment AS (
        UPDATE appointments SET status = 'cancelled', cancelled_at = :now FROM present
        WHERE appointments.id = present.id AND present.status = 'booked'
        AND present.starts_at > :now AND present.until >= :now
        AND NOT EXISTS (SELECT FROM people WHERE deleted_at IS NOT NULL)
        RETURNING appointments.id, appointments.slot_id, appointments.patient_id, appointments.visit_type_id,
            appointments.starts_at, appointments.ends_at, appointments.time_zone, appointments.wall_start,
            appointments.wall_end, appointments.place
    ), freed AS (
        UPDATE availability_slots SET status = 'free' FROM appointment
        WHERE availability_slots.id = slot_id AND status = 'booked'
    ), event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at, reason, patient_nth)
        SELECT id, 'cancelled', :actor_id, :now, :reason, CASE
            WHEN :actor_id = patient_id THEN (SELECT nth + 1 FROM {LAST_NTH.replace(":me", ":actor_id")} AS last)
        END FROM appointment RETURNING id, reason, patient_nth
    ), mails AS ({_CANCELLATIONS})
    SELECT (SELECT id FROM appointment) AS appointment_id, (SELECT notice FROM parties) AS notice,
        (SELECT starts_at FROM present) AS starts_at, (SELECT time_zone FROM present) AS time_zone, CASE
        WHEN EXISTS (SELECT FROM appointment) THEN NULL
        WHEN NOT EXISTS (SELECT FROM parties) THEN 'appointment_unknown'
        WHEN NOT EXISTS (SELECT FROM parties WHERE :actor_id IN (patient_id, doctor_user_id)) THEN 'not_yours'
        WHEN NOT EXISTS (SELECT FROM people WHERE id = :actor_id AND deleted_at IS NULL) THEN 'account_gone'
        WHEN NOT EXISTS (SELECT FROM present) THEN 'again'
        WHEN (SELECT status FROM present) = 'cancelled' THEN 'already_cancelled'
        WHEN (SELECT starts_at FROM present) <= :now THEN 'already_begun'
        WHEN EXISTS (SELECT FROM people WHERE deleted_at IS NOT NULL) THEN 'already_begun'
        ELSE 'too_late'
    END AS refusal
    """)


def cancel(db: Connection, cancellation: Cancellation) -> int | Refused:
    """Do what `booking_steps.cancel` does; return "again" if the appointment was moved at the same moment.

    Raises StepsNeeded if the patient makes another change at the same moment.
    """
    row = _run(db, _CANCEL, cancellation.values())
    return Late(row.notice, row.starts_at, row.time_zone) if row.refusal == "too_late" else _result(row)


def _result(row: Row[Any]) -> int | Refusal:
    """Return the appointment's id, or the refusal if the statement wrote nothing."""
    return row.refusal if row.appointment_id is None else row.appointment_id
