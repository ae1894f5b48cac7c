"""PASSWORD_MIN_LENGTH and PASSWORD_REFUSE_COMMON: which new passwords registration, change and reset accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.conftest import ON_SQLITE, MakeApp
from tests.mail_tokens import reset_token_of
from tests.people import CODE, PASSWORD, Api, Person, error_of

# What is refused here is refused before any statement.
pytestmark = ON_SQLITE

NAME, EMAIL = "Ada Sample", "ada.s@people.example"
STRONG = "a horse that correctly reads batteries"
# Each sends a new password for Ada Sample.
Send = Callable[[APIFlask, Api, str], TestResponse]


def register(_app: APIFlask, api: Api, password: str) -> TestResponse:
    return api.register(name=NAME, email=EMAIL, password=password)


def change(_app: APIFlask, api: Api, password: str) -> TestResponse:
    return registered(api).post("/auth/password", {"current_password": STRONG, "new_password": password})


def reset(app: APIFlask, api: Api, password: str) -> TestResponse:
    body = {"token": reset_token_of(app, registered(api)), "password": password}
    return api.client.post("/auth/password/reset", json=body)


def registered(api: Api) -> Person:
    """Register Ada Sample, unless she is registered already."""
    assert api.register(name=NAME, email=EMAIL, password=STRONG).status_code in {201, 409}
    token = api.log_in(EMAIL, STRONG).get_json()["access_token"]
    me = api.client.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).get_json()
    return Person(api.client, NAME, EMAIL, me["id"], token)


every_way = pytest.mark.parametrize("send", [register, change, reset])
FIELD = {register: "password", change: "new_password", reset: "password"}


def finding(answer: TestResponse) -> dict[str, Any]:
    body = answer.get_json()
    assert (answer.status_code, body["type"]) == (400, "urn:problem:invalid")
    [found] = body["errors"]
    assert error_of(answer) == found["message"]
    return found


@every_way
def test_a_clinic_can_ask_for_longer_passwords(make_app: MakeApp, send: Send) -> None:
    app = make_app(password_min_length=12)
    api, field = Api(app.test_client()), FIELD[send]
    assert finding(send(app, api, "eleven char")) == {
        "field": field,
        "message": f"{field} must have at least 12 characters.",
        "code": "too_short",
        "params": {"min_length": 12},
    }
    assert send(app, api, "twelve chars").status_code in {200, 201}
    assert api.log_in(EMAIL, "twelve chars").status_code == 200


@every_way
@pytest.mark.parametrize("password", ["password123", "PassWord123", "12345678", "iloveyou2", "QWERTYUIOP"])
def test_a_clinic_can_refuse_the_commonest_passwords(make_app: MakeApp, send: Send, password: str) -> None:
    app = make_app(password_refuse_common="yes")
    found, field = finding(send(app, Api(app.test_client()), password)), FIELD[send]
    assert (found["field"], found["code"], found["params"]) == (field, "too_common", {})
    assert found["message"] == f"{field} is one of the commonest passwords; please choose another one."


@every_way
@pytest.mark.parametrize(
    "password", ["ada.s@people.example", "ADA.S@People.Example", "Ada Sample", "adasample", "ada_sample!"]
)
def test_a_clinic_that_refuses_them_refuses_ones_own_name_and_address(
    make_app: MakeApp, send: Send, password: str
) -> None:
    app = make_app(password_refuse_common="yes")
    found, field = finding(send(app, Api(app.test_client()), password)), FIELD[send]
    assert (found["field"], found["code"]) == (field, "about_yourself")
    assert found["message"] == f"{field} must not be your name or your e-mail address."


@every_way
@pytest.mark.parametrize(
    "password", ["password123\npassword1", "Ada Sample at home", "!!!!!!!!!", "пароль пароль", " password123"]
)
def test_other_passwords_are_accepted_as_they_are(make_app: MakeApp, send: Send, password: str) -> None:
    app = make_app(password_refuse_common="yes")
    api = Api(app.test_client())
    answer = send(app, api, password)
    assert answer.status_code in {200, 201}, answer.get_json()
    assert api.log_in(EMAIL, password).status_code == 200


@every_way
@pytest.mark.parametrize("password", ["password123", "Ada Sample", "12345678"])
def test_by_default_nothing_of_this_is_refused(app: APIFlask, api: Api, send: Send, password: str) -> None:
    assert send(app, api, password).status_code in {200, 201}


def test_passwords_that_people_have_already_go_on_working(make_app: MakeApp) -> None:
    ada = Api(make_app().test_client()).patient()
    strict = Api(make_app(password_min_length=64, password_refuse_common="yes").test_client())
    assert strict.log_in(ada.email, PASSWORD).status_code == 200
    assert strict.register(password="x" * 63).status_code == 400
    assert strict.register(password="x" * 64).status_code == 201


def test_a_refused_password_uses_no_token_up_and_counts_as_no_guess(make_app: MakeApp) -> None:
    app = make_app(password_refuse_common="yes", login_failures_per_address=1, login_failures_per_account=1)
    api = Api(app.test_client())
    person = registered(api)
    token = reset_token_of(app, person)
    for _ in range(3):
        assert api.client.post("/auth/password/reset", json={"token": token, "password": PASSWORD}).status_code == 400
        body = {"current_password": STRONG, "new_password": PASSWORD}
        assert person.post("/auth/password", body).status_code == 400
    assert api.client.post("/auth/password/reset", json={"token": token, "password": STRONG}).status_code == 200


def test_a_doctor_hears_of_the_password_before_the_code_is_tried(make_app: MakeApp) -> None:
    api = Api(make_app(password_min_length=20).test_client())
    for code in (CODE, "wrong"):
        answer = api.register(role="doctor", invitation_code=code, password=PASSWORD)
        assert finding(answer)["code"] == "too_short"


@pytest.mark.parametrize("shortest", [8, 20])
def test_the_openapi_document_names_the_least_length(make_app: MakeApp, shortest: int) -> None:
    document = make_app(password_min_length=shortest).test_client().get("/openapi.json").get_json()
    found = {
        (name, field): described["minLength"]
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if described.get("format") == "password"
    }
    assert found == {
        ("Registration", "password"): shortest,
        ("NewPasswordIn", "new_password"): shortest,
        ("NewPasswordByToken", "password"): shortest,
    }
