"""The mails about passwords, rendered as text and HTML."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from src.domain.wall_clock import wall_clock
from src.services.mail import Mail
from src.services.mail_environment import mail_from
from src.services.mail_tokens import link_of, token_of
from src.settings.clinic import Clinic


def render_reset(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:  # noqa: ARG001 - there is one kind
    """Render the mail from the facts that the outbox stores, and from the token, which it does not store."""
    token = token_of(facts)
    link = link_of(clinic, "/password/reset", token)
    return mail_from(
        "password_reset", to, "Your new password", clinic, token=token, link=link, minutes=facts["minutes"]
    )


def render_changed(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:  # noqa: ARG001 - as above
    """Render the mail that says when a password was changed."""
    at = wall_clock(datetime.fromisoformat(facts["at"]), facts["time_zone"])
    when = f"{at:%A}, {at.day} {at:%B %Y}, at {at:%H:%M} ({facts['time_zone']})"
    link = None if clinic.base_url is None else f"{clinic.base_url}/password/forgot"
    return mail_from("password_changed", to, "Your password was changed", clinic, when=when, link=link)
