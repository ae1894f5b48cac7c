"""What ends a session early, and what slows down people who guess."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base


class RevokedToken(Base):
    """A token that its owner logged out; the row is needed until the token expires."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (Index("ix_revoked_tokens_expires_at", "expires_at"),)

    jti: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class FailedAttempts(Base):
    """How often something was guessed wrongly since its window began. `subject` is a keyed hash and no address."""

    __tablename__ = "failed_attempts"
    __table_args__ = (Index("ix_failed_attempts_window_began", "window_began"),)

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    window_began: Mapped[datetime]
    failures: Mapped[int]
