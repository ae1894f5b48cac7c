"""What takes a doctor's time: visits, held times and free slots, on the doctor's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Literal

from src.domain.minutes import MINUTES_OF_DAY, ONE_MINUTE
from src.pages.wall_spans import instants, stretch, wall
from src.pages.week_grid import Stretch
from src.schemas.schedule import DoctorsSchedule

Kind = Literal["booked", "held", "free"]


@dataclass(frozen=True)
class Seat:
    """A patient of a visit; `is_outside` says that the appointment is outside of the hours as they are now."""

    appointment_id: int
    patient: str
    reason: str | None
    is_outside: bool


@dataclass(frozen=True)
class Entry:
    """What takes time: a visit with its patients, a time that somebody holds, or a published slot that is free.

    The doctor's clock shows `begin` and `end`; `on` is where the table has it, and `busy` has the buffers too.
    """

    kind: Kind
    slot_id: int
    begin: datetime
    end: datetime
    on: Stretch
    busy: Stretch | None
    is_over: bool
    is_now: bool
    visit_type: str | None = None
    place: str | None = None
    seats: tuple[Seat, ...] = ()
    # Whether something else takes the time of a free slot, so that patients do not see it.
    is_blocked: bool = False

    @property
    def has_buffers(self) -> bool:
        return self.busy not in (None, self.on)

    @property
    def is_offered(self) -> bool:
        """Whether patients can book it."""
        return self.kind == "free" and not (self.is_blocked or self.is_over or self.is_now)


def entries_of(schedule: DoctorsSchedule, outside: set[int], now: datetime) -> list[Entry]:
    """Return the entries; `outside` are the appointments that are outside of the hours as they are now."""
    visits = _visits(schedule, outside, now)
    holds = [_entry("held", row, now, schedule.time_zone) for row in rows_of(schedule.holds)]
    taken = {entry.slot_id for entry in (*visits, *holds)}
    slots = [
        _entry("free", row, now, schedule.time_zone)
        for row in rows_of(schedule.published_slots)
        if row["status"] == "free" and row["slot_id"] not in taken
    ]
    return [*visits, *holds, *(_with_block(slot, (*visits, *holds)) for slot in slots)]


def _visits(schedule: DoctorsSchedule, outside: set[int], now: datetime) -> list[Entry]:
    """Return the appointments, those of one group visit together."""
    visits: dict[int, Entry] = {}
    for row in rows_of(schedule.appointments):
        number = row["appointment_id"]
        seat = Seat(number, row["patient_name"], row["reason"], number in outside)
        known = visits.get(row["slot_id"]) or _entry("booked", row, now, schedule.time_zone)
        visits[row["slot_id"]] = replace(known, seats=(*known.seats, seat))
    return list(visits.values())


def _entry(kind: Kind, row: dict[str, Any], now: datetime, zone: str) -> Entry:
    starts_at, ends_at = instants(row)
    begin, end = wall(row, zone)
    return Entry(
        kind=kind,
        slot_id=row["slot_id"],
        begin=begin,
        end=end,
        on=stretch(row, zone),
        busy=stretch(row, zone, prefix="busy_") if "busy_starts_at" in row else None,
        is_over=ends_at <= now,
        is_now=starts_at <= now < ends_at,
        visit_type=row.get("visit_type"),
        place=row.get("place"),
    )


def rows_of(listed: Sequence[Any]) -> list[Any]:
    """Return the rows of an answer, which are dicts whatever the answer's type says."""
    return list(listed)


def _with_block(slot: Entry, others: Sequence[Entry]) -> Entry:
    taken = [other.busy for other in others if other.busy is not None]
    is_blocked = any(slot.on.begin < other.end and slot.on.end > other.begin for other in taken)
    return replace(slot, is_blocked=True) if is_blocked else slot


def closures_of(schedule: DoctorsSchedule, days: Sequence[date]) -> list[Stretch]:
    """Return what is closed on the days, each with its reason and whether the whole clinic is closed."""
    return [
        Stretch(midnight + begin * ONE_MINUTE, midnight + end * ONE_MINUTE, (row["reason"], row["of_clinic"]))
        for row in rows_of(schedule.closures)
        for midnight in (datetime.combine(day, time()) for day in days)
        for begin, end in [(_minutes(row["from"], 0), _minutes(row["until"], MINUTES_OF_DAY))]
        if row["first_day"] <= midnight.date().isoformat() <= row["last_day"]
    ]


def _minutes(at: str | None, otherwise: int) -> int:
    return otherwise if at is None else 60 * int(at[:2]) + int(at[3:])
