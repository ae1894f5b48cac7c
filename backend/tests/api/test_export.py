"""GET /auth/me/export."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from src.controllers import export_controller
from src.database.transaction import transaction
from src.models import RefreshToken
from src.services.mail import MailDelayed
from src.services.memory_mailer import MemoryMailer
from tests.conftest import StillClock
from tests.mail_tokens import reset_token_of
from tests.people import DAY, KEY, PASSWORD, Api, Deliver, Doctor, Patient, Person, hours
from tests.refreshing import refresh, refreshable

PATH = "/auth/me/export"


@pytest.fixture
def doctor(api: Api) -> Doctor:
    return api.doctor("Dr. Fenna Quill", specialization="Cardiology")


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient("Ada Sample")


def export(person: Person) -> dict[str, Any]:
    answer = person.get(PATH)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_a_patient_gets_all_that_is_held(doctor: Doctor, ada: Patient, deliver: Deliver, clock: StillClock) -> None:
    first = ada.book(doctor.publish("09:00", "09:30"))
    second = ada.book(doctor.publish("10:00", "10:30"))
    deliver()
    clock.forward(minutes=1)
    assert ada.move(first, doctor.publish("11:00", "11:30")).status_code == 200
    assert ada.post(f"/appointments/{second}/cancel", {"reason": "I am well."}, headers=KEY).status_code == 200
    held = ada.hold(doctor.publish("12:00", "12:30"))
    found = export(ada)
    assert found["exported_at"] == clock.now.isoformat()
    account = found["account"]
    assert (account["id"], account["name"], account["email"]) == (ada.id, "Ada Sample", ada.email)
    assert (account["role"], account["created_at"], account["sessions_ended"]) == (
        "patient",
        "2030-03-04T08:00:00+00:00",
        0,
    )
    assert found["doctor"] is None
    cancelled, moved = found["appointments"]
    assert (cancelled["appointment_id"], cancelled["status"]) == (second, "cancelled")
    assert [(event["event"], event["by_you"], event["reason"]) for event in cancelled["history"]] == [
        ("booked", True, None),
        ("cancelled", True, "I am well."),
    ]
    assert (moved["date"], moved["start_time"], moved["doctor_name"]) == (DAY, "11:00", "Dr. Fenna Quill")
    assert moved["history"][1]["was"]["start_time"] == "09:00"
    assert [hold["hold_id"] for hold in found["holds"]] == [held]
    assert sorted((mail["kind"], mail["status"], mail["text"] is None) for mail in found["mails"]) == [
        ("booked", "sent", False),
        ("booked", "sent", False),
        ("cancelled", "waiting", True),
        ("rescheduled", "waiting", True),
    ]
    assert found["mails"][-1]["subject"] == "Appointment booked: Dr. Fenna Quill, Tuesday, 5 March 2030"
    assert found["kept_answers"] == [{"at": clock.now.isoformat(), "status": 200}]
    assert found["password_resets"] == []
    assert found["shortened"] == []


def test_it_has_no_token_of_a_forgotten_password(
    app: APIFlask, ada: Patient, mailer: MemoryMailer, deliver: Deliver
) -> None:
    token = reset_token_of(app, ada)
    mailer.failures.append(MailDelayed("later"))
    deliver()
    answer = ada.get(PATH)
    assert [(mail["kind"], mail["text"]) for mail in answer.get_json()["mails"]] == [("password_reset", None)]
    assert token not in answer.text


def test_it_has_the_sessions_that_can_be_refreshed_without_their_tokens(
    app: APIFlask, api: Api, ada: Patient, clock: StillClock
) -> None:
    began = clock()
    first = refreshable(api, ada.email).get_json()["refresh_token"]
    clock.forward(minutes=10)
    refreshable(api, ada.email)
    second = refresh(api, first).get_json()["refresh_token"]
    refreshable(api, api.patient().email)
    answer = ada.get(PATH)
    at = [(began + timedelta(minutes=minutes)).isoformat() for minutes in (0, 10)]
    ends = [(began + timedelta(days=30, minutes=minutes)).isoformat() for minutes in (0, 10)]
    assert answer.get_json()["sessions"] == [
        {"began_at": at[0], "refreshed_at": at[1], "expires_at": ends[0]},
        {"began_at": at[1], "refreshed_at": None, "expires_at": ends[1]},
    ]
    with app.app_context(), transaction(writes=False) as db:
        hashes = set(db.scalars(select(RefreshToken.token_hash)))
    assert len(hashes) == 4
    assert not any(secret in answer.text for secret in hashes | {first, second})


def test_it_says_when_a_new_password_could_be_and_was_set(
    app: APIFlask, api: Api, ada: Patient, clock: StillClock
) -> None:
    body = {"token": reset_token_of(app, ada), "password": PASSWORD}
    assert api.client.post("/auth/password/reset", json=body).status_code == 200
    ada.token = api.log_in(ada.email).get_json()["access_token"]
    assert export(ada)["password_resets"] == [
        {
            "created_at": "2030-03-04T08:00:00+00:00",
            "expires_at": "2030-03-04T08:30:00+00:00",
            "used_at": "2030-03-04T08:00:00+00:00",
        }
    ]


def test_a_doctors_retired_visit_types_are_in_it_with_their_last_length(doctor: Doctor, clock: StillClock) -> None:
    number = doctor.add_visit_type("Checkup", 30, description="Bring your card.", buffer_after=5)
    changed = {"name": "Long checkup", "minutes": 45, "buffer_after": 10}
    assert doctor.put(f"/doctor/visit-types/{number}", changed).status_code == 200
    clock.forward(hours=1)
    assert doctor.delete(f"/doctor/visit-types/{number}").status_code == 200
    practice = export(doctor)["doctor"]
    assert [kind["name"] for kind in practice["visit_types"]] == ["Consultation"]
    [retired] = practice["retired_visit_types"]
    assert (retired["id"], retired["name"], retired["minutes"], retired["buffer_after"], retired["retired_at"]) == (
        number,
        "Long checkup",
        45,
        10,
        "2030-03-04T09:00:00+00:00",
    )


def test_it_has_neither_notes_of_staff_nor_anything_of_others(api: Api, doctor: Doctor, ada: Patient) -> None:
    ben = api.patient("Ben Placeholder")
    ben.book(doctor.publish("10:00", "10:30"))
    number = ada.book(doctor.publish("09:00", "09:30"))
    assert doctor.put(f"/appointments/{number}/note", {"note": "Brings results."}).status_code == 200
    text = json.dumps(export(ada))
    for others in ("Brings results.", "Ben", ben.email, doctor.email):
        assert others not in text


def test_a_doctor_gets_what_the_practice_is_and_not_who_the_patients_are(doctor: Doctor, ada: Patient) -> None:
    doctor.set_hours(hours("tuesday"))
    doctor.close("2030-03-20", reason="Holiday")
    assert doctor.put("/doctor/policies", {"cancellation_notice": 60, "most_ahead": 2}).status_code == 200
    slot_id = doctor.publish("20:00", "20:30")
    one, two = ada.book(slot_id), ada.book(doctor.publish("21:00", "21:30"))
    assert ada.post(f"/appointments/{one}/cancel", {"reason": "Ada is well."}).status_code == 200
    assert doctor.post(f"/appointments/{two}/cancel", {"reason": "A meeting."}).status_code == 200
    found = export(doctor)
    practice = found["doctor"]
    assert (practice["specialization"], practice["cancellation_notice"], practice["most_ahead"]) == (
        "Cardiology",
        60,
        2,
    )
    assert [row["weekday"] for row in practice["hours"]["weekly"]] == ["tuesday"]
    assert [row["reason"] for row in practice["exceptions"]] == ["Holiday"]
    assert len(practice["visit_types"]) == 1
    assert {slot["slot_id"] for slot in practice["slots"]} >= {slot_id}
    reasons = [event["reason"] for row in found["appointments"] for event in row["history"]]
    assert reasons == [None, "A meeting.", None, None]
    assert "Ada" not in json.dumps(found["appointments"])
    assert found["holds"] == []


def test_lists_that_are_too_long_are_shortened_and_named(
    doctor: Doctor, ada: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = [ada.book(doctor.publish(f"{hour}:00", f"{hour}:30")) for hour in (10, 11, 12)]
    monkeypatch.setattr(export_controller, "MOST", 2)
    found = export(ada)
    assert [row["appointment_id"] for row in found["appointments"]] == booked[:0:-1]
    assert all(row["history"] for row in found["appointments"])
    assert found["shortened"] == ["appointments", "mails"]


def test_an_appointment_with_a_doctor_who_has_left_is_in_it(doctor: Doctor, ada: Patient) -> None:
    ada.book(doctor.publish())
    assert doctor.delete("/doctor/account").status_code == 200
    [kept] = export(ada)["appointments"]
    assert (kept["doctor_name"], [event["by_you"] for event in kept["history"]]) == ("Dr. Fenna Quill", [True, False])
