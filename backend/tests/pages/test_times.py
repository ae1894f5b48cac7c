"""The free times of a doctor: days, visit types, all of one day, and what there is when there is nothing."""

from __future__ import annotations

import pytest

from tests.conftest import ON_BOTH, MakeApp
from tests.offered import TUESDAY
from tests.pages.conftest import Reader
from tests.people import Api, Doctor, hours

pytestmark = ON_BOTH


@pytest.fixture
def doctor(api: Api) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    doctor.set_hours(hours("tuesday", "09:00", "19:00"))
    return doctor


def test_a_full_day_shows_ten_times_and_leads_to_all_of_them(reader: Reader, doctor: Doctor) -> None:
    path = f"/book/{doctor.doctor_id}"
    page = reader.read(path)
    [kind] = doctor.visit_types()
    more = f'href="?visit_type={kind["id"]}&amp;day={TUESDAY}"'
    assert more in page
    assert '<span aria-hidden="true">+10 more</span>' in page
    assert "13:30</a>" in page
    assert "14:00</a>" not in page
    whole = reader.read(f"{path}?day={TUESDAY}")
    assert whole.count(f'href="{path}/') == 20
    assert whole.index("In the morning") < whole.index("11:30</a>") < whole.index("In the afternoon")
    assert whole.index("In the afternoon") < whole.index("16:30</a>") < whole.index("In the evening")
    assert whole.index("In the evening") < whole.index("17:00</a>")
    assert "Tuesday 5 March 2030" in whole


def test_the_default_visit_type_is_highlighted_until_another_one_is_chosen(reader: Reader, doctor: Doctor) -> None:
    words = {"description": "Bring a towel.", "place": "Hall 2"}
    group = doctor.add_visit_type("Back school", 90, capacity=4, **words)
    [default, _] = doctor.visit_types()
    doctor.publish("08:00", "08:20")
    path = f"/book/{doctor.doctor_id}"
    assert f'href="?visit_type={default["id"]}" aria-current="true"' in reader.read(path)
    assert "08:00<small>20 minutes</small></a>" in reader.read(path)
    # It is the same page, with the published slots, whether the default type is named or not.
    assert "08:00<small>20 minutes</small></a>" in reader.read(f"{path}?visit_type={default['id']}")
    page = reader.read(f"{path}?visit_type={group}")
    assert f'href="?visit_type={group}" aria-current="true">Back school<small>1 hour 30 minutes</small>' in page
    for fact in ("Bring a towel.", "Place: Hall 2", "4 seats left"):
        assert fact in page
    assert "08:00</a>" not in page


def test_the_seats_of_a_group_are_counted(api: Api, reader: Reader, doctor: Doctor) -> None:
    group = doctor.add_visit_type("Back school", 60, capacity=2)
    ada = api.patient()
    slot_id = ada.times(doctor, visit_type=group)[0]["slot_id"]
    ada.book(slot_id)
    for path in (f"/book/{doctor.doctor_id}?visit_type={group}", f"/book/{doctor.doctor_id}/{slot_id}"):
        assert "1 seat left" in reader.read(path)


def test_a_visit_type_that_is_gone_is_said_and_other_times_are_shown(reader: Reader, doctor: Doctor) -> None:
    page = reader.read(f"/book/{doctor.doctor_id}?visit_type=999")
    assert "What you asked for is not offered any more." in page
    assert "09:00</a>" in page


def test_an_empty_day_names_the_next_free_one(reader: Reader, doctor: Doctor) -> None:
    page = reader.read(f"/book/{doctor.doctor_id}?day=2030-03-06")
    assert "There are no free times on this day." in page
    assert "day=2030-03-12" in page
    assert "Tuesday 12 March 2030" in page


def test_two_empty_weeks_are_followed_by_the_next_free_days(reader: Reader, doctor: Doctor) -> None:
    doctor.close("2030-03-04", last_day="2030-04-15")
    page = reader.read(f"/book/{doctor.doctor_id}")
    assert "The next day with free times: Tuesday 16 April 2030" in page
    assert "09:00</a>" in page
    assert "Earlier" not in page
    assert "from=2030-04-24" in page


def test_the_next_day_is_that_of_the_visit_type_and_not_of_another_one_with_its_name(
    reader: Reader, doctor: Doctor
) -> None:
    kind = doctor.add_visit_type("Checkup", 30)
    group = doctor.add_visit_type("Checkup", 60, capacity=4, horizon=100)
    doctor.set_hours(hours("tuesday", "09:00", "12:00", visit_types=[kind]))
    doctor.open("2030-05-07", "09:00", "12:00", visit_types=[group])
    doctor.close("2030-03-05", last_day="2030-03-25")
    page = reader.read(f"/book/{doctor.doctor_id}?visit_type={group}")
    assert "The next day with free times: Tuesday 7 May 2030" in page


def test_slots_from_before_a_change_of_zone_are_on_the_days_of_the_present_zone(api: Api, reader: Reader) -> None:
    doctor = api.doctor(time_zone="Pacific/Auckland")
    slot_id = doctor.publish("08:00", "08:30", date="2030-03-20")
    assert doctor.post("/doctor/profile", {"time_zone": "UTC"}).status_code == 200
    path = f"/book/{doctor.doctor_id}"
    assert 'day=2030-03-19">The next day with free times: Tuesday' in reader.read(f"{path}?day=2030-03-10")
    assert "<h3>Tuesday <small>19 March</small></h3>" in reader.read(path)
    page = reader.read(f"{path}?day=2030-03-19")
    assert f'href="{path}/{slot_id}">08:00<small>Wed 20 Mar, New Zealand Time</small></a>' in page
    assert doctor.post("/doctor/profile", {"time_zone": "Antarctica/McMurdo"}).status_code == 200
    assert "<small>Wed 20 Mar" not in reader.read(f"{path}?day=2030-03-20")


def test_where_there_is_nothing_the_practice_can_be_called(make_app: MakeApp) -> None:
    app = make_app(clinic_phone="+49 30 5550100")
    doctor = Api(app.test_client()).doctor()
    page = Reader(app.test_client()).read(f"/book/{doctor.doctor_id}")
    assert "No free times at the moment" in page
    assert 'href="tel:+49305550100">+49 30 5550100</a>' in page


@pytest.mark.parametrize("query", ["from=yesterday", "day=2030-02-30", "visit_type=x"])
def test_a_wrong_query_is_a_page_with_a_way_out(reader: Reader, doctor: Doctor, query: str) -> None:
    answer = reader.open(f"/book/{doctor.doctor_id}?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert f'href="/book/{doctor.doctor_id}">Open the page anew</a>' in answer.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "9998-12-31"])
def test_days_at_the_ends_of_the_calendar_are_pages_too(reader: Reader, doctor: Doctor, day: str) -> None:
    for name in ("from", "day"):
        assert reader.open(f"/book/{doctor.doctor_id}?{name}={day}").status_code == 200
