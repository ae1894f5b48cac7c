"""From a row of the outbox to the mail that it holds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from src.services.appointment_mails import render
from src.services.mail import Mail, MailUnknown


def mail_of(row: Row[Any]) -> Mail:
    """Return a mail of the outbox as it was rendered, or as it will be; raise MailUnknown as `render` does."""
    if row.text is None:
        return render(row.recipient or "", row.template, row.facts)
    return Mail(row.recipient or "", row.subject, row.text, row.html)


def mail_to_look_at(row: Row[Any]) -> Mail:
    """Return a mail of the outbox as a person can read it, also where this version cannot render it."""
    try:
        return mail_of(row)
    except MailUnknown as unknown:
        return Mail(row.recipient or "", str(unknown), f"{unknown}\n\n{row.facts}\n", "")
