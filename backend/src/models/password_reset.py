"""Permissions to set a new password without the old one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id


class PasswordReset(Base):
    """A permission for whoever has the token that one mail carries.

    Nothing stores the token. It is derived from `about` of the mail and from SECRET_KEY.
    """

    __tablename__ = "password_resets"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_password_resets_expires_at", "expires_at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[str] = mapped_column(String(64))
    # The account's token epoch when the mail was asked for. Whatever ends the sessions of the account raises the epoch,
    # and so ends all permissions: a new password, log-out everywhere, disabling and deletion.
    epoch: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
