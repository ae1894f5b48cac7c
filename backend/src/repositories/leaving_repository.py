"""A patient leaves: what is ahead is cancelled, and nothing is kept of what the patient and staff wrote."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, union, update

from src.domain.refusals import Refused
from src.models import Appointment, AppointmentEvent, DoctorProfile
from src.models.appointment import BOOKED, HELD
from src.models.base import Instant
from src.repositories import account_locks as locks
from src.repositories import booking_history as history
from src.repositories import slots_at_appointments as at_appointments
from src.services.appointment_mails import BY_FORMER_PATIENT

# How often the locks are tried, while the patient books with other doctors at the same moment.
TRIES = 10
LONGEST_REQUEST = timedelta(minutes=1)

_MINE = Appointment.patient_id == bindparam("me")
_AHEAD = (_MINE, Appointment.status == BOOKED, Appointment.starts_at > bindparam("now", type_=Instant()))
_HELD = (_MINE, Appointment.status == HELD)
_doctors = select(DoctorProfile.user_id).join(Appointment, Appointment.doctor_id == DoctorProfile.id)
_DOCTORS = union(_doctors.where(*_AHEAD), _doctors.where(*_HELD))


def lock(db: Connection, patient_id: int, now: datetime) -> int | Refused:
    """Lock the accounts of the patient and of the doctors with whom the patient has something ahead; return the id.

    Accounts are locked in the order of their ids. If the patient has booked with another doctor after the doctors were
    read, the locks are given back and taken anew.
    """
    # A doctor's request that is under way may list what was ahead when it began, and keep its answer.
    values = {"me": patient_id, "now": now - LONGEST_REQUEST}
    for _ in range(TRIES):
        with db.begin_nested() as attempt:
            doctors = set(db.scalars(_DOCTORS, values))
            locks.lock_exclusively(db, patient_id, *doctors)
            if set(db.scalars(_DOCTORS, values)) <= doctors:
                # The stronger lock. Of all who lock the account without the weaker one, which is taken, none waits for
                # this transaction: a doctor who leaves does so, but none of the patient's doctors can leave now.
                return patient_id if locks.lock_for_deletion(db, patient_id) else "account_gone"
            attempt.rollback()
    return "changed_meanwhile"


_LOCK_HELD = select(Appointment.id).where(*_HELD).order_by(Appointment.id).with_for_update()


def release_holds(db: Connection, patient_id: int) -> None:
    """Delete the patient's holds, expired or not."""
    db.execute(delete(Appointment).where(Appointment.id.in_(_LOCK_HELD)), {"me": patient_id})


_IDS_AHEAD = select(Appointment.id).where(*_AHEAD).order_by(Appointment.id)
_CANCEL = (
    update(Appointment)
    .where(Appointment.id.in_(bindparam("ids", expanding=True)))
    .values(status="cancelled", cancelled_at=bindparam("now"))
)


def cancel_ahead(db: Connection, patient_id: int, now: datetime) -> None:
    """Cancel what is ahead of the patient, free the published slots, and write a mail to each doctor.

    All people are locked, so no appointment changes meanwhile, and the patient's name is erased.
    """
    ids = db.scalars(_IDS_AHEAD, {"me": patient_id, "now": now}).all()
    if not ids:
        return
    at_appointments.free(db, ids)
    db.execute(_CANCEL, {"ids": ids, "now": now})
    history.add_cancelled_by_leaving(db, ids, patient_id, BY_FORMER_PATIENT, now)


_ERASE_TEXTS = update(Appointment).where(_MINE).values(reason=None, note=None)
_ERASE_REASONS = (
    update(AppointmentEvent)
    .where(
        AppointmentEvent.appointment_id.in_(select(Appointment.id).where(_MINE)), AppointmentEvent.reason.is_not(None)
    )
    .values(reason=None)
)


def erase_texts(db: Connection, patient_id: int) -> None:
    """Erase the reasons and notes of all appointments that the patient has or had."""
    db.execute(_ERASE_TEXTS, {"me": patient_id})
    db.execute(_ERASE_REASONS, {"me": patient_id})
