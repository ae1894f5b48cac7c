"""POST /auth/login."""

from __future__ import annotations

import base64
import json
from typing import Any

from flask.testing import FlaskClient

from tests.conftest import MakeApp
from tests.people import CODE, PASSWORD, Api, error_of

SAME_MAILBOXES = [
    ("ada@people.example", "ADA@PEOPLE.EXAMPLE"),
    ("Bea@People.Example", "bea@people.example"),
    ("cid@people.example", " cid@people.example "),
    ("\u00e4nne@people.example", "\u00c4NNE@People.example"),
    ("\u03bf\u03b4\u03cd\u03c2@people.example", "\u039f\u0394\u038e\u03a3@people.example"),
    ("ren\u00e9@people.example", "RENE\u0301@people.example"),
]
PASSWORDS_AND_OTHERS = [
    (PASSWORD, ["Password123", "password123 ", " password123", "password12", "password1234", ""]),
    ("  spaces around  ", ["spaces around", "  spaces around"]),
    ("a" * 72 + "b", ["a" * 72, "a" * 72 + "c", "a" * 73]),
    ("\u00e9" * 36 + "x", ["\u00e9" * 36, "\u00e9" * 36 + "y"]),
    ("x" * 1023 + "1", ["x" * 1023 + "2", "x" * 1023, "x" * 72]),
    ("p\u00e4ssw\u00f6rd-\u5bc6\u7801-\U0001f511", ["password-\u5bc6\u7801-\U0001f511"]),
    ("caf\u00e9-au-lait", ["cafe\u0301-au-lait", "CAF\u00c9-AU-LAIT"]),
    ("\u212bngstr\u00f6m", ["\u00c5ngstr\u00f6m"]),
    ("tab\tand\nline", ["tab and line"]),
]


def atob(token: str) -> dict[str, Any]:
    """Read the payload as the published client does: plain base64, which knows neither `-` nor `_`."""
    middle = token.split(".")[1]
    return json.loads(base64.b64decode(middle + "=" * (-len(middle) % 4), validate=True).decode("ascii"))


def test_logging_in_gives_a_token(api: Api) -> None:
    ada = api.patient()
    answer = api.log_in(ada.email)
    assert answer.status_code == 200
    body = answer.get_json()
    assert set(body) == {"access_token", "token_type", "expires_in"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 12 * 3600
    me = api.client.get("/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.get_json()["email"] == ada.email


def test_the_payload_is_plain_base64_and_says_role_and_subject(api: Api) -> None:
    people = [api.patient("\u00c4da ~?>\u00ff Sample"), api.doctor("Dr. ~?>\u00fe\u00ff Quill")]
    for person, role in zip(people, ("patient", "doctor"), strict=True):
        for _ in range(15):
            token = api.log_in(person.email).get_json()["access_token"]
            claims = atob(token)
            assert claims["role"] == role
            assert claims["sub"] == str(person.id)
            written = json.dumps(claims)
            assert "@" not in written
            assert "people" not in written
            assert "Sample" not in written
            assert "Quill" not in written


def test_the_tokens_life_is_configured(make_app: MakeApp) -> None:
    api = Api(make_app(jwt_access_token_hours=0.5).test_client())
    ada = api.patient()
    body = api.log_in(ada.email).get_json()
    claims = atob(body["access_token"])
    assert body["expires_in"] == 1800
    assert claims["exp"] - claims["iat"] == 1800


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(api: Api) -> None:
    ada = api.patient()
    wrong, unknown = api.log_in(ada.email, "wrong password"), api.log_in("nobody@people.example")
    assert wrong.status_code == unknown.status_code == 401
    assert error_of(wrong) == error_of(unknown)
    assert wrong.data == unknown.data
    told = [{name: value for name, value in a.headers if name != "X-Request-ID"} for a in (wrong, unknown)]
    assert told[0] == told[1]


def test_the_address_is_compared_without_letter_case(api: Api) -> None:
    for registered, typed in SAME_MAILBOXES:
        assert api.register(email=registered).status_code == 201, registered
        assert api.log_in(typed).status_code == 200, typed


def test_a_similar_address_is_another_one(api: Api) -> None:
    assert api.register(email="ada@people.example").status_code == 201
    for other in ("ad\u00e1@people.example", "ada@people.example.test", "a.da@people.example", "ad_@people.example"):
        assert api.log_in(other).status_code == 401, other


def test_a_password_is_compared_whole_and_exactly(api: Api) -> None:
    for number, (password, others) in enumerate(PASSWORDS_AND_OTHERS):
        email = f"ada{number}@people.example"
        assert api.register(email=email, password=password).status_code == 201, password
        for other in others:
            answer = api.log_in(email, other)
            assert answer.status_code == 401, other
            error_of(answer)
        assert api.log_in(email, password).status_code == 200, password


def test_a_deleted_account_cannot_log_in(api: Api) -> None:
    doctor = api.doctor()
    assert doctor.delete("/doctor/account").status_code == 200
    answer = api.log_in(doctor.email)
    assert answer.status_code == 401
    assert error_of(answer) == error_of(api.log_in("nobody@people.example"))


def test_each_logs_in_to_their_own_account(api: Api) -> None:
    assert api.register(email="a@people.example", password="the first password").status_code == 201
    assert api.register(email="b@people.example", password="the second password").status_code == 201
    assert api.log_in("a@people.example", "the second password").status_code == 401
    assert api.log_in("b@people.example", "the second password").status_code == 200


def test_unknown_fields_are_ignored(api: Api) -> None:
    ada = api.patient()
    body = {"email": ada.email, "password": PASSWORD, "role": "doctor", "invitation_code": CODE, "sub": "1"}
    answer = api.client.post("/auth/login", json=body)
    assert answer.status_code == 200
    assert atob(answer.get_json()["access_token"])["role"] == "patient"


def test_a_missing_or_wrong_field_is_named(client: FlaskClient) -> None:
    for field, body in (
        ("email", {"password": PASSWORD}),
        ("email", {"email": "nobody", "password": PASSWORD}),
        ("password", {"email": "ada@people.example"}),
    ):
        answer = client.post("/auth/login", json=body)
        assert answer.status_code == 400
        assert error_of(answer).startswith(field)
