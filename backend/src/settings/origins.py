"""Web origins: those that browsers may call from (CORS_ORIGINS), and those that may show pages (EMBED_ORIGINS)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

import idna

# RFC 1123, section 2.1: one label of a host name.
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
LONGEST_HOST = 253
HIGHEST_PORT = 65535
IMPLIED_PORTS = {"http": 80, "https": 443}
# A slash at the end is allowed.
ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{LABEL}(?:\.{LABEL})*|\[(?P<ipv6>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?/?"
)
HOST = re.compile(r"(?<=://)[^/:?#@\[\]]+")


def origins(text: str) -> list[str]:
    """Return the comma-separated origins as browsers send them; raise ValueError for one that is none."""
    return [origin(part.strip()) for part in text.split(",") if part.strip()]


def origin(text: str) -> str:
    """Return the origin as browsers send it; raise ValueError if it is none."""
    try:
        return _as_browsers_send_it(_in_ascii(text).lower())
    except ValueError:
        # The text before the @ may contain a password.
        shown = text.rpartition("@")[2]
        raise ValueError(
            f"{shown!r} is no origin; write scheme, host and port only, without patterns, like https://book.example.org"
        ) from None


def _in_ascii(text: str) -> str:
    """Return the origin with an international host name in Punycode (UTS 46), or raise ValueError."""

    def punycode(host: re.Match[str]) -> str:
        return host[0] if host[0].isascii() else idna.encode(host[0], uts46=True).decode()

    return HOST.sub(punycode, text, count=1)


def _as_browsers_send_it(text: str) -> str:
    """Return the origin without the port that its scheme implies (RFC 6454, section 6.2), or raise ValueError."""
    parts = ORIGIN.fullmatch(text)
    if parts is None:
        raise ValueError
    scheme, host, ipv6, port = parts.group("scheme", "host", "ipv6", "port")
    if ipv6:
        host = f"[{_compressed(IPv6Address(ipv6))}]"
    elif host.rpartition(".")[2].isdigit():
        # Browsers parse such a host as an IPv4 address; IPv4Address raises ValueError if it is none.
        host = str(IPv4Address(host))
    port = int(port or IMPLIED_PORTS[scheme])
    if len(host) > LONGEST_HOST or not 1 <= port <= HIGHEST_PORT:
        raise ValueError
    return f"{scheme}://{host}" if port == IMPLIED_PORTS[scheme] else f"{scheme}://{host}:{port}"


def _compressed(address: IPv6Address) -> str:
    """Return the address in the shortest hexadecimal form; Python 3.13 would write the end of some in decimal."""
    if address.ipv4_mapped is None:
        return str(address)
    mapped = int(address.ipv4_mapped)
    return f"::ffff:{mapped >> 16:x}:{mapped & 0xFFFF:x}"
