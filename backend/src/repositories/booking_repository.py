"""Booking, holding, moving and cancelling: a time, its appointment, history and mails change together or not at all.

booking_steps.py tells how, step by step, and SQLite works that way. On PostgreSQL booking_statement.py books and
cancels in one statement. It does not decide about holds, and leaves what they may have to do with to the steps.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from src.domain.policies import Policies
from src.domain.refusals import Refused
from src.errors import StepsNeeded
from src.models.appointment import FIRST_COMPUTED_SLOT
from src.repositories import booking_statement, booking_steps, booking_targets, reschedule_steps
from src.repositories.cancellations import Cancellation
from src.repositories.reschedule_steps import Move, Takes

# How often the statement that books is tried: when somebody else was quicker, the second try sees what they did.
TRIES = 2


def book(
    db: Connection,
    slot_id: int,
    patient_id: int,
    now: datetime,
    policies: Policies,
    *,
    clinic_zone: str,
    in_steps: bool,
    reason: str | None = None,
) -> int | Refused:
    """Book a published slot or a computed time, and write the confirmation to the patient, who may give a reason.

    Raises StepsNeeded if one statement cannot decide, and has written nothing.
    """
    if in_steps or db.dialect.name != "postgresql":
        target = booking_targets.find(db, slot_id, clinic_zone)
        return "slot_unknown" if target is None else booking_steps.book(db, target, patient_id, now, policies, reason)
    for _ in range(TRIES):
        if slot_id < FIRST_COMPUTED_SLOT:
            result = booking_statement.book_slot(db, slot_id, patient_id, now, policies, reason)
        else:
            time = booking_targets.find_computed(db, slot_id, clinic_zone)
            if time is None:
                return "slot_unknown"
            result = booking_statement.book_time(db, time, patient_id, now, policies, reason)
        if result != "again":
            return result
    raise StepsNeeded


def hold(
    db: Connection,
    slot_id: int,
    patient_id: int,
    now: datetime,
    policies: Policies,
    held_until: datetime,
    *,
    clinic_zone: str,
) -> int | Refused:
    """Hold a published slot or a computed time for the patient, and return the id of the hold."""
    target = booking_targets.find(db, slot_id, clinic_zone)
    if target is None:
        return "slot_unknown"
    return booking_steps.hold(db, target, patient_id, now, policies, held_until)


def reschedule(
    db: Connection,
    appointment_id: int,
    slot_id: int,
    actor_id: int,
    by: str,
    now: datetime,
    policies: Policies,
    *,
    takes: Takes,
    clinic_zone: str,
) -> int | Refused:
    """Move an appointment of the actor's to another time, and write a mail to everybody concerned.

    `by` says in words who moves it; `takes` says whether the appointment still has a revision that the request names.
    """
    target = booking_targets.find(db, slot_id, clinic_zone)
    if target is None:
        return "slot_unknown"
    return reschedule_steps.reschedule(db, Move(appointment_id, target, actor_id, by, now, takes, policies))


def cancel(db: Connection, cancellation: Cancellation, *, in_steps: bool) -> int | Refused:
    """Cancel an appointment of the actor's, free or withdraw its time, and write a mail to both people.

    Raises StepsNeeded if one statement cannot do it, and has written nothing.
    """
    if cancellation.withdraw and not in_steps:
        raise StepsNeeded
    if in_steps or db.dialect.name != "postgresql":
        return booking_steps.cancel(db, cancellation)
    result = booking_statement.cancel(db, cancellation)
    if result == "again":
        # Not tried again here: with an Idempotency-Key the transaction has locked the doctor from whom the appointment
        # was moved, and to lock another doctor now can deadlock. Its rollback gives the locks back.
        raise StepsNeeded
    return result
