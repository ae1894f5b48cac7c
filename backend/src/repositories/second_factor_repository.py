"""Second factors and recovery codes. Each statement that takes a code decides alone who takes it first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from src.models import RecoveryCode, User
from src.utils.second_factor import hash_of_recovery_code


def recovery_codes_left() -> Any:
    """Return a column of a query of accounts: how many recovery codes are left."""
    return (
        select(func.count())
        .where(RecoveryCode.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
        .label("recovery_codes_left")
    )


_FIND = select(User.id, User.email_key, User.second_factor_at, User.second_factor_id, recovery_codes_left())


def find(db: Connection, user_id: int) -> Row[Any]:
    """Return (id, email_key, second_factor_at, second_factor_id, recovery_codes_left)."""
    return db.execute(_FIND.where(User.id == user_id)).one()


def begin(db: Connection, user_id: int, enrolment: str) -> bool:
    """Begin a set-up, which replaces one that was not confirmed; False if a second factor is on."""
    statement = (
        update(User)
        .where(User.id == user_id, User.second_factor_at.is_(None), User.deleted_at.is_(None))
        .values(second_factor_id=enrolment, second_factor_step=None)
    )
    return db.execute(statement).rowcount == 1


def turn_on(db: Connection, user_id: int, enrolment: str, step: int, now: datetime) -> bool:
    """Confirm this set-up by the code of a time step; False if it is no longer the one that waits."""
    statement = (
        update(User)
        .where(User.id == user_id, User.second_factor_id == enrolment, User.second_factor_at.is_(None))
        .values(second_factor_at=now, second_factor_step=step)
    )
    return db.execute(statement).rowcount == 1


def take_step(db: Connection, user_id: int, enrolment: str, step: int) -> bool:
    """Take the code of a time step; False if it, or a later one, was taken before."""
    statement = (
        update(User)
        .where(
            User.id == user_id,
            User.second_factor_id == enrolment,
            User.second_factor_at.is_not(None),
            or_(User.second_factor_step.is_(None), User.second_factor_step < step),
        )
        .values(second_factor_step=step)
    )
    return db.execute(statement).rowcount == 1


def take_recovery_code(db: Connection, user_id: int, code: str) -> bool:
    """Use a recovery code up; False if the account has no such code, or no longer."""
    statement = delete(RecoveryCode).where(
        RecoveryCode.user_id == user_id, RecoveryCode.code_hash == hash_of_recovery_code(code)
    )
    return db.execute(statement).rowcount == 1


def replace_recovery_codes(db: Connection, user_id: int, codes: Iterable[str]) -> None:
    """Replace all recovery codes. The caller has locked the account."""
    delete_recovery_codes(db, user_id)
    db.execute(insert(RecoveryCode), [{"user_id": user_id, "code_hash": hash_of_recovery_code(code)} for code in codes])


def turn_off(db: Connection, user_id: int) -> None:
    """End the second factor and delete its codes."""
    nothing = {"second_factor_at": None, "second_factor_id": None, "second_factor_step": None}
    db.execute(update(User).where(User.id == user_id).values(nothing))
    delete_recovery_codes(db, user_id)


def turn_off_by_email_key(db: Connection, email_key: str) -> int | None:
    """Do what `turn_off` does and return the account's id; None when no account has this address."""
    user_id = db.scalars(select(User.id).where(User.email_key == email_key).with_for_update(key_share=True))
    found = user_id.one_or_none()
    if found is not None:
        turn_off(db, found)
    return found


def delete_recovery_codes(db: Connection, user_id: int) -> None:
    db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
