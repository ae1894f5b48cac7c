from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base
from src.models.mail_token import MailToken


class EmailConfirmation(MailToken, Base):
    """An address that its account gets, or has confirmed, as soon as somebody sends the token of the mail to it."""

    __tablename__ = "email_confirmations"
    __table_args__ = (Index("ix_email_confirmations_user_id", "user_id"),)

    email: Mapped[str] = mapped_column(String(320))
    # In one letter case, as in the table of accounts. It is not unique: only the confirmation takes an address.
    email_key: Mapped[str] = mapped_column(String(640))
