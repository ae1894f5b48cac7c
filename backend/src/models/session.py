"""Revoked tokens, and counts of failed attempts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base


class RevokedToken(Base):
    """A token that its owner logged out. The row is needed until the token expires."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (Index("ix_revoked_tokens_expires_at", "expires_at"),)

    jti: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class FailedAttempts(Base):
    """The number of wrong guesses of one subject since its window began.

    `subject` is a keyed hash of what was guessed at and by whom, so that the table contains no addresses.
    """

    __tablename__ = "failed_attempts"
    __table_args__ = (Index("ix_failed_attempts_window_began", "window_began"),)

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    window_began: Mapped[datetime]
    failures: Mapped[int]
