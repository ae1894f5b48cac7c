"""Computed times: offered by GET /patient/doctors/<id>/availability, and booked by POST /appointments."""

from __future__ import annotations

import pytest

from tests.conftest import StillClock
from tests.people import Api, Deliver, Doctor, error_of, hours

# NOW is Monday, 2030-03-04, 08:00 UTC.
TUESDAY = "2030-03-05"


@pytest.fixture
def doctor(api: Api) -> Doctor:
    """Return a doctor with hours on Tuesday mornings; the first visit type takes 30 minutes."""
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    return doctor


def starts(times: list[dict[str, object]]) -> list[object]:
    return [time["start_time"] for time in times]


def test_hours_make_times_of_the_first_visit_type_for_four_weeks(api: Api, doctor: Doctor) -> None:
    times = api.patient().free(doctor)
    assert starts(times[:4]) == ["09:00", "09:30", "10:00", "10:30"]
    assert {time["date"] for time in times} == {"2030-03-05", "2030-03-12", "2030-03-19", "2030-03-26"}
    [kind] = {time["visit_type_id"] for time in times}
    assert times[0] == {
        "slot_id": times[0]["slot_id"],
        "date": TUESDAY,
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-03-05T09:00:00+00:00",
        "ends_at": "2030-03-05T09:30:00+00:00",
        "time_zone": "UTC",
        "visit_type_id": kind,
        "seats_left": None,
        "place": None,
    }
    assert all(2**32 <= time["slot_id"] < 2**53 for time in times)


def test_a_time_is_booked_by_its_id_and_no_longer_offered(api: Api, doctor: Doctor, deliver: Deliver) -> None:
    ada = api.patient("Ada Sample")
    second = ada.free(doctor)[1]
    appointment_id = ada.book(second["slot_id"])
    assert starts(ada.free(doctor)[:3]) == ["09:00", "10:00", "10:30"]
    [listed] = ada.get("/appointments/my").get_json()["data"]
    assert (listed["appointment_id"], listed["start_time"], listed["status"]) == (appointment_id, "09:30", "booked")
    assert listed["visit_type"] == "Consultation"
    [mail] = deliver()
    assert "09:30 to 10:00" in mail.text
    assert "Consultation" in mail.text

    taken = api.patient("Ben Placeholder").post("/appointments", {"slot_id": second["slot_id"]})
    assert taken.status_code == 409
    assert error_of(taken) == "This slot is already booked."

    assert ada.cancel(appointment_id).status_code == 200
    assert starts(ada.free(doctor)[:4]) == ["09:00", "09:30", "10:00", "10:30"]
    assert ada.book(second["slot_id"]) != appointment_id


def test_what_is_not_offered_says_why(api: Api, doctor: Doctor, clock: StillClock) -> None:
    ada = api.patient()
    slot_id = ada.free(doctor)[0]["slot_id"]

    def refusal(minutes: int) -> tuple[int, str]:
        answer = ada.post("/appointments", {"slot_id": slot_id + minutes})
        return answer.status_code, answer.get_json()["type"].rpartition(":")[2]

    assert refusal(-30) == (409, "slot-not-offered")
    assert refusal(5) == (409, "slot-not-offered")
    assert refusal(-24 * 60) == (409, "slot-not-offered")
    assert refusal(-48 * 60) == (409, "slot-past")
    assert refusal(70 * 7 * 24 * 60) == (409, "too-far-ahead")
    assert refusal(2**24) == (404, "slot-not-found")
    clock.forward(days=1, hours=1)
    assert refusal(0) == (409, "slot-past")
