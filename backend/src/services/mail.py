"""A rendered mail, the interface of mailers, and the errors that they raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

# RFC 3834, section 5: no vacation responder answers a mail with this header.
AUTOMATIC = {"Auto-Submitted": "auto-generated"}


@dataclass(frozen=True)
class Mail:
    """A rendered mail: one address, a subject of one line, a plain-text part and an HTML part, where replies go."""

    to: str
    subject: str
    text: str
    html: str
    reply_to: str | None = None


class MailRefused(Exception):
    """The provider will never accept this mail; an operator must look at it."""


class MailDelayed(Exception):
    """The provider has not accepted the mail yet, or whether it has is unknown: retry with the same key.

    `retry_after` is the pause in seconds that the provider asked for, if any.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MailUnknown(MailDelayed):
    """This version of the program cannot render the mail; the version that wrote it can."""


class BatchRefused(Exception):
    """The provider refuses a batch as a whole, and has accepted none of its mails: they must go one by one."""


class Mailer(Protocol):
    def send(self, mail: Mail, key: str) -> None:
        """Send a mail, only once per `key` if the provider knows idempotency; raise MailRefused or MailDelayed.

        The worker treats every other exception like MailDelayed: nobody knows whether the provider has the mail.
        """
        ...


@runtime_checkable
class BatchMailer(Mailer, Protocol):
    """A mailer that can send several mails in one request."""

    # How many.
    largest_batch: int

    def send_batch(self, mails: Sequence[Mail], key: str) -> dict[int, MailRefused | MailDelayed]:
        """Send mails, only once per `key`, and return the errors of those not accepted, by their index in `mails`.

        Once an attempt was made, every later one must send the same mails in the same order. Raises MailRefused,
        MailDelayed and other exceptions, as `send` does, if the answer is about all mails, and BatchRefused.
        """
        ...
