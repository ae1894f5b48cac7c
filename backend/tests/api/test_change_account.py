"""PATCH /auth/me."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import Api, Patient, error_of


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient("Ada Sample")


def change(person: Any, **changes: Any) -> dict[str, Any]:
    answer = person.patch("/auth/me", json=changes)
    assert answer.status_code == 200, answer.data
    return answer.get_json()


def test_everything_but_the_address_changes_at_once(ada: Patient) -> None:
    changed = change(ada, name=" Ada Renamed ", phone="+49 (30) 231-25123", language="de", time_zone="Asia/Tokyo")
    assert changed.pop("message") == "Account updated."
    assert changed == ada.get("/auth/me").get_json() | {"new_email": None}
    assert changed | {"name": "Ada Renamed", "phone": "+493023125123", "language": "de"} == changed
    assert (changed["time_zone"], changed["email"], changed["new_email"]) == ("Asia/Tokyo", ada.email, None)


def test_what_is_left_out_stays_and_null_clears(ada: Patient) -> None:
    change(ada, phone="+493023125123", language="de", time_zone="Asia/Tokyo")
    assert change(ada, language=None)["phone"] == "+493023125123"
    cleared = change(ada, phone=None, time_zone=None)
    assert [cleared[name] for name in ("phone", "language", "time_zone", "name")] == [None] * 3 + [ada.name]


def test_a_body_without_changes_says_what_can_be_changed(ada: Patient) -> None:
    before = ada.get("/auth/me").get_json()
    answer = change(ada, role="doctor", id=1)
    assert answer.pop("message") == "Nothing was changed. You can change: name, phone, language, time_zone, email."
    assert answer == before | {"new_email": None}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", None, "name must be a string."),
        ("name", " ", "name must not be empty."),
        ("email", None, "email must be a string."),
        ("phone", "030 23125123", "phone must be a telephone number with its country code, like +49 30 23125123."),
        ("language", "tlh", "language must be 'en' or 'de'."),
        ("time_zone", "Mars/Olympus", "time_zone must be an IANA time zone, like Europe/Berlin."),
    ],
)
def test_a_wrong_value_is_refused_in_a_sentence(ada: Patient, field: str, value: Any, sentence: str) -> None:
    answer = ada.patch("/auth/me", json={field: value, "language": "de"} | {field: value})
    assert answer.status_code == 400
    assert error_of(answer) == sentence
    assert ada.get("/auth/me").get_json()["language"] is None


@pytest.mark.parametrize(
    "number", ["", "+", "+49", "+4930", "+49 30 23125123 ext. 7", "+999 12345678", "call me", "+1"]
)
def test_a_telephone_number_is_whole_and_international(ada: Patient, number: str) -> None:
    assert ada.patch("/auth/me", json={"phone": number}).status_code == 400


def test_a_doctors_time_zone_is_changed_in_the_profile(api: Api) -> None:
    doctor = api.doctor()
    answer = doctor.patch("/auth/me", json={"name": "Dr. Other", "time_zone": "Asia/Tokyo"})
    assert answer.status_code == 400
    assert answer.get_json()["type"] == "urn:problem:zone-of-hours"
    assert "doctor's profile" in error_of(answer)
    assert change(doctor, name="Dr. Other", phone="+493023125123")["time_zone"] == "UTC"
    assert doctor.get("/doctor/profile").get_json()["name"] == "Dr. Other"


def test_the_next_mail_and_the_doctors_list_have_the_new_name(api: Api, ada: Patient) -> None:
    doctor = api.doctor()
    ada.book(doctor.publish())
    change(ada, name="Ada Renamed")
    [row] = doctor.get("/appointments/doctor").get_json()["data"]
    assert row["patient_name"] == "Ada Renamed"
