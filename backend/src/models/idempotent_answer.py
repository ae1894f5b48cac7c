"""Answers to requests with an Idempotency-Key, kept to answer a repeated request in the same way."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

IDEMPOTENT_ANSWERS_KEPT = timedelta(hours=24)


class IdempotentAnswer(Base):
    """The answer to one user's request with one key, written in the transaction of the request."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (Index("ix_idempotent_answers_created_at", "created_at"),)

    # No foreign key: its check would lock the account's row before the request locks its rows in their fixed order.
    user_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    # A keyed hash of method, path and body: it detects a different request under the same key without storing the body.
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    content_type: Mapped[str | None] = mapped_column(String(64))
    location: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
