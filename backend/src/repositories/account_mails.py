"""Mails to people about their accounts."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import JSON, Connection, String, insert, literal, select

from src.models import OutboxMail, User
from src.models.base import Instant
from src.models.outbox_mail import PASSWORD_CHANGED


def add_password_changed(db: Connection, user_id: int, epoch: int, now: datetime, time_zone: str) -> None:
    """Add the mail that tells somebody of a new password; `epoch` is the account's since then.

    A new password raises the epoch, so the unique index on `about` allows one mail for each.
    """
    at = literal(now, Instant())
    mail = {
        "key": literal(str(uuid.uuid4()), String()),
        "about": literal(f"password changed {user_id} {epoch}", String()),
        "recipient_id": User.id,
        "recipient": User.email,
        "template": literal(PASSWORD_CHANGED, String()),
        "facts": literal({"at": now.isoformat(), "time_zone": time_zone}, JSON()),
        "due_at": at,
        "created_at": at,
    }
    db.execute(insert(OutboxMail).from_select(list(mail), select(*mail.values()).where(User.id == user_id)))
