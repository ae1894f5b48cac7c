"""What people read about the clinic, and where they find this installation (CLINIC_…, REPLY_TO, EMBED_ORIGINS)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from src.settings.origins import origin
from src.settings.urls import is_loopback
from src.utils.addresses import parsed_address

# What pages call an installation whose clinic has no name.
PRODUCT = "Appointment Booking System"
LONGEST_LINE = 200
# Unicode has no printable ones among these, but Persian, Hindi and others write names with them, and so do emoji.
JOINERS = "\u200c\u200d"
# Segments that no browser resolves to another path.
WHOLE_URL = re.compile(
    r"(?P<origin>[^:/?#]+://[^/?#]*)(?P<path>(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)*)/?",
)


@dataclass(frozen=True)
class Clinic:
    """What mails say about the clinic; None is what nobody has configured.

    `base_url` is where people reach this installation, without a slash at its end.
    """

    name: str | None = None
    address: str | None = None
    phone: str | None = None
    base_url: str | None = None
    reply_to: str | None = None


def _one_line(text: str) -> str:
    if len(text) > LONGEST_LINE:
        raise ValueError(f"it is longer than {LONGEST_LINE} characters")
    if not all(character.isprintable() or character in JOINERS for character in text):
        raise ValueError("it must be one line, without control characters and invisible ones")
    return text


def _base_url(text: str) -> str:
    """Return the URL without a slash at its end and without the port that its scheme implies."""
    try:
        site, path = _origin_and_path(text)
    except ValueError:
        # The text before the @ may contain a password.
        shown = text.rpartition("@")[2]
        raise ValueError(
            f"{shown!r} is not the address of an installation; write scheme, host and, if there is one, the path, "
            "like https://clinic.example/booking"
        ) from None
    if site.startswith("http://") and not is_loopback(urlsplit(site).hostname or ""):
        raise ValueError("it must start with https://, because people log in there; http:// is for loopback only")
    return site + path


def _origin_and_path(text: str) -> tuple[str, str]:
    parts = WHOLE_URL.fullmatch(text)
    if parts is None:
        raise ValueError
    return origin(parts["origin"]), parts["path"]


def _plain_address(text: str) -> str:
    """Return the address with its domain in ASCII."""
    try:
        address = parsed_address(text, of_sender=True)
    except ValueError:
        address = None
    # With other characters before the @, not every mail server would take the header (RFC 6531).
    if address is None or "<" in text or not address.local_part.isascii():
        raise ValueError(f"{text!r} is not one plain address of ASCII characters, like desk@clinic.example")
    return f"{address.local_part}@{address.ascii_domain}"


OneLine = Annotated[str, AfterValidator(_one_line)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
PlainAddress = Annotated[str, AfterValidator(_plain_address)]
