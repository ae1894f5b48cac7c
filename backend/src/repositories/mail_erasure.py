"""Mails about people who have left: who that was is erased from them.

The provider may have a mail that was attempted, or a batch that it has not answered. These are repeated exactly as they
are, and cleared when they are finished. All other mails are cleared in the transaction in which the patient leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, union, update

from src.models import Appointment, OutboxMail
from src.models.base import Id
from src.models.outbox_mail import WAITING
from src.services.appointment_mails import without_patient
from src.services.email_mails import ERASED

_COLUMNS = (
    OutboxMail.id,
    OutboxMail.recipient_id,
    OutboxMail.recipient,
    OutboxMail.facts,
    OutboxMail.text,
    OutboxMail.status,
    OutboxMail.attempts,
    OutboxMail.due_at,
    OutboxMail.last_error,
)
_ME = bindparam("me", type_=Id)
_IDS_ABOUT = union(
    select(OutboxMail.id).where(OutboxMail.recipient_id == _ME),
    select(OutboxMail.id)
    .join(Appointment, Appointment.id == OutboxMail.appointment_id)
    .where(Appointment.patient_id == _ME),
)
_ABOUT = (
    select(*_COLUMNS, _ME.label("patient_id"))
    .where(OutboxMail.id.in_(_IDS_ABOUT), OutboxMail.batch_key.is_(None))
    .order_by(OutboxMail.id)
    .with_for_update()
)
_TO_ACCOUNT = (
    select(*_COLUMNS, _ME.label("patient_id"))
    .where(OutboxMail.recipient_id == _ME, OutboxMail.appointment_id.is_(None), OutboxMail.batch_key.is_(None))
    .order_by(OutboxMail.id)
    .with_for_update()
)
# A mail that is about no appointment is about its recipient.
_FINISHED = (
    select(*_COLUMNS, func.coalesce(Appointment.patient_id, OutboxMail.recipient_id).label("patient_id"))
    .outerjoin(Appointment, Appointment.id == OutboxMail.appointment_id)
    .where(OutboxMail.id.in_(bindparam("ids", expanding=True)), OutboxMail.status != WAITING)
)
_CLEARED = ("recipient", "facts", "subject", "text", "html", "status", "attempts", "due_at", "last_error")
_CLEAR = (
    update(OutboxMail)
    .where(OutboxMail.id == bindparam("mail_id"))
    .values({name: bindparam(f"new_{name}", type_=OutboxMail.__table__.c[name].type) for name in _CLEARED})
)


def clear_about(db: Connection, patient_id: int, now: datetime) -> None:
    """Clear the mails about a patient who leaves, and drop those to the patient, unless they are under way.

    The accounts of the patient, and of all doctors with appointments of the patient ahead, are locked.
    """
    rows = db.execute(_ABOUT, {"me": patient_id}).all()
    _clear(db, [row for row in rows if row.status != "waiting" or row.text is None], now)


def clear_about_account(db: Connection, user_id: int, now: datetime) -> None:
    """Clear the mails about the account of somebody who leaves, and drop those that wait, unless they are under way.

    So a doctor's mails about appointments still go.
    """
    rows = db.execute(_TO_ACCOUNT, {"me": user_id}).all()
    _clear(db, [row for row in rows if row.status != "waiting" or row.text is None], now)


def clear_finished(db: Connection, ids: Sequence[int], gone: Collection[int], now: datetime) -> None:
    """Clear those of these mails that are finished and about one of the patients who have left.

    `gone` has the accounts of all who have left of the recipients and patients, which are locked. The mails are in no
    batch.
    """
    rows = db.execute(_FINISHED, {"ids": ids}).all()
    _clear(db, [row for row in rows if row.patient_id in gone], now)


def _clear(db: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    if rows:
        db.execute(_CLEAR, [{"mail_id": row.id, **_cleared(row, now)} for row in rows])


def _cleared(row: Row[Any], now: datetime) -> dict[str, Any]:
    """Return the values of a mail that does not say who its patient was, to be rendered again."""
    to_patient = row.recipient_id == row.patient_id
    facts = None if row.facts is None else _impersonal(row.facts, to_patient=to_patient)
    # Mails from before migration 0004 have no facts, and need a text.
    text = "" if facts is None else None
    values = {"facts": facts, "subject": text, "text": text, "html": text, "last_error": None, "status": row.status}
    values |= {"recipient": row.recipient, "attempts": row.attempts, "due_at": row.due_at}
    if to_patient:
        values["recipient"] = None
    if row.status == "waiting" and to_patient:
        values |= {"status": "dropped", "last_error": "Its recipient has left."}
    elif row.status == "waiting" and row.attempts > 0:
        # A worker has claimed it, and would render what it read before. The next attempt is not that worker's.
        values |= {"attempts": row.attempts + 1, "due_at": now}
    return {f"new_{name}": value for name, value in values.items()}


def _impersonal(facts: dict[str, Any], *, to_patient: bool) -> dict[str, Any]:
    erased = {"new_email": ERASED} if "new_email" in facts else {}
    return without_patient(facts, to_patient=to_patient) | erased
