"""Codes of a second factor that several people use at once, and changes of it that wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.models import RecoveryCode, User
from src.repositories import user_repository as users
from tests.conftest import ON_POSTGRESQL, StillClock
from tests.factors import Factor, begin, set_up
from tests.people import PASSWORD, Api
from tests.races.crowd import at_once, count, statuses, until_somebody_waits

pytestmark = pytest.mark.unguarded
AT_ONCE = 8


@pytest.mark.parametrize("by", ["app", "recovery code"])
def test_a_code_that_many_log_in_with_at_once_lets_one_in(app: APIFlask, api: Api, clock: StillClock, by: str) -> None:
    factor = set_up(api.patient(), clock)
    otp = factor.otp(1) if by == "app" else factor.codes[0]
    answers = at_once([logging_in(app, factor, otp) for _ in range(AT_ONCE)])
    assert statuses(answers) == {200: 1, 401: AT_ONCE - 1}
    assert count(app, "SELECT count(*) FROM recovery_codes") == (10 if by == "app" else 9)


def test_a_set_up_that_is_confirmed_many_times_at_once_has_one_set_of_codes(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    factor = begin(api.patient(), clock)
    answers = at_once([asking(app, factor, "POST", "/confirm", {"otp": factor.otp()}) for _ in range(AT_ONCE)])
    assert statuses(answers)[200] == 1
    assert set(statuses(answers)) <= {200, 403, 409}
    assert count(app, "SELECT count(*) FROM recovery_codes") == 10
    [codes] = [answer.get_json()["recovery_codes"] for answer in answers if answer.status_code == 200]
    assert factor.log_in(codes[0]).status_code == 200


def test_log_ins_and_changes_at_once_never_deadlock(app: APIFlask, api: Api, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    codes = iter(factor.codes)
    calls = [logging_in(app, factor, next(codes)) for _ in range(3)]
    for method, path in (("POST", "/recovery-codes"), ("DELETE", ""), ("POST", "/recovery-codes")):
        calls.append(asking(app, factor, method, path, {"current_password": PASSWORD, "otp": next(codes)}))
    answers = at_once(calls)
    assert set(statuses(answers)) <= {200, 401, 403, 409}
    left = factor.person.get("/auth/second-factor").get_json()
    assert (left["is_on"], left["recovery_codes_left"] > 0) in {(True, True), (False, False)}


@ON_POSTGRESQL
@pytest.mark.parametrize("what", ["begin", "confirm", "renew", "turn off"])
def test_a_change_that_waits_while_all_sessions_end_is_refused(
    app: APIFlask, api: Api, clock: StillClock, what: str
) -> None:
    ada = api.patient()
    factor = begin(ada, clock) if what in {"begin", "confirm"} else set_up(ada, clock)
    proof = {"current_password": PASSWORD, "otp": factor.otp(0 if what == "confirm" else 1)}
    method, path = {
        "begin": ("POST", ""),
        "confirm": ("POST", "/confirm"),
        "renew": ("POST", "/recovery-codes"),
        "turn off": ("DELETE", ""),
    }[what]
    before = factor_of(app)
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            users.end_sessions(db, ada.id)
            answer = pool.submit(asking(app, factor, method, path, proof))
            until_somebody_waits(db)
        assert answer.result(timeout=30).status_code == 401
    assert factor_of(app) == before


def factor_of(app: APIFlask) -> list[Any]:
    """Return what the database has of the one account's second factor."""
    with app.app_context(), transaction(writes=False) as db:
        factor = db.execute(select(User.second_factor_id, User.second_factor_at, User.second_factor_step)).one()
        return [tuple(factor), *db.scalars(select(RecoveryCode.code_hash).order_by(RecoveryCode.code_hash))]


def logging_in(app: APIFlask, factor: Factor, otp: str) -> Callable[[], TestResponse]:
    client = app.test_client()
    body = {"email": factor.person.email, "password": PASSWORD, "otp": otp}
    return lambda: client.post("/auth/login", json=body)


def asking(app: APIFlask, factor: Factor, method: str, path: str, body: dict[str, str]) -> Callable[[], TestResponse]:
    client = app.test_client()
    headers = {"Authorization": f"Bearer {factor.person.token}"}
    return lambda: client.open(f"/auth/second-factor{path}", method=method, json=body, headers=headers)
