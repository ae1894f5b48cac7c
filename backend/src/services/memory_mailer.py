"""A mailer for tests: it remembers the mails, and fails as the test asks."""

from __future__ import annotations

from src.services.mail import Mail, MailDelayed, MailRefused


class MemoryMailer:
    """`sent` holds (key, mail) in order; outcomes put into `failures` are raised first, one per call."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Mail]] = []
        self.failures: list[MailDelayed | MailRefused] = []

    def send(self, mail: Mail, key: str) -> None:
        """Keep, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((key, mail))
