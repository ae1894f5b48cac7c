"""The renderer of each kind of mail, and the mail that a row of the outbox contains."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Row

from config import Settings
from src.models.outbox_mail import PASSWORD_CHANGED, PASSWORD_RESET, SECOND_FACTOR_CHANGED, SECRET_KINDS
from src.services import account_mails, appointment_mails, email_mails
from src.services.mail import Mail, MailUnknown
from src.services.mail_tokens import HIDDEN
from src.settings.clinic import Clinic
from src.utils.security import mail_token

# By kind, which the outbox stores in its column `template`. A renderer takes the address, the kind, the facts and what
# is configured of the clinic.
RENDERERS: dict[str, Callable[[str, str, dict[str, Any], Clinic], Mail]] = {
    **dict.fromkeys(appointment_mails.NEWS, appointment_mails.render),
    PASSWORD_RESET: account_mails.render_reset,
    PASSWORD_CHANGED: account_mails.render_changed,
    SECOND_FACTOR_CHANGED: account_mails.render_second_factor,
    **dict.fromkeys(email_mails.KINDS, email_mails.render),
}


def render(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:
    """Render a mail from what the outbox stores; raise MailUnknown for a kind or facts unknown to this version."""
    renderer = RENDERERS.get(kind)
    if renderer is None:
        raise MailUnknown(f"A mail of the kind {kind!r} is unknown to this version.")
    try:
        return renderer(to, kind, facts, clinic)
    except (ValueError, KeyError) as error:
        # pydantic's ValidationError and ZoneInfoNotFoundError are among these. The first line shows no facts.
        reason = str(error).partition("\n")[0]
        raise MailUnknown(f"A mail of the kind {kind!r} has facts that this version cannot read: {reason}") from error


def mail_of(row: Row[Any], settings: Settings) -> Mail:
    """Return a mail as it is stored, whatever is configured now, or render it if no text is stored.

    Raises MailUnknown as `render` does.
    """
    if row.text is not None:
        return Mail(row.recipient or "", row.subject, row.text, row.html, row.reply_to)
    facts = row.facts
    if row.template in SECRET_KINDS:
        facts = facts | {"token": _token_of(row, settings)}
    return render(row.recipient or "", row.template, facts, settings.clinic)


def readable_mail(row: Row[Any], settings: Settings, *, with_secrets: bool = False) -> Mail:
    """Return a mail for a person to read: if this version cannot render it, a mail that lists its facts."""
    try:
        if row.template in SECRET_KINDS and not with_secrets:
            hidden = row.facts | {"token": HIDDEN}
            return render(row.recipient or "", row.template, hidden, settings.clinic)
        return mail_of(row, settings)
    except MailUnknown as unknown:
        return Mail(row.recipient or "", str(unknown), f"{unknown}\n\n{row.facts}\n", "")


def without_secrets(text: str, rows: Iterable[Row[Any]], settings: Settings) -> str:
    """Return what a provider said of these mails, without the secrets that they carry: it may quote a mail."""
    for row in rows:
        if row.template in SECRET_KINDS:
            text = text.replace(_token_of(row, settings), HIDDEN)
    return text


def _token_of(row: Row[Any], settings: Settings) -> str:
    return mail_token(row.about, settings)
