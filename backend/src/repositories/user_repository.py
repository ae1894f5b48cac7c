from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Update,
    bindparam,
    exists,
    func,
    literal,
    select,
    update,
)

from src.context import Doctor, Patient, TokenClaims
from src.database.statements import insert_unless_conflict
from src.models import DoctorProfile, RevokedToken, User
from src.models.base import Instant
from src.models.user import FORMER_PATIENT


def add(
    db: Connection,
    *,
    name: str,
    email: str,
    email_key: str,
    password_hash: str,
    role: str,
    now: datetime,
    confirmed_at: datetime | None = None,
) -> int | None:
    """Add an account and return its id, or None when the address has an account already."""
    return insert_unless_conflict(
        db,
        User,
        name=name,
        email=email,
        email_key=email_key,
        email_confirmed_at=confirmed_at,
        password_hash=password_hash,
        role=role,
        created_at=now,
    )


def any_exist(db: Connection) -> bool:
    """Say whether there are any accounts, deleted ones included."""
    return db.scalars(select(exists(select(User.id)))).one()


def find_by_email_key(db: Connection, email_key: str) -> Row[Any] | None:
    """Return what a log-in needs of the account with this address.

    It is (id, role, email_key, password_hash, token_epoch, disabled_at, second_factor_at, second_factor_id).
    """
    return db.execute(_LOGS_IN.where(User.email_key == email_key)).one_or_none()


def find_at_epoch(db: Connection, user_id: int, epoch: int) -> Row[Any] | None:
    """Return what `find_by_email_key` does; None if the account may not log in, or its sessions were ended since."""
    living = (User.deleted_at.is_(None), User.disabled_at.is_(None))
    return db.execute(_LOGS_IN.where(User.id == user_id, User.token_epoch == epoch, *living)).one_or_none()


_LOGS_IN = select(
    User.id,
    User.role,
    User.email_key,
    User.password_hash,
    User.token_epoch,
    User.disabled_at,
    User.second_factor_at,
    User.second_factor_id,
)


_CALLER = (
    select(
        User.id,
        User.name,
        User.email,
        User.role,
        User.phone,
        User.language,
        User.own_time_zone,
        User.email_confirmed_at.is_not(None).label("email_confirmed"),
        User.guest_since.is_not(None).label("is_guest"),
        User.second_factor_at.is_not(None).label("has_second_factor"),
        DoctorProfile.id.label("doctor_id"),
        DoctorProfile.time_zone,
    )
    .outerjoin(DoctorProfile, DoctorProfile.user_id == User.id)
    .where(
        User.id == bindparam("user_id"),
        User.token_epoch == bindparam("epoch"),
        User.deleted_at.is_(None),
        User.disabled_at.is_(None),
        ~exists().where(RevokedToken.jti == bindparam("session")),
    )
)


def find_caller(db: Connection, user_id: int, epoch: int, session: str) -> Row[Any] | None:
    """Return the account that a token belongs to, with its doctor's profile if it has one.

    None when the account is deleted or disabled, or the session is ended or from an earlier epoch.
    """
    return db.execute(_CALLER, {"user_id": user_id, "epoch": epoch, "session": session}).one_or_none()


def patient_of(token: TokenClaims, account: Row[Any]) -> Patient:
    """Return the patient whom `find_caller` has found."""
    return Patient(**_of_everybody(token, account), time_zone=account.own_time_zone)


def doctor_of(token: TokenClaims, account: Row[Any], clinic_zone: str) -> Doctor:
    """Return the doctor whom `find_caller` has found."""
    time_zone = account.time_zone or clinic_zone
    return Doctor(**_of_everybody(token, account), doctor_id=account.doctor_id, time_zone=time_zone)


def _of_everybody(token: TokenClaims, account: Row[Any]) -> dict[str, Any]:
    return {
        "token": token,
        "user_id": account.id,
        "name": account.name,
        "email": account.email,
        "role": account.role,
        "phone": account.phone,
        "language": account.language,
        "email_confirmed": account.email_confirmed,
        "is_guest": account.is_guest,
    }


def find_password_hash(db: Connection, user_id: int) -> str | None:
    """Return the password hash of an account, or None when it is deleted."""
    return db.scalars(select(User.password_hash).where(User.id == user_id)).one_or_none()


def rehash(db: Connection, user_id: int, *, old_hash: str, new_hash: str) -> None:
    """Store a new hash of the same password, unless the password was changed meanwhile."""
    db.execute(update(User).where(User.id == user_id, User.password_hash == old_hash).values(password_hash=new_hash))


def change_password(db: Connection, user_id: int, *, epoch: int, new_hash: str) -> int | None:
    """Set a new password and end every session; return the new epoch.

    None when something has ended the sessions since the epoch, such as another password.
    """
    statement = (
        in_epoch(user_id, epoch)
        .values(password_hash=new_hash, token_epoch=User.token_epoch + 1)
        .returning(User.token_epoch)
    )
    return db.scalars(statement).one_or_none()


def reset_password(db: Connection, user_id: int, *, epoch: int, new_hash: str, now: datetime) -> str | None:
    """Set a new password and end every session; return the key of the account's address, which is confirmed by that.

    A guest is none from then on. None when something has ended the sessions since the epoch, such as another password.
    """
    statement = (
        in_epoch(user_id, epoch)
        .values(
            password_hash=new_hash,
            token_epoch=User.token_epoch + 1,
            email_confirmed_at=first_confirmed(now),
            guest_since=None,
        )
        .returning(User.email_key)
    )
    return db.scalars(statement).one_or_none()


def in_epoch(user_id: int, epoch: int) -> Update:
    """Return the update of an account that can log in and whose sessions of this epoch have not ended."""
    living = (User.deleted_at.is_(None), User.disabled_at.is_(None))
    return update(User).where(User.id == user_id, User.token_epoch == epoch, *living)


def first_confirmed(now: datetime) -> ColumnElement[datetime | None]:
    return func.coalesce(User.email_confirmed_at, literal(now, Instant()), type_=Instant())


def end_sessions(db: Connection, user_id: int) -> None:
    """Raise the account's epoch, so that all its tokens are refused."""
    db.execute(update(User).where(User.id == user_id).values(token_epoch=User.token_epoch + 1))


def disable(db: Connection, email_key: str, now: datetime) -> int | None:
    """Disable an account, end its sessions and return its id; None when no account has this address."""
    statement = (
        update(User)
        .where(User.email_key == email_key)
        .values(disabled_at=now, token_epoch=User.token_epoch + 1)
        .returning(User.id)
    )
    return db.scalars(statement).one_or_none()


def enable(db: Connection, email_key: str) -> int | None:
    """Enable an account, whose old tokens stay invalid, and return its id; None when no account has this address."""
    statement = update(User).where(User.email_key == email_key).values(disabled_at=None).returning(User.id)
    return db.scalars(statement).one_or_none()


_ERASE = update(User).values(
    email=None,
    email_key=None,
    email_confirmed_at=None,
    phone=None,
    guest_since=None,
    language=None,
    own_time_zone=None,
    password_hash=None,
    token_epoch=User.token_epoch + 1,
    second_factor_at=None,
    second_factor_id=None,
    second_factor_step=None,
)


def erase(db: Connection, user_id: int, now: datetime) -> None:
    """Erase all that the account of a doctor says but the name, because patients' history shows it."""
    db.execute(_ERASE.where(User.id == user_id).values(deleted_at=now))


def erase_patient(db: Connection, user_id: int, now: datetime) -> None:
    """Erase all that the account of a patient says, the name too."""
    db.execute(_ERASE.where(User.id == user_id).values(deleted_at=now, name=FORMER_PATIENT))
