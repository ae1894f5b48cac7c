"""What a mail is, and how sending one can fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Mail:
    """A mail as rendered: one address, one line of subject, a plain and an HTML part."""

    to: str
    subject: str
    text: str
    html: str


class MailRefused(Exception):
    """The provider will never take this mail; an operator must look."""


class MailDelayed(Exception):
    """The provider asks for a later attempt, or did not say whether it took the mail: retry with the same key.

    `retry_after` is in seconds, where the provider said so.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MailUnknown(MailDelayed):
    """This version of the program cannot render the mail; a newer one wrote it and can."""


class Mailer(Protocol):
    """Something that sends mails."""

    def send(self, mail: Mail, key: str) -> None:
        """Send, once per `key` where the provider can tell; raise MailRefused or MailDelayed."""
        ...
