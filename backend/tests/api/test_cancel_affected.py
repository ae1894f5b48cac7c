"""POST /doctor/affected/cancel."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.computed import book_computed
from tests.conftest import StillClock
from tests.people import DAY, Api, Deliver, Doctor, Patient, error_of, hours

PATH = "/doctor/affected/cancel"
NOT_AFFECTED = "Nothing is cancelled, because these are not appointments of yours ahead and outside of your hours: {}."


def cancel(doctor: Doctor, *ids: int, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
    return doctor.post(PATH, {"appointment_ids": ids, **fields}, headers=headers or {})


def affected(doctor: Doctor) -> list[int]:
    return [row["appointment_id"] for row in doctor.get("/doctor/affected").get_json()["data"]]


def of_status(person: Doctor | Patient, status: str) -> list[int]:
    path = "/appointments/doctor" if isinstance(person, Doctor) else "/appointments/my"
    rows = person.get(f"{path}?status={status}").get_json()["data"]
    return sorted(row["appointment_id"] for row in rows)


@pytest.fixture
def doctor(api: Api) -> Doctor:
    """Return a doctor who has hours on Tuesday."""
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday"))
    return doctor


def test_the_appointments_are_cancelled_and_all_patients_and_the_doctor_get_a_mail_of_each(
    api: Api, doctor: Doctor, deliver: Deliver
) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    times = ada.times(doctor, until=DAY)
    at_time, at_slot = ada.book(times[0]["slot_id"]), ben.book(doctor.publish("18:00", "18:30"))
    other, kept = ben.book(times[2]["slot_id"]), ben.book(times[4]["slot_id"])
    doctor.close(DAY)
    assert affected(doctor) == [at_time, other, kept, at_slot]
    sent = len(deliver())

    answer = cancel(doctor, at_slot, at_time, other, reason="The practice is closed.")

    assert answer.status_code == 200
    assert answer.get_json() == {"message": "3 appointments are cancelled.", "cancelled": 3}
    assert of_status(doctor, "cancelled") == sorted([at_time, at_slot, other])
    assert (of_status(ada, "cancelled"), of_status(ben, "booked")) == ([at_time], [kept])
    assert affected(doctor) == [kept]
    mails = deliver()[sent:]
    assert Counter(mail.to for mail in mails) == {ada.email: 1, ben.email: 2, doctor.email: 3}
    for mail in mails:
        who = "You cancelled this" if mail.to == doctor.email else "was cancelled by the doctor, Dr. Fenna Quill."
        assert who in mail.text
        assert "5 March 2030" in mail.text
        assert "The practice is closed." in mail.text
        assert "The practice is closed." in mail.html
    for person in (doctor, ada):
        history = person.get(f"/appointments/{at_time}").get_json()["history"]
        assert [event["event"] for event in history] == ["booked", "cancelled"]
        assert history[1]["by"] == "Dr. Fenna Quill"
        assert history[1]["reason"] == "The practice is closed."


def test_one_appointment_and_no_reason(api: Api, doctor: Doctor, deliver: Deliver) -> None:
    patient = api.patient()
    number = patient.book(doctor.publish())
    doctor.close(DAY)
    for reason in (None, ""):
        answer = cancel(doctor, number, reason=reason)
        assert answer.get_json() == {"message": "The appointment is cancelled.", "cancelled": 1}
        assert patient.get(f"/appointments/{number}").get_json()["history"][1]["reason"] is None
        assert "Reason" not in deliver()[-1].text
        number = patient.book(doctor.publish())


def test_published_slots_are_withdrawn_also_if_the_doctor_opens_again(api: Api, doctor: Doctor) -> None:
    patient = api.patient()
    slot_id, free = doctor.publish("18:00", "18:30"), doctor.publish("19:00", "19:30")
    number = patient.book(slot_id)
    closure = doctor.close(DAY)
    assert cancel(doctor, number).status_code == 200
    doctor.delete(f"/doctor/exceptions/{closure}")
    assert free in [slot["slot_id"] for slot in patient.free(doctor)]
    assert slot_id not in [slot["slot_id"] for slot in patient.free(doctor)]
    assert patient.post("/appointments", {"slot_id": slot_id}).status_code == 404
    own = {row["slot_id"]: row["status"] for row in doctor.get("/doctor/availability").get_json()["data"]}
    assert own == {free: "free"}


def test_free_slots_that_overlap_a_cancelled_time_are_withdrawn(api: Api, doctor: Doctor) -> None:
    patient = api.patient()
    overlapping, other = doctor.publish("09:15", "09:45"), doctor.publish("09:45", "10:15")
    at_nine = patient.times(doctor, until=DAY)[0]
    assert at_nine["start_time"] == "09:00"
    number = patient.book(at_nine["slot_id"])
    doctor.close(DAY)
    assert cancel(doctor, number).status_code == 200
    assert [slot["slot_id"] for slot in patient.times(doctor, until=DAY)] == [other]
    assert patient.post("/appointments", {"slot_id": overlapping}).status_code == 404


def test_a_time_that_follows_from_the_hours_is_offered_again_once_they_cover_it(api: Api, doctor: Doctor) -> None:
    patient = api.patient()
    slot_id = patient.times(doctor)[0]["slot_id"]
    number = patient.book(slot_id)
    closure = doctor.close(DAY)
    assert cancel(doctor, number).status_code == 200
    assert slot_id not in [slot["slot_id"] for slot in patient.times(doctor)]
    doctor.delete(f"/doctor/exceptions/{closure}")
    assert slot_id in [slot["slot_id"] for slot in patient.times(doctor)]


def test_all_or_none(api: Api, doctor: Doctor, deliver: Deliver, clock: StillClock) -> None:
    patient, stranger = api.patient(), api.doctor("Dr. Imani Lark")
    good, cancelled = patient.book(doctor.publish("18:00", "18:30")), patient.book(doctor.publish("19:00", "19:30"))
    begun = patient.book(doctor.publish("09:00", "10:00", "2030-03-04"))
    inside = patient.book(doctor.publish("18:00", "18:30", "2030-03-06"))
    foreign = patient.book(stranger.publish("20:00", "20:30"))
    held = patient.hold(doctor.publish("21:00", "21:30"))
    patient.cancel(cancelled)
    doctor.close("2030-03-04", last_day=DAY)
    stranger.close(DAY)
    clock.forward(hours=1)
    sent = deliver()
    for wrong in (cancelled, begun, inside, foreign, held, 999, 2**63 - 1):
        answer = cancel(doctor, good, wrong)
        assert answer.status_code == 409
        assert answer.get_json()["type"] == "urn:problem:not-affected"
        assert answer.get_json()["appointment_ids"] == [wrong]
        assert error_of(answer) == NOT_AFFECTED.format(wrong)
    assert affected(doctor) == [good]
    assert deliver() == sent
    assert of_status(patient, "booked") == sorted([good, inside, foreign])


def test_what_began_before_its_patient_left_is_not_affected(api: Api, doctor: Doctor, clock: StillClock) -> None:
    """The call has arrived before the start, and has waited until the patient left after the start."""
    patient = api.patient()
    begun = patient.book(doctor.publish("09:00", "10:00", "2030-03-04"))
    doctor.close("2030-03-04")
    clock.forward(hours=1)
    assert patient.delete("/patient/account").status_code == 200
    clock.forward(seconds=-1)
    assert affected(doctor) == []
    assert cancel(doctor, begun).get_json()["appointment_ids"] == [begun]


def test_the_sentence_names_three_and_the_answer_all(doctor: Doctor) -> None:
    for number, named in ((2, "1, 2"), (3, "1, 2, 3"), (4, "1, 2, 3 and 1 more"), (500, "1, 2, 3 and 497 more")):
        answer = cancel(doctor, *range(1, number + 1))
        assert error_of(answer) == NOT_AFFECTED.format(named)
        assert answer.get_json()["appointment_ids"] == list(range(1, number + 1))


@pytest.mark.parametrize(
    ("ids", "code"),
    [([], "too_short"), ([1, 2, 1], "repeated"), (["7", 7], "repeated"), (list(range(1, 502)), "too_long")],
)
def test_a_list_without_an_id_or_with_one_twice_or_too_many_is_refused(doctor: Doctor, ids: Any, code: str) -> None:
    answer = doctor.post(PATH, {"appointment_ids": ids})
    assert answer.status_code == 400
    assert [finding["code"] for finding in answer.get_json()["errors"]] == [code]


def test_the_same_request_with_a_key_is_done_once(api: Api, doctor: Doctor, deliver: Deliver) -> None:
    patient, key = api.patient(), {"Idempotency-Key": "once"}
    number = patient.book(doctor.publish())
    doctor.close(DAY)
    first = cancel(doctor, number, headers=key)
    sent = len(deliver())
    again = cancel(doctor, number, headers=key)
    assert (first.status_code, first.data) == (again.status_code, again.data) == (200, first.data)
    assert len(deliver()) == sent
    refused = [cancel(doctor, number, headers={"Idempotency-Key": "twice"}) for _ in range(2)]
    assert refused[0].status_code == 409
    assert refused[0].data == refused[1].data


def test_the_seats_of_a_group_are_cancelled_one_by_one(api: Api, doctor: Doctor) -> None:
    kind = doctor.add_visit_type("Class", minutes=60, capacity=3)
    people = [api.patient(f"Patient {number}") for number in range(3)]
    slot_id = people[0].times(doctor, visit_type=kind)[0]["slot_id"]
    numbers = [person.book(slot_id) for person in people]
    doctor.close(DAY)
    assert affected(doctor) == numbers
    assert cancel(doctor, numbers[0], numbers[2]).status_code == 200
    assert affected(doctor) == [numbers[1]]


def test_the_hours_of_the_present_zone_decide(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(time_zone="Europe/Berlin"), api.patient()
    doctor.set_hours(hours("tuesday"), time_zone="Europe/Berlin")
    number = book_computed(app, doctor, patient, doctor.visit_types()[0]["id"], f"{DAY} 09:00", "Europe/Berlin")
    assert cancel(doctor, number).status_code == 409
    doctor.post("/doctor/profile", {"time_zone": "Europe/London"})
    assert cancel(doctor, number).status_code == 200
