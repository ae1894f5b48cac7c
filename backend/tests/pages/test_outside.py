"""/desk/affected: appointments outside of the hours are cancelled together."""

from __future__ import annotations

import pytest

from tests.pages.conftest import Reader
from tests.people import Api, Deliver, Doctor, hours

PATH = "/desk/affected"


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    reader.log_in(doctor)
    return doctor


def two_outside(api: Api, doctor: Doctor) -> list[int]:
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    found: list[int] = []
    for name in ("Ada Sample", "Ben Placeholder"):
        patient = api.patient(name)
        found.append(patient.book(patient.free(doctor)[0]["slot_id"]))
    doctor.set_hours()
    return found


def test_nothing_is_outside(doctor: Doctor, reader: Reader) -> None:
    assert "All booked appointments lie in your hours." in reader.read(PATH)


def test_ticked_appointments_are_cancelled_with_a_reason_that_the_patients_read(
    api: Api, doctor: Doctor, reader: Reader, deliver: Deliver
) -> None:
    one, other = two_outside(api, doctor)
    page = reader.read(PATH)
    assert "Ada Sample" in page
    assert " checked" not in page
    assert reader.read(f"{PATH}?all=yes").count(" checked") == 2
    done = reader.send(PATH, appointment_ids=[one, other], reason="I am ill.")
    assert (done.status_code, done.headers["Location"]) == (303, PATH)
    page = reader.read(PATH)
    assert "2 appointments are cancelled." in page
    assert "All booked appointments lie in your hours." in page
    told = [mail for mail in deliver() if "I am ill." in mail.text]
    assert len(told) >= 2


def test_how_many_are_cancelled_is_said_in_the_language_of_the_reader(api: Api, doctor: Doctor, reader: Reader) -> None:
    reader.send(PATH, appointment_ids=list(two_outside(api, doctor)))
    assert "2 Termine sind abgesagt." in reader.read(f"{PATH}?language=de")


def test_without_a_tick_nothing_is_cancelled(api: Api, doctor: Doctor, reader: Reader) -> None:
    two_outside(api, doctor)
    refused = reader.send(PATH, reason="I am ill.")
    assert refused.status_code == 400
    assert "Please tick at least one appointment." in refused.text
    assert 'value="I am ill."' in refused.text


def test_what_has_changed_meanwhile_is_refused_and_the_ticks_stay(api: Api, doctor: Doctor, reader: Reader) -> None:
    one, other = two_outside(api, doctor)
    assert doctor.post(f"/appointments/{one}/cancel").status_code == 200
    refused = reader.send(PATH, appointment_ids=[one, other])
    assert refused.status_code == 409
    assert "Nothing is cancelled" in refused.text
    assert f'value="{other}" checked' in refused.text
