"""Guests: accounts of patients for which nobody has a password.

Whoever reads the mails to a guest's address is logged in by the token of a mail, and makes the account a usual one by
choosing a password, as people do who have forgotten theirs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, select

from config import Settings
from src.database.statements import insert_of
from src.models import EmailConfirmation, PasswordReset, User
from src.models.outbox_mail import GUEST_LINK
from src.repositories import account_locks as locks
from src.repositories import account_repository as accounts
from src.repositories import email_confirmation_repository as confirmations
from src.repositories import mail_erasure as mails
from src.repositories import mail_token_repository as tokens
from src.repositories import user_repository as users
from src.schemas.fields import email_key
from src.schemas.guest import Guest

# In one transaction of the purge, which runs often.
MOST_ERASED_AT_ONCE = 500

_IS_GUEST = (User.guest_since.is_not(None), User.role == "patient")
_UNCONFIRMED = and_(User.email_confirmed_at.is_(None), *_IS_GUEST)
_VALID = tokens.valid(EmailConfirmation, User.role, User.email_key).where(*_IS_GUEST)


def add(db: Connection, guest: Guest, password_hash: str, now: datetime) -> None:
    """Add a guest's account, unless the address has an account already.

    Until somebody confirms the address, whoever asked last says name and number, because nobody has proven to be the
    guest, and the account stays as long as the last mail works.
    """
    added = insert_of(db)(User).values(
        name=guest.name,
        email=guest.email,
        email_key=email_key(guest.email),
        password_hash=password_hash,
        role="patient",
        guest_since=now,
        phone=guest.phone,
        created_at=now,
    )
    said = {name: added.excluded[name] for name in ("name", "phone", "guest_since")}
    # It locks an account that it leaves as it is, too, so nobody erases one before the mail is written.
    db.execute(added.on_conflict_do_update(index_elements=[User.email_key], set_=said, where=_UNCONFIRMED))


def ask(db: Connection, key: str, path: str, now: datetime, settings: Settings) -> int:
    """Add a permission and the mail that carries it, to the account of an address; return the account's id.

    An account that is no guest's, or is disabled, is told to log in, and gets no token.
    """
    query = select(User.id, User.email, User.token_epoch, User.guest_since, User.disabled_at, User.role)
    account = db.execute(query.where(User.email_key == key)).one()
    is_guest = account.guest_since is not None and account.role == "patient" and account.disabled_at is None
    facts = {"is_known": not is_guest, "next": path}
    confirmations.add(db, account.id, account.token_epoch, account.email, GUEST_LINK, facts, now, settings)
    return account.id


def confirm(db: Connection, token: str, now: datetime) -> Row[Any] | None:
    """Use the token of a guest's mail and return (id, user_id, epoch, role, email_key); None if it does not work."""
    guest = tokens.find(db, _VALID, token, now)
    if guest is None or not accounts.confirm_email(db, guest.user_id, guest.epoch, now):
        return None
    return guest if confirmations.mark_used(db, guest.id, now) else None


def erase_unconfirmed_before(db: Connection, instant: datetime) -> None:
    """Erase guests who last asked before the instant and never confirmed the address, so they have no appointments.

    Those stay who can still set a new password by a mail; it confirms the address.
    """
    may_reset = exists().where(PasswordReset.user_id == User.id)
    unconfirmed = select(User.id).where(_UNCONFIRMED, User.guest_since < instant, ~may_reset)
    # Sorted, because all transactions lock accounts in the order of their ids.
    for user_id in sorted(db.scalars(unconfirmed.limit(MOST_ERASED_AT_ONCE))):
        # Who has asked for a mail meanwhile is seen only by a statement that begins with the lock already taken.
        locked = locks.lock_for_deletion(db, user_id)
        if locked and db.scalars(unconfirmed.where(User.id == user_id)).one_or_none() is not None:
            users.erase_patient(db, user_id, instant)
            confirmations.erase_of(db, user_id)
            mails.clear_about(db, user_id, instant)
