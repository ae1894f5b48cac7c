from __future__ import annotations

import pytest

from src.utils.addresses import masked


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ada@people.example", "a\u2022\u2022\u2022@people.example"),
        ("ab@people.example", "a\u2022\u2022\u2022@people.example"),
        ("a@people.example", "\u2022\u2022\u2022@people.example"),
        ('"a@b"@people.example', '"\u2022\u2022\u2022@people.example'),
    ],
)
def test_a_masked_address_shows_at_most_the_first_character_before_the_host(address: str, shown: str) -> None:
    assert masked(address) == shown
