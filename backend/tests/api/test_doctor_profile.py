"""GET and POST /doctor/profile."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import MakeApp
from tests.people import Api, error_of

PATH = "/doctor/profile"

CHANGES: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "Dr.", "General Practitioner", "UTC"),
    ({"designation": None, "specialization": None, "time_zone": None}, "Dr.", "General Practitioner", "UTC"),
    ({"designation": "Prof."}, "Prof.", "General Practitioner", "UTC"),
    ({"specialization": "\u76ae\u80a4\u79d1"}, "Dr.", "\u76ae\u80a4\u79d1", "UTC"),
    ({"designation": "", "specialization": ""}, "", "", "UTC"),
    ({"designation": "x" * 200}, "x" * 200, "General Practitioner", "UTC"),
    ({"time_zone": "Asia/Tokyo"}, "Dr.", "General Practitioner", "Asia/Tokyo"),
]


def test_a_new_doctor_has_a_profile(api: Api) -> None:
    doctor = api.doctor("Dr. Fenna Quill")
    answer = doctor.get(PATH)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "id": doctor.id,
        "doctor_id": doctor.doctor_id,
        "name": "Dr. Fenna Quill",
        "email": doctor.email,
        "designation": "Dr.",
        "specialization": "General Practitioner",
        "time_zone": "UTC",
    }


def test_id_is_the_accounts_and_doctor_id_the_one_of_the_paths(api: Api) -> None:
    patient = api.patient()
    doctor = api.doctor()
    profile = doctor.get(PATH).get_json()
    assert profile["id"] == doctor.id == patient.id + 1
    [listed] = patient.get("/patient/doctors").get_json()["data"]
    assert profile["doctor_id"] == listed["id"] != profile["id"]


def test_the_profile_changes(api: Api) -> None:
    doctor = api.doctor()
    answer = doctor.post(PATH, {"designation": "Prof. Dr.", "specialization": "Cardiology"})
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["message"] == "Profile updated."
    assert body["designation"] == "Prof. Dr."
    assert body["specialization"] == "Cardiology"
    profile = doctor.get(PATH).get_json()
    assert (profile["designation"], profile["specialization"]) == ("Prof. Dr.", "Cardiology")


def test_what_is_left_out_stays(api: Api) -> None:
    for change, *profile in CHANGES:
        doctor = api.doctor()
        answer = doctor.post(PATH, change)
        assert answer.status_code == 200, answer.get_json()
        for body in (answer.get_json(), doctor.get(PATH).get_json()):
            assert [body["designation"], body["specialization"], body["time_zone"]] == profile, change


@pytest.mark.parametrize("change", [{}, {"designation": None}, {"degree": "MD", "name": "Koji Stem"}])
def test_a_change_that_changes_nothing_known_says_what_can_be_changed(api: Api, change: dict[str, Any]) -> None:
    answer = api.doctor().post(PATH, change)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "message": "Nothing was changed. You can change: designation, specialization, time_zone.",
        "designation": "Dr.",
        "specialization": "General Practitioner",
        "time_zone": "UTC",
        "affected": [],
    }


def test_a_change_with_a_bad_time_zone_changes_nothing(api: Api) -> None:
    doctor = api.doctor(time_zone="Europe/Berlin")
    answer = doctor.post(PATH, {"designation": "Prof.", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 400
    assert "IANA time zone" in error_of(answer)
    profile = doctor.get(PATH).get_json()
    assert (profile["designation"], profile["time_zone"]) == ("Dr.", "Europe/Berlin")


def test_without_a_zone_of_their_own_doctors_have_the_clinics(make_app: MakeApp) -> None:
    api = Api(make_app(clinic_time_zone="America/New_York").test_client())
    doctor = api.doctor()
    assert doctor.get(PATH).get_json()["time_zone"] == "America/New_York"
    doctor.publish("09:00", "09:30", "2030-07-01")
    [slot] = api.patient().free(doctor)
    assert slot["starts_at"] == "2030-07-01T09:00:00-04:00"


def test_published_slots_keep_the_zone_they_have(api: Api) -> None:
    doctor, ada = api.doctor(time_zone="Europe/Berlin"), api.patient()
    slot_id = doctor.publish("09:00", "09:30", "2030-07-01")
    appointment_id = ada.book(doctor.publish("11:00", "11:30", "2030-07-01"))
    [before] = ada.free(doctor)
    assert doctor.post(PATH, {"time_zone": "Asia/Tokyo"}).status_code == 200
    [after] = ada.free(doctor)
    assert after == before
    assert (after["slot_id"], after["time_zone"]) == (slot_id, "Europe/Berlin")
    shown = ada.get(f"/appointments/{appointment_id}").get_json()
    assert (shown["start_time"], shown["time_zone"]) == ("11:00", "Europe/Berlin")
    new = doctor.publish("09:00", "09:30", "2030-07-02")
    assert [slot["time_zone"] for slot in ada.free(doctor) if slot["slot_id"] == new] == ["Asia/Tokyo"]


def test_unknown_fields_are_ignored(api: Api) -> None:
    doctor, other = api.doctor("Dr. Quill"), api.doctor("Dr. Stem")
    change = {"designation": "Prof.", "id": other.id, "doctor_id": other.doctor_id, "name": "Eve", "email": "e@x.test"}
    assert doctor.post(PATH, change | {"user_id": other.id, "role": "patient"}).status_code == 200
    profile = doctor.get(PATH).get_json()
    assert (profile["name"], profile["email"], profile["designation"]) == ("Dr. Quill", doctor.email, "Prof.")
    assert other.get(PATH).get_json()["designation"] == "Dr."
