"""Rows that are old enough to be deleted, found in chunks of ids, so that no lock is held for long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, literal, select

from src.database.statements import delete_unlocked, limited
from src.models import Appointment, AvailabilitySlot, OutboxMail
from src.models.appointment import BOOKED, CANCELLED
from src.models.base import Instant


@dataclass(frozen=True)
class Chunk:
    """The rows to delete among those that follow an id; `last` is None when no more rows need to be read."""

    model: Any
    which: tuple[ColumnElement[bool], ...]
    last: int | None

    def delete(self, db: Connection) -> int:
        """Delete the rows and return how many they were; the next purge deletes what somebody has locked of them."""
        return db.execute(delete_unlocked(self.model, *self.which)).rowcount

    def count(self, db: Connection) -> int:
        return db.scalars(select(func.count()).select_from(self.model).where(*self.which)).one()


def finished_mails(db: Connection, after: int, before: datetime, limit: int) -> Chunk:
    """Return the mails that were written before the instant and sent, or dropped as too late."""
    return _mails(db, after, before, limit, OutboxMail.status.in_(["sent", "dropped"]))


def set_aside_mails(db: Connection, after: int, before: datetime, limit: int) -> Chunk:
    """Return the mails that were written before the instant and set aside."""
    return _mails(db, after, before, limit, OutboxMail.status == "set_aside")


def _mails(db: Connection, after: int, before: datetime, limit: int, status: ColumnElement[bool]) -> Chunk:
    """Ids grow with time, so no mails after the first one that is not old need to be read."""
    old = OutboxMail.created_at < literal(before, Instant())
    chunk = _next(db, OutboxMail, after, limit, old, status)
    newest = select(OutboxMail.created_at).where(OutboxMail.id == chunk.last)
    written = db.scalars(newest).one_or_none()
    return chunk if written is None or written < before else replace(chunk, last=None)


# An appointment has the doctor and the start of its slot. Appointments have an index on these two for each status, and
# none on `slot_id`.
_OF_SLOT = (
    Appointment.doctor_id == AvailabilitySlot.doctor_id,
    Appointment.starts_at == AvailabilitySlot.starts_at,
    Appointment.slot_id == AvailabilitySlot.id,
)
_UNUSED = (
    ~exists().where(Appointment.status == BOOKED, *_OF_SLOT),
    ~exists().where(Appointment.status == CANCELLED, *_OF_SLOT),
)


def unused_slots(db: Connection, after: int, before: datetime, limit: int) -> Chunk:
    """Return the slots that ended before the instant and never had an appointment.

    Slots are published for any time, so a later id may have an earlier time, and all ids must be read.
    """
    return _next(db, AvailabilitySlot, after, limit, AvailabilitySlot.ends_at < literal(before, Instant()), *_UNUSED)


def _next(db: Connection, model: Any, after: int, limit: int, *which: ColumnElement[bool]) -> Chunk:
    """Return which of the next `limit` rows fulfil the conditions.

    They are chosen by a subquery with a limit, not by a range of ids: of a range, a generic plan assumes that it has
    many rows, and then reads all appointments.
    """
    ids = limited(select(model.id).where(model.id > after).order_by(model.id), limit)
    last = db.scalars(select(func.max(ids.subquery().c.id))).one()
    return Chunk(model, (model.id.in_(ids), *which), last)
