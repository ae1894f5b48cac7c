"""Answers kept under Idempotency-Keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, text, update

from src.database.statements import delete_unlocked
from src.models import IdempotentAnswer
from src.models.base import Id, Instant
from src.models.idempotent_answer import IDEMPOTENT_ANSWERS_KEPT

_RESERVE = text("""
    INSERT INTO idempotent_answers (user_id, key, request_hash, created_at)
    VALUES (:user_id, :key, :request_hash, :now)
    ON CONFLICT (user_id, key) DO UPDATE SET request_hash = excluded.request_hash, created_at = excluded.created_at,
        status = NULL, body = NULL, content_type = NULL, location = NULL
    WHERE idempotent_answers.created_at < :kept_since
    RETURNING user_id
    """).bindparams(
    bindparam("user_id", type_=Id), bindparam("now", type_=Instant()), bindparam("kept_since", type_=Instant())
)
_STORE = (
    update(IdempotentAnswer)
    .where(IdempotentAnswer.user_id == bindparam("of"), IdempotentAnswer.key == bindparam("under"))
    .values({name: bindparam(name) for name in ("status", "body", "content_type", "location")})
)


def reserve(db: Connection, user_id: int, key: str, request_hash: str, now: datetime) -> bool:
    """Reserve the key for this transaction; False when an answer is stored under it that is still kept.

    While another transaction has the key reserved, this call waits until that transaction ends. Of several requests at
    once with one key, therefore only one does its work.
    """
    values = {"user_id": user_id, "key": key, "request_hash": request_hash, "now": now}
    return (
        db.execute(_RESERVE, {**values, "kept_since": now - IDEMPOTENT_ANSWERS_KEPT}).scalar_one_or_none() is not None
    )


def find(db: Connection, user_id: int, key: str) -> Row[Any] | None:
    query = select(IdempotentAnswer).where(IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key)
    return db.execute(query).one_or_none()


def purge_before(db: Connection, instant: datetime) -> None:
    """Delete all answers that were stored before the instant."""
    db.execute(delete_unlocked(IdempotentAnswer, IdempotentAnswer.created_at < instant))


def delete_of(db: Connection, user_id: int, now: datetime) -> None:
    """Delete all answers to this person; a key that this transaction has reserved has none yet, and stays.

    A request that has locked an answer that is kept replays it, and waits for nothing. One that has locked an outdated
    answer may wait for the account, so that answer is left to it and to the purge.
    """
    stored = (IdempotentAnswer.user_id == user_id, IdempotentAnswer.status.is_not(None))
    is_outdated = IdempotentAnswer.created_at < now - IDEMPOTENT_ANSWERS_KEPT
    unlocked = select(IdempotentAnswer.key).where(*stored, is_outdated).with_for_update(skip_locked=True)
    db.execute(delete(IdempotentAnswer).where(*stored, or_(~is_outdated, IdempotentAnswer.key.in_(unlocked))))


def store(
    db: Connection, user_id: int, key: str, *, status: int, body: str, content_type: str, location: str | None
) -> None:
    """Store the answer to the request that reserved the key."""
    answer = {"status": status, "body": body, "content_type": content_type, "location": location}
    db.execute(_STORE, {"of": user_id, "under": key, **answer})
