from __future__ import annotations

from src.models.base import Base
from src.models.mail_token import MailToken


class PasswordReset(MailToken, Base):
    """A permission to set a new password without the old one."""

    __tablename__ = "password_resets"
