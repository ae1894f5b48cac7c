"""The web origins that browsers may call from (CORS_ORIGINS)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

# RFC 1123, section 2.1: one label of a host name.
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
LONGEST_HOST = 253
HIGHEST_PORT = 65535
IMPLIED_PORTS = {"http": 80, "https": 443}
# A slash at the end is allowed.
ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{LABEL}(?:\.{LABEL})*|\[(?P<ipv6>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?/?"
)


def origins(text: str) -> list[str]:
    """Return the comma-separated origins as browsers send them; raise ValueError for one that is none."""
    return [_origin(part.strip()) for part in text.split(",") if part.strip()]


def _origin(text: str) -> str:
    try:
        return _as_browsers_send_it(text.lower())
    except ValueError:
        # The text before the @ may contain a password.
        shown = text.rpartition("@")[2]
        raise ValueError(
            f"{shown!r} is no origin; write scheme, host and port only, without patterns, like https://book.example.org"
        ) from None


def _as_browsers_send_it(origin: str) -> str:
    """Return the origin without the port that its scheme implies (RFC 6454, section 6.2), or raise ValueError."""
    parts = ORIGIN.fullmatch(origin)
    if parts is None:
        raise ValueError
    scheme, host, ipv6, port = parts.group("scheme", "host", "ipv6", "port")
    if ipv6:
        host = f"[{IPv6Address(ipv6)}]"
    elif host.rpartition(".")[2].isdigit():
        # Browsers parse such a host as an IPv4 address; IPv4Address raises ValueError if it is none.
        host = str(IPv4Address(host))
    port = int(port or IMPLIED_PORTS[scheme])
    if len(host) > LONGEST_HOST or not 1 <= port <= HIGHEST_PORT:
        raise ValueError
    return f"{scheme}://{host}" if port == IMPLIED_PORTS[scheme] else f"{scheme}://{host}:{port}"
