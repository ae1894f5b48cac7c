"""What all permissions share that tokens of mails give, whatever they are for."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from config import Settings
from src.database.statements import delete_unlocked
from src.models import EmailConfirmation, PasswordReset, User
from src.models.base import Instant
from src.utils.security import hash_of_token, mail_token

Permission = type[PasswordReset] | type[EmailConfirmation]
KINDS: tuple[Permission, ...] = (PasswordReset, EmailConfirmation)
# The account that permissions are of: it can log in.
CAN_LOG_IN = (User.deleted_at.is_(None), User.disabled_at.is_(None))


def new_token(what: str, settings: Settings) -> tuple[str, str]:
    """Return what the mail with a new token is `about`, and the hash of the token."""
    about = f"{what} {secrets.token_urlsafe(24)}"
    return about, hash_of_token(mail_token(about, settings))


def valid(kind: Permission, *columns: Any) -> Select[Any]:
    """Return the query of the permission that the token of `token_hash` gives at `now`."""
    return (
        select(kind.id, kind.user_id, kind.epoch, *columns)
        .join(User, User.id == kind.user_id)
        .where(
            kind.token_hash == bindparam("token_hash"),
            kind.used_at.is_(None),
            kind.expires_at > bindparam("now", type_=Instant()),
            kind.epoch == User.token_epoch,
            *CAN_LOG_IN,
        )
    )


def find(db: Connection, query: Select[Any], token: str, now: datetime) -> Row[Any] | None:
    """Return the row of a query that `valid` has made."""
    return db.execute(query, {"token_hash": hash_of_token(token), "now": now}).one_or_none()


def mark_used(db: Connection, kind: Permission, permission_id: int, now: datetime) -> bool:
    """Use a permission up; False if somebody else has done so meanwhile. The account is locked."""
    unused = update(kind).where(kind.id == permission_id, kind.used_at.is_(None))
    return db.execute(unused.values(used_at=now).returning(kind.id)).one_or_none() is not None


def purge_expired_before(db: Connection, instant: datetime) -> None:
    """Delete permissions that expired before the instant, used or not."""
    for kind in KINDS:
        db.execute(delete_unlocked(kind, kind.expires_at < instant))
