"""Confirmed addresses: REQUIRE_CONFIRMED_EMAIL, and POST /auth/email/confirm and /auth/email/confirm/resend."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from src.services.memory_mailer import MemoryMailer
from tests.conftest import MakeApp, StillClock
from tests.mail_tokens import confirmation_token_of, newest_token, reset_token_of
from tests.people import Api, Deliver, Doctor, Patient, error_of

RESEND = "/auth/email/confirm/resend"


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    return make_app(require_confirmed_email="yes")


@pytest.fixture
def doctor(api: Api) -> Doctor:
    return api.doctor()


def is_confirmed(patient: Patient) -> bool:
    return patient.get("/auth/me").get_json()["email_confirmed"]


def confirm(api: Api, token: str) -> int:
    return api.client.post("/auth/email/confirm", json={"token": token}).status_code


def test_a_registration_sends_a_mail_and_its_token_confirms_the_address(
    api: Api, doctor: Doctor, deliver: Deliver
) -> None:
    before = len(deliver())
    answer = api.register(email="ada@people.example")
    assert "Please confirm your e-mail address" in answer.get_json()["message"]
    [mail] = deliver()[before:]
    assert (mail.to, mail.subject) == ("ada@people.example", "Please confirm your e-mail address")
    assert "Please confirm that you read the mails to it." in mail.text


def test_until_then_a_patient_neither_books_nor_holds(app: APIFlask, api: Api, doctor: Doctor) -> None:
    ada, slot_id = api.register_patient(), doctor.publish()
    for path in ("/appointments", "/holds"):
        refused = ada.post(path, {"slot_id": slot_id, "minutes": 10})
        assert refused.status_code == 403
        assert refused.get_json()["type"] == "urn:problem:email-not-confirmed"
        assert "Please confirm your e-mail address first" in error_of(refused)
    assert ada.get("/appointments/my").status_code == 200
    assert confirm(api, confirmation_token_of(app, ada)) == 200
    assert ada.get("/auth/me").get_json()["email_confirmed"] is True
    ada.book(slot_id)
    assert confirm(api, confirmation_token_of(app, ada)) == 200, "another one is no harm"


def test_a_token_works_once(app: APIFlask, api: Api) -> None:
    ada = api.register_patient()
    token = newest_token(app)
    assert [confirm(api, token) for _ in range(2)] == [200, 400]
    assert is_confirmed(ada)


def test_a_doctor_needs_no_confirmed_address(api: Api, doctor: Doctor) -> None:
    assert doctor.get("/auth/me").get_json()["email_confirmed"] is False
    doctor.publish()


def test_another_mail_can_be_asked_for_until_the_address_is_confirmed(
    app: APIFlask, api: Api, deliver: Deliver
) -> None:
    ada = api.register_patient()
    assert ada.post(RESEND).status_code == 200
    assert [mail.to for mail in deliver()] == [ada.email] * 2
    assert confirm(api, newest_token(app)) == 200
    assert ada.post(RESEND).get_json()["message"] == "Your e-mail address is confirmed already."
    assert len(deliver()) == 2


def test_an_address_gets_so_many_mails_an_hour(make_app: MakeApp, clock: StillClock) -> None:
    api = Api(make_app(require_confirmed_email="yes", confirmations_per_hour=2).test_client())
    ada, ben = api.register_patient(), api.register_patient()
    assert [ada.post(RESEND).status_code for _ in range(2)] == [200, 429]
    assert ben.post(RESEND).status_code == 200
    clock.forward(hours=1)
    assert ada.post(RESEND).status_code == 200


def test_a_network_gets_ten_times_as_many_and_people_register_all_the_same(
    make_app: MakeApp, deliver: Deliver, mailer: MemoryMailer
) -> None:
    api = Api(make_app(require_confirmed_email="yes", confirmations_per_hour=1).test_client())
    answers = [api.register(email=f"ada{number}@people.example") for number in range(11)]
    assert {answer.status_code for answer in answers} == {201}
    assert [("confirm" in answer.get_json()["message"]) for answer in answers] == [True] * 10 + [False]
    assert len(deliver()) == len(mailer.sent) == 10


def test_a_new_password_by_mail_confirms_the_address_too(app: APIFlask, api: Api) -> None:
    ada = api.register_patient()
    body = {"token": reset_token_of(app, ada), "password": "a new password"}
    assert api.client.post("/auth/password/reset", json=body).status_code == 200
    ada.token = api.log_in(ada.email, "a new password").get_json()["access_token"]
    assert is_confirmed(ada)


def test_accounts_from_before_the_setting_have_to_confirm_too(make_app: MakeApp, doctor: Doctor) -> None:
    before = make_app(require_confirmed_email="no")
    ada = Api(before.test_client()).register_patient()
    slot_id = doctor.publish()
    after = make_app(require_confirmed_email="yes")
    ada.client = after.test_client()
    assert ada.post("/appointments", {"slot_id": slot_id}).status_code == 403
    assert ada.post(RESEND).status_code == 200
    assert confirm(Api(ada.client), newest_token(after)) == 200
    ada.book(slot_id)


def test_without_the_setting_nobody_gets_a_mail_or_is_refused(make_app: MakeApp, deliver: Deliver) -> None:
    api = Api(make_app().test_client())
    doctor, ada = api.doctor(), api.register_patient()
    assert deliver() == []
    ada.book(doctor.publish())
