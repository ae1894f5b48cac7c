"""What people change of their own accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from src.models import User
from src.repositories.user_repository import first_confirmed, in_epoch

# Of the members of a patient, those that are columns of other names.
COLUMN_OF = {"time_zone": "own_time_zone"}


def change(db: Connection, user_id: int, epoch: int, changes: Mapping[str, str | None]) -> bool:
    """Change members of a caller's account; return False if its sessions of this epoch have ended."""
    # Without changes it locks the account all the same.
    unchanged = {} if changes else {"token_epoch": User.token_epoch}
    values = unchanged | {COLUMN_OF.get(member, member): value for member, value in changes.items()}
    return db.execute(in_epoch(user_id, epoch).values(**values).returning(User.id)).one_or_none() is not None


def confirm_email(db: Connection, user_id: int, epoch: int, now: datetime) -> bool:
    """Write down that the account's address is confirmed; False if its sessions of this epoch have ended."""
    statement = in_epoch(user_id, epoch).values(email_confirmed_at=first_confirmed(now))
    return db.execute(statement.returning(User.id)).one_or_none() is not None


def change_email(db: Connection, user_id: int, epoch: int, email: str, email_key: str, now: datetime) -> bool:
    """Change the address to a confirmed one and end every session; False if something has ended them since the epoch.

    Raising the epoch ends the tokens in mails to the old address, too. The unique key refuses the address of another
    account.
    """
    values = {"email": email, "email_key": email_key, "email_confirmed_at": now, "token_epoch": User.token_epoch + 1}
    statement = in_epoch(user_id, epoch).values(**values).returning(User.id)
    return db.execute(statement).one_or_none() is not None
