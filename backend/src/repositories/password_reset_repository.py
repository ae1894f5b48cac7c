"""Permissions to set a new password, and the mails that carry them."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Row, String, bindparam, delete, insert, literal, select, update

from config import Settings
from src.models import OutboxMail, PasswordReset, User
from src.models.base import Instant
from src.models.outbox_mail import PASSWORD_RESET
from src.utils.security import hash_of_token, reset_token


def ask(db: Connection, email_key: str, now: datetime, settings: Settings, *, allowed: bool = True) -> int | None:
    """Add a permission and the mail that carries it; return the account's id.

    None if it is not `allowed`, or if no account that can log in has this address. The statements are the same then, so
    that the time that they take says nothing about the account.
    """
    about = f"password reset {secrets.token_urlsafe(24)}"
    token_hash = hash_of_token(reset_token(about, settings))
    minutes = settings.password_reset_minutes
    at, until = literal(now, Instant()), literal(now + timedelta(minutes=minutes), Instant())
    account = (User.email_key == email_key, *_CAN_LOG_IN, literal(allowed, Boolean()))
    permission = select(User.id, literal(token_hash, String()), User.token_epoch, at, until).where(*account)
    db.execute(
        insert(PasswordReset).from_select(["user_id", "token_hash", "epoch", "created_at", "expires_at"], permission)
    )
    mail = {
        "key": literal(str(uuid.uuid4()), String()),
        "about": literal(about, String()),
        "recipient_id": User.id,
        "recipient": User.email,
        "template": literal(PASSWORD_RESET, String()),
        "facts": literal({"minutes": minutes, "token_hash": token_hash}, JSON()),
        "due_at": at,
        "useless_after": until,
        "created_at": at,
    }
    add_mail = insert(OutboxMail).from_select(list(mail), select(*mail.values()).where(*account))
    return db.scalars(add_mail.returning(OutboxMail.recipient_id)).one_or_none()


_CAN_LOG_IN = (User.deleted_at.is_(None), User.disabled_at.is_(None))
_FIND = (
    select(PasswordReset.id, PasswordReset.user_id, PasswordReset.epoch, User.name, User.email)
    .join(User, User.id == PasswordReset.user_id)
    .where(
        PasswordReset.token_hash == bindparam("token_hash"),
        PasswordReset.used_at.is_(None),
        PasswordReset.expires_at > bindparam("now", type_=Instant()),
        PasswordReset.epoch == User.token_epoch,
        *_CAN_LOG_IN,
    )
)


def find(db: Connection, token: str, now: datetime) -> Row[Any] | None:
    """Return (id, user_id, epoch, name, email) of the permission that a token gives now."""
    return db.execute(_FIND, {"token_hash": hash_of_token(token), "now": now}).one_or_none()


def mark_used(db: Connection, reset_id: int, now: datetime) -> None:
    db.execute(update(PasswordReset).where(PasswordReset.id == reset_id).values(used_at=now))


def purge_expired_before(db: Connection, instant: datetime) -> None:
    """Delete permissions that expired before the instant, used or not."""
    db.execute(delete(PasswordReset).where(PasswordReset.expires_at < instant))
