"""Doctors' weekly hours, and the revision that counts their changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from src.domain import openings as domain
from src.models import DoctorProfile, HoursException, WeeklyHours
from src.repositories import account_locks as locks

_FACTS = select(DoctorProfile.time_zone, DoctorProfile.hours_revision).where(DoctorProfile.id == bindparam("doctor_id"))


def lock(db: Connection, user_id: int, doctor_id: int, *others: int) -> Row[tuple[str | None, int]] | None:
    """Lock the doctor's account, then return (time_zone, hours_revision); None when it is deleted.

    `others` are accounts to lock with it, so that all are locked in one order.
    """
    if user_id not in locks.lock_exclusively(db, user_id, *others):
        return None
    return db.execute(_FACTS, {"doctor_id": doctor_id}).one()


# One statement, so that the revision is that of the rows.
_WEEKLY = (
    select(
        DoctorProfile.hours_revision,
        WeeklyHours.id,
        WeeklyHours.weekday,
        WeeklyHours.from_time,
        WeeklyHours.until_time,
        WeeklyHours.valid_from,
        WeeklyHours.valid_until,
        WeeklyHours.visit_types,
        WeeklyHours.place,
    )
    .outerjoin(WeeklyHours, WeeklyHours.doctor_id == DoctorProfile.id)
    .where(DoctorProfile.id == bindparam("doctor_id"))
    .order_by(WeeklyHours.weekday, WeeklyHours.from_time, WeeklyHours.id)
)


def list_weekly(db: Connection, doctor_id: int) -> tuple[int, list[Row[Any]]]:
    """Return the revision, and the rows by weekday and time."""
    rows = db.execute(_WEEKLY, {"doctor_id": doctor_id}).all()
    return rows[0].hours_revision, [row for row in rows if row.id is not None]


def replace(db: Connection, doctor_id: int, weekly: Sequence[domain.WeeklyHours]) -> int:
    """Replace all rows and return the new revision."""
    db.execute(delete(WeeklyHours).where(WeeklyHours.doctor_id == doctor_id))
    values = [vars(row) | {"doctor_id": doctor_id, "visit_types": _stored(row.visit_types)} for row in weekly]
    if values:
        db.execute(insert(WeeklyHours), values)
    return raise_revision(db, doctor_id)


def raise_revision(db: Connection, doctor_id: int) -> int:
    """Count a change of what `list_weekly` or the doctor's time zone say, and return the new revision."""
    statement = (
        update(DoctorProfile)
        .where(DoctorProfile.id == doctor_id)
        .values(hours_revision=DoctorProfile.hours_revision + 1)
        .returning(DoctorProfile.hours_revision)
    )
    return db.scalars(statement).one()


def drop_visit_type(db: Connection, doctor_id: int, visit_type_id: int) -> None:
    """Take a retired visit type out of the hours and exceptions; those that were for it alone are deleted."""
    if _drop_from(db, WeeklyHours, doctor_id, visit_type_id):
        raise_revision(db, doctor_id)
    _drop_from(db, HoursException, doctor_id, visit_type_id)


def _drop_from(db: Connection, model: type[WeeklyHours | HoursException], doctor_id: int, visit_type_id: int) -> bool:
    query = select(model.id, model.visit_types).where(model.doctor_id == doctor_id, model.visit_types.is_not(None))
    rows = [row for row in db.execute(query) if visit_type_id in row.visit_types]
    for row in rows:
        others = [other for other in row.visit_types if other != visit_type_id]
        change = update(model).values(visit_types=others) if others else delete(model)
        db.execute(change.where(model.id == row.id))
    return bool(rows)


def erase(db: Connection, doctor_id: int) -> None:
    """Delete the hours and exceptions of a doctor who leaves."""
    for model in (WeeklyHours, HoursException):
        db.execute(delete(model).where(model.doctor_id == doctor_id))


def _stored(visit_types: Collection[int] | None) -> list[int] | None:
    return None if visit_types is None else sorted(visit_types)


def as_hours(rows: Iterable[Row[Any]]) -> list[domain.WeeklyHours]:
    """Return rows of `list_weekly` as the domain knows them."""
    return [
        domain.WeeklyHours(
            row.weekday,
            row.from_time,
            row.until_time,
            row.valid_from,
            row.valid_until,
            None if row.visit_types is None else frozenset(row.visit_types),
            row.place,
        )
        for row in rows
    ]
