"""The pages on which people change their accounts, and confirm their addresses."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.mail_tokens import confirmation_token_of, newest_token
from tests.pages.conftest import Reader, hidden_fields
from tests.people import PASSWORD, Api, Deliver

NEW = "ada.new@people.example"
NOTICE = "Please confirm your e-mail address: until then you cannot book."


def test_a_patient_changes_everything_but_the_address_at_once(api: Api, reader: Reader) -> None:
    ada = api.patient()
    reader.log_in(ada)
    form = {"name": "Ada Renamed", "phone": "+49 30 23125123", "language": "de", "time_zone": "Asia/Tokyo"}
    done = reader.send("/my/account", **form)
    assert (done.status_code, done.headers["Location"]) == (303, "/my/account?language=de")
    page = reader.read("/my/account?language=de")
    assert "Ihr Konto ist geändert." in page
    assert 'value="Ada Renamed"' in page
    assert 'value="+493023125123"' in page
    assert "<option selected>Asia/Tokyo" in page
    assert reader.send("/my/account", name="Ada Renamed").headers["Location"] == "/my/account?language="
    me = ada.get("/auth/me").get_json()
    assert [me[field] for field in ("phone", "language", "time_zone")] == [None] * 3


def test_a_wrong_number_is_marked_and_nothing_changes(api: Api, reader: Reader) -> None:
    ada = api.patient()
    reader.log_in(ada)
    wrong = reader.send("/my/account", name="Ada Renamed", phone="030 23125123")
    assert wrong.status_code == 400
    assert 'aria-invalid="true"' in wrong.text
    assert "like +49 30 23125123" in wrong.text
    assert ada.get("/auth/me").get_json()["name"] == ada.name


def test_a_doctors_form_has_no_time_zone_and_keeps_it(api: Api, reader: Reader) -> None:
    doctor = api.doctor(time_zone="Asia/Tokyo")
    reader.log_in(doctor)
    assert 'href="/desk/account"' in reader.read("/desk/profile")
    assert 'name="time_zone"' not in reader.read("/desk/account")
    assert reader.send("/desk/account", name="Dr. Renamed", time_zone="UTC").status_code == 303
    me = doctor.get("/auth/me").get_json()
    assert (me["name"], me["time_zone"]) == ("Dr. Renamed", "Asia/Tokyo")


def test_pages_are_in_the_accounts_language_unless_this_browser_was_told_another(api: Api, reader: Reader) -> None:
    ada = api.patient()
    assert ada.patch("/auth/me", {"language": "de"}).status_code == 200
    reader.log_in(ada)
    assert '<html lang="de">' in reader.read("/my")
    assert '<html lang="en">' in reader.read("/my?language=en")
    assert '<html lang="en">' in reader.read("/my")


@pytest.mark.parametrize(("zone", "shown"), [("Asia/Tokyo", True), ("Africa/Abidjan", False)])
def test_an_appointment_shows_the_patients_own_time_where_it_differs(
    api: Api, reader: Reader, zone: str, *, shown: bool
) -> None:
    ada = api.patient()
    number = ada.book(api.doctor().publish("20:00", "20:30", "2030-03-05"))
    assert ada.patch("/auth/me", {"time_zone": zone}).status_code == 200
    reader.log_in(ada)
    assert ("On your clocks: Wednesday 6 March, 05:00" in reader.read(f"/my/{number}")) is shown
    assert ("On your clocks" in reader.read(f"/my/{number}")) is shown
    assert ("On your clocks: Wednesday 6 March, 05:00" in reader.read("/my")) is shown


def test_a_new_address_is_asked_for_and_confirmed_by_a_button(
    app: APIFlask, api: Api, reader: Reader, deliver: Deliver
) -> None:
    ada = api.patient()
    reader.log_in(ada)
    wrong = reader.send("/email", email=NEW, current_password="a guess")
    assert wrong.status_code == 403
    assert "The current password is wrong." in wrong.text
    assert reader.send("/email", email=NEW, current_password=PASSWORD).status_code == 303
    assert NEW in reader.read("/email")
    assert NEW in reader.read("/my/account").replace("<wbr>", "")
    mail = next(mail for mail in deliver() if mail.to == NEW)
    [link] = [line for line in mail.text.splitlines() if line.startswith("http://localhost:5000/email/confirm?token=")]
    page = link.removeprefix("http://localhost:5000")
    for _ in range(2):
        assert hidden_fields(reader.read(page))["token"] == newest_token(app)
    assert 'content="strict-origin"' in reader.read(page)
    assert ada.get("/auth/me").get_json()["email"] == ada.email, "a GET confirms nothing"
    done = reader.send(page)
    assert (done.status_code, done.headers["Location"]) == (303, "/log-in")
    assert "Your new e-mail address holds now." in reader.read("/log-in")
    assert "This link no longer works" in reader.read(page)


def test_the_typed_code_is_enough(app: APIFlask, api: Api, reader: Reader) -> None:
    ada = api.patient()
    token = confirmation_token_of(app, ada)
    refused = reader.send("/email/confirm", token="a guess")
    assert refused.status_code == 400
    assert "This code is wrong, expired or already used" in refused.text
    done = reader.send("/email/confirm", token=f" {token} ")
    assert (done.status_code, done.headers["Location"]) == (303, "/home")


def test_who_has_to_confirm_sees_a_notice_with_a_button(make_app: MakeApp, deliver: Deliver) -> None:
    app = make_app(require_confirmed_email="yes")
    api, reader = Api(app.test_client()), Reader(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()
    reader.log_in(ada)
    assert NOTICE in reader.read("/my")
    refused = reader.send(f"/book/{doctor.doctor_id}/{slot_id}")
    assert refused.status_code == 403
    assert "Please confirm your e-mail address first" in refused.text
    sent = len(deliver())
    assert reader.send("/email/confirm/resend").headers["Location"] == "/email/confirm"
    assert "We have sent a mail." in reader.read("/email/confirm")
    assert len(deliver()) == sent + 1
    assert reader.send("/email/confirm", token=newest_token(app)).status_code == 303
    assert NOTICE not in reader.read("/my")
    assert reader.send(f"/book/{doctor.doctor_id}/{slot_id}").status_code == 303


def test_without_the_setting_there_is_no_notice(api: Api, reader: Reader) -> None:
    reader.log_in(api.patient())
    assert NOTICE not in reader.read("/my")
