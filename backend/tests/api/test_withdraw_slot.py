"""DELETE /doctor/availability/<id>."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StillClock
from tests.people import Api, error_of


def test_a_withdrawn_slot_is_neither_offered_nor_bookable(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id, other = doctor.publish("09:00", "09:30"), doctor.publish("10:00", "10:30")
    answer = doctor.delete(f"/doctor/availability/{slot_id}")
    assert answer.status_code == 200
    assert answer.get_json() == {"message": "The slot is withdrawn."}
    assert [slot["slot_id"] for slot in patient.free(doctor)] == [other]
    refused = patient.post("/appointments", {"slot_id": slot_id})
    assert refused.status_code == 404
    assert error_of(refused)


def test_its_time_can_be_published_again(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.delete(f"/doctor/availability/{doctor.publish('09:00', '09:30')}")
    assert [slot["slot_id"] for slot in patient.free(doctor)] == []
    again = doctor.publish("09:00", "10:00")
    assert [slot["slot_id"] for slot in patient.free(doctor)] == [again]


def test_a_slot_is_withdrawn_once_and_by_its_own_doctor(api: Api) -> None:
    doctor, other = api.doctor(), api.doctor("Dr. Imani Lark")
    slot_id = doctor.publish()
    assert other.delete(f"/doctor/availability/{slot_id}").status_code == 404
    assert doctor.delete(f"/doctor/availability/{slot_id}").status_code == 200
    again = doctor.delete(f"/doctor/availability/{slot_id}")
    assert again.status_code == 404
    assert error_of(again) == "There is no such appointment slot."


def test_a_booked_slot_stays_and_can_be_withdrawn_once_it_is_cancelled(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    appointment_id = patient.book(slot_id)
    refused = doctor.delete(f"/doctor/availability/{slot_id}")
    assert refused.status_code == 409
    assert error_of(refused) == "This slot is already booked."
    assert patient.get(f"/appointments/{appointment_id}").get_json()["status"] == "booked"
    patient.cancel(appointment_id)
    assert doctor.delete(f"/doctor/availability/{slot_id}").status_code == 200
    # What was cancelled stays in the history of both.
    assert [row["status"] for row in doctor.get("/appointments/doctor").get_json()["data"]] == ["cancelled"]


def test_a_slot_that_has_begun_stays(api: Api, clock: StillClock) -> None:
    doctor = api.doctor()
    slot_id = doctor.publish("09:00", "09:30", "2030-03-04")
    clock.forward(hours=1)
    refused = doctor.delete(f"/doctor/availability/{slot_id}")
    assert refused.status_code == 409
    assert error_of(refused) == "This slot has already begun."


@pytest.mark.unguarded
def test_of_a_booking_and_a_withdrawal_at_once_one_succeeds(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    for hour in range(8, 18):
        slot_id = doctor.publish(f"{hour:02}:00", f"{hour:02}:30")
        with ThreadPoolExecutor() as pool:
            booking = pool.submit(patient.post, "/appointments", {"slot_id": slot_id})
            withdrawal = pool.submit(doctor.delete, f"/doctor/availability/{slot_id}")
        assert (booking.result().status_code, withdrawal.result().status_code) in {(201, 409), (404, 200)}
        assert patient.free(doctor) == []
