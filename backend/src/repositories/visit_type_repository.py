"""Visit types and their versions. Writers have locked the doctor's account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, exists, func, insert, select, text, update

from src.database.statements import limited
from src.models import VisitType, VisitTypeVersion

OF_VERSION = ("minutes", "buffer_before", "buffer_after", "step")
FIRST_TYPE = {"name": "Consultation", "minutes": 30, "buffer_before": 0, "buffer_after": 0, "step": 30}
# SQLite uses the index on current versions only for this very condition.
IS_CURRENT = text("visit_type_versions.is_current")

_WITH_VERSION = (
    select(
        VisitType.id,
        VisitType.name,
        VisitType.description,
        VisitType.minimum_notice,
        VisitType.horizon,
        VisitType.most_per_day,
        VisitType.capacity,
        VisitType.booked_by,
        VisitType.place,
        VisitType.is_default,
        VisitTypeVersion.minutes,
        VisitTypeVersion.buffer_before,
        VisitTypeVersion.buffer_after,
        VisitTypeVersion.step,
    )
    .join(VisitTypeVersion, and_(VisitTypeVersion.visit_type_id == VisitType.id, IS_CURRENT))
    .where(VisitType.doctor_id == bindparam("doctor_id"))
    .order_by(VisitType.id)
)
_LIVING = _WITH_VERSION.where(VisitType.retired_at.is_(None))
_FOR_PATIENTS = _LIVING.where(VisitType.booked_by == "patients")


def list_living(db: Connection, doctor_id: int) -> Sequence[Row[Any]]:
    """Return the doctor's visit types that are not retired, each with its current version, by id."""
    return db.execute(_LIVING, {"doctor_id": doctor_id}).all()


def list_retired(db: Connection, doctor_id: int, limit: int) -> Sequence[Row[Any]]:
    """Return the doctor's retired visit types, each with its last version and `retired_at`, by id."""
    query = _WITH_VERSION.add_columns(VisitType.retired_at).where(VisitType.retired_at.is_not(None))
    return db.execute(limited(query, limit), {"doctor_id": doctor_id}).all()


def list_for_patients(db: Connection, doctor_id: int) -> Sequence[Row[Any]]:
    """Return those of `list_living` that patients may book."""
    return db.execute(_FOR_PATIENTS, {"doctor_id": doctor_id}).all()


_NAMES = select(VisitType.name).where(VisitType.retired_at.is_(None), VisitType.booked_by == "patients").distinct()


def names_for_patients(db: Connection) -> Sequence[str]:
    """Return the names of all visit types that patients may book, in no order."""
    return db.scalars(_NAMES).all()


def has_for_patients(doctor_id: Any, name: str) -> ColumnElement[bool]:
    """Return the condition that the doctor has a visit type of this name that patients may book, in any letter case."""
    return exists().where(
        VisitType.doctor_id == doctor_id,
        VisitType.retired_at.is_(None),
        VisitType.booked_by == "patients",
        func.lower(VisitType.name) == func.lower(name),
    )


def is_bookable(db: Connection, doctor_id: int, visit_type_id: int) -> bool:
    """Say whether patients may book this visit type of the doctor."""
    query = _FOR_PATIENTS.where(VisitType.id == visit_type_id)
    return db.execute(query, {"doctor_id": doctor_id}).one_or_none() is not None


def count_living(db: Connection, doctor_id: int) -> int:
    query = select(func.count()).where(VisitType.doctor_id == doctor_id, VisitType.retired_at.is_(None))
    return db.scalars(query).one()


def any_exist(db: Connection, doctor_id: int) -> bool:
    """Say whether the doctor has any visit types, retired ones included."""
    return db.scalars(select(exists(select(VisitType.id).where(VisitType.doctor_id == doctor_id)))).one()


def add_first(db: Connection, doctor_id: int, now: datetime) -> None:
    """Add the visit type that every new doctor has."""
    add(db, doctor_id, FIRST_TYPE, now)


def add(db: Connection, doctor_id: int, values: dict[str, Any], now: datetime) -> int:
    """Add a visit type with its first version, and return its id."""
    version, values = _divided(values)
    if values.get("is_default"):
        _unset_default(db, doctor_id)
    statement = insert(VisitType).values(doctor_id=doctor_id, created_at=now, **values).returning(VisitType.id)
    visit_type_id = db.scalars(statement).one()
    db.execute(insert(VisitTypeVersion).values(visit_type_id=visit_type_id, **version))
    return visit_type_id


def replace(db: Connection, doctor_id: int, visit_type_id: int, values: dict[str, Any]) -> bool:
    """Change a living visit type; False if the doctor has none with this id."""
    version, values = _divided(values)
    query = _LIVING.where(VisitType.id == visit_type_id)
    old = db.execute(query, {"doctor_id": doctor_id}).one_or_none()
    if old is None:
        return False
    if values["is_default"]:
        _unset_default(db, doctor_id)
    db.execute(update(VisitType).where(VisitType.id == visit_type_id).values(**values))
    if any(getattr(old, name) != value for name, value in version.items()):
        current = update(VisitTypeVersion).where(VisitTypeVersion.visit_type_id == visit_type_id, IS_CURRENT)
        db.execute(current.values(is_current=False))
        db.execute(insert(VisitTypeVersion).values(visit_type_id=visit_type_id, **version))
    return True


def retire(db: Connection, doctor_id: int, visit_type_id: int, now: datetime) -> bool:
    """Retire a visit type; False if the doctor has no living one with this id."""
    statement = (
        update(VisitType)
        .where(VisitType.id == visit_type_id, VisitType.doctor_id == doctor_id, VisitType.retired_at.is_(None))
        .values(retired_at=now, is_default=False)
    )
    return db.execute(statement).rowcount > 0


def retire_all(db: Connection, doctor_id: int, now: datetime) -> None:
    statement = update(VisitType).where(VisitType.doctor_id == doctor_id, VisitType.retired_at.is_(None))
    db.execute(statement.values(retired_at=now, is_default=False))


def _divided(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of the version, and all others."""
    version = {name: values[name] for name in OF_VERSION}
    return version, {name: value for name, value in values.items() if name not in OF_VERSION}


def _unset_default(db: Connection, doctor_id: int) -> None:
    statement = update(VisitType).where(VisitType.doctor_id == doctor_id, VisitType.is_default)
    db.execute(statement.values(is_default=False))
