"""The mails about passwords and second factors, rendered as text and HTML."""

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
    return _mail_about_change("password_changed", to, "Your password was changed", facts, clinic)


# By what was changed: the subject, and the end of the sentence that begins with the time.
_SECOND_FACTOR = {
    "on": ("Your second factor is on", "was turned on"),
    "off": ("Your second factor is off", "was turned off"),
    "recovery codes": ("You have new recovery codes", "got new recovery codes, and the earlier ones no longer work"),
}


def render_second_factor(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:
    """Render the mail that says what was changed of a second factor, and when."""
    subject, change = _SECOND_FACTOR[facts["what"]]
    return _mail_about_change(kind, to, subject, facts, clinic, change=change)


def _mail_about_change(
    template: str, to: str, subject: str, facts: dict[str, Any], clinic: Clinic, **more: str
) -> Mail:
    at = wall_clock(datetime.fromisoformat(facts["at"]), facts["time_zone"])
    when = f"{at:%A}, {at.day} {at:%B %Y}, at {at:%H:%M} ({facts['time_zone']})"
    link = None if clinic.base_url is None else f"{clinic.base_url}/password/forgot"
    return mail_from(template, to, subject, clinic, when=when, link=link, **more)
