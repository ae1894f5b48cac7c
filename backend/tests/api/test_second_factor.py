"""/auth/second-factor, and log-ins with a second factor."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from app import ROUTES
from src.database.transaction import transaction
from src.models import Base
from src.tasks.purge import purge_expired
from src.web.routes import DOCTOR, SEARCHER, USER
from tests.conftest import MakeApp, StillClock
from tests.factors import begin, set_up
from tests.mail_tokens import reset_token_of
from tests.people import CODE, PASSWORD, Api, Person, refusal

OFF = {"is_on": False, "since": None, "recovery_codes_left": 0}


def dump(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as session:
        return repr([tuple(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))])


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_with_a_second_factor_a_log_in_needs_the_code_of_the_app(api: Api, clock: StillClock, role: str) -> None:
    person = api.patient() if role == "patient" else api.doctor()
    factor = begin(person, clock)
    assert person.get("/auth/second-factor").get_json() == OFF
    assert api.log_in(person.email).status_code == 200, "it is not on before a code has come back"
    confirmed = factor.confirm()
    assert confirmed.status_code == 200
    assert person.get("/auth/second-factor").get_json() == {
        "is_on": True,
        "since": clock().isoformat(),
        "recovery_codes_left": 10,
    }
    assert refusal(api.log_in(person.email)) == (401, "second-factor-required")
    assert refusal(factor.log_in("")) == (401, "second-factor-required")
    assert refusal(factor.log_in(factor.wrong_otp())) == (401, "second-factor-wrong")
    clock.forward(seconds=30)
    answer = factor.log_in(factor.otp())
    assert answer.status_code == 200
    person.token = answer.get_json()["access_token"]
    assert person.get("/auth/me").status_code == 200


def test_the_apps_address_names_clinic_account_and_secret(make_app: MakeApp, clock: StillClock) -> None:
    api = Api(make_app(clinic_name="Sample & Sons: Practice").test_client())
    ada = api.patient()
    answer = ada.post("/auth/second-factor", {"current_password": PASSWORD}).get_json()
    assert re.fullmatch(r"[A-Z2-7]{32}", answer["secret"])
    address = urlsplit(answer["otpauth_uri"])
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == f"/Sample & Sons: Practice:{ada.email}"
    assert parse_qs(address.query) == {"secret": [answer["secret"]], "issuer": ["Sample & Sons: Practice"]}


def test_a_set_up_that_begins_anew_replaces_the_one_before(api: Api, clock: StillClock) -> None:
    ada = api.patient()
    first, second = begin(ada, clock), begin(ada, clock)
    assert first.secret != second.secret
    assert refusal(first.confirm()) == (403, "wrong-second-factor-code")
    assert second.confirm().status_code == 200
    assert refusal(second.confirm(second.otp(1))) == (409, "second-factor-on")
    answer = ada.post("/auth/second-factor", {"current_password": PASSWORD})
    assert refusal(answer) == (409, "second-factor-on")


def test_a_set_up_needs_the_password_and_a_confirmation_needs_a_set_up(api: Api, clock: StillClock) -> None:
    ada = api.patient()
    answer = ada.post("/auth/second-factor", {"current_password": "a wrong one"})
    assert refusal(answer) == (403, "wrong-current-password")
    answer = ada.post("/auth/second-factor/confirm", {"otp": "000000"})
    assert refusal(answer) == (409, "second-factor-not-begun")
    factor = begin(ada, clock)
    assert refusal(factor.turn_off("000000")) == (409, "second-factor-off")
    assert refusal(factor.renew("000000")) == (409, "second-factor-off")


def test_a_code_works_once_and_so_does_none_before_it(api: Api, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    assert refusal(factor.log_in(factor.otp())) == (401, "second-factor-wrong"), "the set-up has used it up"
    assert factor.log_in(factor.otp(1)).status_code == 200
    for steps in (1, 0, -1):
        assert refusal(factor.log_in(factor.otp(steps))) == (401, "second-factor-wrong")


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(api: Api, clock: StillClock, steps: int, *, is_taken: bool) -> None:
    factor = set_up(api.patient(), clock)
    clock.forward(minutes=10)
    assert factor.log_in(factor.otp(steps)).status_code == (200 if is_taken else 401)


def test_a_code_may_be_typed_with_blanks(api: Api, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    otp = factor.otp(1)
    assert factor.log_in(f" {otp[:3]} {otp[3:]} ").status_code == 200


def test_each_recovery_code_logs_in_once_however_it_is_written(api: Api, clock: StillClock) -> None:
    ada, ben = api.patient(), api.patient()
    factor, of_ben = set_up(ada, clock), set_up(ben, clock)
    assert len(set(factor.codes)) == 10
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in factor.codes)
    first, second, third = factor.codes[:3]
    assert factor.log_in(first).status_code == 200
    assert refusal(factor.log_in(first)) == (401, "second-factor-wrong")
    assert factor.log_in(second.lower().replace("-", " ")).status_code == 200
    confused = third.replace("0", "O").replace("1", "l")
    assert factor.log_in(confused).status_code == 200
    assert refusal(of_ben.log_in(factor.codes[4])) == (401, "second-factor-wrong")
    assert ada.get("/auth/second-factor").get_json()["recovery_codes_left"] == 7
    assert ben.get("/auth/second-factor").get_json()["recovery_codes_left"] == 10


def test_without_the_right_password_nothing_says_that_there_is_a_second_factor(api: Api, clock: StillClock) -> None:
    ada, ben = api.patient(), api.patient()
    factor = set_up(ada, clock)
    plain = api.log_in(ben.email, "a wrong one")
    for otp in (None, factor.otp(1), factor.codes[0]):
        answer = factor.log_in(otp, "a wrong one")
        assert (answer.status_code, answer.data) == (401, plain.data)
    assert factor.log_in(factor.otp(1)).status_code == 200, "the wrong password has used no code up"
    assert ada.get("/auth/second-factor").get_json()["recovery_codes_left"] == 10


def test_an_otp_does_no_harm_to_an_account_without_a_second_factor(api: Api) -> None:
    answer = api.client.post("/auth/login", json={"email": api.patient().email, "password": PASSWORD, "otp": "000000"})
    assert answer.status_code == 200


def test_wrong_codes_are_throttled_for_the_account_from_all_networks_together(
    make_app: MakeApp, clock: StillClock
) -> None:
    app = make_app(login_failures_per_account=3)
    api = Api(app.test_client())
    factor = set_up(api.patient(), clock)
    for number in range(3):
        factor.person.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        assert factor.log_in(factor.wrong_otp()).status_code == 401
    factor.person.client.environ_base["REMOTE_ADDR"] = "192.0.2.99"
    answer = factor.log_in(factor.otp(1))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert factor.turn_off(factor.otp(1)).status_code == 429, "sessions share this count"
    assert api.log_in(api.patient().email).status_code == 200
    assert factor.log_in(factor.codes[0]).status_code == 200, "nobody can guess a recovery code"
    clock.forward(hours=23, minutes=59)
    with app.app_context():
        purge_expired(transaction, clock(), app.extensions["settings"])
    assert factor.log_in(factor.otp()).status_code == 429
    clock.forward(minutes=1)
    assert factor.log_in(factor.otp()).status_code == 200


def test_wrong_codes_in_a_session_are_throttled_too(make_app: MakeApp, clock: StillClock) -> None:
    api = Api(make_app(login_failures_per_account=2).test_client())
    pending, factor = begin(api.patient(), clock), set_up(api.patient(), clock)
    wrong = pending.wrong_otp()
    assert [pending.confirm(wrong).status_code for _ in range(3)] == [403, 403, 429]
    wrong = factor.wrong_otp()
    assert [factor.renew(wrong).status_code, factor.turn_off(wrong).status_code] == [403, 403]
    assert factor.turn_off(factor.otp(1)).status_code == 429
    assert factor.log_in(factor.otp(1)).status_code == 429


@pytest.mark.parametrize("by", ["app", "recovery code"])
def test_password_and_code_turn_it_off(api: Api, clock: StillClock, by: str) -> None:
    factor = set_up(api.patient(), clock)
    otp = factor.otp(1) if by == "app" else factor.codes[0]
    assert refusal(factor.turn_off(otp, "a wrong one")) == (403, "wrong-current-password")
    assert refusal(factor.turn_off(factor.wrong_otp())) == (403, "wrong-second-factor-code")
    assert refusal(factor.turn_off("no such code")) == (403, "wrong-second-factor-code")
    assert factor.turn_off(otp).status_code == 200
    assert factor.person.get("/auth/second-factor").get_json() == OFF
    assert api.log_in(factor.person.email).status_code == 200
    again = set_up(factor.person, clock)
    assert refusal(again.log_in(factor.codes[1])) == (401, "second-factor-wrong")


def test_new_recovery_codes_replace_all_others(api: Api, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    answer = factor.renew(factor.codes[0])
    assert answer.status_code == 200
    new = answer.get_json()["recovery_codes"]
    assert not set(new) & set(factor.codes)
    assert factor.person.get("/auth/second-factor").get_json()["recovery_codes_left"] == 10
    assert refusal(factor.log_in(factor.codes[1])) == (401, "second-factor-wrong")
    assert factor.log_in(new[0]).status_code == 200


def test_neither_the_secret_nor_a_code_stands_in_the_database(app: APIFlask, api: Api, clock: StillClock) -> None:
    ada = api.patient()
    factor = begin(ada, clock)
    answer = ada.post("/auth/second-factor/confirm", {"otp": factor.otp()}, headers={"Idempotency-Key": "one"})
    codes = answer.get_json()["recovery_codes"]
    kept = dump(app)
    assert factor.secret not in kept
    for code in codes:
        assert code not in kept
        assert code.replace("-", "") not in kept


def test_turning_it_on_ends_no_session(api: Api, clock: StillClock) -> None:
    ada = api.patient()
    other = api.log_in(ada.email).get_json()["access_token"]
    set_up(ada, clock)
    assert ada.get("/auth/me").status_code == 200
    assert api.client.get("/auth/me", headers={"Authorization": f"Bearer {other}"}).status_code == 200


def test_a_new_password_by_mail_leaves_it_on(app: APIFlask, api: Api, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    body = {"token": reset_token_of(app, factor.person), "password": "a new password"}
    assert api.client.post("/auth/password/reset", json=body).status_code == 200
    assert refusal(factor.log_in(None, "a new password")) == (401, "second-factor-required")
    assert factor.log_in(factor.otp(1), "a new password").status_code == 200


def test_a_disabled_account_is_told_so_and_not_asked_for_a_code(app: APIFlask, api: Api, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    app.test_cli_runner().invoke(args=["user", "disable", factor.person.email])
    assert refusal(factor.log_in(None)) == (401, "account-disabled")


def test_another_secret_key_ends_the_apps_codes_and_no_recovery_code(
    api: Api, make_app: MakeApp, clock: StillClock
) -> None:
    factor = set_up(api.patient(), clock)
    factor.person.client = make_app(secret_key="another secret of the tests").test_client()
    assert refusal(factor.log_in(factor.otp(1))) == (401, "second-factor-wrong")
    assert factor.log_in(factor.codes[0]).status_code == 200


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_who_leaves_leaves_nothing_of_it(app: APIFlask, api: Api, clock: StillClock, role: str) -> None:
    factor = set_up(api.patient() if role == "patient" else api.doctor(), clock)
    assert factor.person.delete(f"/{role}/account").status_code == 200
    with app.app_context(), transaction(writes=False) as session:
        users, codes = (Base.metadata.tables[name] for name in ("users", "recovery_codes"))
        left = session.execute(select(users.c.second_factor_at, users.c.second_factor_id, users.c.second_factor_step))
        assert left.one() == (None, None, None)
        assert session.execute(select(codes)).all() == []


def test_an_operator_turns_it_off_for_somebody_who_has_lost_everything(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    factor = set_up(api.patient(), clock)
    runner = app.test_cli_runner()
    done = runner.invoke(args=["user", "second-factor", "off", factor.person.email.upper()])
    assert f"{factor.person.email.upper()} has no second factor now." in done.output
    assert api.log_in(factor.person.email).status_code == 200
    assert factor.person.get("/auth/second-factor").get_json() == OFF
    unknown = runner.invoke(args=["user", "second-factor", "off", "nobody@people.example"])
    assert unknown.exit_code == 1
    assert "There is no account of nobody@people.example." in unknown.output


def test_the_export_says_that_it_is_on_and_since_when(api: Api, clock: StillClock) -> None:
    factor = set_up(api.patient(), clock)
    since = clock().isoformat()
    clock.forward(minutes=10)
    answer = factor.person.get("/auth/me/export")
    account = answer.get_json()["account"]
    assert (account["second_factor_since"], account["recovery_codes_left"]) == (since, 10)
    assert factor.secret not in answer.text
    account = api.patient().get("/auth/me/export").get_json()["account"]
    assert (account["second_factor_since"], account["recovery_codes_left"]) == (None, 0)


ALLOWED = {
    "auth.me",
    "session.log_out",
    "session.log_out_everywhere",
    "second_factor.show",
    "second_factor.begin",
    "second_factor.confirm",
    "second_factor.turn_off",
    "second_factor.renew_recovery_codes",
}


@pytest.mark.parametrize("required", ["doctors", "everybody"])
def test_who_must_have_one_can_do_nothing_else_before(make_app: MakeApp, clock: StillClock, required: str) -> None:
    app = make_app(second_factor_required=required)
    api = Api(app.test_client())
    registered = api.register(role="doctor", invitation_code=CODE, email="fenna@people.example")
    token = api.log_in("fenna@people.example").get_json()["access_token"]
    fenna = Person(app.test_client(), "Fenna", "fenna@people.example", registered.get_json()["id"], token)
    for route in (route for route in ROUTES if not route.access.is_public and route.name not in ALLOWED):
        if route.access in (USER, DOCTOR, SEARCHER):
            path = re.sub(r"<[^>]+>", "1", route.path)
            assert refusal(fenna.call(route.method, path)) == (403, "second-factor-missing"), route.name
    assert fenna.get("/auth/me").status_code == 200
    set_up(fenna, clock)
    assert fenna.get("/doctor/profile").status_code == 200
    assert fenna.post("/auth/logout").status_code == 200


def test_the_clinic_may_want_it_of_doctors_alone_or_of_everybody(make_app: MakeApp) -> None:
    for required, status in (("none", 200), ("doctors", 200), ("everybody", 403)):
        patient = Api(make_app(second_factor_required=required).test_client()).patient(f"Ada {required}")
        answer = patient.get("/patient/dashboard")
        assert answer.status_code == status, required
        if status == 403:
            assert refusal(answer) == (403, "second-factor-missing")
        assert patient.post("/auth/logout").status_code == 200


def test_the_calls_before_a_second_factor_are_few() -> None:
    assert {route.name for route in ROUTES if route.access.without_second_factor} == ALLOWED
