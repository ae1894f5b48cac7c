"""Which kinds of mails there are, what renders each, and the mail that a row of the outbox holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from src.services import appointment_mails
from src.services.mail import Mail, MailUnknown

# By the kind, which the outbox keeps in its column `template`. A renderer is given the address, the kind and the facts.
RENDERERS: dict[str, Callable[[str, str, dict[str, Any]], Mail]] = {
    **dict.fromkeys(appointment_mails.NEWS, appointment_mails.render),
}


def render(to: str, kind: str, facts: dict[str, Any]) -> Mail:
    """Render the facts; raise MailUnknown for a kind that only another version of this program knows."""
    renderer = RENDERERS.get(kind)
    if renderer is None:
        raise MailUnknown(f"A mail of the kind {kind!r} is unknown to this version.")
    return renderer(to, kind, facts)


def mail_of(row: Row[Any]) -> Mail:
    """Return the stored text of a row, or render its facts; raise MailUnknown as `render` does."""
    if row.text is None:
        return render(row.recipient or "", row.template, row.facts)
    return Mail(row.recipient or "", row.subject, row.text, row.html)


def mail_to_look_at(row: Row[Any]) -> Mail:
    """Return the mail for a person to read, with its bare facts where this version cannot render it."""
    try:
        return mail_of(row)
    except MailUnknown as unknown:
        return Mail(row.recipient or "", str(unknown), f"{unknown}\n\n{row.facts}\n", "")
