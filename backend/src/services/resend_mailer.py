"""Mails through Resend's HTTP API, which sends a mail once per idempotency key and keeps the keys for 24 hours."""

from __future__ import annotations

import re

import resend
from resend.exceptions import ResendError
from resend.http_client_requests import RequestsClient

from src.services.mail import AUTOMATIC, Mail, MailDelayed, MailRefused
from src.settings.mail import sender_address
from src.utils.addresses import address_in_mail

# https://resend.com/docs/api-reference/errors. These can be about one mail. Every other error is about our settings,
# our account, a quota or Resend itself, and heals when time has passed or an operator has corrected something.
ABOUT_FIELDS = frozenset({"validation_error", "missing_required_field", "invalid_attachment"})
INVALID_FIELDS = frozenset({400, 422})
# Messages of the errors above that are about our settings, unless they name the field `to`.
ABOUT_US = re.compile(r"\bfrom\b|\bdomain|\bapi key\b", re.IGNORECASE)
# Resend has accepted another text or sender under this key in the last 24 hours. So the recipient probably has the
# mail, and would get it a second time if we tried until Resend has forgotten the key.
OTHER_PAYLOAD = "invalid_idempotent_request"


class ResendMailer:
    def __init__(self, *, api_key: str, api_url: str, sender: str, timeout_seconds: float) -> None:
        # The library has these settings once per process, which suffices for one provider.
        resend.api_key = api_key
        resend.api_url = api_url.rstrip("/")
        # The library declares int, but passes the value to requests, which accepts fractions of a second.
        resend.default_http_client = RequestsClient(timeout=timeout_seconds)  # pyright: ignore[reportArgumentType]
        self._sender = str(sender_address(sender))

    def send(self, mail: Mail, key: str) -> None:
        """Send a mail. The library reports a failed connection as code 500."""
        try:
            to = address_in_mail(mail.to)
        except ValueError as error:
            raise MailRefused(f"This is no address that a mail can go to: {error}") from error
        parameters: resend.Emails.SendParams = {
            "from": self._sender,
            "to": [to],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "headers": AUTOMATIC,
        }
        try:
            resend.Emails.send(parameters, {"idempotency_key": key})
        except ResendError as error:
            raise _outcome(error) from error


def _outcome(error: ResendError) -> MailDelayed | MailRefused:
    reason = f"Resend answered {error.code} {error.error_type}: {error.message}"
    if error.error_type == OTHER_PAYLOAD or _is_about_this_mail(error):
        return MailRefused(reason)
    return MailDelayed(reason, _retry_after(error))


def _is_about_this_mail(error: ResendError) -> bool:
    if int(error.code) not in INVALID_FIELDS or error.error_type not in ABOUT_FIELDS:
        return False
    return "`to`" in error.message or ABOUT_US.search(error.message) is None


def _retry_after(error: ResendError) -> float | None:
    headers = {name.lower(): value for name, value in error.headers.items()}
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None
