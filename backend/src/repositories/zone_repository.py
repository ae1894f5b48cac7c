"""What is ahead, and is not at the instants of its wall clock because a zone's rules have changed.

That is slots, and computed times with appointments and holds there, and openings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Row,
    bindparam,
    delete,
    exists,
    select,
    text,
    union,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from src.database.statements import limited
from src.domain.minutes import minute_after, minute_of
from src.domain.openings import Opening as Wanted
from src.domain.schedule import Schedule
from src.models import Appointment, AvailabilitySlot, DoctorProfile, Opening, OutboxMail, User, WeeklyHours
from src.models.appointment import BOOKED, CANCELLED, FIRST_COMPUTED_SLOT, HELD
from src.models.availability import WITHDRAWN
from src.models.base import Instant
from src.models.outbox_mail import WAITING

# The key of the advisory lock; any number will do that no other program uses in this database.
ZONES_LOCK = 5_208_311_408
# Rows are moved out of the way by this much, and the ids of their computed times: no other row is there.
AWAY = timedelta(days=1_000_000)
SLOTS_AWAY = 2**62


class Span(NamedTuple):
    """When something is, and what the clocks show at its end. What they show at its start never changes."""

    starts_at: datetime
    ends_at: datetime
    wall_end: datetime


@dataclass(frozen=True)
class Times:
    """What a published slot or a computed time says about its time; many say the same."""

    is_computed: bool
    time_zone: str
    wall_start: datetime
    wall_end: datetime
    starts_at: datetime
    ends_at: datetime

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at, self.wall_end)


@dataclass(frozen=True)
class Taker:
    """A booked appointment or a hold, and what it takes of its doctor's time."""

    id: int
    is_held: bool
    busy_from: int
    busy_until: int
    day: date | None


@dataclass(frozen=True)
class Ahead:
    """A published slot that is free or booked, or a computed time that is taken; it starts in the future.

    `takers` are the appointments and holds there; a computed time has as many as there are seats taken.
    """

    slot_id: int
    times: Times
    takers: tuple[Taker, ...]


_NOW = bindparam("now", type_=Instant())
_TIMES = (
    AvailabilitySlot.time_zone,
    AvailabilitySlot.wall_start,
    AvailabilitySlot.wall_end,
    AvailabilitySlot.starts_at,
    AvailabilitySlot.ends_at,
)
_SLOTS_AHEAD = (
    AvailabilitySlot.starts_at > _NOW,
    AvailabilitySlot.status != WITHDRAWN,
    AvailabilitySlot.wall_start.is_not(None),
)
_COMPUTED_TIMES = (
    Appointment.time_zone,
    Appointment.wall_start,
    Appointment.wall_end,
    Appointment.starts_at,
    Appointment.ends_at,
)
_COMPUTED_AHEAD = (
    Appointment.slot_id >= FIRST_COMPUTED_SLOT,
    Appointment.starts_at > _NOW,
    Appointment.status != CANCELLED,
)


def lock_zones(db: Connection) -> None:
    """Wait until no other process recomputes instants. On SQLite, the transaction has the only write lock already."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ZONES_LOCK})


def times_ahead(db: Connection, now: datetime) -> list[Times]:
    """Return the different times of all slots and appointments that are ahead."""
    published = db.execute(select(*_TIMES).where(*_SLOTS_AHEAD).distinct(), {"now": now})
    computed = db.execute(select(*_COMPUTED_TIMES).where(*_COMPUTED_AHEAD).distinct(), {"now": now})
    return [*(Times(False, *row) for row in published), *(Times(True, *row) for row in computed)]


def doctors_ahead(db: Connection, zones: Iterable[str], now: datetime) -> set[int]:
    """Return the ids of the doctors who have slots or appointments ahead in one of the time zones."""
    names = list(zones)
    published = select(AvailabilitySlot.doctor_id).where(*_SLOTS_AHEAD, AvailabilitySlot.time_zone.in_(names))
    computed = select(Appointment.doctor_id).where(*_COMPUTED_AHEAD, Appointment.time_zone.in_(names))
    return set(db.scalars(union(published, computed), {"now": now}))


_WITH_OPENINGS = (
    select(DoctorProfile.id, DoctorProfile.time_zone, DoctorProfile.openings_until)
    .join(User, User.id == DoctorProfile.user_id)
    .where(DoctorProfile.id > bindparam("after"), User.deleted_at.is_(None), DoctorProfile.openings_until.is_not(None))
    # Without weekly hours there are openings if the doctor has extra hours.
    .where(
        exists().where(WeeklyHours.doctor_id == DoctorProfile.id)
        | exists().where(Opening.doctor_id == DoctorProfile.id)
    )
    .order_by(DoctorProfile.id)
)


def doctors_with_openings(db: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return (id, time_zone, openings_until) of the next doctors after an id who have openings, or hours for them."""
    return db.execute(limited(_WITH_OPENINGS, limit), {"after": after}).all()


_LAID = select(
    Opening.day,
    Opening.from_minute,
    Opening.until_minute,
    Opening.runs_until,
    Opening.visit_type_id,
    Opening.place,
).where(Opening.doctor_id == bindparam("doctor_id"))


def count_changed_openings(db: Connection, doctor_id: int, schedule: Schedule, until: date | None) -> int:
    """Count the doctor's openings that are laid and do not follow from the schedule, or the reverse if more are.

    `until` is the last day that openings were laid for: later ones are not missing.
    """
    today, minute = schedule.today, minute_of(schedule.now)
    rows = (Wanted(*row) for row in db.execute(_LAID, {"doctor_id": doctor_id}))
    laid = {opening for opening in rows if opening.day >= today or opening.until_minute > minute}
    wanted = {opening for opening in schedule.openings() if until is not None and opening.day <= until}
    return max(len(laid - wanted), len(wanted - laid))


def _of_doctor(*columns: Any) -> CompoundSelect[Any]:
    """Select columns of the doctor's appointments and holds that are ahead. Each half has an index."""
    ahead = select(*columns).where(Appointment.doctor_id == bindparam("doctor_id"), Appointment.starts_at > _NOW)
    return union_all(ahead.where(Appointment.status == BOOKED), ahead.where(Appointment.status == HELD))


_PATIENTS = _of_doctor(Appointment.patient_id)
_DOCTORS_USER = select(DoctorProfile.user_id).where(DoctorProfile.id == bindparam("doctor_id"))


def lock_doctor(db: Connection, doctor_id: int, now: datetime) -> bool:
    """Lock the accounts of the doctor and of all patients with appointments or holds ahead, then the slots.

    Nobody can then publish, book or hold for any of them, or change the doctor's hours. It returns False, and the
    caller must begin anew, if somebody booked after the patients were read: locks of accounts are taken in the order of
    their ids.
    """
    people = _people(db, doctor_id, now)
    lock = select(User.id).where(User.id.in_(people)).order_by(User.id).with_for_update(key_share=True)
    db.execute(lock)
    if not _people(db, doctor_id, now) <= people:
        return False
    slots = select(AvailabilitySlot.id).where(AvailabilitySlot.doctor_id == doctor_id, *_SLOTS_AHEAD)
    db.execute(slots.order_by(AvailabilitySlot.id).with_for_update(key_share=True), {"now": now})
    return True


def _people(db: Connection, doctor_id: int, now: datetime) -> set[int]:
    patients = db.scalars(_PATIENTS, {"doctor_id": doctor_id, "now": now})
    return {*patients, *db.scalars(_DOCTORS_USER, {"doctor_id": doctor_id})}


_DOCTOR = (
    select(User.name, DoctorProfile.time_zone, DoctorProfile.openings_until, User.deleted_at)
    .join(User, User.id == DoctorProfile.user_id)
    .where(DoctorProfile.id == bindparam("doctor_id"))
)


def find_doctor(db: Connection, doctor_id: int) -> Row[Any]:
    """Return (name, time_zone, openings_until, deleted_at) of a doctor."""
    return db.execute(_DOCTOR, {"doctor_id": doctor_id}).one()


def release_expired(db: Connection, doctor_id: int, now: datetime) -> None:
    """Delete the doctor's holds that have expired, so that nothing collides with them."""
    expired = (Appointment.doctor_id == doctor_id, Appointment.status == HELD, Appointment.held_until <= now)
    db.execute(delete(Appointment).where(*expired))


_SLOTS = select(AvailabilitySlot.id, *_TIMES).where(AvailabilitySlot.doctor_id == bindparam("doctor_id"), *_SLOTS_AHEAD)
_TAKERS = _of_doctor(
    Appointment.slot_id,
    *_COMPUTED_TIMES,
    Appointment.id,
    (Appointment.status == HELD).label("is_held"),
    Appointment.busy_from,
    Appointment.busy_until,
    Appointment.day,
)


def ahead(db: Connection, doctor_id: int, now: datetime) -> list[Ahead]:
    """Return the doctor's slots that are ahead, and the computed times that are taken, by time.

    Seats of one computed time that were agreed on in different time zones are apart: each keeps its wall clock.
    """
    values = {"doctor_id": doctor_id, "now": now}
    at_slots: dict[int, list[Taker]] = defaultdict(list)
    at_computed: dict[tuple[int, Times], list[Taker]] = defaultdict(list)
    for slot_id, zone, wall_start, wall_end, starts_at, ends_at, *taker in db.execute(_TAKERS, values):
        if slot_id < FIRST_COMPUTED_SLOT:
            at_slots[slot_id].append(Taker(*taker))
        else:
            times = Times(True, zone, wall_start, wall_end, starts_at, ends_at)
            at_computed[slot_id, times].append(Taker(*taker))
    found = [
        Ahead(slot_id, Times(False, *times), tuple(at_slots[slot_id])) for slot_id, *times in db.execute(_SLOTS, values)
    ]
    found += [Ahead(slot_id, times, tuple(takers)) for (slot_id, times), takers in at_computed.items()]
    return sorted(found, key=lambda one: (one.times.starts_at, one.slot_id))


def move(db: Connection, wanted: Mapping[Ahead, Span]) -> set[Ahead]:
    """Move slots and computed times, each with its appointments and holds; return those that stay as they were.

    One stays if the rules on overlaps, seats or limits refuse it. Then one that was to take its old place must stay,
    too. All are moved out of the way first: the database checks the rules row by row, so neighbours would meet on the
    way.
    """
    _put_away(db, wanted)
    staying: set[Ahead] = set()
    while True:
        attempt = db.begin_nested()
        _put(db, {one: one.times.span for one in staying})
        refused = _put_each(db, {one: span for one, span in wanted.items() if one not in staying})
        if not refused:
            attempt.commit()
            break
        attempt.rollback()
        staying |= refused
    _move_ends_of_mails(db, {one: span for one, span in wanted.items() if one not in staying})
    return staying


def _put_each(db: Connection, spans: dict[Ahead, Span]) -> set[Ahead]:
    """Put all to their instants, and return those that the rules refuse."""
    if _fits(db, spans):
        return set()
    return {one for one, span in spans.items() if not _fits(db, {one: span})}


def _fits(db: Connection, spans: dict[Ahead, Span]) -> bool:
    try:
        with db.begin_nested():
            _put(db, spans)
    except IntegrityError:
        return False
    return True


_THIS = bindparam("row_id")
_INSTANTS = {"starts_at": bindparam("start"), "ends_at": bindparam("end")}
_BUSY = {"busy_from": bindparam("busy_start"), "busy_until": bindparam("busy_end")}
_COMPUTED = {"slot_id": bindparam("new_slot"), "wall_end": bindparam("new_wall_end"), "day": bindparam("new_day")}
_PUT_SLOT = update(AvailabilitySlot).where(AvailabilitySlot.id == _THIS).values(**_INSTANTS)
_PUT_AT_SLOT = update(Appointment).where(Appointment.id == _THIS).values(**_INSTANTS, **_BUSY)
_PUT_COMPUTED = update(Appointment).where(Appointment.id == _THIS).values(**_INSTANTS, **_BUSY, **_COMPUTED)


def _put_away(db: Connection, all_of: Iterable[Ahead]) -> None:
    spans = {one: Span(one.times.starts_at + AWAY, one.times.ends_at + AWAY, one.times.wall_end) for one in all_of}
    _execute(db, spans, lambda one, _: {"new_slot": one.slot_id + SLOTS_AWAY, "new_day": None})


def _put(db: Connection, spans: Mapping[Ahead, Span]) -> None:
    _execute(db, spans, lambda one, taker: _computed(one, taker, spans[one]))


def _computed(one: Ahead, taker: Taker, span: Span) -> dict[str, Any]:
    """Return the id of the computed time, of the same version of the visit type, and its day."""
    day = taker.day if span == one.times.span else one.times.wall_start.date()
    return {"new_slot": one.slot_id + minute_of(span.starts_at) - minute_of(one.times.starts_at), "new_day": day}


def _execute(db: Connection, spans: Mapping[Ahead, Span], computed: Callable[[Ahead, Taker], dict[str, Any]]) -> None:
    slots: list[dict[str, Any]] = []
    at_slots: list[dict[str, Any]] = []
    at_computed: list[dict[str, Any]] = []
    for one, span in spans.items():
        instants = {"start": span.starts_at, "end": span.ends_at}
        if one.times.is_computed:
            more = {"new_wall_end": span.wall_end}
            at_computed += [instants | _taken(one, of, span) | more | computed(one, of) for of in one.takers]
        else:
            slots.append(instants | {"row_id": one.slot_id})
            at_slots += [instants | _taken(one, of, span) for of in one.takers]
    for statement, rows in ((_PUT_SLOT, slots), (_PUT_AT_SLOT, at_slots), (_PUT_COMPUTED, at_computed)):
        if rows:
            db.execute(statement, rows)


def _taken(one: Ahead, taker: Taker, span: Span) -> dict[str, Any]:
    """Return the row, and what it takes of the doctor's time: the distances to its start and end stay."""
    return {
        "row_id": taker.id,
        "busy_start": taker.busy_from + minute_of(span.starts_at) - minute_of(one.times.starts_at),
        "busy_end": taker.busy_until + minute_after(span.ends_at) - minute_after(one.times.ends_at),
    }


# A confirmation is useless after the end of its appointment. `due_at` is no time of an appointment.
_MOVE_END = (
    update(OutboxMail)
    .where(OutboxMail.appointment_id == bindparam("of"), OutboxMail.status == WAITING)
    .where(OutboxMail.useless_after == bindparam("old_end", type_=Instant()))
    .values(useless_after=bindparam("new_end", type_=Instant()))
)


def _move_ends_of_mails(db: Connection, spans: Mapping[Ahead, Span]) -> None:
    rows = [
        {"of": taker.id, "old_end": one.times.ends_at, "new_end": span.ends_at}
        for one, span in spans.items()
        for taker in one.takers
    ]
    if rows:
        db.execute(_MOVE_END, rows)
