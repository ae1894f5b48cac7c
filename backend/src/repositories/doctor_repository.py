"""Doctors' profiles."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, Integer, Row, bindparam, insert, select, update

from src.models import DoctorProfile, Total, User

LIVING_DOCTORS = "living_doctors"


def add(db: Connection, user_id: int, designation: str, specialization: str) -> int:
    """Give a new doctor a profile and return its id. Last in its transaction: it holds the number of doctors."""
    statement = (
        insert(DoctorProfile)
        .values(user_id=user_id, designation=designation, specialization=specialization)
        .returning(DoctorProfile.id)
    )
    doctor_id = db.scalars(statement).one()
    _count(db, 1)
    return doctor_id


def find_id(db: Connection, user_id: int) -> int | None:
    """Return the profile's id of an account, or None when it has none."""
    return db.scalars(select(DoctorProfile.id).where(DoctorProfile.user_id == user_id)).one_or_none()


def find_profile(db: Connection, doctor_id: int) -> Row[tuple[str, str]]:
    """Return (designation, specialization)."""
    query = select(DoctorProfile.designation, DoctorProfile.specialization).where(DoctorProfile.id == doctor_id)
    return db.execute(query).one()


def update_profile(db: Connection, doctor_id: int, changes: dict[str, str]) -> None:
    """Set the given columns of the profile."""
    db.execute(update(DoctorProfile).where(DoctorProfile.id == doctor_id).values(**changes))


def erase_profile(db: Connection, doctor_id: int) -> None:
    """Blank the profile of a doctor who leaves. Last in its transaction: it holds the number of doctors."""
    update_profile(db, doctor_id, {"designation": "", "specialization": ""})
    _count(db, -1)


def is_living(db: Connection, doctor_id: int) -> bool:
    """Say whether the doctor exists and has not left."""
    query = select(DoctorProfile.id).join(User).where(DoctorProfile.id == doctor_id, User.deleted_at.is_(None))
    return db.scalars(query).one_or_none() is not None


_LIVING_DOCTORS = select(Total.value).where(Total.name == LIVING_DOCTORS)


def count_living(db: Connection) -> int:
    """Return how many doctors patients can find."""
    return db.execute(_LIVING_DOCTORS).scalar_one()


_LIST_LIVING = (
    select(
        DoctorProfile.id,
        User.name,
        DoctorProfile.designation,
        DoctorProfile.specialization,
        _LIVING_DOCTORS.scalar_subquery().label("total"),
    )
    .join(User)
    .where(User.deleted_at.is_(None))
    .order_by(DoctorProfile.id)
    # Written into the statement: not knowing them, PostgreSQL plans for a tenth of all doctors.
    .offset(bindparam("before", type_=BigInteger, literal_execute=True))
    .limit(bindparam("most", type_=Integer, literal_execute=True))
)


def list_living(db: Connection, *, offset: int, limit: int) -> Sequence[Row[tuple[int, str, str, str, int]]]:
    """Return (id, name, designation, specialization, total number), in the order in which the doctors came."""
    return db.execute(_LIST_LIVING, {"before": offset, "most": limit}).all()


def _count(db: Connection, difference: int) -> None:
    db.execute(update(Total).where(Total.name == LIVING_DOCTORS).values(value=Total.value + difference))
