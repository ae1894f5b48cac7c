"""The list of common passwords."""

from __future__ import annotations

import pytest

from src.utils.common_passwords import SHORTEST, is_common, the_list


@pytest.mark.parametrize("password", ["password", "PASSWORD", "Password1", "12345678", "1234567890", "qwertyuiop"])
def test_the_commonest_are_in_it_in_any_letter_case(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize("password", ["", "\n", "\n\n", "passwor", "ssword123", "password\npassword1", "password "])
def test_nothing_else_is(password: str) -> None:
    assert not is_common(password)


def test_it_has_what_the_documents_say() -> None:
    passwords = the_list().strip("\n").split("\n")
    assert len(passwords) == len(set(passwords)) == 11_611
    assert min(map(len, passwords)) == SHORTEST
    assert len(the_list()) < 120_000
