"""Exceptions to weekly hours: of a doctor, and closures of the whole clinic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, tuple_

from src.database.statements import limited
from src.domain import openings as domain
from src.domain.missing_hours import Known
from src.models import HoursException
from src.models.base import Id

_COLUMNS = select(
    HoursException.id,
    HoursException.doctor_id,
    HoursException.kind,
    HoursException.first_day,
    HoursException.last_day,
    HoursException.from_time,
    HoursException.until_time,
    HoursException.visit_types,
    HoursException.place,
    HoursException.reason,
)
_AHEAD = _COLUMNS.where(
    or_(HoursException.doctor_id == bindparam("doctor_id"), HoursException.doctor_id.is_(None)),
    HoursException.last_day >= bindparam("day"),
)
_ALL_AHEAD = _AHEAD.order_by(HoursException.id)
_BETWEEN = _ALL_AHEAD.where(HoursException.first_day <= bindparam("last_day"))
_PAGE = _AHEAD.where(
    tuple_(HoursException.first_day, HoursException.id)
    > tuple_(bindparam("after_day", type_=HoursException.first_day.type), bindparam("after_id", type_=Id))
).order_by(HoursException.first_day, HoursException.id)


def list_page(db: Connection, doctor_id: int, day: date, after: tuple[date, int], limit: int) -> Sequence[Row[Any]]:
    """Return what has not ended before `day`, by the first day, and follows the place `after`: (first day, id)."""
    values = {"doctor_id": doctor_id, "day": day, "after_day": after[0], "after_id": after[1]}
    return db.execute(limited(_PAGE, limit), values).all()


def find_of_doctor(db: Connection, exception_id: int, doctor_id: int) -> Row[Any] | None:
    """Return an exception; None if the doctor has none with this id, as of a closure of the clinic."""
    query = _COLUMNS.where(HoursException.id == exception_id, HoursException.doctor_id == doctor_id)
    return db.execute(query).one_or_none()


def list_ahead(db: Connection, doctor_id: int, day: date) -> list[domain.HoursException]:
    """Return the doctor's and the clinic's exceptions that have not ended before `day`, in the order of their ids."""
    return [_as_exception(row) for row in db.execute(_ALL_AHEAD, {"doctor_id": doctor_id, "day": day})]


def list_between(db: Connection, doctor_id: int, first: date, last: date) -> list[Known]:
    """Return those of both that apply on a day from `first` to `last`, in the same order."""
    rows = db.execute(_BETWEEN, {"doctor_id": doctor_id, "day": first, "last_day": last})
    return [Known(row.id, row.doctor_id is None, _as_exception(row)) for row in rows]


_CLOSURES = _AHEAD.where(HoursException.kind == "closed", HoursException.first_day <= bindparam("last_day")).order_by(
    HoursException.first_day, HoursException.id
)


def list_closures(db: Connection, doctor_id: int, first: date, last: date) -> Sequence[Row[Any]]:
    """Return the closures of the doctor and of the clinic that apply on any day from `first` to `last`."""
    return db.execute(_CLOSURES, {"doctor_id": doctor_id, "day": first, "last_day": last}).all()


def count_ahead(db: Connection, doctor_id: int, day: date) -> int:
    """Count the doctor's own exceptions that have not ended before `day`."""
    query = select(func.count()).where(HoursException.doctor_id == doctor_id, HoursException.last_day >= day)
    return db.scalars(query).one()


def add(db: Connection, doctor_id: int, exception: domain.HoursException, reason: str | None, now: datetime) -> int:
    """Add an exception and return its id."""
    statement = insert(HoursException).values(
        doctor_id=doctor_id,
        kind="closed" if exception.is_closed else "extra",
        first_day=exception.first_day,
        last_day=exception.last_day,
        from_time=exception.from_time,
        until_time=exception.until_time,
        visit_types=None if exception.visit_types is None else sorted(exception.visit_types),
        place=exception.place,
        reason=reason,
        created_at=now,
    )
    return db.scalars(statement.returning(HoursException.id)).one()


def delete_of_doctor(db: Connection, exception_id: int, doctor_id: int) -> bool:
    """Delete an exception; False if the doctor has none with this id, as of a closure of the clinic."""
    statement = delete(HoursException).where(HoursException.id == exception_id, HoursException.doctor_id == doctor_id)
    return db.execute(statement).rowcount > 0


def _as_exception(row: Row[Any]) -> domain.HoursException:
    return domain.HoursException(
        row.kind == "closed",
        row.first_day,
        row.last_day,
        row.from_time,
        row.until_time,
        None if row.visit_types is None else frozenset(row.visit_types),
        row.place,
    )
