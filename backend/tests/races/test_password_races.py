"""A token for a new password that several people use at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.mail_tokens import reset_token_of
from tests.people import Api
from tests.races.crowd import at_once, count, statuses

pytestmark = pytest.mark.unguarded
AT_ONCE = 8


def test_a_token_that_is_used_many_times_at_once_works_once(app: APIFlask, api: Api) -> None:
    ada = api.patient()
    token = reset_token_of(app, ada)
    assert_one_wins(app, api, ada.email, [token] * AT_ONCE)
    assert count(app, "SELECT count(*) FROM password_resets WHERE used_at IS NOT NULL") == 1


def test_of_several_tokens_of_one_account_that_are_used_at_once_one_works(app: APIFlask, api: Api) -> None:
    ada = api.patient()
    assert_one_wins(app, api, ada.email, [reset_token_of(app, ada) for _ in range(AT_ONCE)])


def assert_one_wins(app: APIFlask, api: Api, email: str, tokens: list[str]) -> None:
    passwords = [f"password number {number}" for number in range(len(tokens))]
    answers = at_once([using(app, token, password) for token, password in zip(tokens, passwords, strict=True)])
    assert statuses(answers) == {200: 1, 400: len(tokens) - 1}
    [winner] = [password for password, answer in zip(passwords, answers, strict=True) if answer.status_code == 200]
    assert api.log_in(email, winner).status_code == 200
    assert count(app, "SELECT token_epoch FROM users") == 1


def using(app: APIFlask, token: str, password: str) -> Callable[[], TestResponse]:
    client = app.test_client()
    return lambda: client.post("/auth/password/reset", json={"token": token, "password": password})
