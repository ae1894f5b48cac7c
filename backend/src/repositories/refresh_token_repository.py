"""Refresh tokens, of which each works once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, select, update

from src.database.statements import delete_unlocked
from src.models import RefreshToken, RevokedToken, User
from src.models.base import Instant
from src.utils.security import hash_of_token


def add(
    db: Connection, *, token: str, family: str, user_id: int, epoch: int, now: datetime, expires_at: datetime
) -> None:
    db.execute(
        insert(RefreshToken).values(
            family=family,
            user_id=user_id,
            epoch=epoch,
            token_hash=hash_of_token(token),
            created_at=now,
            expires_at=expires_at,
        )
    )


_FIND = (
    select(
        RefreshToken.id,
        RefreshToken.family,
        RefreshToken.user_id,
        RefreshToken.epoch,
        RefreshToken.expires_at,
        User.role,
    )
    .join(User, User.id == RefreshToken.user_id)
    .where(
        RefreshToken.token_hash == bindparam("token_hash"),
        RefreshToken.expires_at > bindparam("now", type_=Instant()),
        RefreshToken.epoch == User.token_epoch,
        User.deleted_at.is_(None),
        User.disabled_at.is_(None),
        ~exists().where(RevokedToken.jti == RefreshToken.family),
    )
)


def find(db: Connection, token: str, now: datetime) -> Row[Any] | None:
    """Return (id, family, user_id, epoch, expires_at, role) of a token, used or not, whose session has not ended."""
    return db.execute(_FIND, {"token_hash": hash_of_token(token), "now": now}).one_or_none()


def use(db: Connection, token_id: int, now: datetime) -> bool:
    """Use the token up; False if it was used before. Of many callers at once, one gets True."""
    unused = update(RefreshToken).where(RefreshToken.id == token_id, RefreshToken.used_at.is_(None))
    return db.execute(unused.values(used_at=now)).rowcount == 1


def find_end(db: Connection, user_id: int, family: str) -> datetime | None:
    """Return when the refresh tokens of a session expire; None if it has none."""
    query = select(RefreshToken.expires_at).where(RefreshToken.user_id == user_id, RefreshToken.family == family)
    return db.scalars(query.limit(1)).one_or_none()


def delete_of(db: Connection, user_id: int) -> None:
    """Delete the refresh tokens of somebody who leaves."""
    db.execute(delete(RefreshToken).where(RefreshToken.user_id == user_id))


def purge_expired_before(db: Connection, instant: datetime) -> None:
    """Delete tokens that expired before the instant, used or not."""
    db.execute(delete_unlocked(RefreshToken, RefreshToken.expires_at < instant))
