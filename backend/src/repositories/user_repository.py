"""Accounts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, select, update
from sqlalchemy.orm import Session

from src.models import DoctorProfile, RevokedToken, User
from src.repositories.base import insert_unless_conflict


def add(
    db: Session, *, name: str, email: str, email_key: str, password_hash: str, role: str, now: datetime
) -> int | None:
    """Add an account and return its id, or None when the mailbox has one."""
    return insert_unless_conflict(
        db, User, name=name, email=email, email_key=email_key, password_hash=password_hash, role=role, created_at=now
    )


def find_by_email_key(db: Session, email_key: str) -> Row[Any] | None:
    """Return (id, role, password_hash, token_epoch, disabled_at) of the mailbox's account."""
    query = select(User.id, User.role, User.password_hash, User.token_epoch, User.disabled_at).where(
        User.email_key == email_key
    )
    return db.execute(query).one_or_none()


def find_caller(db: Session, user_id: int, epoch: int, jti: str) -> Row[Any] | None:
    """Return (id, name, email, role, doctor_id, time_zone) of a living account that this token still opens."""
    query = (
        select(User.id, User.name, User.email, User.role, DoctorProfile.id, DoctorProfile.time_zone)
        .outerjoin(DoctorProfile, DoctorProfile.user_id == User.id)
        .where(
            User.id == user_id,
            User.token_epoch == epoch,
            User.deleted_at.is_(None),
            User.disabled_at.is_(None),
            ~exists().where(RevokedToken.jti == jti),
        )
    )
    return db.execute(query).one_or_none()


def lock_living(db: Session, user_ids: Collection[int]) -> set[int]:
    """Hold the living accounts among the ids against deletion until the transaction ends, and return their ids.

    Always in the order of ids, and always before slots and appointments: locks taken in one order cannot deadlock.
    """
    query = (
        select(User.id)
        .where(User.id.in_(user_ids), User.deleted_at.is_(None))
        .order_by(User.id)
        .with_for_update(read=True)
    )
    return set(db.scalars(query))


def lock_for_deletion(db: Session, user_id: int) -> bool:
    """Wait until nobody holds the account, then hold it alone; False when it is deleted already.

    Fully (FOR UPDATE), not FOR NO KEY UPDATE: erasing the address changes a unique column, and a lock that has to grow
    later meets transactions that hold the row and wait for what this one holds.
    """
    query = select(User.id).where(User.id == user_id, User.deleted_at.is_(None)).with_for_update()
    return db.scalars(query).one_or_none() is not None


def find_password_hash(db: Session, user_id: int) -> str | None:
    """Return the password hash of an account, or None when it is deleted."""
    return db.scalars(select(User.password_hash).where(User.id == user_id)).one_or_none()


def rehash(db: Session, user_id: int, *, old_hash: str, new_hash: str) -> None:
    """Keep the same password under another hash, unless it was changed meanwhile."""
    db.execute(update(User).where(User.id == user_id, User.password_hash == old_hash).values(password_hash=new_hash))


def change_password(db: Session, user_id: int, *, old_hash: str, new_hash: str) -> int | None:
    """Set a new password and end every session; return the new epoch, or None when something came in between."""
    statement = (
        update(User)
        .where(
            User.id == user_id,
            User.password_hash == old_hash,
            User.deleted_at.is_(None),
            User.disabled_at.is_(None),
        )
        .values(password_hash=new_hash, token_epoch=User.token_epoch + 1)
        .returning(User.token_epoch)
    )
    return db.scalars(statement).one_or_none()


def end_sessions(db: Session, user_id: int) -> None:
    """Make every token of the account worthless."""
    db.execute(update(User).where(User.id == user_id).values(token_epoch=User.token_epoch + 1))


def disable(db: Session, email_key: str, now: datetime) -> bool:
    """Shut an account out and end its sessions; False when there is none."""
    statement = (
        update(User)
        .where(User.email_key == email_key)
        .values(disabled_at=now, token_epoch=User.token_epoch + 1)
        .returning(User.id)
    )
    return db.scalars(statement).one_or_none() is not None


def enable(db: Session, email_key: str) -> bool:
    """Let an account in again; its old tokens stay dead. False when there is none."""
    statement = update(User).where(User.email_key == email_key).values(disabled_at=None).returning(User.id)
    return db.scalars(statement).one_or_none() is not None


def erase(db: Session, user_id: int, now: datetime) -> None:
    """Erase log-in and address; the name stays for other people's history."""
    db.execute(
        update(User)
        .where(User.id == user_id)
        .values(email=None, email_key=None, password_hash=None, token_epoch=User.token_epoch + 1, deleted_at=now)
    )
