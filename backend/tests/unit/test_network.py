"""Which network an address belongs to, for throttling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.utils.network import NO_NETWORK, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9:40001", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:443", "203.0.113.9"),
        ("::ffff:cb00:7109", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:DB8:0:0:ffff::1", "2001:db8::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("[2001:db8::1]:443", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::2%eth1", "fe80::/64"),
        ("[fe80::1%25eth0]:443", "fe80::/64"),
    ],
)
def test_every_spelling_of_an_address_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    "text",
    ["", "unknown", "203.0.113", "203.0.113.9:port", "203.0.113.9:", "[203.0.113.9]:1", "2001:db8::1]:443", "_hidden",
     "203.0.113.256", "203.0.113.9:1:2", "[::1", "\u0662.0.0.1", "1" * 10_000],
)  # fmt: skip
def test_what_is_no_address_counts_as_one_network_together(text: str) -> None:
    assert network_of(text) == NO_NETWORK


@settings(deadline=None, database=None)
@given(address=st.ip_addresses().map(str), port=st.integers(0, 65535))
def test_the_port_makes_no_difference(address: str, port: int) -> None:
    bracketed = f"[{address}]" if ":" in address else address
    assert network_of(f"{bracketed}:{port}") == network_of(address) != NO_NETWORK
