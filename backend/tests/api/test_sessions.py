"""Logging out, logging out everywhere, a new password and a disabled account end sessions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp, StillClock
from tests.people import PASSWORD, Api, Person, error_of

NEW = "a new password"


def is_logged_in(person: Person) -> bool:
    status = person.get("/auth/me").status_code
    assert status in {200, 401}
    return status == 200


def second_session(api: Api, person: Person) -> Person:
    return replace(person, token=api.log_in(person.email).get_json()["access_token"])


def test_logging_out_ends_this_session_and_no_other(api: Api) -> None:
    patient = api.patient()
    other = second_session(api, patient)
    assert patient.post("/auth/logout").status_code == 200
    assert not is_logged_in(patient)
    assert is_logged_in(other)
    assert patient.post("/auth/logout").status_code == 401


def test_logging_out_everywhere_ends_all(api: Api) -> None:
    patient = api.patient()
    other = second_session(api, patient)
    assert patient.post("/auth/logout-everywhere").status_code == 200
    assert not is_logged_in(patient)
    assert not is_logged_in(other)
    assert is_logged_in(second_session(api, patient))


def test_a_new_password_ends_all_sessions_and_begins_one(api: Api) -> None:
    patient = api.patient()
    other = second_session(api, patient)
    answer = patient.post("/auth/password", {"current_password": PASSWORD, "new_password": NEW})
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"message", "access_token", "expires_in"}
    assert not is_logged_in(patient)
    assert not is_logged_in(other)
    assert is_logged_in(replace(patient, token=answer.get_json()["access_token"]))
    assert api.log_in(patient.email, PASSWORD).status_code == 401
    assert api.log_in(patient.email, NEW).status_code == 200


def test_a_wrong_current_password_changes_nothing(api: Api) -> None:
    patient = api.patient()
    answer = patient.post("/auth/password", {"current_password": "wrong password", "new_password": NEW})
    assert answer.status_code == 403
    assert error_of(answer) == "The current password is wrong."
    assert is_logged_in(patient)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"current_password": PASSWORD},
        {"current_password": PASSWORD, "new_password": "short"},
        {"current_password": PASSWORD, "new_password": None},
        {"current_password": 1, "new_password": NEW},
    ],
)
def test_a_bad_change_of_password_is_400(api: Api, body: dict[str, object]) -> None:
    answer = api.patient().post("/auth/password", body)
    assert answer.status_code == 400
    error_of(answer)


def test_a_disabled_account_is_shut_out_until_it_is_enabled(app: APIFlask, api: Api) -> None:
    patient = api.patient()
    runner = app.test_cli_runner()
    assert runner.invoke(args=["user", "disable", patient.email.upper()]).exit_code == 0
    assert not is_logged_in(patient)
    refused = api.log_in(patient.email)
    assert refused.status_code == 401
    assert "disabled" in error_of(refused)
    assert error_of(api.log_in(patient.email, "wrong password")) == "The e-mail address or the password is wrong."

    assert runner.invoke(args=["user", "enable", patient.email]).exit_code == 0
    assert not is_logged_in(patient), "enabling does not bring old sessions back"
    assert api.log_in(patient.email).status_code == 200
    unknown = runner.invoke(args=["user", "disable", "nobody@people.example"])
    assert unknown.exit_code == 1


def test_a_hash_made_with_other_parameters_is_renewed_at_log_in(make_app: MakeApp, clock: StillClock) -> None:
    weak, strong = make_app(argon2_memory_kib=8), make_app(argon2_memory_kib=64)
    patient = Api(weak.test_client()).patient()
    api = Api(strong.test_client())
    assert api.log_in(patient.email).status_code == 200
    assert api.log_in(patient.email).status_code == 200
    # Once renewed, the hash is what the strong parameters make: the weak application would renew it again.
    with strong.app_context():
        from src.database.transaction import transaction  # noqa: PLC0415
        from src.repositories import user_repository as users  # noqa: PLC0415

        with transaction(writes=False) as db:
            account = users.find_by_email_key(db, patient.email)
    assert account is not None
    assert "m=64" in account.password_hash
