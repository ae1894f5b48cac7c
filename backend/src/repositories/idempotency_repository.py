"""Answers kept under Idempotency-Keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from src.database.statements import insert_unless_conflict
from src.models import IdempotentAnswer


def reserve(db: Connection, user_id: int, key: str, request_hash: str, now: datetime) -> bool:
    """Take the key for this transaction; False when it is taken.

    Where another transaction has inserted the key, this waits for the end of that transaction, so one of many works.
    """
    row = {"user_id": user_id, "key": key, "request_hash": request_hash, "created_at": now}
    return insert_unless_conflict(db, IdempotentAnswer, **row) is not None


def find(db: Connection, user_id: int, key: str) -> Row[Any] | None:
    """Return what was answered under the key."""
    query = select(IdempotentAnswer).where(IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key)
    return db.execute(query).one_or_none()


def purge(db: Connection, user_id: int, key: str, before: datetime) -> None:
    """Delete the key if it was used before the instant."""
    db.execute(
        delete(IdempotentAnswer).where(
            IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key, IdempotentAnswer.created_at < before
        )
    )


def purge_before(db: Connection, instant: datetime) -> None:
    """Delete all answers from before the instant."""
    db.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at < instant))


def store(
    db: Connection, user_id: int, key: str, *, status: int, body: str, content_type: str, location: str | None
) -> None:
    """Keep the answer of the request that reserved the key."""
    db.execute(
        update(IdempotentAnswer)
        .where(IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key)
        .values(status=status, body=body, content_type=content_type, location=location)
    )
