"""From a doctor to a time to an appointment: what anybody sees, and what a patient confirms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from src.context import Caller, Context
from src.controllers import availability_controller as availability
from src.controllers import chosen_time
from src.controllers import patient_controller as patients
from src.controllers import search_controller as searches
from src.controllers import visit_type_controller as visit_types
from src.controllers.chosen_time import ChosenTime
from src.domain.wall_clock import LATEST_DAY, local
from src.schemas.availability import FreeWanted
from src.schemas.base import In
from src.schemas.doctor import DoctorShown, DoctorsWanted
from src.schemas.fields import QueryId, WallDate
from src.schemas.search import SlotsWanted

Visitor = Context[Caller | None]
# How many days with free times a page has, how many days it looks through, and how many times of a day it shows.
DAYS_SHOWN = 5
DAYS_READ = 14
TIMES_OF_A_DAY = 10
NEAREST = 3


@dataclass(frozen=True)
class DoctorsFound:
    doctors: list[Any]


def doctors(ctx: Visitor, query: DoctorsWanted) -> DoctorsFound:
    wanted = query.model_copy(update={"next_available": True})
    return DoctorsFound(patients.list_doctors(ctx, wanted).data)


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
class FreeTimes:
    doctor: DoctorShown
    visit_types: list[Any]
    visit_type_id: int | None
    days: list[Day]
    earlier: date | None
    later: date | None

    def link(self, first: date) -> str:
        """Return the query of this page from another day on."""
        kept = {} if self.visit_type_id is None else {"visit_type": self.visit_type_id}
        return "?" + urlencode(kept | {"from": first.isoformat()})


def times(ctx: Visitor, doctor_id: int, query: TimesWanted) -> FreeTimes:
    doctor = patients.show_doctor(ctx, doctor_id)
    types: list[Any] = visit_types.list_for_patients(ctx, doctor_id).data
    today = local(ctx.now, doctor.time_zone).date()
    first = max(query.from_ or today, today)
    days = _days(ctx, doctor, query.visit_type, first)
    if not days:
        following = _first_day(ctx, doctor, query.visit_type, types, first)
        days = [] if following is None else _days(ctx, doctor, query.visit_type, following)
    shown = [Day(day, rows[:TIMES_OF_A_DAY], max(0, len(rows) - TIMES_OF_A_DAY)) for day, rows in days[:DAYS_SHOWN]]
    begin = date.fromisoformat(shown[0].date) if shown else first
    return FreeTimes(
        doctor=doctor,
        visit_types=types,
        visit_type_id=query.visit_type,
        days=shown,
        earlier=max(today, begin - timedelta(days=7)) if begin > today else None,
        later=date.fromisoformat(shown[-1].date) + timedelta(days=1) if shown else None,
    )


def _days(
    ctx: Visitor, doctor: DoctorShown, visit_type_id: int | None, first: date
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the days of two weeks that have free times, each with its times."""
    last = min(first + timedelta(days=DAYS_READ - 1), LATEST_DAY)
    wanted = {"visit_type": visit_type_id, "from": first.isoformat(), "until": last.isoformat()}
    rows: Any = availability.free_slots(ctx, doctor.id, FreeWanted.model_validate(wanted)).data
    return [(day, list(of_day)) for day, of_day in groupby(rows, key=lambda row: row["date"])]


def _first_day(
    ctx: Visitor, doctor: DoctorShown, visit_type_id: int | None, types: list[Any], first: date
) -> date | None:
    """Return the first day on or after `first` that has a free time."""
    name = next((each["name"] for each in types if each["id"] == visit_type_id), None)
    wanted = {"doctor_id": doctor.id, "visit_type": name, "from": first.isoformat(), "limit": 1}
    rows: Any = searches.search(ctx, SlotsWanted.model_validate(wanted)).data
    return date.fromisoformat(rows[0]["date"]) if rows else None


@dataclass(frozen=True)
class Choice:
    """A chosen time; `nearest` are the free times around it if it has gone."""

    doctor: DoctorShown
    time: ChosenTime
    visit_type: str | None
    nearest: list[Any]


def confirm(ctx: Visitor, doctor_id: int, slot_id: int) -> Choice:
    doctor = patients.show_doctor(ctx, doctor_id)
    time = chosen_time.find(ctx, doctor, slot_id)
    types: list[Any] = visit_types.list_for_patients(ctx, doctor_id).data
    name = next((each["name"] for each in types if each["id"] == time.visit_type_id), None)
    return Choice(doctor, time, name, [] if time.can_book else _nearest(ctx, doctor, time))


def _nearest(ctx: Visitor, doctor: DoctorShown, time: ChosenTime) -> list[Any]:
    """Return the free times that are nearest to one that has gone, by time."""
    first = max(date.fromisoformat(time.span["date"]) - timedelta(days=1), local(ctx.now, doctor.time_zone).date())
    days = _days(ctx, doctor, time.visit_type_id, first)
    rows = [row for _, of_day in days for row in of_day]
    wanted = datetime.fromisoformat(time.span["starts_at"])
    rows.sort(key=lambda row: abs(datetime.fromisoformat(row["starts_at"]) - wanted))
    return sorted(rows[:NEAREST], key=lambda row: datetime.fromisoformat(row["starts_at"]))
