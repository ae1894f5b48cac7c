"""A patient who holds a time books: the hold becomes the appointment, or goes, on both databases."""

from __future__ import annotations

import pytest

from tests.people import Api, Doctor, hours


@pytest.fixture
def doctor(api: Api) -> Doctor:
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    return doctor


def test_who_holds_a_seat_books_that_seat_though_another_is_free_again(api: Api, doctor: Doctor) -> None:
    course = doctor.add_visit_type("Course", 60, capacity=2)
    ada, ben, cleo = api.patient("Ada Sample"), api.patient("Ben Placeholder"), api.patient("Cleo Example")
    slot_id = ada.times(doctor, visit_type=course)[0]["slot_id"]
    first = ben.book(slot_id)
    hold_id = ada.hold(slot_id)
    assert ben.cancel(first).status_code == 200
    assert ada.book(slot_id) == hold_id
    assert cleo.times(doctor, visit_type=course)[0]["seats_left"] == 1


def test_who_books_a_second_time_of_the_day_gives_the_held_one_back(api: Api, doctor: Doctor) -> None:
    ada, ben = api.patient("Ada Sample"), api.patient("Ben Placeholder")
    nine, _, ten, _ = (time["slot_id"] for time in ada.free(doctor)[:4])
    ada.hold(nine)
    ada.book(ten)
    assert ben.free(doctor)[0]["slot_id"] == nine
