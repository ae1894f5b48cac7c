"""The mailer for development, which prints mails instead of sending them."""

from __future__ import annotations

import re
import sys
from typing import TextIO

from src.services.mail import Mail

# A line of a text that is a link and nothing else.
LINK = re.compile(r"^https?://\S+$", re.MULTILINE)


class ConsoleMailer:
    """Prints whom a mail is to, its subject and its links; `GET /dev/outbox` shows the whole mail."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def send(self, mail: Mail, key: str) -> None:  # noqa: ARG002 - nothing to deduplicate
        replies = [f"reply to {mail.reply_to}"] if mail.reply_to is not None else []
        more = "".join(f"\n    {line}" for line in (*replies, *LINK.findall(mail.text)))
        print(f"  mail to {mail.to}: {mail.subject}{more}", file=self._stream, flush=True)
