"""The security log: one line for each event, without addresses and e-mail addresses in clear."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp, StillClock
from tests.factors import set_up
from tests.mail_tokens import newest_token
from tests.people import PASSWORD, Api
from tests.refreshing import refresh, refreshable

WRONG = "a wrong guess"
Lines = Callable[[], list[dict[str, str]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Return a function that returns the fields of the lines since its last call."""
    caplog.set_level(logging.INFO, "security")

    def read() -> list[dict[str, str]]:
        written = [record.getMessage() for record in caplog.records if record.name == "security"]
        caplog.clear()
        for line in written:
            assert "@" not in line
            assert "127.0.0.1" not in line
        return [dict(part.split("=", 1) for part in line.split(" ")) for line in written]

    return read


def test_failed_log_ins_name_the_account_if_there_is_one(api: Api, lines: Lines) -> None:
    patient = api.patient()
    assert lines() == [], "a log-in that succeeds is no event"
    api.log_in(patient.email, WRONG)
    api.log_in(patient.email.upper(), WRONG)
    api.log_in("nobody@people.example", WRONG)
    known, again, unknown = lines()
    assert known == again
    assert (known["event"], known["call"], known["account"]) == ("log_in_failed", "auth.log_in", str(patient.id))
    assert (unknown["event"], unknown["account"]) == ("log_in_failed", "-")
    assert known["email"] != unknown["email"]
    assert known["address"] == unknown["address"]


def test_throttled_attempts_are_logged(make_app: MakeApp, lines: Lines) -> None:
    api = Api(make_app(login_failures_per_account=1, invitation_failures_per_address=1).test_client())
    patient = api.patient()
    for _ in range(2):
        api.log_in(patient.email, WRONG)
        api.register(role="doctor", invitation_code="wrong")
        patient.post("/auth/password", {"current_password": WRONG, "new_password": PASSWORD})
    assert [(line["event"], line["call"]) for line in lines()] == [
        ("log_in_failed", "auth.log_in"),
        ("invitation_code_wrong", "auth.register"),
        ("current_password_wrong", "session.change_password"),
        ("throttled", "auth.log_in"),
        ("throttled", "auth.register"),
        ("throttled", "session.change_password"),
    ]


def test_what_ends_sessions_is_logged_with_the_account(api: Api, lines: Lines) -> None:
    doctor, patient = api.doctor(), api.patient()
    patient.post("/auth/password", {"current_password": PASSWORD, "new_password": "another password"})
    doctor.post("/auth/logout-everywhere", headers={"Idempotency-Key": "once"})
    doctor.post("/auth/logout-everywhere", headers={"Idempotency-Key": "once"})
    doctor.token = api.log_in(doctor.email).get_json()["access_token"]
    doctor.delete("/doctor/account")
    leaving = api.patient()
    leaving.delete("/patient/account")
    assert [(line["event"], line["account"]) for line in lines()] == [
        ("password_changed", str(patient.id)),
        ("logged_out_everywhere", str(doctor.id)),
        ("account_deleted", str(doctor.id)),
        ("account_deleted", str(leaving.id)),
    ]


def test_forgotten_passwords_are_logged_without_their_tokens(make_app: MakeApp, lines: Lines) -> None:
    app = make_app(password_resets_per_hour=1)
    api = Api(app.test_client())
    ada = api.patient()
    for email in (ada.email, "nobody@people.example", ada.email):
        api.client.post("/auth/password/forgot", json={"email": email})
    token = newest_token(app)
    for _ in range(2):
        api.client.post("/auth/password/reset", json={"token": token, "password": "another password"})
    app.test_cli_runner().invoke(args=["user", "reset", ada.email])
    logged = lines()
    assert token not in repr(logged)
    assert [(line["event"], line.get("call"), line["account"]) for line in logged] == [
        ("password_reset_asked", "password.forgot", str(ada.id)),
        ("password_reset_asked", "password.forgot", "-"),
        ("throttled", "password.forgot", "-"),
        ("password_reset", "password.reset", str(ada.id)),
        ("reset_token_wrong", "password.reset", "-"),
        ("password_reset_asked", None, str(ada.id)),
    ]
    assert logged[0]["email"] == logged[2]["email"] == logged[3]["email"] != logged[1]["email"]
    assert len({line["address"] for line in logged[:5]}) == 1


def test_wrong_and_reused_refresh_tokens_are_logged_without_the_tokens(api: Api, lines: Lines) -> None:
    ada = api.patient()
    token = refreshable(api, ada.email).get_json()["refresh_token"]
    assert [refresh(api, each).status_code for each in ("a guess", token, token, token)] == [401, 200, 401, 401]
    logged = lines()
    assert token not in repr(logged)
    assert [(line["event"], line["call"], line["account"]) for line in logged] == [
        ("refresh_token_wrong", "session.refresh", "-"),
        ("refresh_token_reused", "session.refresh", str(ada.id)),
        ("refresh_token_wrong", "session.refresh", "-"),
    ]


def test_a_second_factor_is_logged_without_its_secrets(
    app: APIFlask, api: Api, clock: StillClock, lines: Lines
) -> None:
    factor = set_up(api.patient(), clock)
    for otp in (None, factor.wrong_otp(), factor.otp(1), factor.codes[0]):
        factor.log_in(otp)
    factor.renew(factor.wrong_otp())
    new = factor.renew(factor.codes[1]).get_json()["recovery_codes"]
    factor.turn_off(new[0])
    app.test_cli_runner().invoke(args=["user", "second-factor", "off", factor.person.email])
    logged = lines()
    assert not any(secret in repr(logged) for secret in (factor.secret, *factor.codes, *new))
    assert {line["account"] for line in logged} == {str(factor.person.id)}
    assert [(line["event"], line.get("call")) for line in logged] == [
        ("second_factor_on", "second_factor.confirm"),
        ("second_factor_asked", "auth.log_in"),
        ("second_factor_wrong", "auth.log_in"),
        ("recovery_code_used", "auth.log_in"),
        ("second_factor_wrong", "second_factor.renew_recovery_codes"),
        ("recovery_codes_renewed", "second_factor.renew_recovery_codes"),
        ("recovery_code_used", "second_factor.renew_recovery_codes"),
        ("second_factor_off", "second_factor.turn_off"),
        ("recovery_code_used", "second_factor.turn_off"),
        ("second_factor_off", None),
    ]


def test_disabled_accounts_are_logged(app: APIFlask, api: Api, lines: Lines) -> None:
    patient = api.patient()
    runner = app.test_cli_runner()
    runner.invoke(args=["user", "disable", patient.email])
    runner.invoke(args=["user", "disable", "nobody@people.example"])
    api.log_in(patient.email)
    runner.invoke(args=["user", "enable", patient.email])
    assert [(line["event"], line["account"]) for line in lines()] == [
        (event, str(patient.id)) for event in ("account_disabled", "log_in_of_disabled_account", "account_enabled")
    ]
