"""Mails through any SMTP server: at least once, with a fixed Message-ID, because SMTP has no idempotency."""

from __future__ import annotations

import re
import smtplib
import ssl
from base64 import b64encode
from contextlib import ExitStack, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import formatdate

from src.services.mail import AUTOMATIC, Mail, MailDelayed, MailRefused
from src.settings.mail import mail_server, sender_address
from src.settings.urls import is_loopback
from src.utils.addresses import address_in_mail


class SmtpMailer:
    """`smtp://user:password@host:587` uses STARTTLS where the server offers it, `smtps://…:465` TLS from the start.

    Every use of TLS verifies the certificate and the host name, and a password is sent over TLS only. The exception is
    `smtp://` to loopback, which never uses TLS: the connection stays on this machine, and a relay there seldom has a
    certificate that can be verified.
    """

    def __init__(self, *, url: str, sender: str, timeout_seconds: float) -> None:
        self._url = mail_server(url)
        self._host = self._url.host or ""
        self._sender = sender_address(sender)
        self._timeout = timeout_seconds
        self._tls = ssl.create_default_context()

    def send(self, mail: Mail, key: str) -> None:
        """Send a mail. Its Message-ID contains the key, so that receivers can recognise a repeated mail."""
        try:
            to = address_in_mail(mail.to)
        except ValueError as error:
            raise MailRefused(f"SMTP: this is no address that a mail can go to: {error}") from error
        try:
            server = self._ready_server()
        except ssl.SSLCertVerificationError as error:
            raise MailDelayed(
                f"SMTP: the certificate of {self._host} cannot be verified ({error.verify_message.rstrip('.')}); "
                "give the server a valid one for this name, or name your own CA's file in SSL_CERT_FILE"
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            # The server has not received the mail. A retry succeeds once an operator corrects server or settings.
            raise MailDelayed(f"SMTP: {error}") from error
        try:
            self._refuse_unreachable(server, to)
            # With SMTPUTF8 and BODY=8BITMIME if an address needs them.
            server.send_message(self._message(mail, to, key), self._sender.addr_spec, [to])
        except smtplib.SMTPRecipientsRefused as error:
            raise _outcome(*error.recipients[to], WITHOUT_ENHANCED_CODE) from error
        except smtplib.SMTPDataError as error:
            raise _outcome(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            # Among these: SMTPSenderRefused.
            raise MailDelayed(f"SMTP: {error}") from error
        finally:
            # Whatever happens now, the server has accepted the mail or not.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()

    def _ready_server(self) -> smtplib.SMTP:
        """Connect, start TLS and log in, as far as the URL asks for each."""
        with ExitStack() as on_failure:
            server = self._connect()
            on_failure.callback(server.close)
            if self._url.drivername == "smtp" and not is_loopback(self._host):
                self._start_tls(server)
            if self._url.username:
                self._log_in(server, self._url.username, self._url.password or "")
            on_failure.pop_all()
            return server

    def _connect(self) -> smtplib.SMTP:
        if self._url.drivername == "smtps":
            return smtplib.SMTP_SSL(self._host, self._url.port or 465, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(self._host, self._url.port or 587, timeout=self._timeout)

    def _start_tls(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            server.starttls(context=self._tls)
        elif self._url.username:
            # The server may not support STARTTLS, or an attacker on the network may have removed it from the answer.
            raise MailDelayed(
                f"SMTP: {self._host} offers no STARTTLS, and the password is sent over TLS only; "
                "switch STARTTLS on in the server, or write smtps:// in SMTP_URL"
            )

    def _log_in(self, server: smtplib.SMTP, user: str, password: str) -> None:
        if user.isascii() and password.isascii():
            server.login(user, password)
            return
        # smtplib sends ASCII only. Of the mechanisms that it knows, RFC 4616 (PLAIN) alone says how others are encoded.
        server.ehlo_or_helo_if_needed()
        if "PLAIN" not in server.esmtp_features.get("auth", "").upper().split():
            raise MailDelayed(
                f"SMTP: {self._host} offers no AUTH PLAIN, which a log-in with non-ASCII characters needs; "
                "write a user and a password of ASCII characters into SMTP_URL"
            )
        log_in = b64encode(f"\0{user}\0{password}".encode()).decode()
        code, answer = server.docmd("AUTH", f"PLAIN {log_in}")
        if code != 235:  # noqa: PLR2004 - RFC 4954, section 6: authentication succeeded
            raise smtplib.SMTPAuthenticationError(code, answer)

    def _refuse_unreachable(self, server: smtplib.SMTP, to: str) -> None:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("smtputf8"):
            return
        if not self._sender.username.isascii():
            raise MailDelayed(
                f"SMTP: {self._host} offers no SMTPUTF8 (RFC 6531); "
                "write an address of ASCII characters into FROM_EMAIL"
            )
        if not to.isascii():
            raise MailRefused(
                f"SMTP: {self._host} offers no SMTPUTF8 (RFC 6531), "
                "so it cannot reach an address with non-ASCII characters before the @"
            )

    def _message(self, mail: Mail, to: str, key: str) -> EmailMessage:
        # RFC 6152: bytes above 127 may go only to a server that offers 8BITMIME.
        message = EmailMessage(default.clone(cte_type="7bit"))
        message["From"] = self._sender
        # Not `addr_spec`: that refuses addresses that are not ASCII.
        user, _, domain = to.rpartition("@")
        message["To"] = Address(username=user, domain=domain)
        if mail.reply_to is not None:
            message["Reply-To"] = Address(addr_spec=mail.reply_to)
        message["Subject"] = mail.subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = f"<{key}@{self._sender.domain}>"
        for name, value in AUTOMATIC.items():
            message[name] = value
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message


# Final are only refusals of the recipient and of this text, by the enhanced status code (RFC 3463, RFC 5248): bad or
# unknown address of the recipient, mailbox disabled, mail too long, content. Every other one, such as 5.4.5 (quota),
# 5.5 (protocol) and 5.7 (policy), can be about the sender or the log-in, and an operator or time can heal it. 5.7.1 is
# used for both, and so delays. 5.2.2 (mailbox full) heals when the recipient deletes something.
FINAL = re.compile(r"5\.(1\.(?!7\b|8\b)\d+|2\.[13]|3\.4|6\.\d+)\b")
ENHANCED_CODE = re.compile(r"[245]\.\d+\.\d+\b")
# Final answers to RCPT without an enhanced code (RFC 5321, section 4.2.3; RFC 7504).
WITHOUT_ENHANCED_CODE = frozenset({550, 551, 553, 556})


def _outcome(code: int, answer: bytes | str, final: frozenset[int] = frozenset()) -> MailDelayed | MailRefused:
    """Return the error for an answer; `final` has the codes that are final if no enhanced code is in the answer."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    is_final = FINAL.match(text) if ENHANCED_CODE.match(text) else code in final
    return MailRefused(f"SMTP: {code} {text}") if is_final else MailDelayed(f"SMTP: {code} {text}")
