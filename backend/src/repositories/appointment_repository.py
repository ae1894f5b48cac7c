"""Appointments and their history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from src.database.statements import limited
from src.domain.appointment_filter import AppointmentFilter, Place
from src.domain.wall_clock import wall_clock
from src.models import Appointment, AppointmentEvent, DoctorProfile, User
from src.models.appointment import BOOKED, CANCELLED
from src.models.base import Id, Instant

# Every id is smaller: a page without a cursor uses it as `before`.
LARGEST_ID = 2**63 - 1

DoctorUser = aliased(User, name="doctor_users")
PatientUser = aliased(User, name="patient_users")

_FULL = (
    select(
        Appointment.id,
        Appointment.patient_id,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.wall_start,
        Appointment.wall_end,
        Appointment.time_zone,
        Appointment.status,
        DoctorProfile.user_id.label("doctor_user_id"),
        DoctorUser.name.label("doctor_name"),
        PatientUser.name.label("patient_name"),
    )
    .join(DoctorProfile, DoctorProfile.id == Appointment.doctor_id)
    .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    .join(PatientUser, PatientUser.id == Appointment.patient_id)
    .where(Appointment.id == bindparam("appointment_id"))
)


def find_full(db: Connection, appointment_id: int) -> Row[Any] | None:
    """Return an appointment with the names and account ids of both people."""
    return db.execute(_FULL, {"appointment_id": appointment_id}).one_or_none()


def history(db: Connection, appointment_id: int) -> list[Row[tuple[str, datetime, str]]]:
    """Return (event, at, name of who did it), oldest first."""
    query = (
        select(AppointmentEvent.event, AppointmentEvent.at, User.name)
        .join(User, User.id == AppointmentEvent.actor_id)
        .where(AppointmentEvent.appointment_id == appointment_id)
        .order_by(AppointmentEvent.id)
    )
    return list(db.execute(query))


# `other_name` is the doctor's name in a patient's list, and the patient's name in a doctor's list.


def _for_patient(shown: Any = Appointment) -> Select[Any]:
    return (
        select(*_listed(shown), DoctorUser.name.label("other_name"))
        .join(DoctorProfile, DoctorProfile.id == shown.doctor_id)
        .join(DoctorUser, DoctorUser.id == DoctorProfile.user_id)
    )


def _for_doctor(shown: Any = Appointment) -> Select[Any]:
    # One index lookup for each row. For a join, the planner may expect so many patients that it scans all accounts.
    name = select(PatientUser.name).where(PatientUser.id == shown.patient_id).scalar_subquery()
    return select(*_listed(shown), name.label("other_name"))


def _listed(shown: Any) -> tuple[Any, ...]:
    span = (shown.starts_at, shown.ends_at, shown.wall_start, shown.wall_end, shown.time_zone)
    return (shown.id, *span, shown.status)


# Hides the id from the planner. For the id of somebody with many appointments, PostgreSQL otherwise scans everybody's
# newest rows, expecting one of this person's soon; where this person's are all old, it reads a million rows first.
_hidden_id = select(bindparam("of", type_=Id)).scalar_subquery()


def _page(
    of: InstrumentedAttribute[int],
    other: InstrumentedAttribute[int],
    with_name: Callable[[Any], Select[Any]],
    most: int,
) -> Select[Any]:
    """Return a page, newest first. The index scan starts at the id `before`, so new rows do not shift later pages.

    The limit is in a subquery, below the joins: otherwise PostgreSQL joins all rows before it applies the limit.
    """
    newest = (
        select(*_listed(Appointment), other)
        .where(of == _hidden_id, Appointment.id < bindparam("before"))
        .order_by(Appointment.id.desc())
    )
    shown = aliased(Appointment, limited(newest, most).subquery())
    return with_name(shown).order_by(shown.id.desc())


@lru_cache(maxsize=1024)
def _page_of_patient(most: int) -> Select[Any]:
    return _page(Appointment.patient_id, Appointment.doctor_id, _for_patient, most)


@lru_cache(maxsize=1024)
def _page_of_doctor(most: int) -> Select[Any]:
    return _page(Appointment.doctor_id, Appointment.patient_id, _for_doctor, most)


# How many rows more than the page needs a query reads: those that start on the day before or after the days that are
# wanted, in another zone, are left out afterwards.
SPARE = 50


def _by_start(
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
    begin = tuple_(_hidden_id, bindparam("begin", type_=Instant()), bindparam("after_id", type_=Id))

    def part(status: ColumnElement[str]) -> Select[Any]:
        following = (
            select(*_listed(Appointment), of, other)
            .where(Appointment.status == status, tuple_(of, Appointment.starts_at, Appointment.id) > begin)
            .order_by(of, Appointment.starts_at, Appointment.id)
        )
        row = limited(following, most).subquery().c
        return select(*row).where(row[of.key] == _hidden_id, row.starts_at < bindparam("end", type_=Instant()))

    if stored is not None:
        page = part(stored).subquery()
    else:
        both = union_all(part(BOOKED), part(CANCELLED)).subquery()
        page = limited(select(both).order_by(both.c.starts_at, both.c.id), most).subquery()
    shown = aliased(Appointment, page)
    return with_name(shown).order_by(shown.starts_at, shown.id)


@lru_cache(maxsize=1024)
def _by_start_of_patient(stored: str | None, most: int) -> Select[Any]:
    return _by_start(Appointment.patient_id, Appointment.doctor_id, _for_patient, _STORED.get(stored), most)


@lru_cache(maxsize=1024)
def _by_start_of_doctor(stored: str | None, most: int) -> Select[Any]:
    return _by_start(Appointment.doctor_id, Appointment.patient_id, _for_doctor, _STORED.get(stored), most)


_STORED: dict[str | None, ColumnElement[str]] = {"booked": BOOKED, "cancelled": CANCELLED}


def _next(query: Select[Any]) -> Select[Any]:
    ahead = query.where(Appointment.status == BOOKED, Appointment.starts_at > bindparam("now"))
    return limited(ahead.order_by(Appointment.starts_at), 1)


_NEXT_OF_PATIENT = _next(_for_patient().where(Appointment.patient_id == bindparam("of")))
_NEXT_OF_DOCTOR = _next(_for_doctor().where(Appointment.doctor_id == bindparam("of")))
_OF_DOCTOR_BETWEEN = (
    _for_doctor()
    .where(
        Appointment.doctor_id == bindparam("of"),
        Appointment.status == BOOKED,
        Appointment.starts_at >= bindparam("begin"),
        Appointment.starts_at < bindparam("end"),
    )
    .order_by(Appointment.starts_at)
)


def list_of_patient(db: Connection, patient_id: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return a page of a patient's appointments, newest booking first."""
    return db.execute(_page_of_patient(limit), {"of": patient_id, "before": before or LARGEST_ID}).all()


def list_of_doctor(db: Connection, doctor_id: int, *, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return a page of a doctor's appointments, newest booking first."""
    return db.execute(_page_of_doctor(limit), {"of": doctor_id, "before": before or LARGEST_ID}).all()


def list_of_patient_by_start(
    db: Connection, patient_id: int, wanted: AppointmentFilter, after: Place | None, limit: int, now: datetime
) -> Sequence[Row[Any]]:
    """Return a page of the patient's appointments that are wanted, the earliest start first."""
    return _matching(db, _by_start_of_patient, patient_id, wanted, after, limit, now)


def list_of_doctor_by_start(
    db: Connection, doctor_id: int, wanted: AppointmentFilter, after: Place | None, limit: int, now: datetime
) -> Sequence[Row[Any]]:
    """Return a page of the doctor's appointments that are wanted, the earliest start first."""
    return _matching(db, _by_start_of_doctor, doctor_id, wanted, after, limit, now)


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


def list_of_doctor_between(db: Connection, doctor_id: int, begin: datetime, end: datetime) -> Sequence[Row[Any]]:
    """Return the booked appointments of a doctor that begin in [begin, end), by time."""
    return db.execute(_OF_DOCTOR_BETWEEN, {"of": doctor_id, "begin": begin, "end": end}).all()


def next_of_doctor(db: Connection, doctor_id: int, now: datetime) -> Row[Any] | None:
    return db.execute(_NEXT_OF_DOCTOR, {"of": doctor_id, "now": now}).one_or_none()


def next_of_patient(db: Connection, patient_id: int, now: datetime) -> Row[Any] | None:
    return db.execute(_NEXT_OF_PATIENT, {"of": patient_id, "now": now}).one_or_none()


def count_of_patient(db: Connection, patient_id: int) -> int:
    """Count a patient's appointments, cancelled ones included."""
    return db.scalars(select(func.count()).where(Appointment.patient_id == patient_id)).one()


def count_ahead_of_patient(db: Connection, patient_id: int, now: datetime) -> int:
    """Count a patient's booked appointments that are ahead."""
    query = select(func.count()).where(
        Appointment.patient_id == patient_id, Appointment.status == BOOKED, Appointment.starts_at > now
    )
    return db.scalars(query).one()
