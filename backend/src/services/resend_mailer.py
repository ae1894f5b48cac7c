"""Mails through Resend's HTTP API. Its idempotency keys make a retried mail arrive once (kept for 24 hours)."""

from __future__ import annotations

import resend
from resend.exceptions import ResendError
from resend.http_client_requests import RequestsClient

from src.services.mail import Mail, MailDelayed, MailRefused

# Failures that are not the mail's own: a wrong key or an unverified domain (401, 403), which the operator corrects, and
# 408, 425 and 429, which pass. Every other status below 500 is about the mail itself.
HEALING_STATUSES = frozenset({401, 403, 408, 425, 429})
STILL_UNDER_WAY = "concurrent_idempotent_requests"


class ResendMailer:
    """The production mailer."""

    def __init__(self, *, api_key: str, api_url: str, sender: str, timeout_seconds: float) -> None:
        # The library keeps these in its module; there is one provider in a process.
        resend.api_key = api_key
        resend.api_url = api_url.rstrip("/")
        # Its signature says int; requests takes fractions.
        resend.default_http_client = RequestsClient(timeout=timeout_seconds)  # pyright: ignore[reportArgumentType]
        self._sender = sender

    def send(self, mail: Mail, key: str) -> None:
        """Send; the library turns connection faults into code 500."""
        parameters: resend.Emails.SendParams = {
            "from": self._sender,
            "to": [mail.to],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
        }
        try:
            resend.Emails.send(parameters, {"idempotency_key": key})
        except ResendError as error:
            raise _outcome(error) from error


def _outcome(error: ResendError) -> MailDelayed | MailRefused:
    code = int(error.code)
    reason = f"Resend answered {code} {error.error_type}: {error.message}"
    if code >= 500 or code in HEALING_STATUSES or error.error_type == STILL_UNDER_WAY:  # noqa: PLR2004
        return MailDelayed(reason, _retry_after(error))
    return MailRefused(reason)


def _retry_after(error: ResendError) -> float | None:
    headers = {name.lower(): value for name, value in error.headers.items()}
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None
