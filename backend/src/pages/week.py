"""A doctor's week, and one day of it to read and to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import Field

from src.context import Context, Doctor
from src.controllers import affected_controller as affected
from src.controllers import schedule_controller as schedules
from src.domain.minutes import MINUTES_OF_DAY, ONE_MINUTE
from src.domain.wall_clock import EARLIEST_DAY, LATEST_DAY, ONE_DAY, wall_clock
from src.pages import week_grid
from src.pages.wall_spans import Change, clock_changes, instants, stretch, wall
from src.pages.week_grid import Row, Stretch, Week
from src.schemas.base import In
from src.schemas.fields import WallDate
from src.schemas.schedule import DaysWanted, DoctorsSchedule

DAYS_OF_WEEK = 7
WORKDAYS = 5

Kind = Literal["booked", "held", "free"]


class WeekWanted(In):
    """The week that has the day `from`; a narrow screen shows one `day` of it."""

    from_: WallDate | None = Field(None, alias="from")
    day: WallDate | None = None


class DayWanted(In):
    day: WallDate | None = None


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


@dataclass(frozen=True)
class DoctorsWeek:
    days: list[date]
    rows: list[Row]
    day: date
    today: date
    now: datetime
    instant: datetime
    zone: str
    booked: int
    free: int
    outside: int
    earlier: date
    later: date
    changes: dict[date, Change]


def week(ctx: Context[Doctor], query: WeekWanted) -> DoctorsWeek:
    zone = ctx.actor.time_zone
    now = wall_clock(ctx.now, zone)
    wanted = _within_calendar(query.from_ or query.day or now.date())
    monday = wanted - timedelta(days=wanted.weekday())
    schedule = _schedule(ctx, monday, monday + timedelta(days=DAYS_OF_WEEK - 1))
    outside = _outside(ctx)
    entries = _entries(ctx, schedule, outside)
    openings = [stretch(row, zone) for row in _rows(schedule.openings)]
    days = [monday + timedelta(days=number) for number in range(DAYS_OF_WEEK)]
    on = [entry for entry in entries if any(entry.on.on(day) for day in days)]
    days = [day for day in days if day.weekday() < WORKDAYS or _is_used(day, [*(entry.on for entry in on), *openings])]
    shown = Week(
        days=days,
        entries=[replace(entry.on, what=entry) for entry in on],
        openings=openings,
        buffers=[entry.busy for entry in entries if entry.busy is not None and entry.has_buffers],
        closures=_closures(schedule, days),
    )
    return DoctorsWeek(
        days=days,
        rows=week_grid.table(shown, now),
        day=next((day for day in (query.day, query.from_, now.date()) if day in days), monday),
        today=now.date(),
        now=now,
        instant=ctx.now,
        zone=zone,
        booked=sum(len(entry.seats) for entry in on),
        free=sum(1 for entry in on if _is_offered(entry)),
        outside=len(outside),
        earlier=_within_calendar(monday - timedelta(days=DAYS_OF_WEEK)),
        later=_within_calendar(monday + timedelta(days=DAYS_OF_WEEK)),
        changes=clock_changes(days, zone),
    )


@dataclass(frozen=True)
class DoctorsDay:
    day: date
    today: date
    zone: str
    instant: datetime
    entries: list[Entry]
    hours: list[Stretch]
    closures: list[Any]
    booked: int
    free: int
    earlier: date
    later: date


def day(ctx: Context[Doctor], query: DayWanted) -> DoctorsDay:
    zone = ctx.actor.time_zone
    now = wall_clock(ctx.now, zone)
    wanted = _within_calendar(query.day or now.date())
    schedule = _schedule(ctx, wanted, wanted)
    entries = [entry for entry in _entries(ctx, schedule, _outside(ctx)) if entry.on.on(wanted)]
    return DoctorsDay(
        day=wanted,
        today=now.date(),
        zone=zone,
        instant=ctx.now,
        entries=sorted(entries, key=lambda entry: (entry.begin, entry.end)),
        hours=[stretch(row, zone, row["place"]) for row in _rows(schedule.openings)],
        closures=_rows(schedule.closures),
        booked=sum(len(entry.seats) for entry in entries),
        free=sum(1 for entry in entries if _is_offered(entry)),
        earlier=wanted - ONE_DAY,
        later=wanted + ONE_DAY,
    )


def _within_calendar(day: date) -> date:
    """Return the day, or the nearest around which all weeks have their days."""
    return min(max(day, EARLIEST_DAY + timedelta(weeks=2)), LATEST_DAY - timedelta(weeks=2))


def _schedule(ctx: Context[Doctor], first: date, last: date) -> DoctorsSchedule:
    wanted = {"from": first.isoformat(), "until": last.isoformat()}
    return schedules.show(ctx, DaysWanted.model_validate(wanted))


def _rows(listed: Sequence[Any]) -> list[Any]:
    """Return the rows of an answer, which are dicts whatever the answer's type says."""
    return list(listed)


def _outside(ctx: Context[Doctor]) -> set[int]:
    """Return the appointments ahead that are outside of the hours as they are now."""
    return {each.appointment_id for each in affected.list_all(ctx).data}


def _entries(ctx: Context[Doctor], schedule: DoctorsSchedule, outside: set[int]) -> list[Entry]:
    visits = _visits(ctx, schedule, outside)
    holds = [_entry("held", row, ctx.now, schedule.time_zone) for row in _rows(schedule.holds)]
    taken = {entry.slot_id for entry in (*visits, *holds)}
    slots = [
        _entry("free", row, ctx.now, schedule.time_zone)
        for row in _rows(schedule.published_slots)
        if row["status"] == "free" and row["slot_id"] not in taken
    ]
    return [*visits, *holds, *(_with_block(slot, (*visits, *holds)) for slot in slots)]


def _visits(ctx: Context[Doctor], schedule: DoctorsSchedule, outside: set[int]) -> list[Entry]:
    """Return the appointments, those of one group visit together."""
    visits: dict[int, Entry] = {}
    for row in _rows(schedule.appointments):
        number = row["appointment_id"]
        seat = Seat(number, row["patient_name"], row["reason"], number in outside)
        known = visits.get(row["slot_id"]) or _entry("booked", row, ctx.now, schedule.time_zone)
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


def _with_block(slot: Entry, others: Sequence[Entry]) -> Entry:
    taken = [other.busy for other in others if other.busy is not None]
    is_blocked = any(slot.on.begin < other.end and slot.on.end > other.begin for other in taken)
    return replace(slot, is_blocked=True) if is_blocked else slot


def _is_offered(entry: Entry) -> bool:
    return entry.kind == "free" and not (entry.is_blocked or entry.is_over or entry.is_now)


def _is_used(day: date, stretches: Sequence[Stretch]) -> bool:
    return any(each.on(day) for each in stretches)


def _closures(schedule: DoctorsSchedule, days: Sequence[date]) -> list[Stretch]:
    return [
        Stretch(midnight + begin * ONE_MINUTE, midnight + end * ONE_MINUTE, (row["reason"], row["of_clinic"]))
        for row in _rows(schedule.closures)
        for midnight in (datetime.combine(day, time()) for day in days)
        for begin, end in [(_minutes(row["from"], 0), _minutes(row["until"], MINUTES_OF_DAY))]
        if row["first_day"] <= midnight.date().isoformat() <= row["last_day"]
    ]


def _minutes(at: str | None, otherwise: int) -> int:
    return otherwise if at is None else 60 * int(at[:2]) + int(at[3:])
