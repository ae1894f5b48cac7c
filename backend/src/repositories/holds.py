"""Holds: rows of the table of appointments that reserve a time for a patient until they expire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Row, Select, bindparam, delete, select, union, update

from src.domain.refusals import Refusal, why_not_bookable
from src.models import Appointment
from src.models.appointment import HELD
from src.repositories import account_locks as locks
from src.repositories import availability_repository as slots
from src.repositories import day_limit
from src.repositories.booking_sql import OPENING_OF_VISIT, typed
from src.repositories.booking_targets import Placement, PublishedSlot, Target
from src.repositories.offered import OF_VERSION

# How long a patient can hold a time in all. What is held is not offered to others, and needs no notice.
LONGEST_HELD = timedelta(minutes=30)

# Two index scans: an OR of both conditions would read every hold.
_held = select(Appointment.id, Appointment.slot_id, Appointment.patient_id, Appointment.held_until).where(
    Appointment.status == HELD
)
_OF_EITHER = union(
    _held.where(Appointment.doctor_id == bindparam("doctor_id")), _held.where(Appointment.patient_id == bindparam("me"))
)
_IDS = Appointment.id.in_(bindparam("ids", expanding=True))


def _locked(*which: ColumnElement[bool]) -> Select[tuple[int]]:
    """Return the query that locks such holds and returns their ids.

    All transactions lock them in the order of the ids, so that they cannot deadlock. They wait for each other: what
    another one deletes is there again, and excludes others, if that one is rolled back.
    """
    return select(Appointment.id).where(Appointment.status == HELD, *which).order_by(Appointment.id).with_for_update()


_LOCK_EXPIRED = _locked(_IDS)
_DELETE = delete(Appointment).where(_IDS)
_MY_HOLDS = (Appointment.status == HELD, Appointment.patient_id == bindparam("me"))
_RELEASE_OVERLAPPING = delete(Appointment).where(
    *_MY_HOLDS,
    Appointment.doctor_id == bindparam("doctor_id"),
    Appointment.busy_from < bindparam("busy_until"),
    Appointment.busy_until > bindparam("busy_from"),
)
_RELEASE_NUMBER = delete(Appointment).where(
    *_MY_HOLDS,
    Appointment.id != bindparam("but"),
    Appointment.visit_type_id == bindparam("visit_type_id"),
    Appointment.day == bindparam("day"),
    Appointment.nth == bindparam("nth"),
)
_TERM = select(Appointment.booked_at, Appointment.held_until).where(Appointment.id == bindparam("hold_id"))
_HELD_UNTIL = select(Appointment.held_until).where(
    *_MY_HOLDS, Appointment.slot_id == bindparam("slot_id"), Appointment.held_until > bindparam("now")
)
_EXTEND = update(Appointment).where(Appointment.id == bindparam("hold_id")).values(held_until=bindparam("until"))
_RELEASE = (
    delete(Appointment)
    .where(Appointment.id == bindparam("hold_id"), Appointment.status == HELD)
    .where(Appointment.patient_id == bindparam("me"))
    .returning(Appointment.id)
)
_CLAIM = update(Appointment).where(Appointment.id == bindparam("hold_id")).values(status="booked", held_until=None)
_PRESENT = typed(f"""
    SELECT version.is_current AND visit_type.retired_at IS NULL AND visit_type.booked_by = 'patients' AS is_bookable,
        visit_type.most_per_day, (SELECT day FROM {OPENING_OF_VISIT}) AS day,
        coalesce(visit_type.place, (SELECT place FROM {OPENING_OF_VISIT})) AS place
    FROM visit_type_versions AS version JOIN visit_types AS visit_type ON visit_type.id = version.visit_type_id
    WHERE {OF_VERSION}""").columns(day=Date())


@dataclass(frozen=True)
class Holds:
    """The holds of a patient that have not expired: of the time that is wanted, and how many at all."""

    of_time: int | None
    number: int


def clear(db: Connection, target: Target, patient_id: int, now: datetime) -> Holds:
    """Delete the doctor's expired holds, and the patient's, and return what the patient still holds.

    The caller has locked both people.
    """
    held = db.execute(_OF_EITHER, {"doctor_id": target.doctor_id, "me": patient_id}).all()
    expired = [hold.id for hold in held if hold.held_until <= now]
    if expired:
        db.execute(_DELETE, {"ids": db.scalars(_LOCK_EXPIRED, {"ids": expired}).all()})
    mine = [hold for hold in held if hold.patient_id == patient_id and hold.held_until > now]
    return Holds(next((hold.id for hold in mine if hold.slot_id == target.slot_id), None), len(mine))


def release_excluding(
    db: Connection, placement: Placement, patient_id: int, now: datetime, moving: int = 0
) -> tuple[Placement, int]:
    """Delete the patient's holds that would exclude an appointment of the patient's there, because nobody needs both.

    Return the placement, with a number among those of the day that excludes no hold if the limit leaves one, and how
    many holds are deleted.
    """
    released = db.execute(_RELEASE_OVERLAPPING, {**placement, "me": patient_id}).rowcount
    if placement["nth"] is None:
        return placement, released
    of_day = day_limit.find(db, placement["visit_type_id"], placement["day"], patient_id, now, moving)
    placement = placement | {"nth": of_day.number(placement["most_per_day"])}
    if placement["nth"] in of_day.own:
        released += db.execute(_RELEASE_NUMBER, {**placement, "me": patient_id, "but": moving}).rowcount
    return placement, released


def release_expired(db: Connection, doctor_id: int, now: datetime) -> None:
    """Delete the doctor's expired holds. The caller has locked the doctor."""
    expired = _locked(Appointment.doctor_id == doctor_id, Appointment.held_until <= now)
    db.execute(delete(Appointment).where(Appointment.id.in_(expired)))


def extend(
    db: Connection, hold_id: int, target: Target, patient_id: int, now: datetime, held_until: datetime
) -> int | Refusal:
    """Let the hold expire at another time, LONGEST_HELD after it began at the latest, unless the time is not open."""
    open_now = _open_now(db, hold_id, target, patient_id, now)
    if isinstance(open_now, str):
        return open_now
    present = db.execute(_TERM, {"hold_id": hold_id}).one()
    last = present.booked_at + LONGEST_HELD
    if last < held_until and last <= present.held_until:
        return "held_longest"
    db.execute(_EXTEND, {"hold_id": hold_id, "until": min(held_until, last)})
    return hold_id


def end_of(db: Connection, hold_id: int) -> datetime:
    """Return when a hold expires."""
    return db.execute(_TERM, {"hold_id": hold_id}).one().held_until


def held_until(db: Connection, slot_id: int, patient_id: int, now: datetime) -> datetime | None:
    """Return until when the patient holds this time, or None if the patient does not."""
    return db.scalars(_HELD_UNTIL, {"slot_id": slot_id, "me": patient_id, "now": now}).one_or_none()


def release(db: Connection, hold_id: int, patient_id: int) -> bool:
    """Lock the patient, then delete a hold of the patient's, expired or not; False if there is none.

    Without the lock, a booking that has seen the hold could find it gone when it turns it into the appointment.
    """
    locks.lock_exclusively(db, patient_id)
    return db.execute(_RELEASE, {"hold_id": hold_id, "me": patient_id}).scalar_one_or_none() is not None


def claim(
    db: Connection, hold_id: int, target: Target, patient_id: int, now: datetime, reason: str | None
) -> int | Refusal:
    """Turn the hold into an appointment, unless the time cannot be booked any more.

    Notice and horizon were kept when the hold began, and its seat is taken. Place, time zone and the limit of the day
    are the present ones; by a newer limit, another hold of the patient's may have to go. A constraint refuses a busy
    patient.
    """
    open_now = _open_now(db, hold_id, target, patient_id, now)
    if isinstance(open_now, str):
        return open_now
    if open_now.get("nth") is not None:
        db.execute(_RELEASE_NUMBER, {**open_now, "me": patient_id, "but": hold_id})
    db.execute(_CLAIM.values(booked_at=now, reason=reason, **open_now), {"hold_id": hold_id})
    return hold_id


def _open_now(db: Connection, hold_id: int, target: Target, patient_id: int, now: datetime) -> dict[str, Any] | Refusal:
    """Return what an appointment at the held time takes by the present rules and hours, or why it is not open.

    For a computed time these are place, wall clock, day and the number on it; a published slot stays as it is.
    """
    if isinstance(target, PublishedSlot):
        slot = slots.lock(db, target.slot_id)
        return why_not_bookable(slot.status, slot.starts_at, now) or {}
    values = target.values(now)
    present = db.execute(_PRESENT, values).one()
    refusal = _why_not_open(present, values["starts_at"], now)
    if refusal is not None:
        return refusal
    open_now = {name: values[name] for name in ("time_zone", "wall_start", "wall_end")}
    open_now |= {"day": present.day, "place": present.place}
    limit = present.most_per_day
    if limit is None:
        return open_now | {"nth": None, "most_per_day": None}
    of_day = day_limit.find(db, target.visit_type_id, present.day, patient_id, now, moving=hold_id)
    if len(of_day.others) >= limit:
        return "day_full"
    return open_now | {"nth": of_day.number(limit), "most_per_day": limit, "visit_type_id": target.visit_type_id}


def _why_not_open(present: Row[Any], starts_at: datetime, now: datetime) -> Refusal | None:
    if not present.is_bookable:
        return "slot_unknown"
    if starts_at <= now:
        return "slot_past"
    return "not_offered" if present.day is None else None


def purge_expired_before(db: Connection, before: datetime) -> None:
    """Delete holds that had expired by this instant."""
    db.execute(delete(Appointment).where(Appointment.id.in_(_locked(Appointment.held_until < before))))
