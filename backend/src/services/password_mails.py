"""The mails about passwords, rendered as text and HTML."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from src.domain.wall_clock import wall_clock
from src.services.mail import Mail
from src.services.mail_environment import mail_templates
from src.services.mail_tokens import link_of, token_of
from src.settings.clinic import Clinic

# By kind: the subject, and the names of the templates.
_RESET = ("Your new password", "password_reset")
_CHANGED = ("Your password was changed", "password_changed")


def render_reset(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:  # noqa: ARG001 - there is one kind
    """Render the mail from the facts that the outbox stores, and from the token, which it does not store."""
    token = token_of(facts)
    link = link_of(clinic, "/password/reset", token)
    return _mail(to, _RESET, clinic, token=token, link=link, minutes=facts["minutes"])


def render_changed(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:  # noqa: ARG001 - as above
    """Render the mail that says when a password was changed."""
    at = wall_clock(datetime.fromisoformat(facts["at"]), facts["time_zone"])
    when = f"{at:%A}, {at.day} {at:%B %Y}, at {at:%H:%M} ({facts['time_zone']})"
    link = None if clinic.base_url is None else f"{clinic.base_url}/password/forgot"
    return _mail(to, _CHANGED, clinic, when=when, link=link)


def _mail(to: str, kind: tuple[str, str], clinic: Clinic, **values: Any) -> Mail:
    subject, template = kind
    values |= {"subject": subject, "clinic": clinic}
    text, html = (mail_templates.get_template(f"{template}.{part}").render(values) for part in ("txt", "html"))
    return Mail(to, subject, text, html, clinic.reply_to)
