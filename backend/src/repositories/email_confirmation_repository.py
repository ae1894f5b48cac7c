"""Addresses that wait to be confirmed, and the mails that carry their tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, select

from config import Settings
from src.models import EmailConfirmation, User
from src.models.base import Instant
from src.models.outbox_mail import EMAIL_CHANGE_NOTICE, EMAIL_CONFIRMATION
from src.repositories import account_mails as mails
from src.repositories import mail_token_repository as tokens
from src.schemas.fields import email_key
from src.utils.addresses import masked


def ask(db: Connection, user_id: int, epoch: int, email: str, now: datetime, settings: Settings) -> None:
    """Send a token to the address that an account has. The account is new or locked."""
    add(db, user_id, epoch, email, EMAIL_CONFIRMATION, {"is_new": False, "is_known": False}, now, settings)


def ask_for_change(
    db: Connection, user_id: int, epoch: int, old: str, new: str, now: datetime, settings: Settings
) -> None:
    """Send a token to a new address, and word of it to the old one. The account is locked.

    If another account has the address, its owner is told that instead, and gets no token. Whoever asks sees no
    difference: the rows and the statements are the same.
    """
    withdraw_change(db, user_id, old)
    of_another = exists().where(User.email_key == email_key(new), User.id != user_id)
    is_known = db.scalars(select(of_another)).one()
    facts = {"is_new": True, "is_known": is_known}
    about = add(db, user_id, epoch, new, EMAIL_CONFIRMATION, facts, now, settings)
    told = {"new_email": masked(new)}
    mails.add(db, EMAIL_CHANGE_NOTICE, about, told, now, User.id == user_id, address=old)


def add(
    db: Connection,
    user_id: int,
    epoch: int,
    email: str,
    kind: str,
    facts: dict[str, Any],
    now: datetime,
    settings: Settings,
) -> str:
    """Add a permission and the mail of a kind that carries it; return what the mail is about."""
    about, token_hash = tokens.new_token("e-mail confirmation", settings)
    minutes = settings.email_confirmation_minutes
    until = now + timedelta(minutes=minutes)
    permission = {"token_hash": token_hash, "epoch": epoch, "created_at": now, "expires_at": until}
    address = {"user_id": user_id, "email": email, "email_key": email_key(email)}
    db.execute(insert(EmailConfirmation).values(**address, **permission))
    facts = {"minutes": minutes, "token_hash": token_hash, **facts}
    mails.add(db, kind, about, facts, now, User.id == user_id, address=email, useless_after=until)
    return about


def withdraw_change(db: Connection, user_id: int, present: str) -> None:
    """Let no address replace the present one, so that no token works that went to a mistyped one."""
    db.execute(_OF_ACCOUNT.where(EmailConfirmation.email != present), {"user_id": user_id})


def erase_of(db: Connection, user_id: int) -> None:
    db.execute(_OF_ACCOUNT, {"user_id": user_id})


_OF_ACCOUNT = delete(EmailConfirmation).where(EmailConfirmation.user_id == bindparam("user_id"))


_FIND = tokens.valid(EmailConfirmation, EmailConfirmation.email, User.email.label("present_email"))


def find(db: Connection, token: str, now: datetime) -> Row[Any] | None:
    """Return (id, user_id, epoch, email, present_email) of the permission that a token gives now."""
    return tokens.find(db, _FIND, token, now)


def mark_used(db: Connection, confirmation_id: int, now: datetime) -> bool:
    return tokens.mark_used(db, EmailConfirmation, confirmation_id, now)


_NEW_ADDRESS = (
    select(EmailConfirmation.email)
    .where(
        EmailConfirmation.user_id == bindparam("user_id"),
        EmailConfirmation.epoch == bindparam("epoch"),
        EmailConfirmation.email != bindparam("email"),
        EmailConfirmation.used_at.is_(None),
        EmailConfirmation.expires_at > bindparam("now", type_=Instant()),
    )
    .order_by(EmailConfirmation.id.desc())
    .limit(1)
)


def find_new_address(db: Connection, user_id: int, epoch: int, email: str, now: datetime) -> str | None:
    """Return the address that waits to replace `email`."""
    values = {"user_id": user_id, "epoch": epoch, "email": email, "now": now}
    return db.scalars(_NEW_ADDRESS, values).one_or_none()
