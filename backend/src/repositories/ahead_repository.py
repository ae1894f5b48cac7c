"""What is ahead: slots, and computed times with their appointments and holds, each with its wall clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, Connection, bindparam, select, union, union_all

from src.models import Appointment, AvailabilitySlot
from src.models.appointment import BOOKED, CANCELLED, FIRST_COMPUTED_SLOT, HELD
from src.models.availability import WITHDRAWN
from src.models.base import Instant


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
SLOTS_AHEAD = (
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


def list_times(db: Connection, now: datetime) -> list[Times]:
    """Return the different times of all slots and appointments that are ahead."""
    published = db.execute(select(*_TIMES).where(*SLOTS_AHEAD).distinct(), {"now": now})
    computed = db.execute(select(*_COMPUTED_TIMES).where(*_COMPUTED_AHEAD).distinct(), {"now": now})
    return [*(Times(False, *row) for row in published), *(Times(True, *row) for row in computed)]


def list_doctors(db: Connection, zones: Iterable[str], now: datetime) -> set[int]:
    """Return the ids of the doctors who have slots or appointments ahead in one of the time zones."""
    names = list(zones)
    published = select(AvailabilitySlot.doctor_id).where(*SLOTS_AHEAD, AvailabilitySlot.time_zone.in_(names))
    computed = select(Appointment.doctor_id).where(*_COMPUTED_AHEAD, Appointment.time_zone.in_(names))
    return set(db.scalars(union(published, computed), {"now": now}))


def takers_of_doctor(*columns: Any) -> CompoundSelect[Any]:
    """Select columns of the doctor's appointments and holds that are ahead. Each half has an index."""
    ahead = select(*columns).where(Appointment.doctor_id == bindparam("doctor_id"), Appointment.starts_at > _NOW)
    return union_all(ahead.where(Appointment.status == BOOKED), ahead.where(Appointment.status == HELD))


_SLOTS = select(AvailabilitySlot.id, *_TIMES).where(AvailabilitySlot.doctor_id == bindparam("doctor_id"), *SLOTS_AHEAD)
_TAKERS = takers_of_doctor(
    Appointment.slot_id,
    *_COMPUTED_TIMES,
    Appointment.id,
    (Appointment.status == HELD).label("is_held"),
    Appointment.busy_from,
    Appointment.busy_until,
    Appointment.day,
).order_by("id")


def list_of_doctor(db: Connection, doctor_id: int, now: datetime) -> list[Ahead]:
    """Return the doctor's slots that are ahead, and the computed times that are taken, by time; takers by id.

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
    return sorted(found, key=lambda one: (one.times.starts_at, one.slot_id, one.times.time_zone))
