"""/desk/hours: the weekly hours as people write them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from tests.pages.conftest import Reader, hidden_fields
from tests.people import Api, Doctor, hours

PATH = "/desk/hours"
TEXTS = re.compile(r'<input id="(\w+day)" name="\w+day" value="([^"]*)"')


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    reader.log_in(doctor)
    return doctor


def texts(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in TEXTS.findall(page)}


def weekly(doctor: Doctor) -> list[tuple[str, str, str]]:
    return [(row["weekday"], row["from"], row["until"]) for row in doctor.get("/doctor/hours").get_json()["weekly"]]


def save(reader: Reader, **changed: str) -> Any:
    return reader.send(PATH, **(texts(reader.read(PATH)) | changed))


def test_hours_are_read_and_written_as_text(doctor: Doctor, reader: Reader) -> None:
    saved = save(reader, monday="9-12.30 und 14-17 Uhr", sunday="20-24")
    assert (saved.status_code, saved.headers["Location"]) == (303, PATH)
    page = reader.read(PATH)
    assert "Your hours are changed." in page
    assert texts(page)["monday"] == "09:00\u201312:30, 14:00\u201317:00"
    assert weekly(doctor) == [
        ("monday", "09:00", "12:30"),
        ("monday", "14:00", "17:00"),
        ("sunday", "20:00", "24:00"),
    ]


def test_to_save_an_untouched_page_changes_nothing_at_all(doctor: Doctor, reader: Reader) -> None:
    kind = doctor.visit_types()[0]["id"]
    doctor.set_hours(
        hours("monday", "09:00", "12:00"),
        hours("monday", "12:00", "24:00"),
        hours("tuesday", "08:00", "09:00", place="Room 3"),
        hours("tuesday", "10:00", "11:00", visit_types=[kind]),
        hours("sunday", "00:00", "24:00", valid_from="2030-05-01", valid_until="2030-05-31"),
    )
    before = doctor.get("/doctor/hours").get_json()
    assert save(reader).status_code == 303
    assert "Nothing was changed." in reader.read(PATH)
    assert doctor.get("/doctor/hours").get_json() == before


def test_a_change_keeps_the_hours_that_a_text_cannot_say(doctor: Doctor, reader: Reader) -> None:
    doctor.set_hours(hours("tuesday", "08:00", "09:00", place="Room 3"), hours("monday"))
    page = reader.read(PATH)
    assert "08:00\u201309:00</span> · Room 3" in page
    assert texts(page)["tuesday"] == ""
    assert save(reader, monday="", tuesday="10-12").status_code == 303
    rows = doctor.get("/doctor/hours").get_json()["weekly"]
    assert [(row["weekday"], row["from"], row["place"]) for row in rows] == [
        ("tuesday", "08:00", "Room 3"),
        ("tuesday", "10:00", None),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nine to five", "must be times like 09:00-12:30, 14:00-17:00"),
        ("17-9", "must have times that end after they begin"),
        ("9-12, 11-14", "must have times that do not overlap"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_nothing_is_saved(
    doctor: Doctor, reader: Reader, text: str, words: str
) -> None:
    refused = save(reader, monday=text, friday="9-12")
    assert refused.status_code == 400
    assert words in unescape(refused.text)
    assert re.search(r'id="monday"[^>]* aria-invalid="true" aria-describedby="monday-says"', refused.text)
    assert texts(refused.text)["monday"] == text
    assert texts(refused.text)["friday"] == "9-12"
    assert weekly(doctor) == []


def test_a_mistake_is_said_in_the_readers_language(doctor: Doctor, reader: Reader) -> None:
    fields = hidden_fields(reader.read(PATH))
    reader.client.set_cookie("language", "de")
    refused = reader.post(PATH, **fields, monday="von neun bis f\u00fcnf")
    assert "Montag: Bitte schreiben Sie Zeiten wie 09:00-12:30" in refused.text


def test_hours_that_overlap_special_ones_are_refused(doctor: Doctor, reader: Reader) -> None:
    doctor.set_hours(hours("monday", "08:00", "09:00", place="Room 3"))
    refused = save(reader, monday="8:30-12")
    assert refused.status_code == 400
    assert "On Monday these times overlap: 08:00-09:00 and 08:30-12:00." in refused.text
    reader.client.set_cookie("language", "de")
    german = "Am Montag überschneiden sich diese Zeiten: 08:00-09:00 und 08:30-12:00."
    assert german in save(reader, monday="8:30-12").text


@pytest.mark.parametrize(
    ("copied", "same"),
    [
        ("monday", ["monday", "tuesday", "wednesday", "thursday", "friday"]),
        ("thursday", ["thursday", "friday"]),
        ("saturday", ["saturday", "sunday"]),
        ("friday", ["friday"]),
    ],
)
def test_a_button_copies_a_day_to_those_after_it_and_saves_nothing(
    doctor: Doctor, reader: Reader, copied: str, same: list[str]
) -> None:
    page = reader.open(PATH, query_string={copied: "9-17", "copy_from": copied, "revision": "0"}).text
    assert {day for day, text in texts(page).items() if text == "9-17"} == set(same)
    assert "This is not saved yet." in page
    assert weekly(doctor) == []


def test_the_first_button_saves_so_that_the_enter_key_does(doctor: Doctor, reader: Reader) -> None:
    form = reader.read(PATH).partition('week-form">')[2]
    first = form[form.index("<button") :].partition(">")[0]
    assert "copy_from" not in first
    assert 'name="copy_from" value="monday" formmethod="get"' in form


def outside(api: Api, doctor: Doctor) -> int:
    """Book a time of Tuesday, at 09:00."""
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    ada = api.patient("Ada Sample")
    return ada.book(ada.free(doctor)[0]["slot_id"])


def test_appointments_that_would_lie_outside_are_shown_before_anything_is_saved(
    api: Api, doctor: Doctor, reader: Reader
) -> None:
    outside(api, doctor)
    asked = save(reader, tuesday="10-12")
    assert asked.status_code == 409
    assert "1 appointment would lie outside of your hours" in asked.text
    assert "Ada Sample" in asked.text
    assert "Tuesday 5 March" in asked.text
    assert weekly(doctor) == [("tuesday", "09:00", "12:00")]

    fields = hidden_fields(asked.text)
    assert (fields["tuesday"], fields["all_the_same"]) == ("10-12", "yes")
    back = reader.open(PATH, query_string=fields | {"draft": "yes"}).text
    assert texts(back)["tuesday"] == "10-12"

    assert reader.post(PATH, **fields).status_code == 303
    assert weekly(doctor) == [("tuesday", "10:00", "12:00")]
    assert "1 booked appointment lies outside of your hours." in reader.read(PATH)


def test_a_double_click_asks_twice_and_saves_nothing(api: Api, doctor: Doctor, reader: Reader) -> None:
    outside(api, doctor)
    fields = hidden_fields(reader.read(PATH))
    for _ in range(2):
        asked = reader.post(PATH, **fields)
        assert asked.status_code == 409
        assert "Ada Sample" in asked.text
    assert weekly(doctor) == [("tuesday", "09:00", "12:00")]


def test_appointments_that_are_outside_already_ask_nothing(api: Api, doctor: Doctor, reader: Reader) -> None:
    outside(api, doctor)
    doctor.set_hours(hours("tuesday", "10:00", "12:00"))
    assert save(reader, tuesday="10-13").status_code == 303


def test_two_who_edit_at_once_do_not_overwrite_each_other(doctor: Doctor, reader: Reader) -> None:
    fields = hidden_fields(reader.read(PATH))
    doctor.set_hours(hours("monday", "08:00", "10:00"))
    refused = reader.post(PATH, **fields, monday="9-17", tuesday="9-17")
    assert refused.status_code == 412
    assert "Somebody else has changed your hours meanwhile" in refused.text
    assert texts(refused.text)["monday"] == "08:00\u201310:00"
    assert "You wrote: 9-17" in refused.text
    assert weekly(doctor) == [("monday", "08:00", "10:00")]
    assert reader.post(PATH, **(hidden_fields(refused.text) | {"monday": "9-17"})).status_code == 303


def test_a_draft_keeps_the_revision_that_it_began_with(doctor: Doctor, reader: Reader) -> None:
    fields = hidden_fields(reader.read(PATH))
    doctor.set_hours(hours("monday", "08:00", "10:00"))
    draft = reader.open(PATH, query_string=fields | {"monday": "9-17", "copy_from": "monday"}).text
    assert reader.post(PATH, **hidden_fields(draft), **texts(draft)).status_code == 412
    assert weekly(doctor) == [("monday", "08:00", "10:00")]


def test_a_patient_has_no_hours(api: Api, reader: Reader) -> None:
    reader.log_in(api.patient())
    assert reader.open(PATH).status_code == 403
