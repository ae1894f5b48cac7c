"""The token in a mail, which the outbox does not store."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from src.services.mail import MailUnknown
from src.settings.clinic import Clinic
from src.utils.security import hash_of_token

# What people see in place of the token who look at mails.
HIDDEN = "(not-shown)"


def token_of(facts: dict[str, Any]) -> str:
    """Return the token; raise MailUnknown if it is not the one whose hash the database stores."""
    token: str = facts["token"]
    if token != HIDDEN and hash_of_token(token) != facts["token_hash"]:
        raise MailUnknown("The SECRET_KEY here is not the one of the program that asked for this mail.")
    return token


def link_of(clinic: Clinic, page: str, token: str, path: str = "") -> str | None:
    """Return the link to the page that asks for the token, and goes on to `path` if there is one.

    None if nobody has said where the pages are.
    """
    query = {"token": token} | ({"next": path} if path else {})
    return None if clinic.base_url is None else f"{clinic.base_url}{page}?{urlencode(query)}"
