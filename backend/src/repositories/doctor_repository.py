"""Doctors' profiles."""

from __future__ import annotations

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from src.models import DoctorProfile, User


def add(db: Session, user_id: int, designation: str, specialization: str) -> int:
    """Give a new doctor a profile and return its id."""
    statement = (
        insert(DoctorProfile)
        .values(user_id=user_id, designation=designation, specialization=specialization)
        .returning(DoctorProfile.id)
    )
    return db.scalars(statement).one()


def find_id(db: Session, user_id: int) -> int | None:
    """Return the profile's id of an account, or None when it has none."""
    return db.scalars(select(DoctorProfile.id).where(DoctorProfile.user_id == user_id)).one_or_none()


def find_profile(db: Session, doctor_id: int) -> Row[tuple[str, str]]:
    """Return (designation, specialization)."""
    query = select(DoctorProfile.designation, DoctorProfile.specialization).where(DoctorProfile.id == doctor_id)
    return db.execute(query).one()


def update_profile(db: Session, doctor_id: int, changes: dict[str, str]) -> None:
    """Set the given columns of the profile."""
    db.execute(update(DoctorProfile).where(DoctorProfile.id == doctor_id).values(**changes))


def erase_profile(db: Session, doctor_id: int) -> None:
    """Blank the profile of a doctor who leaves."""
    update_profile(db, doctor_id, {"designation": "", "specialization": ""})


def is_living(db: Session, doctor_id: int) -> bool:
    """Say whether the doctor exists and has not left."""
    query = select(DoctorProfile.id).join(User).where(DoctorProfile.id == doctor_id, User.deleted_at.is_(None))
    return db.scalars(query).one_or_none() is not None


def count_living(db: Session) -> int:
    """Return how many doctors patients can find."""
    query = select(func.count()).select_from(User).where(User.role == "doctor", User.deleted_at.is_(None))
    return db.scalars(query).one()


def list_living(db: Session, *, offset: int, limit: int) -> list[Row[tuple[int, str, str, str]]]:
    """Return (id, name, designation, specialization), in the order in which the doctors came."""
    query = (
        select(DoctorProfile.id, User.name, DoctorProfile.designation, DoctorProfile.specialization)
        .join(User)
        .where(User.deleted_at.is_(None))
        .order_by(DoctorProfile.id)
        .offset(offset)
        .limit(limit)
    )
    return list(db.execute(query))
