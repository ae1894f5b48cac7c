"""A patient who holds a time books: the hold becomes the appointment, on both databases."""

from __future__ import annotations

from tests.conftest import StillClock
from tests.people import Api, Doctor


def test_who_holds_a_seat_books_that_seat_though_another_is_free_again(api: Api, doctor: Doctor) -> None:
    course = doctor.add_visit_type("Course", 60, capacity=2)
    ada, ben, cleo = api.patient("Ada Sample"), api.patient("Ben Placeholder"), api.patient("Cleo Example")
    slot_id = ada.times(doctor, visit_type=course)[0]["slot_id"]
    first = ben.book(slot_id)
    hold_id = ada.hold(slot_id)
    assert ben.cancel(first).status_code == 200
    assert ada.book(slot_id) == hold_id
    assert cleo.times(doctor, visit_type=course)[0]["seats_left"] == 1


def test_who_books_one_of_two_held_times_keeps_the_other_until_it_expires(
    api: Api, doctor: Doctor, clock: StillClock
) -> None:
    ada, ben = api.patient("Ada Sample"), api.patient("Ben Placeholder")
    nine, half_past, ten, _ = (time["slot_id"] for time in ada.free(doctor)[:4])
    ada.hold(nine)
    hold_id = ada.hold(ten)
    assert ada.book(ten) == hold_id
    assert ben.free(doctor)[0]["slot_id"] == half_past
    clock.forward(minutes=10)
    assert ben.free(doctor)[0]["slot_id"] == nine
