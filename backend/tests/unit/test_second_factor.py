"""Codes of a second factor, without a database."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone

import pytest
from pyotp.totp import TOTP

from src.utils.password_proof import LIFETIME, prove_password, proven_account
from src.utils.second_factor import (
    ALPHABET,
    hash_of_recovery_code,
    is_of_app,
    new_enrolment,
    new_recovery_codes,
    secret_of,
    step_of,
)
from tests.conftest import NOW, make_settings

# RFC 6238, appendix B, for SHA-1: seconds since 1970, and the code of eight digits, of which ours are the last six.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, timezone.utc)
    assert TOTP(RFC_SECRET, digits=8).at(now) == code
    assert step_of(code[2:], RFC_SECRET, now) == seconds // 30
    assert step_of(f" {code[2:5]} {code[5:]}", RFC_SECRET, now) == seconds // 30


def test_a_code_is_taken_from_half_a_minute_before_its_step_until_half_a_minute_after() -> None:
    begin = datetime.fromtimestamp(1111111110, timezone.utc)
    taken = [
        offset
        for offset in range(-90, 120)
        if step_of("050471", RFC_SECRET, begin + timedelta(seconds=offset)) is not None
    ]
    assert taken == list(range(-30, 60))


@pytest.mark.parametrize("otp", ["", "05047", "0504711", "14050471", "abcdef", "\u0660\u0665\u0660\u0664\u0667\u0661"])
def test_nothing_else_is_a_code(otp: str) -> None:
    assert step_of(otp, RFC_SECRET, datetime.fromtimestamp(1111111110, timezone.utc)) is None


def test_a_secret_follows_from_account_set_up_and_key() -> None:
    settings, enrolment = make_settings(), new_enrolment()
    secret = secret_of(7, enrolment, settings)
    assert len(base64.b32decode(secret)) == 20
    assert secret == secret_of(7, enrolment, settings)
    others = {
        secret_of(8, enrolment, settings),
        secret_of(7, new_enrolment(), settings),
        secret_of(7, enrolment, make_settings(secret_key="another secret of the tests")),
    }
    assert len(others | {secret}) == 4


def test_recovery_codes_have_80_bits_and_are_none_of_an_app() -> None:
    codes = [code for _ in range(20) for code in new_recovery_codes()]
    assert len(set(codes)) == 200
    assert len(ALPHABET) ** len(codes[0].replace("-", "")) == 2**80
    assert set("".join(codes)) == {*ALPHABET, "-"}
    assert not any(map(is_of_app, codes))


def test_a_recovery_code_is_the_same_in_every_spelling() -> None:
    spellings = ("0A1B-2C3D-4E5F-6G7H", "0a1b2c3d4e5f6g7h", " oaIb 2c3d\t4e5f-6g7h", "OALB2C3D4E5F6G7H")
    assert len({hash_of_recovery_code(code) for code in spellings}) == 1
    assert hash_of_recovery_code("0A1B-2C3D-4E5F-6G7J") != hash_of_recovery_code(spellings[0])


def test_a_proof_of_the_password_names_the_account_for_five_minutes() -> None:
    settings = make_settings()
    proof = prove_password(7, 3, NOW, settings)
    assert proven_account(proof, NOW, settings) == (7, 3)
    assert proven_account(proof, NOW + LIFETIME - timedelta(seconds=1), settings) == (7, 3)
    assert proven_account(proof, NOW + LIFETIME, settings) is None
    assert proven_account(proof, NOW, make_settings(secret_key="another secret of the tests")) is None
    for text in ("", "nonsense", proof[:-1], "V" + proof[1:]):
        assert proven_account(text, NOW, settings) is None
