"""POST /auth/refresh, and the log-ins that get refresh tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select

from src.database.transaction import transaction
from src.models import Base, RefreshToken, RevokedToken
from src.tasks.purge import purge_expired
from src.utils.security import LEEWAY
from tests.conftest import MakeApp, StillClock
from tests.mail_tokens import reset_token_of
from tests.people import PASSWORD, Api, Person, error_of
from tests.refreshing import refresh, refreshable

REFUSED = "This refresh token is wrong, expired or already used; please log in again."
TOKENS = {"access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_at"}


def refreshed(api: Api, token: str) -> dict[str, Any]:
    answer = refresh(api, token)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def is_refused(api: Api, token: str) -> bool:
    answer = refresh(api, token)
    if answer.status_code == 200:
        return False
    assert (answer.status_code, error_of(answer)) == (401, REFUSED)
    assert answer.get_json()["type"] == "urn:problem:refresh-token-refused"
    return True


def works(person: Person, access_token: str) -> bool:
    status = replace(person, token=access_token).get("/auth/me").status_code
    assert status in {200, 401}
    return status == 200


def test_a_log_in_that_asks_for_it_gets_a_short_access_token_and_a_refresh_token(api: Api, clock: StillClock) -> None:
    ada = api.patient()
    tokens = refreshable(api, ada.email).get_json()
    assert set(tokens) == TOKENS
    assert tokens["expires_in"] == 15 * 60
    assert datetime.fromisoformat(tokens["refresh_expires_at"]) == clock() + timedelta(days=30)
    assert len(tokens["refresh_token"]) == 43
    assert works(ada, tokens["access_token"])


def test_other_log_ins_registrations_and_changes_of_password_get_none(api: Api) -> None:
    ada = api.patient()
    assert set(api.log_in(ada.email).get_json()) == {"access_token", "token_type", "expires_in"}
    answer = api.client.post("/auth/login", json={"email": ada.email, "password": PASSWORD, "refresh": False})
    assert set(answer.get_json()) == {"access_token", "token_type", "expires_in"}
    assert set(api.register().get_json()) == {"message", "id"}
    assert set(api.register(refresh=False).get_json()) == {"message", "id"}


@pytest.mark.parametrize("wrong", [None, "true", "yes", 1, 0, []])
def test_only_true_and_false_say_whether(api: Api, wrong: object) -> None:
    ada = api.patient()
    answer = api.client.post("/auth/login", json={"email": ada.email, "password": PASSWORD, "refresh": wrong})
    assert (answer.status_code, error_of(answer)) == (400, "refresh must be true or false.")
    assert api.register(refresh=wrong).status_code == 400


def test_a_registration_that_asks_for_it_is_logged_in(api: Api) -> None:
    answer = api.register(refresh=True)
    assert answer.status_code == 201
    said = answer.get_json()
    assert set(said) == {"message", "id"} | TOKENS - {"token_type"}
    me = api.client.get("/auth/me", headers={"Authorization": f"Bearer {said['access_token']}"})
    assert me.get_json()["id"] == said["id"]
    assert refreshed(api, said["refresh_token"])


def test_a_refresh_token_gives_new_tokens_of_the_same_session(api: Api, clock: StillClock) -> None:
    ada = api.patient()
    first = refreshable(api, ada.email).get_json()
    clock.forward(minutes=14)
    second = refreshed(api, f" {first['refresh_token']} ")
    assert set(second) == TOKENS
    assert second["refresh_token"] != first["refresh_token"]
    assert second["refresh_expires_at"] == first["refresh_expires_at"], "no refresh makes the session longer"
    assert works(ada, first["access_token"])
    assert works(ada, second["access_token"])
    third = refreshed(api, second["refresh_token"])
    assert works(ada, third["access_token"])


def test_a_used_token_that_comes_again_ends_its_session_and_no_other(api: Api) -> None:
    ada = api.patient()
    stolen, other = (refreshable(api, ada.email).get_json() for _ in range(2))
    second = refreshed(api, stolen["refresh_token"])
    third = refreshed(api, second["refresh_token"])
    assert is_refused(api, stolen["refresh_token"])
    assert is_refused(api, third["refresh_token"])
    assert not any(works(ada, tokens["access_token"]) for tokens in (stolen, second, third))
    assert works(ada, other["access_token"])
    assert works(ada, ada.token)
    assert refreshed(api, other["refresh_token"])


def test_logging_out_with_any_token_of_a_session_ends_all_of_it(api: Api) -> None:
    ada = api.patient()
    first, other = (refreshable(api, ada.email).get_json() for _ in range(2))
    second = refreshed(api, first["refresh_token"])
    assert replace(ada, token=first["access_token"]).post("/auth/logout").status_code == 200
    assert not works(ada, first["access_token"])
    assert not works(ada, second["access_token"])
    assert is_refused(api, second["refresh_token"])
    assert works(ada, other["access_token"])
    assert refreshed(api, other["refresh_token"])


def test_an_ended_session_stays_ended_until_its_last_token_has_expired(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    ada = api.patient()
    tokens = refreshable(api, ada.email).get_json()
    assert replace(ada, token=tokens["access_token"]).post("/auth/logout").status_code == 200
    clock.forward(days=29, hours=23)
    with app.app_context():
        purge_expired(transaction, clock(), app.extensions["settings"])
    assert is_refused(api, tokens["refresh_token"])
    assert rows(app, RevokedToken) == 1


def test_a_new_password_ends_the_refresh_tokens_and_can_begin_new_ones(api: Api) -> None:
    ada = api.patient()
    before = refreshable(api, ada.email).get_json()
    body = {"current_password": PASSWORD, "new_password": "a new password", "refresh": True}
    after = ada.post("/auth/password", body).get_json()
    assert set(after) == {"message"} | TOKENS - {"token_type"}
    assert is_refused(api, before["refresh_token"])
    assert works(ada, refreshed(api, after["refresh_token"])["access_token"])


def log_out_everywhere(_app: APIFlask, _api: Api, person: Person) -> None:
    assert person.post("/auth/logout-everywhere").status_code == 200


def reset_password(app: APIFlask, api: Api, person: Person) -> None:
    body = {"token": reset_token_of(app, person), "password": "a new password"}
    assert api.client.post("/auth/password/reset", json=body).status_code == 200


def disable_and_enable(app: APIFlask, _api: Api, person: Person) -> None:
    for command in ("disable", "enable"):
        assert app.test_cli_runner().invoke(args=["user", command, person.email]).exit_code == 0


def disable(app: APIFlask, _api: Api, person: Person) -> None:
    assert app.test_cli_runner().invoke(args=["user", "disable", person.email]).exit_code == 0


def leave(_app: APIFlask, _api: Api, person: Person) -> None:
    assert person.delete("/doctor/account").status_code == 200


@pytest.mark.parametrize("end", [log_out_everywhere, reset_password, disable_and_enable, disable, leave])
def test_whatever_ends_all_sessions_ends_their_refresh_tokens(
    app: APIFlask, api: Api, end: Callable[[APIFlask, Api, Person], None]
) -> None:
    doctor, ben = api.doctor(), api.patient()
    tokens = refreshable(api, doctor.email).get_json()
    of_ben = refreshable(api, ben.email).get_json()
    end(app, api, doctor)
    assert not works(doctor, tokens["access_token"])
    assert is_refused(api, tokens["refresh_token"])
    assert refreshed(api, of_ben["refresh_token"])


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_leaving_deletes_the_refresh_tokens(app: APIFlask, api: Api, role: str) -> None:
    person = api.patient() if role == "patient" else api.doctor()
    refreshed(api, refreshable(api, person.email).get_json()["refresh_token"])
    refreshable(api, api.patient().email)
    assert rows(app, RefreshToken) == 3
    assert person.delete(f"/{role}/account").status_code == 200
    assert rows(app, RefreshToken) == 1


def test_tokens_live_as_long_as_the_settings_say_and_none_longer_than_its_session(
    make_app: MakeApp, clock: StillClock
) -> None:
    api = Api(make_app(access_token_minutes_with_refresh=60, refresh_token_days=1).test_client())
    ada = api.patient()
    tokens = refreshable(api, ada.email).get_json()
    assert tokens["expires_in"] == 3600
    clock.forward(hours=23, minutes=50)
    tokens = refreshed(api, tokens["refresh_token"])
    assert tokens["expires_in"] == 600
    clock.forward(minutes=9, seconds=59)
    last = refreshed(api, tokens["refresh_token"])
    clock.forward(seconds=1)
    assert is_refused(api, last["refresh_token"])


@pytest.mark.parametrize("token", ["", " ", "no token", "x" * 43, "é"])
def test_a_wrong_token_is_401(api: Api, token: str) -> None:
    assert is_refused(api, token)


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": 1}, {"refresh_token": "x" * 201}])
def test_a_body_without_a_token_is_400(api: Api, body: dict[str, object]) -> None:
    assert api.client.post("/auth/refresh", json=body).status_code == 400


def test_an_access_token_is_no_refresh_token_and_a_refresh_token_no_access_token(api: Api) -> None:
    ada = api.patient()
    tokens = refreshable(api, ada.email).get_json()
    assert refresh(api, tokens["access_token"]).status_code in {400, 401}
    assert not works(ada, tokens["refresh_token"])


def test_wrong_tokens_of_one_network_are_throttled(make_app: MakeApp) -> None:
    api = Api(make_app(login_failures_per_address=2).test_client())
    tokens = refreshable(api, api.patient().email).get_json()
    assert [refresh(api, "a guess").status_code for _ in range(3)] == [401, 401, 429]
    assert refresh(api, tokens["refresh_token"]).status_code == 429
    assert api.log_in("nobody@people.example").status_code == 401, "log-ins have a count of their own"


def test_guesses_of_the_current_password_have_one_count_in_all_of_a_session(make_app: MakeApp) -> None:
    api = Api(make_app(login_failures_per_account=2).test_client())
    ada = api.patient()
    tokens = refreshable(api, ada.email).get_json()
    statuses: list[int] = []
    for _ in range(3):
        tokens = refreshed(api, tokens["refresh_token"])
        body = {"current_password": "a guess", "new_password": "a new password"}
        statuses.append(replace(ada, token=tokens["access_token"]).post("/auth/password", body).status_code)
    assert statuses == [403, 403, 429]


def test_no_table_has_a_token(app: APIFlask, api: Api) -> None:
    tokens = refreshable(api, api.patient().email).get_json()
    second = refreshed(api, tokens["refresh_token"])
    with app.app_context(), transaction(writes=False) as db:
        dump = repr([tuple(row) for table in Base.metadata.sorted_tables for row in db.execute(select(table))])
    for said in (tokens, second):
        assert said["refresh_token"] not in dump
        assert said["access_token"] not in dump


def test_expired_tokens_are_purged(app: APIFlask, api: Api, clock: StillClock) -> None:
    refreshed(api, refreshable(api, api.patient().email).get_json()["refresh_token"])
    ends = clock() + timedelta(days=30)
    with app.app_context():
        purge_expired(transaction, ends + 2 * LEEWAY, app.extensions["settings"])
        assert rows(app, RefreshToken) == 2
        purge_expired(transaction, ends + 2 * LEEWAY + timedelta(seconds=1), app.extensions["settings"])
        assert rows(app, RefreshToken) == 0


def rows(app: APIFlask, model: type[Base]) -> int:
    with app.app_context(), transaction(writes=False) as db:
        return db.execute(select(func.count()).select_from(model)).scalar_one()
