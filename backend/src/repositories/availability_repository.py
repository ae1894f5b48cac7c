from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, bindparam, func, null, select, tuple_, update

from src.database.statements import insert_unless_conflict, limited
from src.models import Appointment, AvailabilitySlot
from src.models.availability import BOOKED, FREE, WITHDRAWN
from src.models.base import Id, Instant


def add(
    db: Connection,
    *,
    doctor_id: int,
    starts_at: datetime,
    ends_at: datetime,
    time_zone: str,
    wall_start: datetime,
    wall_end: datetime,
    now: datetime,
) -> int | None:
    """Publish a slot and return its id, or None when it overlaps another published slot of the doctor."""
    return insert_unless_conflict(
        db,
        AvailabilitySlot,
        doctor_id=doctor_id,
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=time_zone,
        wall_start=wall_start,
        wall_end=wall_end,
        created_at=now,
    )


LISTED = select(
    AvailabilitySlot.id,
    AvailabilitySlot.starts_at,
    AvailabilitySlot.ends_at,
    AvailabilitySlot.wall_start,
    AvailabilitySlot.wall_end,
    AvailabilitySlot.time_zone,
    AvailabilitySlot.status,
).where(AvailabilitySlot.doctor_id == bindparam("doctor_id"))
_AFTER = tuple_(bindparam("begin", type_=Instant()), bindparam("after_id", type_=Id))
_IN_TIME = LISTED.where(
    tuple_(AvailabilitySlot.starts_at, AvailabilitySlot.id) > _AFTER, AvailabilitySlot.starts_at < bindparam("end")
)
_PAGES: dict[str | None, Select[Any]] = {
    status: _IN_TIME.where(condition).order_by(AvailabilitySlot.starts_at, AvailabilitySlot.id)
    for status, condition in {
        None: AvailabilitySlot.status != WITHDRAWN,
        "free": AvailabilitySlot.status == FREE,
        "booked": AvailabilitySlot.status == BOOKED,
        "withdrawn": AvailabilitySlot.status == WITHDRAWN,
    }.items()
}


def list_page(
    db: Connection, doctor_id: int, status: str | None, place: tuple[datetime, int], end: datetime, limit: int
) -> Sequence[Row[Any]]:
    """Return slots of the doctor that follow the place, a start and an id, and begin before `end`, by time.

    With this status or, for None, free and booked ones.
    """
    values = {"doctor_id": doctor_id, "begin": place[0], "after_id": place[1], "end": end}
    return db.execute(limited(_PAGES[status], limit), values).all()


_OF_DOCTOR = LISTED.where(AvailabilitySlot.id == bindparam("slot_id"))


def find_of_doctor(db: Connection, slot_id: int, doctor_id: int) -> Row[Any] | None:
    """Return a slot as `list_page` does; None when the doctor has no such slot."""
    return db.execute(_OF_DOCTOR, {"slot_id": slot_id, "doctor_id": doctor_id}).one_or_none()


_FIND = select(
    AvailabilitySlot.starts_at,
    AvailabilitySlot.ends_at,
    AvailabilitySlot.wall_start,
    AvailabilitySlot.wall_end,
    AvailabilitySlot.time_zone,
).where(AvailabilitySlot.id == bindparam("slot_id"))


def find(db: Connection, slot_id: int) -> Row[Any]:
    """Return (starts_at, ends_at, wall_start, wall_end, time_zone) of a slot."""
    return db.execute(_FIND, {"slot_id": slot_id}).one()


class SlotCounts(NamedTuple):
    free: int
    booked: int


_COUNT_AHEAD = select(
    select(func.count())
    .where(
        AvailabilitySlot.doctor_id == bindparam("doctor_id"),
        AvailabilitySlot.status == FREE,
        AvailabilitySlot.starts_at > bindparam("now"),
    )
    .scalar_subquery(),
    select(func.count())
    .where(
        Appointment.doctor_id == bindparam("doctor_id"),
        Appointment.status == BOOKED,
        Appointment.starts_at > bindparam("now"),
    )
    .scalar_subquery(),
)


def count_ahead(db: Connection, doctor_id: int, now: datetime) -> SlotCounts:
    """Count a doctor's free published slots and booked appointments that are ahead."""
    return SlotCounts(*db.execute(_COUNT_AHEAD, {"doctor_id": doctor_id, "now": now}).one())


def spans_ahead(db: Connection, doctor_id: int, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return (starts_at, ends_at) of the doctor's slots, free or booked, that have not ended."""
    query = select(AvailabilitySlot.starts_at, AvailabilitySlot.ends_at).where(
        AvailabilitySlot.doctor_id == doctor_id,
        AvailabilitySlot.status != WITHDRAWN,
        AvailabilitySlot.ends_at > now,
    )
    return [(row.starts_at, row.ends_at) for row in db.execute(query)]


_FREE_AHEAD = select(
    AvailabilitySlot.starts_at, AvailabilitySlot.ends_at, null().cast(Id).label("visit_type_id")
).where(
    AvailabilitySlot.doctor_id == bindparam("doctor_id"),
    AvailabilitySlot.status == FREE,
    AvailabilitySlot.starts_at > bindparam("now"),
)


def list_free_ahead(db: Connection, doctor_id: int, now: datetime) -> Sequence[Row[Any]]:
    """Return the doctor's free slots ahead, as `Schedule.affected` takes them: each with no visit type."""
    return db.execute(_FREE_AHEAD, {"doctor_id": doctor_id, "now": now}).all()


_LOCK = (
    select(
        AvailabilitySlot.id,
        AvailabilitySlot.doctor_id,
        AvailabilitySlot.starts_at,
        AvailabilitySlot.ends_at,
        AvailabilitySlot.time_zone,
        AvailabilitySlot.wall_start,
        AvailabilitySlot.wall_end,
        AvailabilitySlot.status,
    )
    .where(AvailabilitySlot.id == bindparam("slot_id"))
    .with_for_update(key_share=True)
)


def lock(db: Connection, slot_id: int) -> Row[Any]:
    """Lock a slot that exists, and return it without `created_at`."""
    return db.execute(_LOCK, {"slot_id": slot_id}).one()


def lock_if_published(db: Connection, slot_id: int) -> None:
    """Lock the slot with this id; there is none if the id is that of a computed time."""
    db.execute(_LOCK, {"slot_id": slot_id}).one_or_none()


_LOCK_OF_DOCTOR = _LOCK.where(AvailabilitySlot.doctor_id == bindparam("doctor_id"))


def lock_of_doctor(db: Connection, slot_id: int, doctor_id: int) -> Row[Any] | None:
    """Lock a slot and return it as `lock` does; None when the doctor has no such slot."""
    return db.execute(_LOCK_OF_DOCTOR, {"slot_id": slot_id, "doctor_id": doctor_id}).one_or_none()


_THIS = update(AvailabilitySlot).where(AvailabilitySlot.id == bindparam("slot_id"))
_MARK_BOOKED = _THIS.values(status="booked")
_WITHDRAW = _THIS.values(status="withdrawn")
_FREE_BOOKED = _THIS.where(AvailabilitySlot.status == BOOKED).values(status="free")


def mark_booked(db: Connection, slot_id: int) -> None:
    db.execute(_MARK_BOOKED, {"slot_id": slot_id})


def free(db: Connection, slot_id: int) -> None:
    """Offer a booked slot again; a withdrawn one stays withdrawn."""
    db.execute(_FREE_BOOKED, {"slot_id": slot_id})


def withdraw(db: Connection, slot_id: int) -> None:
    db.execute(_WITHDRAW, {"slot_id": slot_id})


def withdraw_all(db: Connection, doctor_id: int) -> None:
    """Withdraw all slots of the doctor.

    It locks them in the order of their ids, as every transaction does that locks several slots, so that two of them
    cannot deadlock.
    """
    query = select(AvailabilitySlot.id).where(
        AvailabilitySlot.doctor_id == doctor_id, AvailabilitySlot.status != WITHDRAWN
    )
    db.execute(query.order_by(AvailabilitySlot.id).with_for_update())
    db.execute(
        update(AvailabilitySlot)
        .where(AvailabilitySlot.doctor_id == doctor_id, AvailabilitySlot.status != WITHDRAWN)
        .values(status="withdrawn")
    )
