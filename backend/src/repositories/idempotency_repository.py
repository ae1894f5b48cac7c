"""Answers kept under Idempotency-Keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from src.database.statements import insert_unless_conflict
from src.models import IdempotentAnswer


def reserve(db: Connection, user_id: int, key: str, request_hash: str, now: datetime) -> bool:
    """Reserve the key for this transaction; False when an answer is stored under it.

    While another transaction has the key reserved, this call waits until that transaction ends. Of several requests at
    once with one key, therefore only one does its work.
    """
    row = {"user_id": user_id, "key": key, "request_hash": request_hash, "created_at": now}
    return insert_unless_conflict(db, IdempotentAnswer, **row) is not None


def find(db: Connection, user_id: int, key: str) -> Row[Any] | None:
    query = select(IdempotentAnswer).where(IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key)
    return db.execute(query).one_or_none()


def purge(db: Connection, user_id: int, key: str, before: datetime) -> None:
    """Delete the answer under the key if it was stored before the instant `before`."""
    db.execute(
        delete(IdempotentAnswer).where(
            IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key, IdempotentAnswer.created_at < before
        )
    )


def purge_before(db: Connection, instant: datetime) -> None:
    """Delete all answers that were stored before the instant."""
    db.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at < instant))


def store(
    db: Connection, user_id: int, key: str, *, status: int, body: str, content_type: str, location: str | None
) -> None:
    """Store the answer to the request that reserved the key."""
    db.execute(
        update(IdempotentAnswer)
        .where(IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key)
        .values(status=status, body=body, content_type=content_type, location=location)
    )
