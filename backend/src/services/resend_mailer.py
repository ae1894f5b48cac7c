"""Mails through Resend's HTTP API, which sends a mail once per idempotency key and keeps the keys for 24 hours."""

from __future__ import annotations

import resend
from resend.exceptions import ResendError
from resend.http_client_requests import RequestsClient

from src.services.mail import Mail, MailDelayed, MailRefused
from src.settings.mail import sender_address

# With these, a retry of the same mail can succeed: 401 and 403 (a bad API key, an unverified domain) after an operator
# corrects the settings; 408, 425 and 429 after a while. Every other status from 400 to 499 is about the mail itself.
RETRYABLE_STATUSES = frozenset({401, 403, 408, 425, 429})
STILL_UNDER_WAY = "concurrent_idempotent_requests"


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
    if code >= 500 or code in RETRYABLE_STATUSES or error.error_type == STILL_UNDER_WAY:  # noqa: PLR2004
        return MailDelayed(reason, _retry_after(error))
    return MailRefused(reason)


def _retry_after(error: ResendError) -> float | None:
    headers = {name.lower(): value for name, value in error.headers.items()}
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None
