"""Tokens, without a database."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config import Settings
from src.errors import Unauthenticated
from src.schemas.fields import LARGEST_ID
from src.utils.clock import system_clock
from src.utils.security import issue_token, read_token
from tests.conftest import build_app, make_settings

QUICK = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
AN_HOUR = timedelta(hours=1)
PARTS = st.text(string.ascii_letters + string.digits + "-_=", max_size=80)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """An application whose database nobody opens."""
    app = build_app(make_settings(database_url=f"sqlite:///{tmp_path}/unused.db"))
    with app.app_context():
        yield app


@pytest.fixture
def its_settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@QUICK
@given(
    user_id=st.integers(1, LARGEST_ID),
    role=st.sampled_from(["doctor", "patient"]),
    epoch=st.integers(0, 2**31 - 1),
    session=st.one_of(st.none(), st.uuids().map(str)),
)
def test_every_token_is_read_back_and_needs_plain_base64_alone(
    its_settings: Settings, user_id: int, role: str, epoch: int, session: str | None
) -> None:
    token = issue_token(user_id, role, epoch, AN_HOUR, session)
    middle = token.split(".")[1]
    payload = json.loads(base64.b64decode(middle + "=" * (-len(middle) % 4), validate=True))
    assert (payload["sub"], payload["role"]) == (str(user_id), role)
    claims = read_token(token, its_settings)
    assert (claims.user_id, claims.epoch, claims.session) == (user_id, epoch, session or payload["jti"])


@QUICK
@given(text=st.one_of(st.text(), st.lists(PARTS, min_size=3, max_size=3).map(".".join)))
@example("")
@example("..")
@example("e30.e30.e30")
def test_nothing_else_is_a_token(its_settings: Settings, text: str) -> None:
    with pytest.raises(Unauthenticated):
        read_token(text, its_settings)


@QUICK
@given(at=st.integers(0, 10_000), to=st.sampled_from(string.ascii_letters + string.digits + "-_."))
def test_no_character_of_a_token_may_be_changed(its_settings: Settings, at: int, to: str) -> None:
    token = issue_token(7, "patient", 0, AN_HOUR)
    # The last character carries two bits more than the signature has.
    at %= len(token) - 1
    if token[at] == to:
        assert read_token(token, its_settings).user_id == 7
        return
    with pytest.raises(Unauthenticated):
        read_token(token[:at] + to + token[at + 1 :], its_settings)


@pytest.mark.parametrize(
    ("issued", "expires", "is_taken"),
    [
        (0, 3600, True),
        # Issued by a machine whose clock is ahead
        (20, 3600, True),
        (60, 3600, False),
        # Expired by this machine's clock
        (-3600, -20, True),
        (-3600, -60, False),
    ],
)
def test_the_clocks_of_two_machines_may_differ_by_half_a_minute(
    its_settings: Settings, issued: int, expires: int, *, is_taken: bool
) -> None:
    now = int(system_clock().timestamp())
    claims = {"sub": "7", "role": "patient", "epoch": 0, "jti": "a-token", "type": "access"}
    times = {"iat": now + issued, "nbf": now + issued, "exp": now + expires}
    token = jwt.encode(claims | times, its_settings.jwt_secret_key, "HS256")
    # The second time, the token is in the cache.
    for _ in range(2):
        if is_taken:
            assert read_token(token, its_settings).user_id == 7
        else:
            with pytest.raises(Unauthenticated):
                read_token(token, its_settings)
