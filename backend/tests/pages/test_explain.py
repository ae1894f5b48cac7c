"""/desk/explain: why a time is offered to patients or not, in sentences with what would change it."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import get_args

import pytest

from src.domain.explanation import ReasonCode
from tests.pages.conftest import Reader
from tests.people import Api, Doctor, hours

PATH = "/desk/explain"
TEMPLATES = Path(__file__).parents[2] / "src" / "pages" / "templates"
TUESDAY = "2030-03-05"


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    """Return a doctor with hours on Tuesday; the first visit type takes 30 minutes."""
    doctor = api.doctor("Dr. Fenna Quill")
    doctor.set_hours(hours("tuesday", "09:00", "11:00"), hours("tuesday", "13:00", "15:00"))
    reader.log_in(doctor)
    return doctor


def said(reader: Reader, at: str, **query: object) -> str:
    answer = reader.open(PATH, query_string={"at": at, **query})
    assert answer.status_code == 200
    return unescape(answer.text)


def content(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("code", get_args(ReasonCode))
def test_each_reason_has_sentences(code: str) -> None:
    assert f'code == "{code}"' in (TEMPLATES / "reasons.html").read_text("utf-8")


def test_at_first_the_page_only_asks(doctor: Doctor, reader: Reader) -> None:
    page = reader.read(PATH)
    assert 'name="date" type="date"' in page
    assert "Yes, " not in page
    assert "No, " not in page


def test_the_form_and_a_link_ask_the_same(doctor: Doctor, reader: Reader) -> None:
    by_link = said(reader, f"{TUESDAY}T09:00")
    assert "Yes, patients can book this time." in by_link
    by_form = unescape(reader.open(PATH, query_string={"date": TUESDAY, "time": "09:00"}).text)
    assert content(by_form) == content(by_link)


def test_outside_of_the_hours(doctor: Doctor, reader: Reader) -> None:
    page = said(reader, f"{TUESDAY}T12:00")
    assert "No, patients are not offered this time." in page
    assert "The hours near it on that day: 09:00\u201311:00, 13:00\u201315:00." in page
    assert f'href="/desk/exceptions/new?kind=extra&first_day={TUESDAY}&from=12:00&until=12:30"' in page
    assert "You have no hours for the visit type on that day." in said(reader, "2030-03-06T12:00")


def test_beyond_the_hours_and_off_the_grid(doctor: Doctor, reader: Reader) -> None:
    page = said(reader, f"{TUESDAY}T10:45")
    assert "The visit would end at 11:15, but the hours in which it begins end at 11:00." in page
    assert "Choose 10:30, or let the hours last longer." in page
    page = said(reader, f"{TUESDAY}T09:10")
    assert "begin when these hours begin, at 09:00, and then at intervals of: 30 minutes." in page
    assert "Choose 09:00 or 09:30, or change the step of the visit type." in page


def test_another_appointment_with_a_link_to_it(api: Api, doctor: Doctor, reader: Reader) -> None:
    ada = api.patient()
    appointment_id = ada.book(ada.free(doctor)[0]["slot_id"])
    page = said(reader, f"{TUESDAY}T09:00")
    assert "Another appointment takes a part of this time: 09:00\u201309:30." in page
    assert f'href="/desk/appointments/{appointment_id}"' in page


def test_a_hold_by_somebody_else(api: Api, doctor: Doctor, reader: Reader) -> None:
    ada = api.patient()
    ada.hold(ada.free(doctor)[0]["slot_id"])
    page = said(reader, f"{TUESDAY}T09:00")
    assert "A patient holds a part of this time, and is booking it perhaps: 09:00\u201309:30." in page
    assert "Wait until Monday 4 March, 08:10" in page


def test_a_closure_with_a_link_that_deletes_it(doctor: Doctor, reader: Reader) -> None:
    exception_id = doctor.close(TUESDAY, last_day="2030-03-06")
    page = said(reader, f"{TUESDAY}T09:00")
    assert "You are closed: Tuesday 5 March 2030 \u2013 Wednesday 6 March 2030." in page
    assert f'href="/desk/exceptions/{exception_id}/delete"' in page


def test_a_published_slot_is_explained_beside_the_hours(api: Api, doctor: Doctor, reader: Reader) -> None:
    slot_id = doctor.publish("12:00", "12:30")
    assert "Yes, patients can book the slot." in said(reader, f"{TUESDAY}T12:00")
    api.patient().book(slot_id)
    page = said(reader, f"{TUESDAY}T12:00")
    assert "No, patients are not offered the slot." in page
    assert "This slot is booked." in page


def test_the_rules_of_a_visit_type(doctor: Doctor, reader: Reader) -> None:
    late = doctor.add_visit_type("Checkup", minimum_notice=3 * 24 * 60)
    page = said(reader, f"{TUESDAY}T09:00", visit_type=late)
    assert "First time that is far enough from now: Thursday 7 March, 08:00." in page
    assert f'href="/desk/visit-types/{late}"' in page
    soon = doctor.add_visit_type("Stress test", horizon=1)
    assert "from then on: Monday 11 March, 09:00." in said(reader, "2030-03-12T09:00", visit_type=soon)
    assert "Only the practice books" in said(
        reader, f"{TUESDAY}T09:00", visit_type=doctor.add_visit_type("Talk", booked_by="staff")
    )


def test_a_time_in_the_past(doctor: Doctor, reader: Reader) -> None:
    assert "This time has already begun." in said(reader, "2030-03-04T07:00")


def test_a_time_that_the_clocks_skip_is_refused_in_words(api: Api, reader: Reader) -> None:
    reader.log_in(api.doctor(time_zone="Europe/Berlin"))
    page = said(reader, "2030-03-31T02:30")
    assert "does not exist" in page
    assert 'value="02:30"' in page


def test_an_unknown_visit_type_is_not_found(doctor: Doctor, reader: Reader) -> None:
    assert reader.open(PATH, query_string={"at": f"{TUESDAY}T09:00", "visit_type": 999}).status_code == 404


def test_a_malformed_time_is_refused(doctor: Doctor, reader: Reader) -> None:
    assert reader.open(PATH, query_string={"at": "soon"}).status_code == 400
