"""Slots."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from src.models import AvailabilitySlot, DoctorProfile
from src.repositories.base import insert_unless_conflict


def add(
    db: Session, *, doctor_id: int, starts_at: datetime, ends_at: datetime, time_zone: str, now: datetime
) -> int | None:
    """Publish a slot and return its id, or None when it overlaps another one of the doctor's."""
    return insert_unless_conflict(
        db,
        AvailabilitySlot,
        doctor_id=doctor_id,
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=time_zone,
        created_at=now,
    )


def list_free(db: Session, doctor_id: int, now: datetime) -> list[Row[tuple[int, datetime, datetime, str]]]:
    """Return (id, starts_at, ends_at, time_zone) of what can be booked, by time."""
    query = (
        select(AvailabilitySlot.id, AvailabilitySlot.starts_at, AvailabilitySlot.ends_at, AvailabilitySlot.time_zone)
        .where(
            AvailabilitySlot.doctor_id == doctor_id,
            AvailabilitySlot.status == "free",
            AvailabilitySlot.starts_at > now,
        )
        .order_by(AvailabilitySlot.starts_at)
    )
    return list(db.execute(query))


class SlotCounts(NamedTuple):
    """How many slots are ahead."""

    free: int
    booked: int


def count_ahead(db: Session, doctor_id: int, now: datetime) -> SlotCounts:
    """Count a doctor's free and booked slots that are ahead."""
    query = (
        select(AvailabilitySlot.status, func.count())
        .where(
            AvailabilitySlot.doctor_id == doctor_id,
            AvailabilitySlot.status != "withdrawn",
            AvailabilitySlot.starts_at > now,
        )
        .group_by(AvailabilitySlot.status)
    )
    counts = dict(db.execute(query).tuples().all())
    return SlotCounts(counts.get("free", 0), counts.get("booked", 0))


def spans_ahead(db: Session, doctor_id: int, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return (starts_at, ends_at) of the doctor's published slots that are ahead, whoever has them."""
    query = select(AvailabilitySlot.starts_at, AvailabilitySlot.ends_at).where(
        AvailabilitySlot.doctor_id == doctor_id,
        AvailabilitySlot.status != "withdrawn",
        AvailabilitySlot.ends_at > now,
    )
    return [(row.starts_at, row.ends_at) for row in db.execute(query)]


def find_owner(db: Session, slot_id: int) -> int | None:
    """Return the user id of the slot's doctor, without locking anything."""
    query = (
        select(DoctorProfile.user_id)
        .join(AvailabilitySlot, AvailabilitySlot.doctor_id == DoctorProfile.id)
        .where(AvailabilitySlot.id == slot_id)
    )
    return db.scalars(query).one_or_none()


def take(db: Session, slot_id: int, now: datetime) -> Row[tuple[int, datetime, datetime, str]] | None:
    """Turn a free slot that is ahead into a booked one and hold it.

    Returns its (doctor_id, starts_at, ends_at, time_zone), or None when it cannot be booked.
    """
    statement = (
        update(AvailabilitySlot)
        .where(AvailabilitySlot.id == slot_id, AvailabilitySlot.status == "free", AvailabilitySlot.starts_at > now)
        .values(status="booked")
        .returning(
            AvailabilitySlot.doctor_id, AvailabilitySlot.starts_at, AvailabilitySlot.ends_at, AvailabilitySlot.time_zone
        )
    )
    return db.execute(statement).one_or_none()


def find_state(db: Session, slot_id: int) -> Row[tuple[str, datetime]] | None:
    """Return (status, starts_at): why a slot could not be taken."""
    query = select(AvailabilitySlot.status, AvailabilitySlot.starts_at).where(AvailabilitySlot.id == slot_id)
    return db.execute(query).one_or_none()


def lock(db: Session, slot_id: int) -> None:
    """Hold the slot until the transaction ends."""
    db.execute(select(AvailabilitySlot.id).where(AvailabilitySlot.id == slot_id).with_for_update()).one()


def release(db: Session, slot_id: int) -> None:
    """Make a booked slot free again; a withdrawn one stays withdrawn."""
    db.execute(
        update(AvailabilitySlot)
        .where(AvailabilitySlot.id == slot_id, AvailabilitySlot.status == "booked")
        .values(status="free")
    )


def withdraw_all(db: Session, doctor_id: int) -> None:
    """Withdraw every slot of the doctor, in the order of ids as everywhere where several are held."""
    query = select(AvailabilitySlot.id).where(
        AvailabilitySlot.doctor_id == doctor_id, AvailabilitySlot.status != "withdrawn"
    )
    db.execute(query.order_by(AvailabilitySlot.id).with_for_update())
    db.execute(
        update(AvailabilitySlot)
        .where(AvailabilitySlot.doctor_id == doctor_id, AvailabilitySlot.status != "withdrawn")
        .values(status="withdrawn")
    )
