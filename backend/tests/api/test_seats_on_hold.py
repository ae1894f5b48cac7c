"""Patients who hold a seat of a group and book it have one seat."""

from __future__ import annotations

from tests.people import Api, hours


def test_a_hold_of_a_later_seat_becomes_the_appointment_although_an_earlier_seat_is_free(api: Api) -> None:
    doctor, first, second = api.doctor(), api.patient(), api.patient()
    group = doctor.add_visit_type("Class", 60, capacity=2)
    doctor.set_hours(hours())
    slot_id = first.times(doctor, visit_type=group)[0]["slot_id"]
    appointment_id = first.book(slot_id)
    hold_id = second.hold(slot_id)
    assert first.cancel(appointment_id).status_code == 200

    assert second.book(slot_id) == hold_id
    assert first.times(doctor, visit_type=group)[0]["seats_left"] == 1
