"""The mail for a forgotten password, rendered as text and HTML."""

from __future__ import annotations

from typing import Any

from src.services.mail import Mail
from src.services.mail_environment import mail_templates
from src.services.mail_tokens import link_of, token_of
from src.settings.clinic import Clinic

_SUBJECT = "Your new password"
_text = mail_templates.get_template("password_reset.txt")
_html = mail_templates.get_template("password_reset.html")


def render(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:  # noqa: ARG001 - there is one kind
    """Render the mail from the facts that the outbox stores, and from the token, which it does not store."""
    token = token_of(facts)
    link = link_of(clinic, "/password/reset", token)
    values = {"token": token, "link": link, "minutes": facts["minutes"], "subject": _SUBJECT, "clinic": clinic}
    return Mail(to, _SUBJECT, _text.render(values), _html.render(values), clinic.reply_to)
