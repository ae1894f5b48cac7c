"""The mail that tells somebody of a new password, and how many of them there can be."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp, StillClock
from tests.mail_tokens import reset_token_of
from tests.people import PASSWORD, Api, Deliver, Person, error_of

NEW = "a secret of Ada alone"
SUBJECT = "Your password was changed"


def change(person: Person, old: str = PASSWORD, new: str = NEW) -> int:
    answer = person.post("/auth/password", {"current_password": old, "new_password": new})
    if answer.status_code == 200:
        person.token = answer.get_json()["access_token"]
    return answer.status_code


def test_a_changed_password_is_told_to_the_account_once_without_secrets(api: Api, deliver: Deliver) -> None:
    ada = api.patient()
    assert change(ada) == 200
    [mail] = deliver()
    assert (mail.to, mail.subject) == (ada.email, SUBJECT)
    for part in (mail.text, mail.html):
        assert "Monday, 4 March 2030, at 08:00 (UTC)" in part
        assert "http://localhost:5000/password/forgot" in part
        for secret in (PASSWORD, NEW, ada.token):
            assert secret not in part
    assert len(deliver()) == 1


def test_a_password_that_was_set_by_a_mail_is_told_once(app: APIFlask, api: Api, deliver: Deliver) -> None:
    dora = api.doctor()
    token = reset_token_of(app, dora)
    [_] = deliver()
    body = {"token": token, "password": NEW}
    assert [api.client.post("/auth/password/reset", json=body).status_code for _ in range(2)] == [200, 400]
    _, told = deliver()
    assert (told.to, told.subject) == (dora.email, SUBJECT)
    assert token not in told.text + told.html


def test_nothing_is_told_of_a_change_that_was_refused(api: Api, deliver: Deliver) -> None:
    ada = api.patient()
    assert change(ada, old="a wrong guess") == 403
    assert api.client.post("/auth/password/reset", json={"token": "a guess", "password": NEW}).status_code == 400
    assert deliver() == []


def test_each_change_is_told(api: Api, deliver: Deliver) -> None:
    ada = api.patient()
    assert [change(ada), change(ada, NEW, PASSWORD)] == [200, 200]
    assert [mail.subject for mail in deliver()] == [SUBJECT] * 2


def test_the_time_is_that_of_the_clinics_clocks(make_app: MakeApp) -> None:
    app = make_app(clinic_time_zone="Asia/Tokyo", clinic_url="https://clinic.example/booking")
    change(Api(app.test_client()).patient())
    shown = app.test_cli_runner().invoke(args=["outbox", "show", "1"]).output
    assert "Monday, 4 March 2030, at 17:00 (Asia/Tokyo)" in shown
    assert "https://clinic.example/booking/password/forgot" in shown


def test_one_account_can_change_its_password_so_often_within_an_hour(make_app: MakeApp, clock: StillClock) -> None:
    api = Api(make_app(password_resets_per_hour=2).test_client())
    ada, ben = api.patient(), api.patient()
    assert [change(ada, PASSWORD, PASSWORD) for _ in range(3)] == [200, 200, 429]
    clock.forward(minutes=20)
    refused = ada.post("/auth/password", {"current_password": PASSWORD, "new_password": NEW})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2400")
    error_of(refused)
    assert api.log_in(ada.email).status_code == 200, "the refused change has changed nothing"
    assert change(ben) == 200
    clock.forward(minutes=40)
    assert change(ada) == 200


@pytest.mark.parametrize("role", ["patient", "doctor"])
def test_one_address_can_be_registered_so_often_within_an_hour(make_app: MakeApp, clock: StillClock, role: str) -> None:
    api = Api(make_app(registrations_per_hour=2).test_client())
    statuses = []
    for number in range(3):
        api.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        answer = api.register(email="Ada@people.example", role=role, invitation_code="DOC2024SECRET")
        statuses.append(answer.status_code)
        if answer.status_code == 201:
            token = api.log_in("ada@people.example").get_json()["access_token"]
            gone = api.client.delete(f"/{role}/account", headers={"Authorization": f"Bearer {token}"})
            assert gone.status_code == 200
    assert statuses == [201, 201, 429]
    assert answer.headers["Retry-After"] == "3600"
    error_of(answer)
    assert api.register().status_code == 201
    clock.forward(hours=1)
    assert api.register(email="ada@people.example").status_code == 201


def test_one_network_can_register_ten_times_as_often(make_app: MakeApp) -> None:
    client = make_app(registrations_per_hour=1).test_client()
    api = Api(client)
    assert [api.register().status_code for _ in range(11)] == [201] * 10 + [429]
    client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert api.register().status_code == 201


def test_a_registration_that_is_refused_does_not_count(make_app: MakeApp) -> None:
    api = Api(make_app(registrations_per_hour=1).test_client())
    ada = api.patient()
    assert {api.register(email=ada.email).status_code for _ in range(12)} == {409}
    assert api.register().status_code == 201
