"""What can be booked next, of many doctors at once: published slots and computed times, the earliest first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from src.domain import minutes, parts_of_day
from src.domain.parts_of_day import PartOfDay
from src.domain.wall_clock import ONE_DAY
from src.repositories import offered
from src.repositories.booking_sql import typed
from src.repositories.free_times_repository import LONGEST_HORIZON
from src.repositories.search_statement import Sought, search_statement


def next_of_doctors(
    db: Connection,
    doctor_ids: Sequence[int],
    me: int,
    now: datetime,
    clinic_zone: str,
    *,
    visit_type: str | None = None,
    of_each: int = 1,
) -> dict[int, list[Row[Any]]]:
    """Return by doctor what begins the list of those who have anything that `me` can book: `of_each` rows at most.

    With the name of a visit type, they are times of that. A row has the columns that `search` returns, but for those
    that are the doctor's.
    """
    sought = Sought(doctors=True, by_type=visit_type is not None)
    values = _values(now, me, clinic_zone, Criteria(visit_type=visit_type)) | {"doctors": json.dumps(list(doctor_ids))}
    found: dict[int, list[Row[Any]]] = {}
    for row in db.execute(search_statement(db.dialect.name, sought, None, of_each), values):
        of_doctor = found.setdefault(row.doctor_id, [])
        if len(of_doctor) < of_each:
            of_doctor.append(row)
    return found


@dataclass(frozen=True)
class Criteria:
    """What is sought; None is no condition. The days are of each doctor's own calendar, and the last is included."""

    doctor_id: int | None = None
    specialization: str | None = None
    visit_type: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    part_of_day: PartOfDay | None = None


def search(
    db: Connection,
    criteria: Criteria,
    me: int,
    now: datetime,
    clinic_zone: str,
    *,
    after: tuple[int, int] | None,
    most: int,
) -> Sequence[Row[Any]]:
    """Return the first times that `me` can book after the minute and id `after`, by minute and id.

    A row has minute, slot_id, visit_type_id and visit_type (None for a published slot), minutes, seats_left, place,
    starts_at, ends_at, wall_start and wall_end (None for a computed time), time_zone, doctor_id, doctor_name,
    designation and specialization.
    """
    sought = Sought(
        doctor=criteria.doctor_id is not None,
        specialization=criteria.specialization is not None,
        by_type=criteria.visit_type is not None,
        days=criteria.first_day is not None or criteria.last_day is not None,
        last_day=criteria.last_day is not None,
        part=criteria.part_of_day is not None,
    )
    values = _values(now, me, clinic_zone, criteria, after)
    if criteria.part_of_day is not None:
        values |= _values_of_part(db, criteria.part_of_day, now, clinic_zone)
    return db.execute(search_statement(db.dialect.name, sought, most), values).all()


def _values(
    now: datetime,
    me: int,
    clinic_zone: str,
    criteria: Criteria | None = None,
    after: tuple[int, int] | None = None,
) -> dict[str, Any]:
    criteria = criteria or Criteria()
    this_minute = minutes.minute_of(now)
    begin, end = this_minute, this_minute + LONGEST_HORIZON
    values = vars(criteria) | {
        "clinic_zone": clinic_zone,
        "first_day": criteria.first_day or date.min,
        "last_day": criteria.last_day or date.max,
    }
    # No zone's day begins more than a day before that of UTC, or ends more than a day after it.
    if criteria.first_day is not None:
        begin = max(begin, _midnight(criteria.first_day) - minutes.MINUTES_OF_DAY)
    if criteria.last_day is not None:
        until = _midnight(criteria.last_day) + 2 * minutes.MINUTES_OF_DAY
        end = min(end, until)
        values["end"] = minutes.instant_of_minute(until)
    after_minute, after_id = after or (0, 0)
    values |= {
        "begin": minutes.instant_of_minute(max(begin, after_minute)),
        "following": minutes.instant_of_minute(after_minute + 1 if after else begin),
    }
    return offered.values(now, begin, end, me=me, after_minute=after_minute, after_id=after_id) | values


def _midnight(day: date) -> int:
    return (day.toordinal() - minutes.EPOCH.toordinal()) * minutes.MINUTES_OF_DAY


_ZONES = typed("SELECT DISTINCT coalesce(time_zone, :clinic_zone) FROM doctors")


def _values_of_part(db: Connection, part: PartOfDay, now: datetime, clinic_zone: str) -> dict[str, Any]:
    first_hour, last_hour = parts_of_day.HOURS[part]
    first = now.date() - ONE_DAY
    last = first + LONGEST_HORIZON * minutes.ONE_MINUTE + 2 * ONE_DAY
    zones = db.scalars(_ZONES, {"clinic_zone": clinic_zone})
    parts = json.dumps({zone: parts_of_day.ends(zone, part, first, last) for zone in zones})
    return {"first_hour": first_hour, "last_hour": last_hour, "parts_from": first, "parts": parts}
