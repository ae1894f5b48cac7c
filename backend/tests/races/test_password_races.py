"""A token for a new password that several people use at once, and changes of a password that wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.repositories import user_repository as users
from src.utils.security import hash_password
from tests.conftest import ON_POSTGRESQL
from tests.mail_tokens import reset_token_of
from tests.people import PASSWORD, Api, Person
from tests.races.crowd import at_once, count, statuses, until_somebody_waits

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


@ON_POSTGRESQL
def test_a_change_that_waits_while_all_sessions_end_is_refused(app: APIFlask, api: Api) -> None:
    ada = api.patient()
    assert changing_during(app, ada, lambda db: users.end_sessions(db, ada.id)) == 401
    assert api.log_in(ada.email).status_code == 200


@ON_POSTGRESQL
def test_a_change_that_waits_while_a_log_in_stores_a_newer_hash_is_made(app: APIFlask, api: Api) -> None:
    ada = api.patient()

    def rehash(db: Connection) -> None:
        old_hash = users.find_password_hash(db, ada.id) or ""
        new_hash = hash_password(PASSWORD, app.extensions["settings"])
        users.rehash(db, ada.id, old_hash=old_hash, new_hash=new_hash)

    assert changing_during(app, ada, rehash) == 200
    assert api.log_in(ada.email, "another password").status_code == 200


def changing_during(app: APIFlask, person: Person, work: Callable[[Connection], None]) -> int:
    """Change the password while a transaction that has done this work waits, and return the status."""
    own = replace(person, client=app.test_client())
    body = {"current_password": PASSWORD, "new_password": "another password"}
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            work(db)
            answer = pool.submit(own.post, "/auth/password", body)
            until_somebody_waits(db)
        return answer.result(timeout=30).status_code
