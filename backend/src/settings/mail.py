"""The mail server (SMTP_URL) and the sender of mails (FROM_EMAIL)."""

from __future__ import annotations

import re
from email.headerregistry import Address
from ipaddress import ip_address

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from src.settings.origins import HIGHEST_PORT
from src.utils.addresses import parsed_address

# Letters of any script, and the underscore of names in private networks.
HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?")
# A display name that is not in quotes, before an address in angle brackets.
UNQUOTED_NAME = re.compile(r'(?P<name>[^"<>@\\]*[^"<>@\\ ]) *(?P<address><[^<>]*>)')


def mail_server(text: str) -> URL:
    """Return the scheme, the host, the port and the log-in of a URL with `smtp` or `smtps`.

    Raises ValueError, without repeating a part of the text: it may contain a password. Passwords may contain `/`, `+`,
    `=` and `:` as they are, as those of AWS SES do; `%40` and the like are decoded.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or not _is_plain(url):
        raise ValueError(
            "it must be a whole URL with a host, like smtp://user:password@mail.example.org:587; "
            "in a user or password, write @ as %40 and % as %25, and in a user also / as %2F and : as %3A"
        )
    if url.drivername.lower() not in {"smtp", "smtps"}:
        raise ValueError("it must start with smtp:// (STARTTLS) or smtps:// (TLS from the start)")
    if url.port is not None and not 1 <= url.port <= HIGHEST_PORT:
        raise ValueError(f"its port must be a number from 1 to {HIGHEST_PORT}")
    if url.password and not url.username:
        raise ValueError("it has a password but no user; write both, like smtp://user:password@mail.example.org:587")
    return url.set(drivername=url.drivername.lower())


def _is_plain(url: URL) -> bool:
    """Say whether the URL was read as it was meant: no part of a log-in is in the host, in the path or undecodable."""
    host = url.host or ""
    log_in = f"{url.username}{url.password}"
    after_host = f"{url.database}{url.query}"
    return (HOST.fullmatch(host) is not None or _is_ip(host)) and "@" not in after_host and "\ufffd" not in log_in


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def sender_address(text: str) -> Address:
    """Return the one address that mails come from, with its display name if it has one; its domain is in ASCII.

    Raises ValueError if the text is something else.
    """
    unquoted = UNQUOTED_NAME.fullmatch(text)
    quoted = '"{name}" {address}'.format(**unquoted.groupdict()) if unquoted else text
    try:
        address = parsed_address(quoted, of_sender=True)
    except ValueError:
        raise ValueError(
            f"{text!r} is not one sender; write an address, like clinic@example.org, "
            "or a name and an address, like Clinic Sample <clinic@example.org>"
        ) from None
    return Address((address.display_name or "").strip(), address.local_part, address.ascii_domain)


def what_mails_lack(transport: str, base_url: str | None) -> list[str]:
    """Return what an operator has yet to configure, in sentences for the log at the start."""
    lacks: list[str] = []
    if transport == "none":
        lacks.append("No mail transport: set RESEND_API_KEY or SMTP_URL, and FROM_EMAIL. Mails wait in the outbox.")
    if base_url is None:
        lacks.append("Mails carry no links: set CLINIC_URL to the address at which people reach this installation.")
    return lacks
