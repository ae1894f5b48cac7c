"""Lists of appointments by their start, of given days and of one status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from src.database.statements import limited
from src.domain.appointment_filter import AppointmentFilter, Place
from src.domain.wall_clock import wall_clock
from src.models import Appointment
from src.models.appointment import BOOKED, CANCELLED
from src.models.base import Id, Instant
from src.repositories.appointment_repository import HIDDEN_ID, for_doctor, for_patient, listed

# How many rows more than the page needs a query reads: those that start on the day before or after the days that are
# wanted, in another zone, are left out afterwards.
SPARE = 50


def _query(
    of: InstrumentedAttribute[int],
    other: InstrumentedAttribute[int],
    with_name: Callable[[Any], Select[Any]],
    stored: ColumnElement[str] | None,
    most: int,
) -> Select[Any]:
    """Return a page by start, of the appointments with one stored status or, for None, with any.

    Each status has its own partial index. The query takes from an index as many rows as a page has, beginning at the
    person's first row, and then drops those of the next person. With `of = …` below the limit, PostgreSQL expects few
    rows, takes all of the person's from another index, and sorts them. For any status, the query merges two pages.
    """
    begin = tuple_(HIDDEN_ID, bindparam("begin", type_=Instant()), bindparam("after_id", type_=Id))

    def part(status: ColumnElement[str]) -> Select[Any]:
        following = (
            select(*listed(Appointment), of, other)
            .where(Appointment.status == status, tuple_(of, Appointment.starts_at, Appointment.id) > begin)
            .order_by(of, Appointment.starts_at, Appointment.id)
        )
        row = limited(following, most).subquery().c
        return select(*row).where(row[of.key] == HIDDEN_ID, row.starts_at < bindparam("end", type_=Instant()))

    if stored is not None:
        page = part(stored).subquery()
    else:
        both = union_all(part(BOOKED), part(CANCELLED)).subquery()
        page = limited(select(both).order_by(both.c.starts_at, both.c.id), most).subquery()
    shown = aliased(Appointment, page)
    return with_name(shown).order_by(shown.starts_at, shown.id)


@lru_cache(maxsize=1024)
def _query_of_patient(stored: str | None, most: int) -> Select[Any]:
    return _query(Appointment.patient_id, Appointment.doctor_id, for_patient, _STORED.get(stored), most)


@lru_cache(maxsize=1024)
def _query_of_doctor(stored: str | None, most: int) -> Select[Any]:
    return _query(Appointment.doctor_id, Appointment.patient_id, for_doctor, _STORED.get(stored), most)


_STORED: dict[str | None, ColumnElement[str]] = {"booked": BOOKED, "cancelled": CANCELLED}


def of_patient(
    db: Connection, patient_id: int, wanted: AppointmentFilter, after: Place | None, limit: int, now: datetime
) -> Sequence[Row[Any]]:
    """Return a page of the patient's appointments that are wanted, the earliest start first."""
    return _matching(db, _query_of_patient, patient_id, wanted, after, limit, now)


def of_doctor(
    db: Connection, doctor_id: int, wanted: AppointmentFilter, after: Place | None, limit: int, now: datetime
) -> Sequence[Row[Any]]:
    """Return a page of the doctor's appointments that are wanted, the earliest start first."""
    return _matching(db, _query_of_doctor, doctor_id, wanted, after, limit, now)


def _matching(
    db: Connection,
    query_of: Callable[[str | None, int], Select[Any]],
    of: int,
    wanted: AppointmentFilter,
    after: Place | None,
    limit: int,
    now: datetime,
) -> Sequence[Row[Any]]:
    begin, end = wanted.starts(now)
    most = limit + SPARE
    query = query_of(wanted.stored_status, most)
    found: list[Row[Any]] = []
    while True:
        start = begin if after is None else max(begin, after.starts_at)
        after_id = after.id if after is not None and after.starts_at == start else 0
        rows = db.execute(query, {"of": of, "begin": start, "end": end, "after_id": after_id}).all()
        found += [row for row in rows if _matches(row, wanted, now)]
        if len(rows) < most or len(found) >= limit:
            return found[:limit]
        after = Place(rows[-1].starts_at, rows[-1].id)


def _matches(row: Row[Any], wanted: AppointmentFilter, now: datetime) -> bool:
    wall_start = row.wall_start or wall_clock(row.starts_at, row.time_zone)
    return wanted.matches(row.status, row.starts_at, row.ends_at, wall_start, now)
