"""The outbox: claims of mails, their outcomes, and lists for operators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, case, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from src.database.statements import limited
from src.models import Appointment, OutboxMail, User
from src.models.base import Instant
from src.models.outbox_mail import SECRET_KINDS, WAITING
from src.repositories import mail_erasure
from src.services.mail import Mail

Earlier = aliased(OutboxMail)
Before = aliased(OutboxMail)


# min(), not EXISTS: with many mails sent and many others due next week, the planner expects to find a due one soon and
# scans the table instead of the index.
_FIRST_DUE = select(func.min(OutboxMail.due_at)).where(OutboxMail.status == WAITING)


def any_due(db: Connection, now: datetime) -> bool:
    """Say whether a claim may find a mail. As a read, it does not need SQLite's write lock."""
    first = db.execute(_FIRST_DUE).scalar()
    return first is not None and first <= now


_IN_A_BATCH = OutboxMail.batch_key.is_not(None)
# Has been sent, or may have been.
_BEGUN = or_(_IN_A_BATCH, OutboxMail.text.is_not(None))
_EARLIER_MAIL = exists().where(
    Earlier.status == WAITING,
    Earlier.appointment_id == OutboxMail.appointment_id,
    Earlier.recipient_id == OutboxMail.recipient_id,
    Earlier.id < OutboxMail.id,
    # An earlier mail with attempts and a later due time is under a lease or waits for its next attempt.
    or_(Earlier.due_at <= bindparam("now", type_=Instant()), Earlier.attempts > 0),
)
_BEFORE_IN_BATCH = exists().where(
    Before.batch_key == OutboxMail.batch_key, Before.status == WAITING, Before.id < OutboxMail.id
)
_DUE = (
    select(OutboxMail.id, OutboxMail.batch_key, _BEGUN.label("begun"))
    .where(
        OutboxMail.status == WAITING,
        OutboxMail.due_at <= bindparam("now", type_=Instant()),
        # Of a batch only its first waiting mail: who has locked that one takes the whole batch.
        case((_IN_A_BATCH, ~_BEFORE_IN_BATCH), else_=~_EARLIER_MAIL),
    )
    .order_by(OutboxMail.due_at, OutboxMail.id)
    .with_for_update(skip_locked=True)
)
_OF_BATCHES = (
    select(OutboxMail.id)
    .where(OutboxMail.batch_key.in_(bindparam("keys", expanding=True)), OutboxMail.status == WAITING)
    .order_by(OutboxMail.id)
    .with_for_update()
)


_DUE_SINCE = func.coalesce(OutboxMail.first_due_at, OutboxMail.due_at, type_=Instant())


def claim(db: Connection, now: datetime, lease: timedelta, limit: int, limit_begun: int) -> list[Row[Any]]:
    """Lease up to `limit` due mails to the caller, and return them in the order of their ids.

    Among them are at most `limit_begun` that were attempted before; a batch counts as one and comes whole.

    A mail waits while an earlier one to the same person about the same appointment is due or was attempted: the
    cancellation must not overtake the confirmation. An earlier mail that is due next week delays nothing. The query
    skips rows that another worker has locked for its claim.
    """
    due = list(db.execute(limited(_DUE, limit), {"now": now}))
    begun = [row for row in due if row.begun][:limit_begun]
    ids = {row.id for row in due if not row.begun} | {row.id for row in begun}
    if not ids:
        return []
    keys = [row.batch_key for row in begun if row.batch_key is not None]
    if keys:
        ids |= set(db.scalars(_OF_BATCHES, {"keys": keys}))
    statement = (
        update(OutboxMail)
        .where(OutboxMail.id.in_(ids))
        .values(due_at=now + lease, attempts=OutboxMail.attempts + 1, first_due_at=_DUE_SINCE)
        .returning(
            OutboxMail.id,
            OutboxMail.key,
            OutboxMail.about,
            OutboxMail.batch_key,
            OutboxMail.recipient_id,
            OutboxMail.recipient,
            OutboxMail.template,
            OutboxMail.facts,
            OutboxMail.subject,
            OutboxMail.text,
            OutboxMail.html,
            OutboxMail.reply_to,
            OutboxMail.attempts,
            OutboxMail.useless_after,
        )
    )
    return sorted(db.execute(statement), key=lambda row: row.id)


# Matches no row if another worker has claimed the mail since attempt number `claimed_as`.
CLAIMED = update(OutboxMail).where(
    OutboxMail.id == bindparam("mail_id"),
    OutboxMail.status == WAITING,
    OutboxMail.attempts == bindparam("claimed_as"),
)
# Every value that a mailer passes on of a mail, apart from the address.
RENDERED = {name: bindparam(name) for name in ("subject", "text", "html", "reply_to")}
_STORE_RENDERED = CLAIMED.where(OutboxMail.text.is_(None)).values(**RENDERED).returning(OutboxMail.id)


def store_rendered(db: Connection, mail_id: int, attempts: int, mail: Mail) -> bool:
    """Store a rendered mail before its first attempt; False when another worker has claimed it meanwhile."""
    values = {"mail_id": mail_id, "claimed_as": attempts, **rendered(mail)}
    return db.execute(_STORE_RENDERED, values).one_or_none() is not None


def rendered(mail: Mail) -> dict[str, str | None]:
    """Return the values of RENDERED."""
    return {"subject": mail.subject, "text": mail.text, "html": mail.html, "reply_to": mail.reply_to}


# The text of a secret mail can be rendered again, for a retry and for a batch that must be repeated.
WITHOUT_TEXT: dict[str, Any] = {"text": None, "html": None}
# A provider that refuses a mail may quote the address.
WITHOUT_ADDRESS: dict[str, Any] = {"recipient": None, "last_error": None}

_PATIENT = (
    select(Appointment.patient_id)
    .join(OutboxMail, OutboxMail.appointment_id == Appointment.id)
    .where(OutboxMail.id == bindparam("mail_id"))
    .scalar_subquery()
)
_LOCK_PEOPLE = (
    select(User.id, User.deleted_at)
    .where(or_(User.id == bindparam("to"), User.id == _PATIENT))
    .order_by(User.id)
    .with_for_update(read=True)
)


def finish(db: Connection, row: Row[Any], status: str, now: datetime, error: str | None = None) -> None:
    """Write the outcome of a claimed mail; if another worker has claimed it meanwhile, only that it was sent.

    Erase its text if that is secret, and who was deleted meanwhile: the recipient's address, and the patient.
    """
    # FOR SHARE makes a concurrent deletion of the account wait. Otherwise the deletion sees this mail still waiting and
    # keeps what it says, while this transaction sees the account not yet deleted.
    people = db.execute(_LOCK_PEOPLE, {"mail_id": row.id, "to": row.recipient_id}).all()
    gone = {person.id for person in people if person.deleted_at is not None}
    values: dict[str, Any] = {"status": status, "last_error": None if error is None else storable(error)}
    if status == "sent":
        values["sent_at"] = now
    if row.recipient_id in gone:
        values |= WITHOUT_ADDRESS
    if row.template in SECRET_KINDS:
        values |= WITHOUT_TEXT
    if status == "sent":
        db.execute(update(OutboxMail).where(OutboxMail.id == row.id).values(**values))
    else:
        db.execute(CLAIMED.values(**values), {"mail_id": row.id, "claimed_as": row.attempts})
    if gone:
        mail_erasure.clear_finished(db, [row.id], gone, now)


_POSTPONE = CLAIMED.values(due_at=bindparam("again_at"), last_error=bindparam("error"))


def postpone(db: Connection, rows: Iterable[Row[Any]], due_at: datetime, error: str) -> None:
    """Make claimed mails due at `due_at`, except those that another worker has claimed meanwhile."""
    later = {"again_at": due_at, "error": storable(error)}
    db.execute(_POSTPONE, [{"mail_id": row.id, "claimed_as": row.attempts, **later} for row in rows])


# Enough for every sentence that tells a person something; a provider may answer with a whole page.
LONGEST_ERROR = 1000


def storable(error: str) -> str:
    """Return the error without the characters that PostgreSQL refuses in a text: NUL and lone surrogates."""
    return error.encode(errors="backslashreplace").decode().replace("\0", "\\0")[:LONGEST_ERROR]


_GIVE_BACK = CLAIMED.values(due_at=bindparam("now"), attempts=OutboxMail.attempts - 1)


def give_back(db: Connection, rows: Iterable[Row[Any]], now: datetime) -> None:
    """Make claimed but unattempted mails due again, except those that another worker has claimed meanwhile."""
    db.execute(_GIVE_BACK, [{"mail_id": row.id, "claimed_as": row.attempts, "now": now} for row in rows])


class MovedEnd(NamedTuple):
    """When an appointment ended before and after a move."""

    appointment_id: int
    before: datetime
    after: datetime


# It skips what a worker has locked for its claim: that is attempted now, and whoever waited here could deadlock.
_CONFIRMATIONS = (
    select(OutboxMail.id)
    .where(OutboxMail.appointment_id == bindparam("of"), OutboxMail.status == WAITING)
    .where(OutboxMail.useless_after == bindparam("before", type_=Instant()))
    .with_for_update(skip_locked=True)
)
_MOVE_END = update(OutboxMail).where(OutboxMail.id.in_(_CONFIRMATIONS)).values(useless_after=bindparam("after"))


def move_ends(db: Connection, moved: Sequence[MovedEnd]) -> None:
    """Let confirmations of appointments that are moved become useless at the new ends."""
    if moved:
        db.execute(_MOVE_END, [{"of": one.appointment_id, "before": one.before, "after": one.after} for one in moved])


def erase_finished_addresses(db: Connection, recipient_id: int) -> None:
    """Erase the address in the recipient's mails that no longer wait, locked in the order of their ids."""
    finished = select(OutboxMail.id).where(
        OutboxMail.recipient_id == recipient_id, OutboxMail.status != WAITING, OutboxMail.recipient.is_not(None)
    )
    locked = finished.order_by(OutboxMail.id).with_for_update()
    db.execute(update(OutboxMail).where(OutboxMail.id.in_(locked)).values(WITHOUT_ADDRESS))


def newest(db: Connection, limit: int) -> list[Row[Any]]:
    return list(db.execute(select(OutboxMail).order_by(OutboxMail.id.desc()).limit(limit)))


# Mails that nobody claimed yet, and among the claimed ones those that wait for their next attempt.
_LONGEST_DUE = select(func.min(_DUE_SINCE)).where(
    OutboxMail.status == WAITING, bindparam("now", type_=Instant()) >= _DUE_SINCE
)


def longest_due(db: Connection, now: datetime) -> datetime | None:
    """Return since when the mail that waits longest has been due; a mail that is due later does not wait yet."""
    return db.execute(_LONGEST_DUE, {"now": now}).scalar_one()


def list_unsent(db: Connection, limit: int) -> list[Row[Any]]:
    """Return mails that wait or were set aside, oldest first."""
    query = select(OutboxMail).where(OutboxMail.status.in_(["waiting", "set_aside"]))
    return list(db.execute(query.order_by(OutboxMail.id).limit(limit)))


def find(db: Connection, mail_id: int) -> Row[Any] | None:
    return db.execute(select(OutboxMail).where(OutboxMail.id == mail_id)).one_or_none()


def retry(db: Connection, mail_id: int | None, now: datetime) -> int:
    """Make one mail that was set aside due again, or all of them for None; return how many.

    It locks them in the order of their ids, as people who leave do.
    """
    query = select(OutboxMail.id).where(OutboxMail.status == "set_aside", OutboxMail.recipient.is_not(None))
    if mail_id is not None:
        query = query.where(OutboxMail.id == mail_id)
    locked = query.order_by(OutboxMail.id).with_for_update()
    again = {"status": "waiting", "due_at": now, "first_due_at": None}
    return db.execute(update(OutboxMail).where(OutboxMail.id.in_(locked)).values(again)).rowcount
