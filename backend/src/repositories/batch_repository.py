"""Batches of mails that the provider takes in one request, under one key.

A batch is written down before its first attempt and repeated unchanged until the provider has answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, union, update

from src.models import Appointment, OutboxMail, User
from src.models.outbox_mail import SECRET_KINDS, WAITING
from src.repositories import mail_erasure
from src.repositories.outbox_repository import CLAIMED, RENDERED, WITHOUT_ADDRESS, WITHOUT_TEXT, rendered, storable
from src.services.mail import Mail

_PUT_INTO_BATCH = CLAIMED.where(OutboxMail.text.is_(None)).values(
    batch_key=bindparam("in_batch"),
    batch_position=bindparam("position"),
    **RENDERED,
)


def form(db: Connection, key: str, mails: Iterable[tuple[Row[Any], Mail]]) -> None:
    """Store rendered mails as a batch, before its first attempt, but for those that another worker has claimed."""
    values = [
        {
            "mail_id": row.id,
            "claimed_as": row.attempts,
            "in_batch": key,
            "position": position,
            **rendered(mail),
        }
        for position, (row, mail) in enumerate(mails)
    ]
    db.execute(_PUT_INTO_BATCH, values)


_MEMBERS = (
    select(
        OutboxMail.id,
        OutboxMail.recipient,
        OutboxMail.about,
        OutboxMail.template,
        OutboxMail.facts,
        OutboxMail.subject,
        OutboxMail.text,
        OutboxMail.html,
        OutboxMail.reply_to,
    )
    .where(OutboxMail.batch_key == bindparam("in_batch"))
    .order_by(OutboxMail.batch_position)
)


def members(db: Connection, key: str) -> list[Row[Any]]:
    """Return all mails of a batch in their order, those too that are finished; none once the provider has answered."""
    return list(db.execute(_MEMBERS, {"in_batch": key}))


def end(db: Connection, key: str, now: datetime, *, refused: Mapping[int, str], alone: Mapping[int, str]) -> None:
    """Write the provider's answer to a batch: it has accepted all mails but those in the two mappings of id to reason.

    `refused` mails are set aside. Mails in `alone` are due at `now` and sent one by one. Mails that were finished
    before stay as they are.
    """
    of_batch = OutboxMail.batch_key == key
    # The order of locks is that of `finish` and `claim`: accounts by id, then mails by id.
    about = select(Appointment.patient_id).join(OutboxMail, OutboxMail.appointment_id == Appointment.id)
    concerned = union(select(OutboxMail.recipient_id).where(of_batch), about.where(of_batch))
    people = select(User.id, User.deleted_at).where(User.id.in_(concerned)).order_by(User.id)
    gone = [person.id for person in db.execute(people.with_for_update(read=True)) if person.deleted_at is not None]
    still_waiting = select(OutboxMail.id).where(of_batch, OutboxMail.status == WAITING).order_by(OutboxMail.id)
    waiting = set(db.scalars(still_waiting.with_for_update()))
    for mail_id in waiting & refused.keys():
        _set(db, OutboxMail.id == mail_id, status="set_aside", last_error=storable(refused[mail_id]))
    for mail_id in waiting & alone.keys():
        _set(db, OutboxMail.id == mail_id, due_at=now, last_error=storable(alone[mail_id]))
    sent = waiting - refused.keys() - alone.keys()
    _set(db, OutboxMail.id.in_(sent), status="sent", sent_at=now, last_error=None)
    _set(db, of_batch & (OutboxMail.status != WAITING) & OutboxMail.recipient_id.in_(gone), **WITHOUT_ADDRESS)
    _set(db, of_batch & (OutboxMail.status != WAITING) & OutboxMail.template.in_(SECRET_KINDS), **WITHOUT_TEXT)
    ids = db.scalars(select(OutboxMail.id).where(of_batch)).all() if gone else []
    _set(db, of_batch, batch_key=None, batch_position=None)
    if ids:
        mail_erasure.clear_finished(db, ids, gone, now)


def _set(db: Connection, which: ColumnElement[bool], **values: Any) -> None:
    db.execute(update(OutboxMail).where(which).values(**values))
