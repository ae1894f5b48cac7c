"""The history of appointments, and the mails about what happened, as the steps write them on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, bindparam, func, insert, select

from src.models import AppointmentEvent
from src.repositories.booking_mails import CANCELLED_BY, KEY, MOVED, insert_mails
from src.repositories.booking_sql import typed
from src.repositories.cancellations import Cancellation

# What a patient's appointments ahead at a doctor have in common, who leaves.
AHEAD = "appointment.doctor_id = :doctor_id AND appointment.status = 'booked' AND appointment.starts_at > :now"
# Where one step follows the other, the facts are read from the tables.
_DOCTORS = "(SELECT d.id AS doctor_id, u.id, u.name, d.specialization FROM doctors d JOIN users u ON u.id = d.user_id)"
_TABLES = f"""
    appointment_events AS event
    JOIN appointments AS appointment ON appointment.id = event.appointment_id
    JOIN users AS patient ON patient.id = appointment.patient_id
    JOIN {_DOCTORS} AS doctor ON doctor.doctor_id = appointment.doctor_id
"""
# The other person may have left after the start, while the request, which arrived before it, waited.
_TO_DOCTOR = _TABLES + " JOIN users AS recipient ON recipient.id = doctor.id AND recipient.deleted_at IS NULL"
_TO_PATIENT = _TABLES + " JOIN users AS recipient ON recipient.id = patient.id AND recipient.deleted_at IS NULL"
_TO_BOTH = _TABLES + " JOIN users AS recipient ON recipient.id IN (patient.id, doctor.id)"
_TO_ALL = (
    _TABLES
    + f"""
    JOIN {_DOCTORS} AS was_doctor ON was_doctor.doctor_id = event.was_doctor_id
    JOIN users AS recipient ON recipient.id IN (patient.id, doctor.id, was_doctor.id)
"""
)
_OF_EVENT = " WHERE event.id = :event_id"
MANY = bindparam("ids", expanding=True)
# Of those that are just being cancelled: they have the event already, and the status not yet.
_OF_ALL = f" WHERE event.event = 'cancelled' AND {AHEAD} ORDER BY event.id"


_OF_MANY = " WHERE event.event = 'cancelled' AND event.appointment_id IN :ids ORDER BY event.id"


def _mails(kind: str, sources: str, **options: str) -> dict[str, TextClause]:
    """Return the statement that writes the mails, by database."""
    return {dialect: typed(insert_mails(dialect, kind, sources, **options)) for dialect in KEY}


_BOOKED = _mails("booked", _TO_PATIENT + _OF_EVENT, useless_after="appointment.ends_at")
_CANCELLED = _mails("cancelled", _TO_BOTH + _OF_EVENT, more_facts=CANCELLED_BY)
_CANCELLED_ALL = _mails("cancelled", _TO_PATIENT + _OF_ALL, more_facts=CANCELLED_BY)
_CANCELLED_MANY, _CANCELLED_BY_LEAVING = (
    {
        dialect: statement.bindparams(MANY)
        for dialect, statement in _mails("cancelled", recipients + _OF_MANY, more_facts=CANCELLED_BY).items()
    }
    for recipients in (_TO_BOTH, _TO_DOCTOR)
)
_RESCHEDULED = _mails("rescheduled", _TO_ALL + _OF_EVENT, more_facts=MOVED)

_ADD_EVENT = insert(AppointmentEvent).returning(AppointmentEvent.id)
_ADD_EVENT_OF_PATIENT = _ADD_EVENT.values(
    patient_nth=select(func.coalesce(func.max(AppointmentEvent.patient_nth), 0) + 1)
    .where(AppointmentEvent.actor_id == bindparam("me"), AppointmentEvent.patient_nth.is_not(None))
    .scalar_subquery()
)
_ADD_EVENTS_OF_ALL = typed(f"""
    INSERT INTO appointment_events (appointment_id, event, actor_id, at)
    SELECT id, 'cancelled', :actor_id, :now FROM appointments AS appointment WHERE {AHEAD} ORDER BY id
    """)


def add_booked(db: Connection, appointment_id: int, patient_id: int, now: datetime) -> None:
    """Write that the patient booked, and the confirmation."""
    event_id = _add_event(db, appointment_id, "booked", patient_id, now, by_patient=True)
    db.execute(_BOOKED[db.dialect.name], {"event_id": event_id, "now": now})


def add_cancelled(db: Connection, cancellation: Cancellation, *, by_patient: bool) -> None:
    """Write that the actor cancelled, and a mail to both people."""
    values = cancellation.values()
    who = (cancellation.appointment_id, "cancelled", cancellation.actor_id, cancellation.now)
    event_id = _add_event(db, *who, by_patient=by_patient, reason=cancellation.reason)
    db.execute(_CANCELLED[db.dialect.name], {"event_id": event_id, **values})


def add_rescheduled(
    db: Connection,
    appointment_id: int,
    actor_id: int,
    by: str,
    now: datetime,
    was: dict[str, Any],
    *,
    by_patient: bool,
) -> None:
    """Write that the actor moved the appointment, with its old time, and a mail to everybody concerned.

    `was` has the columns of the event that keep the old time and doctor.
    """
    event_id = _add_event(db, appointment_id, "rescheduled", actor_id, now, by_patient=by_patient, **was)
    values = {"event_id": event_id, "actor_id": actor_id, "moved_by": by, "now": now}
    db.execute(_RESCHEDULED[db.dialect.name], values)


def add_cancelled_all(db: Connection, doctor_id: int, actor_id: int, by: str, now: datetime) -> None:
    """Write that all appointments ahead of a doctor are cancelled, before they are, and a mail to each patient."""
    values = {"doctor_id": doctor_id, "actor_id": actor_id, "now": now}
    db.execute(_ADD_EVENTS_OF_ALL, values)
    db.execute(_CANCELLED_ALL[db.dialect.name], {**values, "cancelled_by": by})


_ADD_CANCELLED_MANY = typed("""
    INSERT INTO appointment_events (appointment_id, event, actor_id, at, reason)
    SELECT id, 'cancelled', :actor_id, :now, :reason FROM appointments WHERE id IN :ids ORDER BY id
    """).bindparams(MANY)


def add_cancelled_many(
    db: Connection, ids: Sequence[int], actor_id: int, by: str, now: datetime, reason: str | None
) -> None:
    """Write that the actor, the doctor, cancelled these appointments, and a mail to both people of each."""
    values = {"ids": ids, "actor_id": actor_id, "now": now}
    db.execute(_ADD_CANCELLED_MANY, {**values, "reason": reason})
    db.execute(_CANCELLED_MANY[db.dialect.name], {**values, "cancelled_by": by})


def add_cancelled_by_leaving(db: Connection, ids: Sequence[int], patient_id: int, by: str, now: datetime) -> None:
    """Write that a patient who leaves cancelled these appointments, and a mail to their doctors.

    The name is erased before, so that the mails do not have it.
    """
    values = {"ids": ids, "actor_id": patient_id, "now": now}
    db.execute(_ADD_CANCELLED_MANY, {**values, "reason": None})
    db.execute(_CANCELLED_BY_LEAVING[db.dialect.name], {**values, "cancelled_by": by})


def _add_event(
    db: Connection, appointment_id: int, event: str, actor_id: int, now: datetime, *, by_patient: bool, **more: Any
) -> int:
    """Write the event; number it if the patient made the change, who is locked exclusively."""
    row = {"appointment_id": appointment_id, "event": event, "actor_id": actor_id, "at": now, **more}
    if by_patient:
        return db.execute(_ADD_EVENT_OF_PATIENT, {**row, "me": actor_id}).scalar_one()
    return db.execute(_ADD_EVENT, row).scalar_one()
