"""Chooses the mailer that the settings ask for."""

from __future__ import annotations

from config import Settings
from src.services.console_mailer import ConsoleMailer
from src.services.mail import Mailer
from src.services.resend_mailer import ResendMailer
from src.services.smtp_mailer import SmtpMailer


def mailer_for(settings: Settings) -> Mailer | None:
    """Return the mailer, or None in production without a transport, where the mails wait in the outbox."""
    sender = settings.from_email or ""
    if settings.resend_api_key is not None:
        return ResendMailer(
            api_key=settings.resend_api_key,
            api_url=settings.resend_api_url,
            sender=sender,
            timeout_seconds=settings.mail_timeout_seconds,
        )
    if settings.smtp_url is not None:
        return SmtpMailer(url=settings.smtp_url, sender=sender, timeout_seconds=settings.mail_timeout_seconds)
    return None if settings.mail_transport == "none" else ConsoleMailer()
