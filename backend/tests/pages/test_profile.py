"""/desk/profile: what a doctor is called, the time zone, the policies, and the end of the account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.conftest import Reader, hidden_fields
from tests.people import Api, Doctor, hours

PATH = "/desk/profile"


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill", specialization="Cardiology")
    reader.log_in(doctor)
    return doctor


def policies(doctor: Doctor) -> tuple[Any, Any]:
    found = doctor.get("/doctor/policies").get_json()
    return found["cancellation_notice"], found["most_ahead"]


def test_profile_and_policies_are_saved_together(doctor: Doctor, reader: Reader) -> None:
    saved = reader.send(
        PATH,
        designation="Prof. Dr.",
        specialization="",
        time_zone="Europe/Berlin",
        cancellation_notice="2",
        notice_unit="days",
        most_ahead="3",
    )
    assert (saved.status_code, saved.headers["Location"]) == (303, PATH)
    profile = doctor.get("/doctor/profile").get_json()
    assert (profile["designation"], profile["specialization"]) == ("Prof. Dr.", "")
    assert profile["time_zone"] == "Europe/Berlin"
    assert policies(doctor) == (2 * 24 * 60, 3)
    page = reader.read(PATH)
    assert "<option selected>Europe/Berlin" in page
    assert '<option value="days" selected>' in page
    assert reader.send(PATH, time_zone="Europe/Berlin", cancellation_notice="", most_ahead="").status_code == 303
    assert policies(doctor) == (None, None)


def test_a_notice_of_nothing_is_not_the_clinics(doctor: Doctor, reader: Reader) -> None:
    assert reader.send(PATH, cancellation_notice="0").status_code == 303
    assert policies(doctor)[0] == 0
    assert 'name="cancellation_notice" type="number" value="0"' in reader.read(PATH)


def test_the_page_says_what_the_clinic_says(doctor: Doctor, reader: Reader) -> None:
    page = reader.read(PATH)
    assert "as the clinic says (until the start)" in page
    assert "as the clinic says (no limit)" in page
    for link in ("/desk/account", "/desk/profile/delete"):
        assert f'href="{link}"' in page


def test_appointments_outside_of_the_hours_of_another_zone_are_shown_first(
    api: Api, doctor: Doctor, reader: Reader
) -> None:
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    ada = api.patient("Ada Sample")
    ada.book(ada.free(doctor)[0]["slot_id"])
    asked = reader.send(PATH, designation="Prof. Dr.", time_zone="Asia/Tokyo")
    assert asked.status_code == 409
    assert "Ada Sample" in asked.text
    assert doctor.time_zone() == "UTC"
    assert doctor.get("/doctor/profile").get_json()["designation"] == "Dr."
    assert reader.post(PATH, **hidden_fields(asked.text)).status_code == 303
    assert doctor.time_zone() == "Asia/Tokyo"
    assert "1 booked appointment lies outside of your hours." in reader.read(PATH)


@pytest.mark.parametrize(
    ("wrong", "field"), [({"cancellation_notice": "9999"}, "cancellation_notice"), ({"most_ahead": "0"}, "most_ahead")]
)
def test_a_mistake_is_shown_at_its_field_and_nothing_is_saved(
    doctor: Doctor, reader: Reader, wrong: dict[str, str], field: str
) -> None:
    refused = reader.send(PATH, designation="Prof. Dr.", **wrong)
    assert refused.status_code == 400
    assert f'<p class="wrong" id="{field}-says">' in refused.text
    assert doctor.get("/doctor/profile").get_json()["designation"] == "Dr."


def test_the_account_is_deleted_by_a_page_that_asks_and_the_session_ends(
    api: Api, doctor: Doctor, reader: Reader
) -> None:
    ada = api.patient()
    ada.book(doctor.publish())
    page = reader.read(f"{PATH}/delete")
    assert "1 booked appointment ahead is cancelled" in page
    gone = reader.send(f"{PATH}/delete")
    assert (gone.status_code, gone.headers["Location"]) == (303, "/")
    assert "Your account is deleted." in reader.read("/")
    assert reader.open(PATH).status_code == 303
    [appointment] = ada.get("/appointments/my").get_json()["data"]
    assert appointment["status"] == "cancelled"
