"""Tokens that confirm addresses, used by several people at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.mail_tokens import confirmation_token_of
from tests.people import Api
from tests.races.crowd import at_once, count, statuses

pytestmark = pytest.mark.unguarded
AT_ONCE = 8
NEW = "wanted@people.example"


def test_a_token_that_is_used_many_times_at_once_works_once(app: APIFlask, api: Api) -> None:
    for new in (None, NEW):
        token = confirmation_token_of(app, api.patient(), new)
        assert statuses(at_once([using(app, token)] * AT_ONCE)) == {200: 1, 400: AT_ONCE - 1}
    assert count(app, "SELECT count(*) FROM email_confirmations WHERE used_at IS NOT NULL") == 2
    assert count(app, "SELECT sum(token_epoch) FROM users") == 1


def test_of_several_people_who_confirm_one_new_address_at_once_one_gets_it(app: APIFlask, api: Api) -> None:
    tokens = [confirmation_token_of(app, api.patient(), NEW) for _ in range(AT_ONCE)]
    assert statuses(at_once([using(app, token) for token in tokens])) == {200: 1, 409: AT_ONCE - 1}
    assert count(app, f"SELECT count(*) FROM users WHERE email_key = '{NEW}'") == 1
    assert count(app, "SELECT count(*) FROM email_confirmations WHERE used_at IS NOT NULL") == 1


def test_an_account_that_is_deleted_at_once_gets_no_address_back(app: APIFlask, api: Api) -> None:
    ada = api.patient()
    token = confirmation_token_of(app, ada, NEW)
    answers = at_once([using(app, token), lambda: ada.delete("/patient/account")])
    confirmed, deleted = [answer.status_code for answer in answers]
    assert (confirmed, deleted) in {(200, 200), (400, 200), (200, 401)}
    if deleted == 200:
        assert count(app, "SELECT count(*) FROM email_confirmations") == 0
        assert count(app, "SELECT count(email_key) FROM users") == 0


def using(app: APIFlask, token: str) -> Callable[[], TestResponse]:
    client = app.test_client()
    return lambda: client.post("/auth/email/confirm", json={"token": token})
