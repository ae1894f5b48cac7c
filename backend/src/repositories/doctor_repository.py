"""Doctors' profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    RowMapping,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)

from src.database.statements import limited
from src.models import PROFILES_OF_A_BLOCK, DoctorBlock, DoctorProfile, User
from src.repositories import visit_type_repository as visit_types


def add(db: Connection, user_id: int, designation: str, specialization: str, now: datetime) -> int:
    """Add a doctor's profile and first visit type, and return the profile's id.

    Call it last in the transaction: it locks a row of `doctor_blocks`, for which other transactions wait.
    """
    statement = (
        insert(DoctorProfile)
        .values(user_id=user_id, designation=designation, specialization=specialization)
        .returning(DoctorProfile.id)
    )
    doctor_id = db.scalars(statement).one()
    visit_types.add_first(db, doctor_id, now)
    _count(db, doctor_id, 1)
    return doctor_id


def find_id(db: Connection, user_id: int) -> int | None:
    """Return the id of the account's profile, or None when the account has no profile."""
    return db.scalars(select(DoctorProfile.id).where(DoctorProfile.user_id == user_id)).one_or_none()


def find_profile(db: Connection, doctor_id: int) -> Row[tuple[str, str]]:
    """Return (designation, specialization)."""
    query = select(DoctorProfile.designation, DoctorProfile.specialization).where(DoctorProfile.id == doctor_id)
    return db.execute(query).one()


_DOCTOR = (
    select(User.name, DoctorProfile.time_zone, DoctorProfile.openings_until, User.deleted_at)
    .join(User, User.id == DoctorProfile.user_id)
    .where(DoctorProfile.id == bindparam("doctor_id"))
)


def find(db: Connection, doctor_id: int) -> Row[Any]:
    """Return (name, time_zone, openings_until, deleted_at) of a doctor, who may have left."""
    return db.execute(_DOCTOR, {"doctor_id": doctor_id}).one()


_LISTED = (
    select(
        DoctorProfile.id, User.name, DoctorProfile.designation, DoctorProfile.specialization, DoctorProfile.time_zone
    )
    .join(User, User.id == DoctorProfile.user_id)
    .where(DoctorProfile.id == bindparam("doctor_id"), User.deleted_at.is_(None))
)


def find_listed(db: Connection, doctor_id: int) -> Row[Any] | None:
    """Return (id, name, designation, specialization, time_zone) of a doctor who has not left, or None."""
    return db.execute(_LISTED, {"doctor_id": doctor_id}).one_or_none()


_ZONE = select(DoctorProfile.time_zone).where(DoctorProfile.id == bindparam("doctor_id"))


def find_zone(db: Connection, doctor_id: int) -> Row[tuple[str | None]] | None:
    """Return (time_zone,) of a doctor, who may have left; None when there is no such doctor."""
    return db.execute(_ZONE, {"doctor_id": doctor_id}).one_or_none()


def update_profile(db: Connection, doctor_id: int, changes: Mapping[str, object]) -> None:
    db.execute(update(DoctorProfile).where(DoctorProfile.id == doctor_id).values(**changes))


def erase_profile(db: Connection, doctor_id: int) -> None:
    """Blank the profile of a doctor who leaves. Call it last in the transaction, for the reason that `add` gives."""
    update_profile(db, doctor_id, {"designation": "", "specialization": ""})
    _count(db, doctor_id, -1)


def is_living(db: Connection, doctor_id: int) -> bool:
    """Say whether the doctor exists and has not left."""
    query = select(DoctorProfile.id).join(User).where(DoctorProfile.id == doctor_id, User.deleted_at.is_(None))
    return db.scalars(query).one_or_none() is not None


_POLICIES = select(DoctorProfile.cancellation_notice, DoctorProfile.most_ahead)


def find_policies(db: Connection, doctor_id: int) -> RowMapping:
    """Return cancellation_notice and most_ahead of the doctor; None is as the clinic says."""
    return db.execute(_POLICIES.where(DoctorProfile.id == doctor_id)).mappings().one()


_TOTAL = select(func.coalesce(func.sum(DoctorBlock.living), 0))


def count_living(db: Connection) -> int:
    """Count the doctors who have not left."""
    return db.execute(_TOTAL).scalar_one()


_upto = func.sum(DoctorBlock.living).over(order_by=DoctorBlock.block).label("upto")
_blocks = select(DoctorBlock.block, DoctorBlock.living, _upto).subquery()
_BLOCK_OF_PAGE = (
    select(_blocks.c.block, _blocks.c.upto - _blocks.c.living)
    .where(_blocks.c.upto > bindparam("offset", type_=BigInteger))
    .order_by(_blocks.c.block)
    .limit(1)
)
_LIST_LIVING = (
    select(
        DoctorProfile.id,
        User.name,
        DoctorProfile.designation,
        DoctorProfile.specialization,
        _TOTAL.scalar_subquery().label("total"),
    )
    .join(User)
    .where(User.deleted_at.is_(None))
    .order_by(DoctorProfile.id)
)
# A literal of the SQL text, no parameter, for the reason that `limited` gives.
_skipped = bindparam("skipped", type_=Integer, literal_execute=True)
_LIST_FROM_BLOCK = _LIST_LIVING.where(DoctorProfile.id >= bindparam("first")).offset(_skipped)


def list_living(db: Connection, *, offset: int, limit: int) -> Sequence[Row[tuple[int, str, str, str, int]]]:
    """Return (id, name, designation, specialization, total number), in the order of ids.

    For a page other than the first, the index scan starts at the block in which the page begins, so that OFFSET skips
    fewer than PROFILES_OF_A_BLOCK rows.
    """
    if offset == 0:
        return db.execute(limited(_LIST_LIVING, limit)).all()
    found = db.execute(_BLOCK_OF_PAGE, {"offset": offset}).one_or_none()
    if found is None:
        return []
    block, before = found
    values = {"first": block * PROFILES_OF_A_BLOCK, "skipped": offset - before}
    return db.execute(limited(_LIST_FROM_BLOCK, limit), values).all()


def list_matching(
    db: Connection, *, name: str | None, specialization: str | None, visit_type: str | None, offset: int, limit: int
) -> tuple[Sequence[Row[tuple[int, str, str, str, int]]], int]:
    """Return a page of `list_living` for doctors with this text in the name and this specialization, and their number.

    They have a visit type of this name that patients may book. Letter case does not matter, and None is no condition.
    It reads all doctors.
    """
    conditions: list[ColumnElement[bool]] = [User.deleted_at.is_(None)]
    if name is not None:
        conditions.append(User.name.icontains(name, autoescape=True))
    if specialization is not None:
        conditions.append(func.lower(DoctorProfile.specialization) == func.lower(specialization))
    if visit_type is not None:
        conditions.append(visit_types.has_for_patients(DoctorProfile.id, visit_type))
    columns = (DoctorProfile.id, User.name, DoctorProfile.designation, DoctorProfile.specialization)
    query = (
        select(*columns, func.count().over().label("total")).join(User).where(*conditions).order_by(DoctorProfile.id)
    )
    rows = db.execute(query.offset(offset).limit(limit)).all()
    if rows or offset == 0:
        return rows, rows[0].total if rows else 0
    return rows, db.scalars(select(func.count()).select_from(DoctorProfile).join(User).where(*conditions)).one()


_SPECIALIZATIONS = (
    select(DoctorProfile.specialization)
    .join(User)
    .where(User.deleted_at.is_(None), DoctorProfile.specialization != "")
    .distinct()
)


def specializations(db: Connection) -> Sequence[str]:
    """Return the specializations of all doctors who have not left, in no order."""
    return db.scalars(_SPECIALIZATIONS).all()


_COUNT = text(
    "INSERT INTO doctor_blocks (block, living) VALUES (:block, :difference)"
    " ON CONFLICT (block) DO UPDATE SET living = doctor_blocks.living + :difference"
)


def _count(db: Connection, doctor_id: int, difference: int) -> None:
    db.execute(_COUNT, {"block": doctor_id // PROFILES_OF_A_BLOCK, "difference": difference})
