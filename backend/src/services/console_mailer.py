"""The mailer for development, which prints mails instead of sending them."""

from __future__ import annotations

import sys
from typing import TextIO

from src.services.mail import Mail


class ConsoleMailer:
    """Prints one line per mail; `GET /dev/outbox` shows the whole mail."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def send(self, mail: Mail, key: str) -> None:  # noqa: ARG002 - nothing to deduplicate
        print(f"  mail to {mail.to}: {mail.subject}", file=self._stream, flush=True)
