"""GET /patient/dashboard."""

from __future__ import annotations

from tests.conftest import StillClock
from tests.people import DAY, Api

PATH = "/patient/dashboard"


def test_a_new_patient_is_greeted(api: Api) -> None:
    answer = api.patient("Ada Sample").get(PATH)
    assert answer.status_code == 200
    body = answer.get_json()
    assert "Ada Sample" in body.pop("message")
    assert body == {"next_appointment": None, "appointments_ahead": 0, "appointments_total": 0}


def test_it_shows_the_next_appointment_and_counts(api: Api) -> None:
    doctor, ada, ben = api.doctor("Dr. Fenna Quill"), api.patient(), api.patient("Ben Sample")
    ada.book(doctor.publish("11:00", "11:30"))
    following = ada.book(doctor.publish("09:00", "09:30"))
    assert ada.cancel(ada.book(doctor.publish("08:00", "08:30"))).status_code == 200
    ben.book(doctor.publish("07:00", "07:30"))
    body = ada.get(PATH).get_json()
    assert body["next_appointment"] == {
        "appointment_id": following,
        "doctor_name": "Dr. Fenna Quill",
        "date": DAY,
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-03-05T09:00:00+00:00",
        "ends_at": "2030-03-05T09:30:00+00:00",
        "time_zone": "UTC",
        "visit_type": None,
        "place": None,
        "can_cancel": True,
        "can_move": True,
        "status": "booked",
    }
    assert (body["appointments_ahead"], body["appointments_total"]) == (2, 3)


def test_what_has_begun_is_no_longer_ahead(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    ada.book(doctor.publish("09:00", "09:30"))
    second = ada.book(doctor.publish("10:00", "10:30"))
    clock.forward(days=1, hours=1)
    body = ada.get(PATH).get_json()
    assert body["next_appointment"]["appointment_id"] == second
    assert (body["appointments_ahead"], body["appointments_total"]) == (1, 2)
    clock.forward(hours=1)
    body = ada.get(PATH).get_json()
    assert body["next_appointment"] is None
    assert (body["appointments_ahead"], body["appointments_total"]) == (0, 2)
