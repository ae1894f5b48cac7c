"""A doctor's week and day, as a browser without JavaScript shows them."""

from __future__ import annotations

import re
from html import unescape

import pytest
from apiflask import APIFlask

from tests.api.test_statement_counts import statements
from tests.computed import book_computed
from tests.conftest import StillClock
from tests.pages.conftest import Reader
from tests.people import DAY, Api, hours

# The caller, five lists of the schedule, and what is outside of the hours.
STATEMENTS = 1 + 5 + 4


def words(page: str) -> str:
    """Return the text of a page with single blanks and hyphens."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).replace("\N{EN DASH}", "-").split())


def test_the_week_shows_each_state_in_words(api: Api, reader: Reader) -> None:
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Placeholder")
    doctor.set_hours(hours("tuesday", "09:00", "12:00"), hours("thursday", "09:00", "12:00"))
    kind = doctor.add_visit_type("Checkup", 30, buffer_after=15)
    booked = ada.book(ada.times(doctor, visit_type=kind)[0]["slot_id"])
    free, held = doctor.publish("14:00", "14:30"), doctor.publish("15:00", "15:30")
    ben.hold(held)
    doctor.close("2030-03-07", reason="Conference")
    reader.log_in(doctor)
    page = reader.read("/desk")
    assert "4 - 8 March" in words(page)
    assert "1 booked, 1 published slot free" in words(page)
    assert f'<a href="/desk/appointments/{booked}">Ada Sample</a>' in page
    assert f'href="/desk/slots/{free}/withdraw"' in page
    assert f'href="/desk/slots/new?date={DAY}&amp;from=10:00"' in page
    assert f'href="/desk/slots/new?date={DAY}"' in page
    shown = words(page)
    for text in (
        "09:00-09:30 · Checkup",
        "14:00 free",
        "15:00-15:30 · held",
        "closed: Conference",
        "10:00 open",
        "buffer",
    ):
        assert text in shown
    assert "Saturday" not in shown
    assert " style=" not in page


def test_a_weekend_is_shown_when_something_is_on(api: Api, reader: Reader) -> None:
    doctor = api.doctor()
    doctor.publish("10:00", "10:30", "2030-03-09")
    reader.log_in(doctor)
    page = reader.read("/desk?from=2030-03-07")
    assert "Saturday" in page
    assert "Sunday" not in page


def test_an_empty_week_says_what_to_do(api: Api, reader: Reader) -> None:
    reader.log_in(api.doctor())
    page = reader.read("/desk?from=2031-01-01")
    assert "Nothing is on in this week" in page
    assert "Set your hours" in page
    assert "0 free" not in words(page)
    assert "0 published" not in words(page)
    assert "<table" not in page
    assert 'href="/desk/slots/new?date=2031-01-01"' in page
    assert 'href="?from=2030-12-23"' in page
    assert 'href="?from=2031-01-06"' in page


def test_a_week_whose_hours_are_over_does_not_ask_for_hours(api: Api, reader: Reader) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday", "06:00", "07:00"))
    reader.log_in(doctor)
    page = reader.read("/desk?from=2031-01-01")
    assert "Nothing more is on in this week" in page
    assert "Set your hours" not in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2030-03-31", "2030-10-27"])
def test_every_week_of_the_calendar_can_be_opened(api: Api, reader: Reader, day: str) -> None:
    reader.log_in(api.doctor(time_zone="Europe/Berlin"))
    reader.read(f"/desk?from={day}")
    reader.read(f"/desk/day?day={day}")


def test_the_clocks_of_a_day_are_told(api: Api, reader: Reader) -> None:
    doctor = api.doctor(time_zone="Europe/Berlin")
    doctor.publish("01:30", "03:30", "2030-03-31")
    reader.log_in(doctor)
    page = reader.read("/desk?from=2030-03-31")
    assert "The clocks go forward." in page
    assert "01:30 free" in words(page)


def test_a_group_visit_lists_its_patients_in_one_cell(api: Api, reader: Reader) -> None:
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Placeholder")
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    kind = doctor.add_visit_type("Course", 60, capacity=3)
    slot_id = ada.times(doctor, visit_type=kind)[0]["slot_id"]
    numbers = [ada.book(slot_id), ben.book(slot_id)]
    reader.log_in(doctor)
    page = reader.read("/desk")
    assert "2 booked" in words(page)
    [cell] = [cell for cell in re.findall(r"<td .*?</td>", page, re.DOTALL) if "Ada Sample" in cell]
    assert all(f"/desk/appointments/{number}" in cell for number in numbers)
    assert words(cell).count("09:00-10:00") == 1


def test_an_appointment_outside_of_the_hours_says_so(app: APIFlask, api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient("Ada Sample")
    kind = doctor.add_visit_type()
    book_computed(app, doctor, ada, kind, f"{DAY}T18:00")
    doctor.close(DAY, reason="Conference")
    reader.log_in(doctor)
    shown = words(reader.read("/desk"))
    assert "Ada Sample outside of your hours" in shown
    assert "closed: Conference" in shown
    assert "Ada Sample outside of your hours" in words(reader.read(f"/desk/day?day={DAY}"))


def test_what_was_and_what_is_now_say_so(api: Api, reader: Reader, clock: StillClock) -> None:
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Placeholder")
    ada.book(doctor.publish("09:00", "09:30"))
    ben.book(doctor.publish("10:00", "11:00"))
    doctor.publish("09:30", "10:00")
    clock.forward(days=1, hours=2, minutes=36)
    reader.log_in(doctor)
    page = reader.read("/desk")
    assert 'class="booked on now at6"' in page
    assert 'class="clock now at6"' in page
    shown = words(page)
    for text in ("09:00-09:30 · over", "09:30-10:00 · not booked", "10:00-11:00 · now", "now 10:36", "Tuesday 5 today"):
        assert text in shown


def test_a_narrow_screen_shows_the_day_that_the_address_names(api: Api, reader: Reader) -> None:
    doctor = api.doctor()
    doctor.publish()
    reader.log_in(doctor)
    page = reader.read(f"/desk?from=2030-03-04&day={DAY}")
    assert f'<a href="?from=2030-03-04&amp;day={DAY}" aria-current="true">Tue' in page
    assert 'class="free on"' in page


def test_a_visit_over_midnight_stands_on_both_days(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient("Ada Sample")
    ada.book(doctor.publish("22:00", "02:00"))
    reader.log_in(doctor)
    shown = words(reader.read("/desk"))
    assert "22:00-02:00 until the next day" in shown
    assert "22:00-02:00 from the day before" in shown
    assert "1 booked" in shown


def test_a_slot_whose_time_something_else_takes_is_not_counted_as_free(app: APIFlask, api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient()
    doctor.publish("09:00", "10:00")
    book_computed(app, doctor, ada, doctor.add_visit_type(), f"{DAY}T09:30")
    reader.log_in(doctor)
    shown = words(reader.read("/desk"))
    assert "1 booked · " in shown
    assert "09:00-10:00 · not offered: something else takes this time" in shown


def test_times_of_another_zone_stand_on_the_doctors_clock(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(time_zone="UTC"), api.patient("Ada Sample")
    ada.book(doctor.publish("09:00", "09:30"))
    assert doctor.post("/doctor/profile", {"time_zone": "Asia/Kathmandu"}).status_code == 200
    reader.log_in(doctor)
    assert "Ada Sample 14:45-15:15" in words(reader.read("/desk"))


def test_the_day_lists_what_is_on_for_reading_and_printing(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient("Ada Sample")
    doctor.set_hours(hours("tuesday", "09:00", "12:00", place="Room 2"))
    kind = doctor.add_visit_type("Checkup", 30, buffer_after=15, place="Room 7")
    ada.book(ada.times(doctor, visit_type=kind)[0]["slot_id"])
    doctor.publish("14:00", "14:30")
    reader.log_in(doctor)
    shown = words(reader.read(f"/desk/day?day={DAY}"))
    assert "open: 09:00-12:00 · Room 2" in shown
    assert "09:00-09:30 with buffers 09:00-09:45 Ada Sample Checkup - Room 7" in shown
    assert "14:00-14:30 free" in shown
    assert "Nothing is booked or published on this day." in reader.read("/desk/day?day=2030-03-06")


def test_pages_of_the_week_are_for_doctors(api: Api, reader: Reader) -> None:
    reader.log_in(api.patient())
    for path in ("/desk", "/desk/day"):
        assert reader.open(path).status_code == 403


@pytest.mark.parametrize("appointments", [1, 7])
def test_a_week_takes_as_many_statements_whatever_is_on(
    app: APIFlask, api: Api, reader: Reader, appointments: int
) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    for number in range(appointments):
        api.patient().book(doctor.publish(f"{10 + number}:00", f"{10 + number}:30"))
        doctor.publish(f"{10 + number}:30", f"{11 + number}:00")
    reader.log_in(doctor)
    for path in ("/desk", f"/desk/day?day={DAY}"):
        with statements(app) as seen:
            reader.read(path)
        assert len(seen) == STATEMENTS, seen
