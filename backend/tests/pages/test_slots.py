"""/desk/slots: slots that a doctor publishes one at a time."""

from __future__ import annotations

import pytest

from tests.pages.conftest import Reader
from tests.people import DAY, Api, Doctor, hours

NEW = "/desk/slots/new"


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    reader.log_in(doctor)
    return doctor


def published(doctor: Doctor) -> list[tuple[str, str]]:
    slots = doctor.get("/doctor/availability").get_json()["data"]
    return [(slot["start_time"], slot["end_time"]) for slot in slots]


def test_a_slot_is_published_as_the_address_says(doctor: Doctor, reader: Reader) -> None:
    page = reader.read(f"{NEW}?date={DAY}&from=23:00&until=24:00")
    for name, value in (("date", DAY), ("start_time", "23:00"), ("end_time", "00:00")):
        assert f'name="{name}"' in page
        assert f'value="{value}"' in page
    done = reader.send(NEW, date=DAY, start_time="23:00", end_time="00:00")
    assert (done.status_code, done.headers["Location"]) == (303, f"/desk?from={DAY}")
    assert published(doctor) == [("23:00", "00:00")]


@pytest.mark.parametrize("query", ["", "?date=soon&from=%3Cb%3E&until=%22"])
def test_a_strange_address_shows_the_form_too(doctor: Doctor, reader: Reader, query: str) -> None:
    assert "<b>" not in reader.read(NEW + query)


def test_a_slot_that_overlaps_is_refused_and_the_fields_stay(doctor: Doctor, reader: Reader) -> None:
    doctor.publish("09:00", "09:30")
    refused = reader.send(NEW, date=DAY, start_time="09:15", end_time="10:00")
    assert refused.status_code == 409
    assert "This overlaps one of your own slots." in refused.text
    assert 'value="09:15"' in refused.text


def test_a_slot_beside_an_appointment_or_on_a_closed_day_is_asked_about(
    api: Api, doctor: Doctor, reader: Reader
) -> None:
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    ada = api.patient()
    ada.book(ada.times(doctor, until=DAY)[0]["slot_id"])
    doctor.close("2030-03-06")
    for day, begin, sentence in (
        (DAY, "09:15", "An appointment of yours takes a part of this time"),
        ("2030-03-06", "10:00", "You are closed on this day"),
    ):
        asked = reader.send(NEW, date=day, start_time=begin, end_time="11:00")
        assert asked.status_code == 409
        assert sentence in asked.text
        assert "Publish it all the same" in asked.text
        done = reader.post(NEW, date=day, start_time=begin, end_time="11:00", all_the_same="yes")
        assert done.status_code == 303
    assert published(doctor) == [("09:15", "11:00"), ("10:00", "11:00")]


def test_a_slot_is_withdrawn_by_a_page_that_asks(doctor: Doctor, reader: Reader) -> None:
    path = f"/desk/slots/{doctor.publish('09:00', '09:30')}/withdraw"
    page = reader.read(path)
    assert "Withdraw this slot?" in page
    assert "Tuesday 5 March 2030" in page
    done = reader.send(path)
    assert (done.status_code, done.headers["Location"]) == (303, f"/desk?from={DAY}")
    assert published(doctor) == []
    assert "This slot is withdrawn" in reader.read(path)


def test_a_booked_slot_stays(api: Api, doctor: Doctor, reader: Reader) -> None:
    slot_id = doctor.publish()
    path = f"/desk/slots/{slot_id}/withdraw"
    api.patient().book(slot_id)
    page = reader.read(path)
    assert "This slot is booked" in page
    assert "<button" not in page.partition("<main")[2].partition("</main>")[0]
    assert reader.post(path).status_code == 409


def test_a_foreign_slot_is_not_found(api: Api, doctor: Doctor, reader: Reader) -> None:
    path = f"/desk/slots/{api.doctor().publish()}/withdraw"
    assert reader.open(path).status_code == 404
    assert reader.post(path).status_code == 404
