"""GET /doctor/affected; test_affected.py tries what is affected."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask

from tests.computed import book_computed
from tests.conftest import StillClock
from tests.people import DAY, Api, Doctor, hours

PATH = "/doctor/affected"


def affected(doctor: Doctor) -> list[dict[str, Any]]:
    answer = doctor.get(PATH)
    assert answer.status_code == 200, answer.get_json()
    assert list(answer.get_json()) == ["data"]
    return answer.get_json()["data"]


def test_it_lists_what_the_last_change_of_hours_answered(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday"))
    kind = doctor.visit_types()[0]["id"]
    book_computed(app, doctor, patient, kind, f"{DAY} 09:00")
    late = book_computed(app, doctor, patient, kind, f"{DAY} 16:45")
    early = book_computed(app, doctor, patient, kind, f"{DAY} 08:30")
    published = patient.book(doctor.publish("18:00", "18:30"))
    assert [row["appointment_id"] for row in affected(doctor)] == [early, late]
    answer = doctor.except_hours("closed", DAY, **{"from": "17:00", "until": "18:10"})
    assert affected(doctor) == answer["affected"]
    assert [row["appointment_id"] for row in affected(doctor)] == [early, late, published]
    doctor.set_hours(hours("tuesday", "08:00", "18:00"))
    assert [row["appointment_id"] for row in affected(doctor)] == [late, published]
    for exception in doctor.get("/doctor/exceptions").get_json()["data"]:
        doctor.delete(f"/doctor/exceptions/{exception['id']}")
    assert affected(doctor) == []


def test_only_booked_ones_ahead_of_the_doctors_own_are_listed(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor, patient = api.doctor(), api.patient()
    first, second = (patient.book(doctor.publish(f"{9 + n:02}:00", f"{9 + n:02}:30")) for n in range(2))
    patient.hold(doctor.publish("11:00", "11:30"))
    api.patient().book(api.doctor("Dr. Imani Lark").publish())
    doctor.close(DAY)
    assert [row["appointment_id"] for row in affected(doctor)] == [first, second]
    patient.cancel(first)
    assert [row["appointment_id"] for row in affected(doctor)] == [second]
    clock.forward(days=1, hours=2)
    assert affected(doctor) == []


def test_it_asks_for_the_hours_of_the_present_zone(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(time_zone="Europe/Berlin"), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "17:00"), time_zone="Europe/Berlin")
    early = book_computed(app, doctor, patient, doctor.visit_types()[0]["id"], f"{DAY} 09:00", "Europe/Berlin")
    assert affected(doctor) == []
    doctor.post("/doctor/profile", {"time_zone": "Europe/London"})
    assert [row["appointment_id"] for row in affected(doctor)] == [early]
