"""Slots and appointments whose instants are not those of their wall clock, because a zone's rules have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Update, bindparam, select, text, update
from sqlalchemy.exc import IntegrityError

from src.models import Appointment, AvailabilitySlot, DoctorProfile, User
from src.models.appointment import BOOKED
from src.models.availability import WITHDRAWN
from src.models.base import Instant

Span = tuple[datetime, datetime]
# The key of the advisory lock; any number will do that no other program uses in this database.
ZONES_LOCK = 5_208_311_408
# Rows are moved out of the way by this much: no other row is there.
AWAY = timedelta(days=1_000_000)


@dataclass(frozen=True)
class Times:
    """What a slot says about its time; many slots say the same."""

    time_zone: str
    wall_start: datetime
    wall_end: datetime
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class SlotAhead:
    """A slot that is free or booked and starts in the future; `appointment_id` is its booked appointment."""

    id: int
    doctor_name: str
    times: Times
    appointment_id: int | None


_TIMES = (
    AvailabilitySlot.time_zone,
    AvailabilitySlot.wall_start,
    AvailabilitySlot.wall_end,
    AvailabilitySlot.starts_at,
    AvailabilitySlot.ends_at,
)
_AHEAD = (
    AvailabilitySlot.starts_at > bindparam("now", type_=Instant()),
    AvailabilitySlot.status != WITHDRAWN,
    AvailabilitySlot.wall_start.is_not(None),
)


def lock_zones(db: Connection) -> None:
    """Wait until no other process recomputes instants. On SQLite, the transaction has the only write lock already."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ZONES_LOCK})


def times_ahead(db: Connection, now: datetime) -> list[Times]:
    """Return the different times of all slots that are ahead."""
    return [Times(*row) for row in db.execute(select(*_TIMES).where(*_AHEAD).distinct(), {"now": now})]


def doctors_ahead(db: Connection, zones: Collection[str], now: datetime) -> Sequence[int]:
    """Return the ids of the doctors who have slots ahead in one of the time zones."""
    query = select(AvailabilitySlot.doctor_id).where(*_AHEAD, AvailabilitySlot.time_zone.in_(zones)).distinct()
    return db.scalars(query.order_by(AvailabilitySlot.doctor_id), {"now": now}).all()


def lock_doctor(db: Connection, doctor_id: int, now: datetime) -> bool:
    """Lock the accounts of the doctor and of all patients with appointments ahead, then the slots.

    Nobody can then publish or book for any of them. It returns False, and the caller must begin anew, if somebody
    booked after the patients were read: locks of accounts are taken in the order of their ids.
    """
    people = _people(db, doctor_id, now)
    lock = select(User.id).where(User.id.in_(people)).order_by(User.id).with_for_update(key_share=True)
    db.execute(lock)
    if not _people(db, doctor_id, now) <= people:
        return False
    slots = select(AvailabilitySlot.id).where(AvailabilitySlot.doctor_id == doctor_id, *_AHEAD)
    db.execute(slots.order_by(AvailabilitySlot.id).with_for_update(key_share=True), {"now": now})
    return True


def _people(db: Connection, doctor_id: int, now: datetime) -> set[int]:
    patients = select(Appointment.patient_id).where(
        Appointment.doctor_id == doctor_id, Appointment.status == BOOKED, Appointment.starts_at > now
    )
    doctor = select(DoctorProfile.user_id).where(DoctorProfile.id == doctor_id)
    return set(db.scalars(patients.union(doctor)))


def slots_ahead(db: Connection, doctor_id: int, now: datetime) -> list[SlotAhead]:
    """Return the doctor's slots that are ahead, by time."""
    query: Select[Any] = (
        select(AvailabilitySlot.id, User.name, Appointment.id, *_TIMES)
        .join(DoctorProfile, DoctorProfile.id == AvailabilitySlot.doctor_id)
        .join(User, User.id == DoctorProfile.user_id)
        .outerjoin(Appointment, (Appointment.slot_id == AvailabilitySlot.id) & (Appointment.status == BOOKED))
        .where(AvailabilitySlot.doctor_id == doctor_id, *_AHEAD)
        .order_by(AvailabilitySlot.starts_at)
    )
    return [
        SlotAhead(slot_id, name, Times(*times), appointment_id)
        for slot_id, name, appointment_id, *times in db.execute(query, {"now": now})
    ]


def move(db: Connection, wanted: dict[SlotAhead, Span]) -> set[SlotAhead]:
    """Move slots, each with its booked appointment, to new instants; return those that stay at their old instants.

    A slot stays if the rules on overlaps refuse it. Then a slot that was to take its old place must stay, too. All are
    moved out of the way first: the database checks the rules row by row, so neighbours would meet on the way.
    """
    old = {slot: (slot.times.starts_at, slot.times.ends_at) for slot in wanted}
    _put(db, {slot: (start + AWAY, end + AWAY) for slot, (start, end) in old.items()})
    staying: set[SlotAhead] = set()
    while True:
        attempt = db.begin_nested()
        _put(db, {slot: old[slot] for slot in staying})
        refused = _put_each(db, {slot: span for slot, span in wanted.items() if slot not in staying})
        if not refused:
            attempt.commit()
            return staying
        attempt.rollback()
        staying |= refused


def _put_each(db: Connection, spans: dict[SlotAhead, Span]) -> set[SlotAhead]:
    """Put the slots to their instants, and return those that the rules on overlaps refuse."""
    if _fits(db, spans):
        return set()
    return {slot for slot, span in spans.items() if not _fits(db, {slot: span})}


def _fits(db: Connection, spans: dict[SlotAhead, Span]) -> bool:
    try:
        with db.begin_nested():
            _put(db, spans)
    except IntegrityError:
        return False
    return True


def _instants_of(model: type[AvailabilitySlot | Appointment]) -> Update:
    return (
        update(model)
        .where(model.id == bindparam("row_id"))
        .values(starts_at=bindparam("start"), ends_at=bindparam("end"))
    )


_PUT_SLOT, _PUT_APPOINTMENT = _instants_of(AvailabilitySlot), _instants_of(Appointment)


def _put(db: Connection, spans: dict[SlotAhead, Span]) -> None:
    _execute_all(db, _PUT_SLOT, ((slot.id, span) for slot, span in spans.items()))
    booked = ((slot.appointment_id, span) for slot, span in spans.items())
    _execute_all(db, _PUT_APPOINTMENT, ((number, span) for number, span in booked if number is not None))


def _execute_all(db: Connection, statement: Update, spans: Iterable[tuple[int, Span]]) -> None:
    values = [{"row_id": number, "start": start, "end": end} for number, (start, end) in spans]
    if values:
        db.execute(statement, values)
