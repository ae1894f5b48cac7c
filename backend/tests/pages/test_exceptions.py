"""/desk/exceptions: days and hours that are closed or open other than every week."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from tests.pages.conftest import Reader, hidden_fields
from tests.people import Api, Doctor, hours

LIST = "/desk/exceptions"
CLOSE, OPEN = f"{LIST}/new?kind=closed", f"{LIST}/new?kind=extra"
TUESDAY = "2030-03-05"


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    reader.log_in(doctor)
    return doctor


def exceptions(doctor: Doctor) -> list[dict[str, Any]]:
    return doctor.get("/doctor/exceptions").get_json()["data"]


def test_a_day_is_closed_with_a_reason_for_the_practice(doctor: Doctor, reader: Reader) -> None:
    added = reader.send(CLOSE, first_day=TUESDAY, last_day="2030-03-07", reason="Congress")
    assert (added.status_code, added.headers["Location"]) == (303, LIST)
    [one] = exceptions(doctor)
    assert (one["kind"], one["first_day"], one["last_day"], one["from"]) == ("closed", TUESDAY, "2030-03-07", None)
    page = reader.read(LIST)
    assert "The exception is added." in page
    assert "Tuesday 5 March 2030 \u2013 Thursday 7 March 2030" in page
    assert "Congress" in page


def test_published_slots_that_a_closure_leaves_offered_are_counted(doctor: Doctor, reader: Reader) -> None:
    doctor.publish()
    assert "and published slots until you withdraw them" in reader.read(CLOSE)
    assert reader.send(CLOSE, first_day=TUESDAY).status_code == 303
    page = reader.read(f"{LIST}?language=de")
    assert "Veröffentlichte Zeitfenster darin, die weiterhin angeboten werden: 1." in page


def test_extra_hours_are_for_visit_types_at_a_place(doctor: Doctor, reader: Reader) -> None:
    kind = doctor.add_visit_type("Checkup")
    fields = {"first_day": TUESDAY, "from": "18:00", "until": "20:00", "place": "Room 3", "visit_types": [kind]}
    assert reader.send(OPEN, **fields).status_code == 303
    [one] = exceptions(doctor)
    assert one["visit_types"] == [kind]
    page = reader.read(LIST)
    for shown in ("Extra hours", "18:00\u201320:00", "Checkup", "Room 3"):
        assert shown in page


def test_the_address_fills_the_form(doctor: Doctor, reader: Reader) -> None:
    page = reader.read(f"{CLOSE}&first_day={TUESDAY}&from=09:00&until=12:00")
    assert 'name="from" type="time" value="09:00"' in page
    assert f'name="first_day" type="date" value="{TUESDAY}"' in page


def test_appointments_that_would_lie_outside_are_shown_first(api: Api, doctor: Doctor, reader: Reader) -> None:
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    ada = api.patient("Ada Sample")
    ada.book(ada.free(doctor)[0]["slot_id"])
    asked = reader.send(CLOSE, first_day=TUESDAY)
    assert asked.status_code == 409
    assert "1 appointment would lie outside of your hours" in asked.text
    assert "Ada Sample" in asked.text
    assert exceptions(doctor) == []
    fields = hidden_fields(asked.text)
    assert f'value="{TUESDAY}"' in reader.open(f"{LIST}/new", query_string=fields).text
    assert reader.post(f"{LIST}/new", **fields).status_code == 303
    assert len(exceptions(doctor)) == 1
    assert "1 booked appointment lies outside of your hours." in reader.read(LIST)


def test_an_exception_is_deleted_by_a_page_that_asks(doctor: Doctor, reader: Reader) -> None:
    path = f"{LIST}/{doctor.close(TUESDAY)}/delete"
    assert f'href="{path}"' in reader.read(LIST)
    assert "Delete this exception?" in reader.read(path)
    assert reader.send(path).status_code == 303
    assert exceptions(doctor) == []
    assert reader.open(path).status_code == 404


def test_extra_hours_with_an_appointment_are_deleted_only_when_the_doctor_has_seen_it(
    api: Api, doctor: Doctor, reader: Reader
) -> None:
    path = f"{LIST}/{doctor.open(TUESDAY, '18:00', '20:00')}/delete"
    ada = api.patient("Ada Sample")
    ada.book(ada.free(doctor)[0]["slot_id"])
    asked = reader.send(path)
    assert asked.status_code == 409
    assert "Ada Sample" in asked.text
    assert len(exceptions(doctor)) == 1
    assert reader.post(path, **hidden_fields(asked.text)).status_code == 303
    assert exceptions(doctor) == []


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        (CLOSE, {"first_day": ""}, "first_day"),
        (CLOSE, {"first_day": TUESDAY, "last_day": "2030-03-04"}, "last_day"),
        (CLOSE, {"first_day": TUESDAY, "from": "09:00"}, "until"),
        (OPEN, {"first_day": TUESDAY, "from": "10:00", "until": "09:00"}, "until"),
        (OPEN, {"first_day": TUESDAY}, "from"),
    ],
)
def test_a_mistake_is_shown_at_its_field(
    doctor: Doctor, reader: Reader, path: str, fields: dict[str, str], field: str
) -> None:
    refused = reader.send(path, **fields)
    assert refused.status_code == 400
    assert f'<p class="wrong" id="{field}-says">' in refused.text
    assert ("Add extra hours" in refused.text) == (path == OPEN)


def test_a_day_in_the_past_is_refused(doctor: Doctor, reader: Reader) -> None:
    refused = reader.send(CLOSE, first_day="2030-03-01")
    assert refused.status_code == 400
    assert "The first day must not be in the past." in unescape(refused.text)


def test_a_foreign_exception_is_not_found(api: Api, doctor: Doctor, reader: Reader) -> None:
    foreign = api.doctor().close(TUESDAY)
    assert reader.open(f"{LIST}/{foreign}/delete").status_code == 404
    assert reader.post(f"{LIST}/{foreign}/delete").status_code == 404


def test_a_mistake_names_other_fields_as_the_form_does(doctor: Doctor, reader: Reader) -> None:
    refused = reader.send(CLOSE, first_day=TUESDAY, last_day="2030-03-04")
    assert "must not be before the first day." in refused.text
    assert "first_day." not in refused.text
