"""A mailer for tests, which stores the mails and raises the errors that a test asks for."""

from __future__ import annotations

from src.services.mail import Mail


class MemoryMailer:
    """`sent` lists (key, mail) in order. While `failures` contains errors, each call raises the next one instead."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Mail]] = []
        self.failures: list[Exception] = []

    def send(self, mail: Mail, key: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((key, mail))
