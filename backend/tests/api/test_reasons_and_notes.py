"""The patient's reason, and the note that staff write: who sees them, and where they must not be."""

from __future__ import annotations

import json

from sqlalchemy import text

from src.database.transaction import transaction
from tests.conftest import MakeApp
from tests.people import Api, Deliver, error_of

REASON, NOTE = "A cough since Monday", "Brings last year's results"


def test_the_doctor_sees_the_reason_if_the_clinic_takes_reasons(make_app: MakeApp) -> None:
    api = Api(make_app(appointment_reasons="yes").test_client())
    doctor, ada = api.doctor(), api.patient()
    for hour, wanted, given in ((10, REASON, REASON), (11, None, ""), (12, None, None)):
        slot_id = doctor.publish(f"{hour}:00", f"{hour}:30")
        booked = ada.post("/appointments", {"slot_id": slot_id, "reason": given})
        path = f"/appointments/{booked.get_json()['appointment_id']}"
        assert ada.get(path).get_json()["reason"] == doctor.get(path).get_json()["reason"] == wanted
        assert doctor.get("/appointments/doctor").get_json()["data"][0]["reason"] == wanted
        assert ada.cancel(booked.get_json()["appointment_id"]).status_code == 200


def test_a_reason_of_a_held_time_is_kept(make_app: MakeApp) -> None:
    api = Api(make_app(appointment_reasons="yes").test_client())
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()
    hold_id = ada.hold(slot_id)
    assert ada.post("/appointments", {"slot_id": slot_id, "reason": REASON}).get_json()["appointment_id"] == hold_id
    assert doctor.get(f"/appointments/{hold_id}").get_json()["reason"] == REASON


def test_a_reason_is_ignored_unless_the_clinic_takes_reasons(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    booked = ada.post("/appointments", {"slot_id": doctor.publish(), "reason": REASON})
    assert booked.status_code == 201
    assert doctor.get(f"/appointments/{booked.get_json()['appointment_id']}").get_json()["reason"] is None


def test_the_doctor_writes_a_note_that_the_patient_does_not_see(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    path = f"/appointments/{appointment_id}"
    assert doctor.put(f"{path}/note", {"note": NOTE}).status_code == 200
    assert doctor.get(path).get_json()["note"] == NOTE
    assert NOTE not in ada.get(path).get_data(as_text=True)
    assert NOTE not in ada.get("/appointments/my").get_data(as_text=True)
    assert doctor.put(f"{path}/note", {"note": ""}).status_code == 200
    assert doctor.get(path).get_json()["note"] is None


def test_a_move_to_another_doctor_deletes_the_note(api: Api) -> None:
    doctor, other, ada = api.doctor(), api.doctor("Dr. Stem"), api.patient()
    first, second = doctor.publish(), doctor.publish("10:00", "10:30")
    appointment_id = ada.book(first)
    path = f"/appointments/{appointment_id}"
    assert doctor.put(f"{path}/note", {"note": NOTE}).status_code == 200
    assert ada.move(appointment_id, second).status_code == 200
    assert doctor.get(path).get_json()["note"] == NOTE
    assert ada.move(appointment_id, other.publish()).status_code == 200
    assert other.get(path).get_json()["note"] is None
    assert ada.move(appointment_id, first).status_code == 200
    assert doctor.get(path).get_json()["note"] is None


def test_only_the_doctor_of_an_appointment_writes_its_note(api: Api) -> None:
    doctor, other, ada = api.doctor(), api.doctor("Dr. Stem"), api.patient()
    slot_id = doctor.publish()
    hold_id = ada.hold(slot_id)
    assert doctor.put(f"/appointments/{hold_id}/note", {"note": NOTE}).status_code == 404
    path = f"/appointments/{ada.book(slot_id)}/note"
    assert error_of(other.put(path, {"note": NOTE})) == "This is not your appointment."
    assert other.put(path, {"note": NOTE}).status_code == 403
    assert ada.put(path, {"note": NOTE}).status_code == 403
    assert doctor.put("/appointments/4711/note", {"note": NOTE}).status_code == 404


def test_neither_is_in_any_mail(make_app: MakeApp, deliver: Deliver) -> None:
    app = make_app(appointment_reasons="yes")
    api = Api(app.test_client())
    doctor, ada = api.doctor(), api.patient()
    booked = ada.post("/appointments", {"slot_id": doctor.publish(), "reason": REASON}).get_json()["appointment_id"]
    assert doctor.put(f"/appointments/{booked}/note", {"note": NOTE}).status_code == 200
    assert ada.move(booked, doctor.publish("10:00", "10:30")).status_code == 200
    assert ada.cancel(booked).status_code == 200
    mails = deliver()
    assert len(mails) == 5
    with app.app_context(), transaction(writes=False) as db:
        facts = json.dumps([row.facts for row in db.execute(text("SELECT facts FROM outbox"))], default=str)
    for secret in (REASON, NOTE):
        assert secret not in facts
        assert not any(secret in part for mail in mails for part in (mail.subject, mail.text, mail.html))
