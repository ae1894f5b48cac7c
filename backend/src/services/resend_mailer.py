"""Mails through Resend's HTTP API, which sends a mail once per idempotency key and keeps the keys for 24 hours."""

from __future__ import annotations

import re
from collections.abc import Sequence

import resend
from resend.exceptions import ResendError
from resend.http_client_requests import RequestsClient

from src.services.mail import AUTOMATIC, BatchRefused, Mail, MailDelayed, MailRefused
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
    # https://resend.com/docs/api-reference/emails/send-batch-emails
    largest_batch = 100

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
            resend.Emails.send(self._parameters(mail), {"idempotency_key": key})
        except ResendError as error:
            raise _outcome(error) from error

    def send_batch(self, mails: Sequence[Mail], key: str) -> dict[int, MailRefused | MailDelayed]:
        """Send mails in one request, without attachments: Resend would leave those out and not say so."""
        parameters = [self._parameters(mail) for mail in mails]
        try:
            # Permissive: one bad mail does not keep Resend from accepting the others.
            answer = resend.Batch.send(parameters, {"idempotency_key": key, "batch_validation": "permissive"})
        except ResendError as error:
            if _is_about_this_mail(error):
                raise BatchRefused(_reason(error)) from error
            raise _outcome(error) from error
        return {entry["index"]: _outcome_of_entry(entry["message"]) for entry in answer.get("errors") or ()}

    def _parameters(self, mail: Mail) -> resend.Emails.SendParams:
        parameters: resend.Emails.SendParams = {
            "from": self._sender,
            "to": [_as_sent(mail.to)],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "headers": AUTOMATIC,
        }
        if mail.reply_to is not None:
            parameters["reply_to"] = mail.reply_to
        return parameters


def _as_sent(address: str) -> str:
    """Return the address with its domain in ASCII; leave a wrong address as it is, so that Resend refuses it."""
    try:
        return address_in_mail(address)
    except ValueError:
        return address


def _outcome(error: ResendError) -> MailDelayed | MailRefused:
    if error.error_type == OTHER_PAYLOAD or _is_about_this_mail(error):
        return MailRefused(_reason(error))
    return MailDelayed(_reason(error), _retry_after(error))


def _outcome_of_entry(message: str) -> MailDelayed | MailRefused:
    reason = f"Resend refused this mail of a batch: {message}"
    return MailDelayed(reason) if _is_about_us(message) else MailRefused(reason)


def _reason(error: ResendError) -> str:
    return f"Resend answered {error.code} {error.error_type}: {error.message}"


def _is_about_this_mail(error: ResendError) -> bool:
    is_about_fields = int(error.code) in INVALID_FIELDS and error.error_type in ABOUT_FIELDS
    return is_about_fields and not _is_about_us(error.message)


def _is_about_us(message: str) -> bool:
    return "`to`" not in message and ABOUT_US.search(message) is not None


def _retry_after(error: ResendError) -> float | None:
    headers = {name.lower(): value for name, value in error.headers.items()}
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None
