"""Guests: many at once with one address, and with one token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.mail_tokens import guest_token_of
from tests.races.crowd import at_once, count, statuses

pytestmark = pytest.mark.unguarded
AT_ONCE = 8
GUS = {"name": "Gus Passing", "email": "gus@people.example"}


def test_an_address_that_asks_many_times_at_once_gets_one_account(app: APIFlask) -> None:
    answers = at_once([sending(app, "/auth/guest", GUS) for _ in range(AT_ONCE)])
    assert statuses(answers) == {200: 5, 429: AT_ONCE - 5}
    assert count(app, "SELECT count(*) FROM users") == 1
    assert count(app, "SELECT count(*) FROM outbox") == 5


def test_a_token_that_is_used_many_times_at_once_works_once(app: APIFlask) -> None:
    body = {"token": guest_token_of(app, GUS["email"])}
    answers = at_once([sending(app, "/auth/guest/confirm", body) for _ in range(AT_ONCE)])
    assert statuses(answers) == {200: 1, 400: AT_ONCE - 1}


def sending(app: APIFlask, path: str, body: dict[str, str]) -> Callable[[], TestResponse]:
    return lambda: app.test_client().post(path, json=body)
