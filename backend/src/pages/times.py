"""The free times of a doctor: of some days, or all of one day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from src.context import Caller, Context
from src.controllers import free_times
from src.controllers import patient_controller as patients
from src.controllers import visit_type_controller as visit_types
from src.controllers.chosen_time import ChosenTime
from src.controllers.own_appointment import OwnAppointment
from src.domain.parts_of_day import HOURS, PartOfDay
from src.domain.wall_clock import LATEST_DAY, ONE_DAY, local
from src.schemas.availability import MOST_TIMES, FreeWanted
from src.schemas.base import In
from src.schemas.doctor import DoctorShown
from src.schemas.fields import QueryId, WallDate

Visitor = Context[Caller | None]
# How many days with free times a page has, how many days it looks through, and how many times of a day it shows.
DAYS_SHOWN = 5
DAYS_READ = 14
TIMES_OF_A_DAY = 10
NEAREST = 3
# The last first day, so that all days that the page looks through are in the calendar.
LATEST = LATEST_DAY - DAYS_READ * ONE_DAY


class TimesWanted(In):
    """Which times of a doctor to show: of which visit type, from which day on, or all of one day."""

    visit_type: QueryId | None = None
    from_: WallDate | None = Field(None, alias="from")
    day: WallDate | None = None


@dataclass(frozen=True)
class Day:
    """A day with free times; `more` counts those that are not shown."""

    date: str
    times: list[Any]
    more: int


@dataclass(frozen=True)
class Part:
    """The free times of a part of a day."""

    name: PartOfDay
    times: list[Any]


@dataclass(frozen=True)
class FreeTimes:
    """Some days with free times, or the parts of the one `day`.

    `visit_type` is the chosen one, or else the default type; `is_gone` says that the one that was asked for is not
    offered. If there is nothing where the reader looked, `next_day` is the first day after it that has a free time.
    """

    doctor: DoctorShown
    visit_types: list[Any]
    visit_type: Any
    is_gone: bool
    days: list[Day]
    day: date | None
    parts: list[Part]
    next_day: date | None
    earlier: date | None
    later: date | None

    def link(self, **wanted: date) -> str:
        """Return the query of this page from another day on, or of one day."""
        kept = {} if self.visit_type is None else {"visit_type": self.visit_type["id"]}
        return "?" + urlencode(kept | {name.rstrip("_"): day.isoformat() for name, day in wanted.items()})

    def link_to_day(self, day: str) -> str:
        return self.link(day=date.fromisoformat(day))


@dataclass(frozen=True)
class _Times:
    """Where to look for times: `visit_type` is None for published slots and the default type."""

    ctx: Visitor
    doctor: DoctorShown
    visit_type: Any
    moving: OwnAppointment | None

    def days(self, first: date, last: date) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return the days that have free times, each with its times."""
        return [(day, list(of_day)) for day, of_day in groupby(self._free(first, last), key=self._day_of)]

    def next_day(self, first: date) -> date | None:
        """Return the first day on or after `first` that has a free time."""
        # One of two may be the appointment's own time.
        free = self._free(first, LATEST_DAY, limit=2)
        return date.fromisoformat(self._day_of(free[0])) if free else None

    def _free(self, first: date, last: date, limit: int = MOST_TIMES) -> list[dict[str, Any]]:
        visit_type_id = None if self.visit_type is None else self.visit_type["id"]
        days = {"from": first.isoformat(), "until": last.isoformat()}
        wanted = FreeWanted.model_validate({"visit_type": visit_type_id, "limit": limit, **days})
        moving = 0 if self.moving is None else self.moving.details.appointment_id
        rows: Any = free_times.page(self.ctx, self.doctor.id, wanted, moving).data
        return [row for row in rows if self.moving is None or row["slot_id"] != self.moving.slot_id]

    def _day_of(self, row: dict[str, Any]) -> str:
        """Return the day in the doctor's present zone; a slot may be from before a change of zone."""
        if row["time_zone"] == self.doctor.time_zone:
            return row["date"]
        return local(datetime.fromisoformat(row["starts_at"]), self.doctor.time_zone).date().isoformat()


def find(ctx: Visitor, doctor_id: int, query: TimesWanted, moving: OwnAppointment | None = None) -> FreeTimes:
    """Return what the query asks for; whoever moves an appointment is shown its visit type first."""
    doctor = patients.show_doctor(ctx, doctor_id)
    types: list[Any] = visit_types.list_for_patients(ctx, doctor_id).data
    wanted = query.visit_type or (moving.visit_type_id if moving is not None else None)
    default = next((each for each in types if each["is_default"]), None)
    chosen = next((each for each in types if each["id"] == wanted), default)
    source = _Times(ctx, doctor, None if chosen is default else chosen, moving)
    today, day = local(ctx.now, doctor.time_zone).date(), query.day and min(query.day, LATEST)
    shown = _some_days(source, query.from_, today) if day is None else _one_day(source, day)
    is_gone = query.visit_type is not None and query.visit_type not in {each["id"] for each in types}
    return FreeTimes(doctor=doctor, visit_types=types, visit_type=chosen, is_gone=is_gone, day=day, **shown)


def _some_days(source: _Times, wanted: date | None, today: date) -> dict[str, Any]:
    first = min(max(wanted or today, today), LATEST)
    next_day = None
    days = source.days(first, _last(first))
    if not days:
        next_day = source.next_day(first)
        days = [] if next_day is None else source.days(next_day, _last(next_day))
    shown = [Day(day, rows[:TIMES_OF_A_DAY], max(0, len(rows) - TIMES_OF_A_DAY)) for day, rows in days[:DAYS_SHOWN]]
    begin = date.fromisoformat(shown[0].date) if shown else first
    return {
        "days": shown,
        "parts": [],
        "next_day": next_day,
        "earlier": max(today, begin - 7 * ONE_DAY) if first > today else None,
        "later": date.fromisoformat(shown[-1].date) + ONE_DAY if shown else None,
    }


def _one_day(source: _Times, day: date) -> dict[str, Any]:
    rows = [row for _, of_day in source.days(day, day) for row in of_day]
    return {
        "days": [],
        "parts": list(_parts(rows)),
        "next_day": None if rows else source.next_day(day + ONE_DAY),
        "earlier": None,
        "later": None,
    }


def _parts(rows: list[dict[str, Any]]) -> Iterator[Part]:
    for name, (first, last) in HOURS.items():
        of_part = [row for row in rows if first <= int(row["start_time"][:2]) <= last]
        if of_part:
            yield Part(name, of_part)


def nearest(ctx: Visitor, doctor: DoctorShown, time: ChosenTime, moving: OwnAppointment | None = None) -> list[Any]:
    """Return the free times that are nearest to one that has gone, by time."""
    kind = None if time.visit_type_id is None else {"id": time.visit_type_id}
    today = local(ctx.now, doctor.time_zone).date()
    first = max(date.fromisoformat(time.span["date"]) - ONE_DAY, today)
    rows = [row for _, of_day in _Times(ctx, doctor, kind, moving).days(first, _last(first)) for row in of_day]
    wanted = datetime.fromisoformat(time.span["starts_at"])
    rows.sort(key=lambda row: abs(datetime.fromisoformat(row["starts_at"]) - wanted))
    return sorted(rows[:NEAREST], key=lambda row: datetime.fromisoformat(row["starts_at"]))


def _last(first: date) -> date:
    """Return the last of the days that a page looks through."""
    return first + (DAYS_READ - 1) * ONE_DAY
