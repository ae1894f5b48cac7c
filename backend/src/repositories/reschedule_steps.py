"""Moving an appointment to another time, step by step, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from src.domain.policies import Policies
from src.domain.refusals import OtherBusy, Refusal, Refused, why_not_changeable
from src.models import Appointment, AppointmentEvent
from src.repositories import account_locks as locks
from src.repositories import availability_repository as slots
from src.repositories import booking_history as history
from src.repositories import booking_limits, booking_steps, booking_targets, holds
from src.repositories import outbox_repository as outbox
from src.repositories.booking_sql import patient_busy, typed
from src.repositories.booking_targets import PublishedSlot, Target
from src.repositories.outbox_repository import MovedEnd

# Takes the revision of the appointment, and says whether the request may change it.
Takes = Callable[[int], bool]


@dataclass(frozen=True)
class Move:
    """Who moves which appointment to which target; `by` says in words who it is."""

    appointment_id: int
    target: Target
    actor_id: int
    by: str
    now: datetime
    takes: Takes
    policies: Policies


def reschedule(db: Connection, move: Move) -> int | Refused:
    """Lock the patient and both doctors, the slots and the appointment, then move it to the target.

    The appointment keeps its id, and does not exclude itself. A refusal may come after a write: the caller raises its
    error, and the transaction is rolled back.
    """
    parties = booking_steps.find_parties(db, move.appointment_id)
    if parties is None:
        return "appointment_unknown"
    refusal = _why_not_theirs(parties, move)
    if refusal is not None:
        return refusal
    living = locks.lock_exclusively(db, parties.patient_id, parties.doctor_user_id, move.target.doctor_user_id)
    if move.actor_id not in living:
        return "account_gone"
    if move.target.doctor_user_id not in living:
        return "slot_unknown"
    for slot_id in sorted({parties.slot_id, move.target.slot_id}):
        slots.lock_if_published(db, slot_id)
    appointment = booking_steps.lock_appointment(db, move.appointment_id)
    refusal = _why_not_movable(db, parties, living, appointment, move) or _why_limited(db, parties, move)
    return refusal or _move(db, appointment, parties.patient_id, move)


def _why_not_theirs(parties: Row[Any], move: Move) -> Refusal | None:
    if move.actor_id not in (parties.patient_id, parties.doctor_user_id):
        return "not_yours"
    if move.actor_id == parties.doctor_user_id != move.target.doctor_user_id:
        return "not_your_time"
    return None


def _why_not_movable(
    db: Connection, parties: Row[Any], living: set[int], appointment: Row[Any], move: Move
) -> Refused | None:
    if not move.takes(revision(db, move.appointment_id)):
        return "outdated"
    # Whoever moves an appointment has locked its patient, so it was moved before this transaction locked the patient.
    if appointment.slot_id != parties.slot_id:
        return "changed_meanwhile"
    if move.target.slot_id == appointment.slot_id and appointment.status == "booked":
        return "same_time"
    notice = booking_steps.notice_for(parties, move.actor_id, move.policies.cancellation_notice)
    facts = (appointment.status, appointment.starts_at, appointment.time_zone)
    both_live = booking_steps.both_live(parties, living)
    return why_not_changeable(*facts, move.now, notice, both_live=both_live)


def _why_limited(db: Connection, parties: Row[Any], move: Move) -> Refused | None:
    """Return the limit that the patient would exceed; a doctor can move to any time."""
    if move.actor_id != parties.patient_id:
        return None
    who = (move.actor_id, move.target.doctor_id)
    return booking_limits.find(db, *who, move.now, move.policies, moving=move.appointment_id)


_KEPT = ("starts_at", "ends_at", "wall_start", "wall_end", "time_zone", "doctor_id")


_PATIENT_BUSY = typed(f"SELECT {patient_busy(':me', ':starts_at', ':ends_at', ':moving')}")


# A hold obeyed these when it began, so they do not matter to its owner, as they never do to staff.
_KEPT_BY_A_HOLD = ("notice_too_short", "too_far_ahead")


def _move(db: Connection, old: Row[Any], patient_id: int, move: Move) -> int | Refused:
    held = holds.clear(db, move.target, patient_id, move.now)
    who = {"me": patient_id, "moving": move.appointment_id, "by_staff": int(move.actor_id != patient_id)}
    placement = booking_targets.place(db, move.target, move.now, **who)
    if held.of_time is not None and placement in _KEPT_BY_A_HOLD:
        placement = booking_targets.place(db, move.target, move.now, **who | {"by_staff": 1})
    if isinstance(placement, str):
        return placement
    if move.actor_id != patient_id and db.execute(_PATIENT_BUSY, {**who, **placement}).scalar_one():
        return OtherBusy()
    if held.number:
        placement, _ = holds.release_excluding(db, placement, patient_id, move.now, move.appointment_id)
    # Another doctor must not read the note, and the old one cannot read it any more.
    more = {} if move.target.doctor_id == old.doctor_id else {"note": None}
    # A constraint refuses if another appointment of the doctor or of the patient who moves has the time.
    db.execute(update(Appointment).where(Appointment.id == move.appointment_id).values(**placement, **more))
    outbox.move_ends(db, [MovedEnd(move.appointment_id, old.ends_at, placement["ends_at"])])
    slots.free(db, old.slot_id)
    if isinstance(move.target, PublishedSlot):
        slots.mark_booked(db, move.target.slot_id)
    was = {f"was_{name}": getattr(old, name) for name in _KEPT}
    by_patient = move.actor_id == patient_id
    history.add_rescheduled(db, move.appointment_id, move.actor_id, move.by, move.now, was, by_patient=by_patient)
    return move.appointment_id


def revision(db: Connection, appointment_id: int) -> int:
    """Return the id of the last event of the appointment, which booking, moving and cancelling raise."""
    query = select(func.max(AppointmentEvent.id)).where(AppointmentEvent.appointment_id == appointment_id)
    return db.execute(query).scalar_one()
