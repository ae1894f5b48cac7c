"""The mail for a forgotten password, rendered as text and HTML."""

from __future__ import annotations

from typing import Any

from src.services.mail import Mail, MailUnknown
from src.services.mail_environment import mail_templates
from src.settings.clinic import Clinic
from src.utils.security import hash_of_token

# What people see in place of the token who look at mails.
HIDDEN = "(not-shown)"

_SUBJECT = "Your new password"
_text = mail_templates.get_template("password_reset.txt")
_html = mail_templates.get_template("password_reset.html")


def render(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:  # noqa: ARG001 - there is one kind
    """Render the mail from the facts that the outbox stores, and from the token, which it does not store."""
    token = facts["token"]
    if token != HIDDEN and hash_of_token(token) != facts["token_hash"]:
        raise MailUnknown("The SECRET_KEY here is not the one of the program that asked for this mail.")
    link = None if clinic.base_url is None else f"{clinic.base_url}/password/reset?token={token}"
    values = {"token": token, "link": link, "minutes": facts["minutes"], "subject": _SUBJECT, "clinic": clinic}
    return Mail(to, _SUBJECT, _text.render(values), _html.render(values), clinic.reply_to)
