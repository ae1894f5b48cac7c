"""Mails through any SMTP server: at least once, with a fixed Message-ID, because SMTP has no idempotency."""

from __future__ import annotations

import smtplib
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit

from src.services.mail import Mail, MailDelayed, MailRefused


class SmtpMailer:
    """`smtp://user:password@host:587` uses STARTTLS where offered, `smtps://…:465` TLS from the start."""

    def __init__(self, *, url: str, sender: str, timeout_seconds: float) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._timeout = timeout_seconds

    def send(self, mail: Mail, key: str) -> None:
        """Send; the Message-ID is made of the key, so that receivers can tell a repetition."""
        try:
            with self._connect() as server:
                server.send_message(self._message(mail, key))
        except smtplib.SMTPResponseException as error:
            raise _outcome(error.smtp_code, error) from error
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=550)
            raise _outcome(code, error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailDelayed(f"SMTP: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        host, secure = self._url.hostname or "localhost", self._url.scheme == "smtps"
        if secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, self._url.port or 465, timeout=self._timeout)
        else:
            server = smtplib.SMTP(host, self._url.port or 587, timeout=self._timeout)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls()
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))
        return server

    def _message(self, mail: Mail, key: str) -> EmailMessage:
        _, address = parseaddr(self._sender)
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = f"<{key}@{address.rpartition('@')[2]}>"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message


def _outcome(code: int, error: Exception) -> MailDelayed | MailRefused:
    """RFC 5321, section 4.2.1: 4yz may be tried again, 5yz not; 530 and 535 are ours to mend in the settings."""
    temporary = code < 500 or code in {530, 534, 535}  # noqa: PLR2004
    return MailDelayed(f"SMTP: {error}") if temporary else MailRefused(f"SMTP: {error}")
