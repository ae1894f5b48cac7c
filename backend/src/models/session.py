"""Refresh tokens, ended sessions, and counts of failed attempts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id


class RefreshToken(Base):
    """A permission to go on with a session: whoever has the token gets new tokens for it, once.

    Nothing stores the token. All refresh tokens of a session are a family, and expire together.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_refresh_tokens_user_id_family", "user_id", "family"),
        Index("ix_refresh_tokens_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # The id of the session. Its access tokens carry it as the claim `sid`.
    family: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    # The account's token epoch at log-in: whatever ends all sessions of the account raises the epoch.
    epoch: Mapped[int]
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RevokedToken(Base):
    """A session that was ended. The row is needed until the last token of the session expires.

    `jti` is the id of the session's only token or, if it has refresh tokens, of their family.
    """

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
