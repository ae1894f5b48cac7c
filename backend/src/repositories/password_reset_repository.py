"""Permissions to set a new password, and the mails that carry them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Connection, Row, String, insert, literal, select

from config import Settings
from src.models import PasswordReset, User
from src.models.base import Instant
from src.models.outbox_mail import PASSWORD_RESET
from src.repositories import account_mails as mails
from src.repositories import mail_token_repository as tokens


def ask(db: Connection, email_key: str, now: datetime, settings: Settings, *, allowed: bool = True) -> int | None:
    """Add a permission and the mail that carries it; return the account's id.

    None if it is not `allowed`, or if no account that can log in has this address. The statements are the same then, so
    that the time that they take says nothing about the account.
    """
    about, token_hash = tokens.new_token("password reset", settings)
    minutes = settings.password_reset_minutes
    until = now + timedelta(minutes=minutes)
    account = (User.email_key == email_key, *tokens.CAN_LOG_IN, literal(allowed, Boolean()))
    times = literal(now, Instant()), literal(until, Instant())
    permission = select(User.id, literal(token_hash, String()), User.token_epoch, *times).where(*account)
    db.execute(
        insert(PasswordReset).from_select(["user_id", "token_hash", "epoch", "created_at", "expires_at"], permission)
    )
    facts = {"minutes": minutes, "token_hash": token_hash}
    return mails.add(db, PASSWORD_RESET, about, facts, now, *account, useless_after=until)


_FIND = tokens.valid(PasswordReset, User.name, User.email)


def find(db: Connection, token: str, now: datetime) -> Row[Any] | None:
    """Return (id, user_id, epoch, name, email) of the permission that a token gives now."""
    return tokens.find(db, _FIND, token, now)


def mark_used(db: Connection, reset_id: int, now: datetime) -> bool:
    return tokens.mark_used(db, PasswordReset, reset_id, now)
