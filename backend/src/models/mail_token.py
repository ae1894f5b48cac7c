"""What all tables of permissions share that a token in a mail gives."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Id


class MailToken:
    """A permission for whoever has the token that one mail carries.

    Nothing stores the token. It is derived from `about` of the mail and from SECRET_KEY.
    """

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # The account's token epoch when the mail was asked for. Whatever ends the sessions of the account raises the epoch,
    # and so ends all permissions: a new password or address, log-out everywhere, disabling and deletion.
    epoch: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
