"""A doctor's week, and one day of it to read and to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field

from src.context import Context, Doctor
from src.controllers import affected_controller as affected
from src.controllers import hours_controller as hours
from src.controllers import schedule_controller as schedules
from src.domain.wall_clock import EARLIEST_DAY, LATEST_DAY, ONE_DAY, wall_clock
from src.pages import week_grid
from src.pages.wall_spans import Change, clock_changes, stretch
from src.pages.week_entries import Entry, closures_of, entries_of, rows_of
from src.pages.week_grid import Row, Stretch, Week
from src.schemas.base import In
from src.schemas.fields import WallDate
from src.schemas.schedule import DaysWanted, DoctorsSchedule

DAYS_OF_WEEK = 7
WORKDAYS = 5


class WeekWanted(In):
    """The week that has the day `from`; a narrow screen shows one `day` of it."""

    from_: WallDate | None = Field(None, alias="from")
    day: WallDate | None = None


class DayWanted(In):
    day: WallDate | None = None


@dataclass(frozen=True)
class DoctorsWeek:
    """A week as a table; `has_hours` says whether the doctor has weekly hours at all, if the table has no rows."""

    days: list[date]
    rows: list[Row]
    day: date
    today: date
    now: datetime
    zone: str
    booked: int
    free: int
    outside: int
    has_hours: bool
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
    entries = entries_of(schedule, outside, ctx.now)
    openings = [stretch(row, zone) for row in rows_of(schedule.openings)]
    days = [monday + timedelta(days=number) for number in range(DAYS_OF_WEEK)]
    on = [entry for entry in entries if any(entry.on.on(day) for day in days)]
    days = [day for day in days if day.weekday() < WORKDAYS or _is_used(day, [*(entry.on for entry in on), *openings])]
    shown = Week(
        days=days,
        entries=[replace(entry.on, what=entry) for entry in on],
        openings=openings,
        buffers=[entry.busy for entry in entries if entry.busy is not None and entry.has_buffers],
        closures=closures_of(schedule, days),
    )
    rows = week_grid.table(shown, now)
    return DoctorsWeek(
        days=days,
        rows=rows,
        day=next((day for day in (query.day, query.from_, now.date()) if day and day in days), monday),
        today=now.date(),
        now=now,
        zone=zone,
        booked=sum(len(entry.seats) for entry in on),
        free=sum(1 for entry in on if entry.is_offered),
        outside=len(outside),
        has_hours=bool(rows or hours.show(ctx).weekly),
        earlier=_within_calendar(monday - timedelta(days=DAYS_OF_WEEK)),
        later=_within_calendar(monday + timedelta(days=DAYS_OF_WEEK)),
        changes=clock_changes(days, zone),
    )


@dataclass(frozen=True)
class DoctorsDay:
    day: date
    today: date
    zone: str
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
    entries = [entry for entry in entries_of(schedule, _outside(ctx), ctx.now) if entry.on.on(wanted)]
    return DoctorsDay(
        day=wanted,
        today=now.date(),
        zone=zone,
        entries=sorted(entries, key=lambda entry: (entry.begin, entry.end)),
        hours=[stretch(row, zone, row["place"]) for row in rows_of(schedule.openings)],
        closures=rows_of(schedule.closures),
        booked=sum(len(entry.seats) for entry in entries),
        free=sum(1 for entry in entries if entry.is_offered),
        earlier=wanted - ONE_DAY,
        later=wanted + ONE_DAY,
    )


def _within_calendar(day: date) -> date:
    """Return the day, or the nearest around which all weeks have their days."""
    return min(max(day, EARLIEST_DAY + timedelta(weeks=2)), LATEST_DAY - timedelta(weeks=2))


def _schedule(ctx: Context[Doctor], first: date, last: date) -> DoctorsSchedule:
    wanted = {"from": first.isoformat(), "until": last.isoformat()}
    return schedules.show(ctx, DaysWanted.model_validate(wanted))


def _is_used(day: date, stretches: Sequence[Stretch]) -> bool:
    return any(each.on(day) for each in stretches)


def _outside(ctx: Context[Doctor]) -> set[int]:
    """Return the appointments ahead that are outside of the hours as they are now."""
    return {each.appointment_id for each in affected.list_all(ctx).data}
