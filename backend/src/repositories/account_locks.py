"""Locks on accounts: a transaction takes them before it locks slots or appointments."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from src.models import User

_LIVING = User.deleted_at.is_(None)
_LOCK_LIVING = select(User.id).where(User.id == bindparam("user_id"), _LIVING).with_for_update(read=True)


def lock_living(db: Connection, user_id: int) -> bool:
    """Lock an account against deletion until the transaction ends; False when it is deleted already.

    Call it before locking slots or appointments: transactions that lock in one order cannot deadlock.
    """
    return db.execute(_LOCK_LIVING, {"user_id": user_id}).scalar_one_or_none() is not None


_LOCK_EXCLUSIVELY = (
    select(User.id, User.deleted_at)
    .where(User.id.in_(bindparam("ids", expanding=True)))
    .order_by(User.id)
    .with_for_update(key_share=True)
)


def lock_exclusively(db: Connection, *user_ids: int) -> set[int]:
    """Lock accounts in the order of their ids, and return the ids of those that are not deleted.

    It waits until nobody books or publishes for them any more. Read what others may have changed in a later statement:
    this one may have begun before their commit.
    """
    rows = db.execute(_LOCK_EXCLUSIVELY, {"ids": sorted(set(user_ids))})
    return {row.id for row in rows if row.deleted_at is None}


def lock_for_deletion(db: Connection, user_id: int) -> bool:
    """Wait for all other locks on the account, then lock it exclusively; False when it is deleted already.

    FOR UPDATE, not FOR NO KEY UPDATE: erasing the address changes a unique column, which needs the stronger lock. If
    the transaction took the stronger lock only then, it could deadlock with one that has locked the account's row FOR
    KEY SHARE and waits for other rows that this transaction has locked.
    """
    query = select(User.id).where(User.id == user_id, _LIVING).with_for_update()
    return db.scalars(query).one_or_none() is not None
