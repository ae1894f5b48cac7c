"""Mails to people about their accounts, which are about no appointment."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, Connection, String, insert, literal, select

from src.models import OutboxMail, User
from src.models.base import Instant
from src.models.outbox_mail import PASSWORD_CHANGED, SECOND_FACTOR_CHANGED

SecondFactorChange = Literal["on", "off", "recovery codes"]


def add(
    db: Connection,
    template: str,
    about: str,
    facts: Mapping[str, Any],
    now: datetime,
    *account: ColumnElement[bool],
    address: str | None = None,
    useless_after: datetime | None = None,
) -> int | None:
    """Add a mail to the account of the conditions, at its own address unless another is given; return the account's id.

    None if there is no such account. The unique index on `about` refuses a second mail about the same.
    """
    mail = {
        "key": literal(str(uuid.uuid4()), String()),
        "about": literal(about, String()),
        "recipient_id": User.id,
        "recipient": User.email if address is None else literal(address, String()),
        "template": literal(template, String()),
        "facts": literal(facts, JSON()),
        "due_at": literal(now, Instant()),
        "useless_after": literal(useless_after, Instant()),
        "created_at": literal(now, Instant()),
    }
    add_mail = insert(OutboxMail).from_select(list(mail), select(*mail.values()).where(*account))
    return db.scalars(add_mail.returning(OutboxMail.recipient_id)).one_or_none()


def add_password_changed(db: Connection, user_id: int, epoch: int, now: datetime, time_zone: str) -> None:
    """Add the mail that tells somebody of a new password; `epoch` is the account's since then, which it raised."""
    facts = {"at": now.isoformat(), "time_zone": time_zone}
    add(db, PASSWORD_CHANGED, f"password changed {user_id} {epoch}", facts, now, User.id == user_id)


def add_second_factor_changed(
    db: Connection, user_id: int, what: SecondFactorChange, now: datetime, time_zone: str
) -> None:
    """Add the mail that tells somebody that the second factor is on or off, or that its recovery codes are new."""
    facts = {"what": what, "at": now.isoformat(), "time_zone": time_zone}
    add(db, SECOND_FACTOR_CHANGED, f"second factor {uuid.uuid4()}", facts, now, User.id == user_id)
