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

from sqlalchemy import Connection, Row, bindparam, select, update

from src.database.statements import insert_unless_conflict
from src.domain.policies import Policies
from src.domain.refusals import Refusal, Refused, why_not_changeable
from src.models import Appointment, DoctorProfile
from src.models.appointment import HELD
from src.repositories import account_locks as locks
from src.repositories import availability_repository as slots
from src.repositories import booking_history as history
from src.repositories import booking_limits, booking_targets, holds
from src.repositories import slots_at_appointments as at_appointments
from src.repositories.booking_history import AHEAD
from src.repositories.booking_sql import patient_busy, typed
from src.repositories.booking_targets import Placement, PublishedSlot, Target
from src.repositories.cancellations import Cancellation
from src.repositories.holds import Holds

# How many times a patient can hold at once.
MOST_HOLDS = 3

_doctor_user_id = DoctorProfile.user_id.label("doctor_user_id")
_PARTIES = (
    select(
        Appointment.slot_id,
        Appointment.patient_id,
        Appointment.doctor_id,
        _doctor_user_id,
        DoctorProfile.cancellation_notice,
    )
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


def book(
    db: Connection, target: Target, patient_id: int, now: datetime, policies: Policies, reason: str | None = None
) -> int | Refused:
    """Lock both people, then book the time for the patient, with a hold of the patient's on it if there is one."""
    refusal = _why_not_another(db, target, patient_id, now, policies)
    if refusal is not None:
        return refusal
    held = holds.clear(db, target, patient_id, now)
    if held.of_time is not None:
        appointment_id = holds.claim(db, held.of_time, target, patient_id, now, reason)
    else:
        appointment_id = _add_appointment(db, target, patient_id, now, reason, held)
    if isinstance(appointment_id, str):
        return appointment_id
    if isinstance(target, PublishedSlot):
        slots.mark_booked(db, target.slot_id)
    history.add_booked(db, appointment_id, patient_id, now)
    return appointment_id


def _why_not_another(
    db: Connection, target: Target, patient_id: int, now: datetime, policies: Policies
) -> Refused | None:
    """Lock the accounts of both people exclusively; return a refusal if one is deleted or a limit is reached."""
    living = locks.lock_exclusively(db, patient_id, target.doctor_user_id)
    if target.doctor_user_id not in living:
        return "slot_unknown"
    if patient_id not in living:
        return "account_gone"
    return booking_limits.find(db, patient_id, target.doctor_id, now, policies)


def _add_appointment(
    db: Connection, target: Target, patient_id: int, now: datetime, reason: str | None, held: Holds
) -> int | Refusal:
    placement = booking_targets.place(db, target, now, me=patient_id)
    if isinstance(placement, str):
        return placement
    if held.number:
        placement, _ = holds.release_excluding(db, placement, patient_id, now)
    what = {"patient_id": patient_id, "booked_at": now, "reason": reason}
    appointment_id = insert_unless_conflict(db, Appointment, **what, **placement)
    if appointment_id is not None:
        return appointment_id
    return "patient_busy" if is_busy(db, placement, patient_id) else "slot_taken"


def is_busy(db: Connection, placement: Placement, patient_id: int) -> bool:
    """Say whether the patient has another appointment at the time."""
    return db.execute(_PATIENT_BUSY, {"me": patient_id, **placement}).scalar_one()


def hold(
    db: Connection, target: Target, patient_id: int, now: datetime, policies: Policies, held_until: datetime
) -> int | Refused:
    """Lock both people, then hold the time for the patient, or hold it longer; return the id of the hold.

    A patient who could not book because of a limit cannot hold either.
    """
    refusal = _why_not_another(db, target, patient_id, now, policies)
    if refusal is not None:
        return refusal
    held = holds.clear(db, target, patient_id, now)
    if held.of_time is not None:
        return holds.extend(db, held.of_time, target, patient_id, now, held_until)
    placement = booking_targets.place(db, target, now, me=patient_id)
    if isinstance(placement, str):
        return placement
    if is_busy(db, placement, patient_id):
        return "patient_busy"
    if held.number:
        placement, released = holds.release_excluding(db, placement, patient_id, now)
        if held.number - released >= MOST_HOLDS:
            return "too_many_holds"
    state = {"status": "held", "held_until": held_until, "booked_at": now}
    hold_id = insert_unless_conflict(db, Appointment, patient_id=patient_id, **state, **placement)
    return "slot_taken" if hold_id is None else hold_id


def cancel(db: Connection, cancellation: Cancellation) -> int | Refused:
    """Lock both people, the slots and the appointment, then cancel it. A refusal has written nothing.

    To withdraw the time is to withdraw the published slots there; the caller closes it, if it is in the hours.
    """
    appointment_id, actor_id, now = cancellation.appointment_id, cancellation.actor_id, cancellation.now
    parties = find_parties(db, appointment_id)
    if parties is None:
        return "appointment_unknown"
    if actor_id not in (parties.patient_id, parties.doctor_user_id):
        return "not_yours"
    living = locks.lock_exclusively(db, parties.patient_id, parties.doctor_user_id)
    if actor_id not in living:
        return "account_gone"
    if cancellation.withdraw:
        at_appointments.lock(db, [appointment_id])
    else:
        slots.lock_if_published(db, parties.slot_id)
    appointment = lock_appointment(db, appointment_id)
    if appointment.slot_id != parties.slot_id:
        # Moved before the locks were taken. Locking the people of the new time now could deadlock.
        return "changed_meanwhile"
    notice = notice_for(parties, actor_id, cancellation.cancellation_notice)
    facts = (appointment.status, appointment.starts_at, appointment.time_zone)
    refusal = why_not_changeable(*facts, now, notice, both_live=both_live(parties, living))
    if refusal is not None:
        return refusal
    db.execute(_SET_CANCELLED, {"appointment_id": appointment_id, "now": now})
    if cancellation.withdraw:
        at_appointments.withdraw(db, [appointment_id])
    else:
        slots.free(db, parties.slot_id)
    history.add_cancelled(db, cancellation, by_patient=actor_id == parties.patient_id)
    return appointment_id


def both_live(parties: Row[Any], living: set[int]) -> bool:
    """Say whether the patient and the doctor of the appointment are among the living accounts."""
    return {parties.patient_id, parties.doctor_user_id} <= living


def notice_for(parties: Row[Any], actor_id: int, clinics: int) -> int:
    """Return how many minutes before the start the actor can change the appointment at the latest."""
    if actor_id != parties.patient_id:
        return 0
    return clinics if parties.cancellation_notice is None else parties.cancellation_notice


def find_parties(db: Connection, appointment_id: int) -> Row[Any] | None:
    """Return (slot_id, patient_id, doctor_id, doctor_user_id, cancellation_notice); a hold is no appointment.

    The notice is the doctor's own.
    """
    return db.execute(_PARTIES, {"appointment_id": appointment_id}).one_or_none()


def lock_appointment(db: Connection, appointment_id: int) -> Row[Any]:
    """Lock an appointment, and return its status, slot, times, zone and doctor as they are after the wait."""
    return db.execute(_LOCK_APPOINTMENT, {"appointment_id": appointment_id}).one()


_CANCEL_ALL = typed(f"UPDATE appointments AS appointment SET status = 'cancelled', cancelled_at = :now WHERE {AHEAD}")


def cancel_all_ahead(db: Connection, doctor_id: int, actor_id: int, cancelled_by: str, now: datetime) -> None:
    """Cancel all booked appointments of a doctor that are ahead, and write a mail to each patient.

    The caller has locked the doctor's account and withdrawn the slots, so that nobody books meanwhile.
    """
    history.add_cancelled_all(db, doctor_id, actor_id, cancelled_by, now)
    db.execute(_CANCEL_ALL, {"doctor_id": doctor_id, "now": now})
