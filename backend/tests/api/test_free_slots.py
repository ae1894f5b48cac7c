"""GET /patient/doctors/<id>/availability."""

from __future__ import annotations

from tests.conftest import StillClock
from tests.people import Api, error_of


def test_a_doctor_without_slots_has_none(api: Api) -> None:
    doctor = api.doctor()
    answer = api.patient().get(f"/patient/doctors/{doctor.doctor_id}/availability")
    assert answer.status_code == 200
    assert answer.get_json() == {"data": [], "next_cursor": None}


def test_free_slots_are_listed_by_time(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    third = doctor.publish("09:00", "09:30", "2030-03-06")
    second = doctor.publish("11:00", "11:30", "2030-03-05")
    first = doctor.publish("09:00", "09:30", "2030-03-05")
    assert [slot["slot_id"] for slot in ada.free(doctor)] == [first, second, third]
    assert ada.free(doctor)[0] == {
        "slot_id": first,
        "date": "2030-03-05",
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-03-05T09:00:00+00:00",
        "ends_at": "2030-03-05T09:30:00+00:00",
        "time_zone": "UTC",
        "visit_type_id": None,
        "seats_left": None,
        "place": None,
    }


def test_slots_are_ordered_by_instants_not_by_wall_clocks(api: Api) -> None:
    doctor, ada = api.doctor(time_zone="Asia/Tokyo"), api.patient()
    early = doctor.publish("20:00", "20:30", "2030-07-01")
    assert doctor.post("/doctor/profile", {"time_zone": "America/New_York"}).status_code == 200
    late = doctor.publish("08:00", "08:30", "2030-07-01")
    assert [slot["slot_id"] for slot in ada.free(doctor)] == [early, late]


def test_a_slot_is_offered_if_and_only_if_it_can_be_booked(api: Api, clock: StillClock) -> None:
    doctor, gone, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient("Ada Sample")
    past = doctor.publish("08:30", "09:00", "2030-03-04")
    begun = doctor.publish("09:00", "10:00", "2030-03-04")
    next_minute = doctor.publish("10:00", "10:30", "2030-03-04")
    far = doctor.publish("09:00", "09:30", "2039-12-31")
    taken = doctor.publish("12:00", "12:30")
    ada.book(taken)
    cancelled = doctor.publish("13:00", "13:30")
    assert ada.cancel(ada.book(cancelled)).status_code == 200
    withdrawn = gone.publish("15:00", "15:30")
    assert gone.delete("/doctor/account").status_code == 200
    clock.forward(hours=1, minutes=59, seconds=59)
    offered = {slot["slot_id"] for slot in ada.free(doctor)}
    assert offered == {next_minute, far, cancelled}
    for slot_id in (past, begun, next_minute, far, taken, cancelled, withdrawn):
        booker = api.patient(f"Booker {slot_id}")
        booked = booker.post("/appointments", {"slot_id": slot_id}).status_code == 201
        assert booked == (slot_id in offered), slot_id
    assert ada.free(doctor) == []


def test_a_slot_is_offered_until_the_instant_it_begins(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish("09:00", "09:30", "2030-03-04")
    clock.forward(minutes=59, seconds=59)
    assert [slot["slot_id"] for slot in ada.free(doctor)] == [slot_id]
    clock.forward(seconds=1)
    assert ada.free(doctor) == []
    answer = ada.post("/appointments", {"slot_id": slot_id})
    assert answer.status_code == 409
    error_of(answer)


def test_only_the_asked_doctors_slots_are_listed(api: Api) -> None:
    quill, stem, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient()
    first, second = quill.publish(), stem.publish()
    assert [slot["slot_id"] for slot in ada.free(quill)] == [first]
    assert [slot["slot_id"] for slot in ada.free(stem)] == [second]


def test_an_unknown_doctor_is_not_found(api: Api) -> None:
    ada, doctor = api.patient(), api.doctor()
    # An account's id is not a doctor's.
    assert ada.id != doctor.doctor_id + 1
    for doctor_id in (doctor.doctor_id + 1, 2**31, 2**63 - 1):
        answer = ada.get(f"/patient/doctors/{doctor_id}/availability")
        assert answer.status_code == 404
        assert "no such doctor" in error_of(answer)


def test_a_deleted_doctor_is_not_found(api: Api) -> None:
    ada, doctor = api.patient(), api.doctor()
    doctor.publish()
    assert doctor.delete("/doctor/account").status_code == 200
    answer = ada.get(f"/patient/doctors/{doctor.doctor_id}/availability")
    assert answer.status_code == 404
    assert "no such doctor" in error_of(answer)
