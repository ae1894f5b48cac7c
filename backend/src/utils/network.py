"""Which network an address belongs to, for limits that a caller must not escape by taking another address."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NO_NETWORK = "no address"

# Some proxies add the port, and brackets around IPv6, to the address in X-Forwarded-For.
_ADDRESS = re.compile(r"\[(?P<ipv6>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\](?::[0-9]+)?|(?P<ipv4>[0-9.]+)(?::[0-9]+)?")


def network_of(address: str) -> str:
    """Return the address, or its /64 network for IPv6: providers commonly give one customer a whole /64.

    All texts that are no address are one network together; otherwise each of them would have limits of its own.
    """
    try:
        parsed = _parsed(address.strip())
    except ValueError:
        return NO_NETWORK
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))
    return str(parsed)


def _parsed(address: str) -> IPv4Address | IPv6Address:
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        return ip_address(address)
    return IPv4Address(parts["ipv4"]) if parts["ipv4"] else IPv6Address(parts["ipv6"])
