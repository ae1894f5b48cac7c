"""URLs of servers."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def has_host(url: str) -> bool:
    """Say whether the URL names a host, and no port or a right one."""
    try:
        parts = urlsplit(url)
        # Reading `port` raises ValueError for a wrong number.
        _ = parts.port
    except ValueError:
        # Not re-raised: Python's message repeats the text in the port's place, which may be a part of a password.
        return False
    return bool(parts.hostname)


def is_loopback(host: str) -> bool:
    """Say whether the host is this machine, judged by its spelling alone, without a DNS lookup."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
