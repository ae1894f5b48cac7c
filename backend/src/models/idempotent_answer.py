"""Answers kept for repeated requests."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

IDEMPOTENT_ANSWERS_KEPT = timedelta(hours=24)


class IdempotentAnswer(Base):
    """The answer to the first request with an Idempotency-Key, written in the transaction of that request."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (Index("ix_idempotent_answers_created_at", "created_at"),)

    # No foreign key: its check would lock the account's row out of the order of locks (people by id, slot,
    # appointment).
    user_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    # A keyed hash of method, path and body: enough to tell another request, useless to learn what was in it.
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    content_type: Mapped[str | None] = mapped_column(String(64))
    location: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
