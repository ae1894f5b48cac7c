"""The mails about e-mail addresses: a token that confirms one, and word of a change to the old one."""

from __future__ import annotations

from typing import Any

from src.models.outbox_mail import EMAIL_CHANGE_NOTICE, EMAIL_CONFIRMATION, GUEST_LINK
from src.services.mail import Mail
from src.services.mail_environment import mail_from
from src.services.mail_tokens import link_of, token_of
from src.settings.clinic import Clinic

# The same whether or not another account has the address: the export shows it to whoever asked.
_SUBJECTS = {
    EMAIL_CONFIRMATION: "Please confirm your e-mail address",
    EMAIL_CHANGE_NOTICE: "A new e-mail address for your account",
    GUEST_LINK: "Please go on with your booking",
}
# Where the token of a mail is asked for.
_PAGES = {EMAIL_CONFIRMATION: "/email/confirm", GUEST_LINK: "/guest/confirm"}
KINDS = frozenset(_SUBJECTS)
# What stands in the place of the new address once the person has left.
ERASED = "(erased)"


def render(to: str, kind: str, facts: dict[str, Any], clinic: Clinic) -> Mail:
    """Render the mail from the facts that the outbox stores; the token is not among what it stores."""
    values: dict[str, Any] = {"base_url": clinic.base_url, **facts}
    if kind in _PAGES:
        values["token"] = token_of(facts)
        values["link"] = link_of(clinic, _PAGES[kind], values["token"], facts.get("next", ""))
    return mail_from(kind, to, _SUBJECTS[kind], clinic, **values)
