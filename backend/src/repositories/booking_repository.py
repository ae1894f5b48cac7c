"""Booking and cancelling: a slot, its appointment, the history and the mails change together or not at all.

booking_steps.py tells how, step by step, and SQLite works that way. On PostgreSQL booking_statement.py does the same in
one statement.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from src.domain.refusals import Refusal
from src.repositories import booking_statement, booking_steps


def book(db: Connection, slot_id: int, patient_id: int, now: datetime) -> int | Refusal:
    """Book a free slot that is ahead, and write the confirmation to the patient."""
    form = booking_statement if db.dialect.name == "postgresql" else booking_steps
    return form.book(db, slot_id, patient_id, now)


def cancel(db: Connection, appointment_id: int, actor_id: int, cancelled_by: str, now: datetime) -> int | Refusal:
    """Cancel an appointment of the actor's, free its slot, and write a mail to both people.

    `cancelled_by` says in words who it was.
    """
    form = booking_statement if db.dialect.name == "postgresql" else booking_steps
    return form.cancel(db, appointment_id, actor_id, cancelled_by, now)
