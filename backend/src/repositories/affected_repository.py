"""Cancelling many appointments of a doctor at once, in as many statements as for one.

The doctor's account is locked exclusively. Whoever books, moves or cancels an appointment, or changes the hours, locks
it too, so what was read after the lock stays true until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from src.models import Appointment
from src.repositories import booking_history as history
from src.repositories import slots_at_appointments as at_appointments

_THESE = Appointment.id.in_(bindparam("ids", expanding=True))
_PATIENTS = select(Appointment.patient_id).where(_THESE, Appointment.doctor_id == bindparam("doctor_id")).distinct()


def patients_of(db: Connection, doctor_id: int, ids: Sequence[int]) -> Sequence[int]:
    """Return the account ids of the patients of those of these appointments that are the doctor's.

    They are read before the locks, because accounts are locked all at once, in the order of their ids.
    """
    return db.scalars(_PATIENTS, {"ids": ids, "doctor_id": doctor_id}).all()


_CANCEL = update(Appointment).where(_THESE).values(status="cancelled", cancelled_at=bindparam("now"))


def cancel(db: Connection, ids: Sequence[int], actor_id: int, by: str, now: datetime, reason: str | None) -> None:
    """Cancel the appointments, withdraw the published slots there, and write a mail to both people of each.

    `by` says in words who cancels. All of them are booked and ahead, and all people are locked.
    """
    at_appointments.lock(db, ids)
    at_appointments.withdraw(db, ids)
    db.execute(_CANCEL, {"ids": ids, "now": now})
    history.add_cancelled_many(db, ids, actor_id, by, now, reason)
