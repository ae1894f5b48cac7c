"""POST /auth/register."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from src.database.transaction import transaction
from src.models import Base
from tests.conftest import MakeApp
from tests.people import CODE, PASSWORD, Api, error_of

SAME_MAILBOXES = [
    ("ada@people.example", "ada@people.example"),
    ("Bea@People.Example", "bEA@pEOPLE.eXAMPLE"),
    ("\u00e4nne@people.example", "\u00c4NNE@people.example"),
    ("\u03bf\u03b4\u03cd\u03c2@people.example", "\u039f\u0394\u038e\u03a3@people.example"),
    ("ren\u00e9@people.example", "rene\u0301@people.example"),
    ("ada@b\u00fccher.example", "ada@B\u00dcCHER.example"),
    ("cleo@b\u00fccher.example", "cleo@xn--bcher-kva.example"),
]


def test_a_patient_registers(api: Api) -> None:
    answer = api.register(name="Ada Sample", email="ada@people.example", role="patient", invitation_code="")
    assert answer.status_code == 201
    body = answer.get_json()
    assert set(body) == {"message", "id"}
    assert isinstance(body["message"], str)
    assert type(body["id"]) is int
    token = api.log_in("ada@people.example").get_json()["access_token"]
    me = api.client.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).get_json()
    promised = {"id": body["id"], "name": "Ada Sample", "email": "ada@people.example", "role": "patient"}
    assert me.items() >= promised.items()


# What the rows of two people differ in, and the table that limits registrations.
OWN = {"id", "user_id", "doctor_id", "visit_type_id", "name", "email", "email_key", "password_hash", "living"}
LIMITS = "failed_attempts"


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_the_people_of_other_tests_have_what_a_registration_adds(app: APIFlask, api: Api, role: str) -> None:
    """`Api.patient` and `Api.doctor` add it without the calls."""
    begin = rows_by_table(app)
    assert api.register(role=role, invitation_code=CODE).status_code == 201
    registered = rows_by_table(app)
    getattr(api, role)()
    assert added(registered, rows_by_table(app)) == added(begin, registered) != {}


def rows_by_table(app: APIFlask) -> dict[str, list[dict[str, Any]]]:
    with app.app_context(), transaction(writes=False) as db:
        return {
            table.name: [dict(row) for row in db.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
            if table.name != LIMITS
        }


def added(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    new = {name: [row for row in rows if row not in before[name]] for name, rows in after.items()}
    return {
        name: [{column: value for column, value in row.items() if column not in OWN} for row in rows]
        for name, rows in new.items()
        if rows
    }


def test_a_patient_needs_no_invitation_code(client: FlaskClient) -> None:
    fields = {"name": "Ada Sample", "password": PASSWORD, "role": "patient"}
    for number, code in enumerate([{}, {"invitation_code": ""}, {"invitation_code": None}]):
        answer = client.post("/auth/register", json=fields | code | {"email": f"ada{number}@people.example"})
        assert answer.status_code == 201, (code, answer.get_json())


def test_a_doctor_registers_with_the_clinics_code(api: Api) -> None:
    assert api.register(email="d@people.example", role="doctor", invitation_code=CODE).status_code == 201
    token = api.log_in("d@people.example").get_json()["access_token"]
    me = api.client.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).get_json()
    assert me["role"] == "doctor"


def test_a_doctor_without_a_code_is_refused(api: Api) -> None:
    for code in (None, "", "   "):
        answer = api.register(role="doctor", invitation_code=code)
        assert answer.status_code == 400, code
        assert "invitation code" in error_of(answer)


def test_a_doctor_who_leaves_the_code_out_is_refused(client: FlaskClient) -> None:
    fields = {"name": "Dr. Quill", "email": "q@people.example", "password": PASSWORD, "role": "doctor"}
    answer = client.post("/auth/register", json=fields)
    assert answer.status_code == 400
    assert "invitation code" in error_of(answer)


def test_a_wrong_code_is_forbidden_and_creates_nobody(api: Api) -> None:
    for code in ("wrong", CODE.lower(), CODE + "x", CODE[:-1], "\U0001f511", "0"):
        answer = api.register(email="q@people.example", role="doctor", invitation_code=code)
        assert answer.status_code == 403, code
        assert "invitation code" in error_of(answer)
    assert api.log_in("q@people.example").status_code == 401
    assert api.register(email="q@people.example").status_code == 201


def test_the_code_is_the_configured_one(make_app: MakeApp) -> None:
    api = Api(make_app(doctor_invitation_code="another clinic's code").test_client())
    assert api.register(role="doctor", invitation_code=CODE).status_code == 403
    assert api.register(role="doctor", invitation_code="another clinic's code").status_code == 201


def test_a_known_address_is_a_conflict_whatever_its_letter_case(api: Api) -> None:
    for first, second in SAME_MAILBOXES:
        assert api.register(email=first).status_code == 201, first
        for role, code in (("patient", ""), ("doctor", CODE)):
            answer = api.register(email=second, role=role, invitation_code=code)
            assert answer.status_code == 409, second
            assert "already registered" in error_of(answer)


def test_a_conflict_leaves_the_first_account_as_it_was(api: Api) -> None:
    ada = api.patient("Ada Sample")
    assert api.register(name="Eve", email=ada.email.upper(), password="another password").status_code == 409
    assert ada.get("/auth/me").get_json()["name"] == "Ada Sample"
    assert api.log_in(ada.email).status_code == 200
    assert api.log_in(ada.email, "another password").status_code == 401


def test_an_address_is_judged_by_syntax_alone(api: Api) -> None:
    for domain in ("a.test", "clinic.local", "people.example", "x.invalid", "example.com"):
        assert api.register(email=f"ada.o'brien+tag@{domain}").status_code == 201, domain


def test_an_address_may_be_long_in_any_script(api: Api) -> None:
    domain = ".".join(["x" * 50] * 3) + ".example"
    for local in ("a" * 64, "\u00e4" * 32, "\u0390" * 32, "\ufb03" * 20, "\u0130" * 32):
        assert api.register(email=f"{local}@{domain}").status_code == 201, local
        assert api.log_in(f"{local}@{domain.upper()}").status_code == 200, local


def test_a_name_is_kept_as_given(api: Api) -> None:
    names = ("O'Brien-\u00d1and\u00fa", "\u674e\u5c0f\u9f99", "<b>Bob</b> & Co", "x" * 200, "Q")
    for number, name in enumerate(names):
        email = f"n{number}@people.example"
        assert api.register(name=name, email=email).status_code == 201, name
        token = api.log_in(email).get_json()["access_token"]
        me = api.client.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert me.get_json()["name"] == name


def test_a_password_needs_eight_characters(api: Api) -> None:
    answer = api.register(password="1234567")
    assert answer.status_code == 400
    assert "password" in error_of(answer)
    assert "8" in error_of(answer)
    assert api.register(password="12345678").status_code == 201


def test_there_are_two_roles_and_no_others(api: Api) -> None:
    for role in ("admin", "Doctor", "PATIENT", "", " patient", None, 1, ["patient"]):
        answer = api.register(role=role, invitation_code=CODE)
        assert answer.status_code == 400, role
        assert "role" in error_of(answer)


def test_a_missing_field_is_named(client: FlaskClient) -> None:
    whole = {"name": "Ada", "email": "a@people.example", "password": PASSWORD, "role": "patient"}
    for field in whole:
        answer = client.post("/auth/register", json={name: whole[name] for name in whole if name != field})
        assert answer.status_code == 400, field
        assert error_of(answer).startswith(field)


def test_every_wrong_field_is_listed(api: Api) -> None:
    answer = api.register(name="", email="nobody", password="short", role="king")
    assert answer.status_code == 400
    assert error_of(answer).startswith("name")
    assert [finding["field"] for finding in answer.get_json()["errors"]] == ["name", "email", "password", "role"]


def test_a_refused_password_is_not_echoed(api: Api) -> None:
    answer = api.register(password="hunter2")
    assert answer.status_code == 400
    assert b"hunter2" not in answer.data


def test_unknown_fields_are_ignored(api: Api) -> None:
    first = api.patient()
    extra = {"id": first.id, "is_admin": True, "token_epoch": 7, "deleted_at": "2020-01-01", "email_key": "x"}
    extra |= {"email_confirmed": True, "phone": "+493023125123"}
    answer = api.register(name="Eve", email="eve@people.example", **extra)
    assert answer.status_code == 201
    assert answer.get_json()["id"] != first.id
    token = api.log_in("eve@people.example").get_json()["access_token"]
    me = api.client.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.status_code == 200
    assert (me.get_json()["email_confirmed"], me.get_json()["phone"]) == (False, None)
    assert first.get("/auth/me").get_json()["name"] == first.name
