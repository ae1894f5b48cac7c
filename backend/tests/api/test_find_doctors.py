"""GET /patient/doctors with a part of the name, a specialization, and the next time of each doctor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import StillClock
from tests.people import Api, Doctor, Patient, hours

PATH = "/patient/doctors"
FAR = "2031-06-01"


def found(patient: Patient, **query: Any) -> dict[str, Any]:
    answer = patient.get(PATH, query_string=query)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def names(patient: Patient, **query: Any) -> list[str]:
    return [doctor["name"] for doctor in found(patient, **query)["data"]]


def next_of(patient: Patient, doctor: Doctor) -> dict[str, Any] | None:
    """Return `next_available`, after it was compared with the list."""
    [row] = [row for row in found(patient, next_available="true", limit=100)["data"] if row["id"] == doctor.doctor_id]
    times = patient.times(doctor, until=FAR)
    assert row["next_available"] == (times[0] if times else None)
    return row["next_available"]


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient()


@pytest.fixture
def doctor(api: Api) -> Doctor:
    return api.doctor()


def test_a_part_of_the_name_finds_doctors_whatever_its_letter_case(api: Api, ada: Patient) -> None:
    for name in ("Dr. Zoë Ångström", "Dr. Fenna Quill", "Dr. Ada 100%_Sample"):
        api.doctor(name)
    assert names(ada, name="QUILL") == names(ada, name=" fenna q") == ["Dr. Fenna Quill"]
    assert names(ada, name="ÅNGSTRÖM") == names(ada, name="zOË") == ["Dr. Zoë Ångström"]
    assert names(ada, name="%") == names(ada, name="0%_s") == ["Dr. Ada 100%_Sample"]
    assert names(ada, name="_") == ["Dr. Ada 100%_Sample"]
    assert names(ada, name="nobody") == names(ada, name="\\") == names(ada, name="/") == []
    assert len(names(ada, name="")) == len(names(ada, name="dr.")) == 3


def test_a_specialization_is_compared_as_a_whole_without_letter_case(api: Api, ada: Patient) -> None:
    for number, specialization in enumerate(("Ökologie", "ökologie", "Ökologie und mehr", "")):
        api.doctor(f"Dr. Number {number}", specialization=specialization)
    assert names(ada, specialization="ÖKOLOGIE") == ["Dr. Number 0", "Dr. Number 1"]
    assert names(ada, specialization="") == ["Dr. Number 3"]
    assert names(ada, specialization="Ökologie", name="1") == ["Dr. Number 1"]
    assert names(ada, specialization="kologie") == []


def test_pages_and_totals_are_of_the_doctors_found(api: Api, ada: Patient) -> None:
    wanted = [api.doctor(f"Dr. {'Quill' if number % 2 else 'Stem'} {number}") for number in range(10)][1::2]
    seen = []
    for page in (1, 2, 3):
        body = found(ada, name="quill", page=page, limit=2)
        assert (body["page"], body["total_pages"], body["total"]) == (page, 3, 5)
        seen += [row["id"] for row in body["data"]]
    assert seen == [doctor.doctor_id for doctor in wanted]
    beyond = {"data": [], "page": 9, "total_pages": 3, "total": 5}
    assert found(ada, name="quill", page=9, limit=2) == beyond
    assert found(ada, name="nobody") == {"data": [], "page": 1, "total_pages": 0, "total": 0}
    assert wanted[0].delete("/doctor/account").status_code == 200
    assert found(ada, name="quill")["total"] == 4


def test_without_the_parameter_there_is_no_next_time(ada: Patient, doctor: Doctor) -> None:
    doctor.publish()
    keys = {"id", "name", "designation", "specialization"}
    for query in ({}, {"next_available": "false"}, {"name": "quill"}):
        [row] = found(ada, **query)["data"]
        assert row.keys() == keys
    [row] = found(ada, next_available="true", name="quill")["data"]
    assert row.keys() == keys | {"next_available"}


def test_the_next_time_is_null_if_there_is_none(ada: Patient, doctor: Doctor) -> None:
    assert next_of(ada, doctor) is None
    assert found(ada, next_available="true", name="nobody")["data"] == []


def test_the_next_time_is_a_published_slot_or_a_computed_time(ada: Patient, doctor: Doctor) -> None:
    slot_id = doctor.publish("10:00", "10:30")
    first = next_of(ada, doctor)
    assert first is not None
    assert first["slot_id"] == slot_id
    doctor.set_hours(hours("monday", "09:00", "12:00"))
    first = next_of(ada, doctor)
    assert first is not None
    # It is Monday, eight o'clock.
    assert (first["starts_at"], first["visit_type_id"]) == ("2030-03-04T09:00:00+00:00", doctor.visit_types()[0]["id"])
    doctor.set_hours(hours("tuesday", "10:00", "12:00"))
    # Slot and time begin at the same minute: the published slot takes its time.
    first = next_of(ada, doctor)
    assert first is not None
    assert first["slot_id"] == slot_id


def test_the_next_time_is_searched_up_to_the_horizon(ada: Patient, doctor: Doctor) -> None:
    [kind] = doctor.visit_types()
    doctor.open("2030-04-20", "10:00", "10:30")
    assert ada.free(doctor) == []
    first = next_of(ada, doctor)
    assert first is not None
    assert first["date"] == "2030-04-20"
    changed = {"name": "Consultation", "minutes": 30, "horizon": 10}
    assert doctor.put(f"/doctor/visit-types/{kind['id']}", changed).status_code == 200
    assert next_of(ada, doctor) is None


def test_the_next_time_is_that_of_the_default_type_alone(ada: Patient, doctor: Doctor) -> None:
    doctor.set_hours(hours("monday", "09:00", "17:00"))
    doctor.add_visit_type("Group", 30, capacity=5)
    chosen = doctor.add_visit_type("Checkup", 60, minimum_notice=180, is_default=True)
    first = next_of(ada, doctor)
    assert first is not None
    assert (first["visit_type_id"], first["start_time"]) == (chosen, "11:00")


def test_what_is_taken_is_not_next(api: Api, ada: Patient, doctor: Doctor, clock: StillClock) -> None:
    doctor.set_hours(hours("monday", "09:00", "10:30"))
    ben = api.patient()
    for start, take in (("09:00", ada.book), ("09:30", lambda slot_id: ben.hold(slot_id, 15))):
        first = next_of(ada, doctor)
        assert first is not None
        assert first["start_time"] == start
        take(first["slot_id"])
    for person, start in ((ada, "10:00"), (ben, "09:30")):
        first = next_of(person, doctor)
        assert first is not None
        assert first["start_time"] == start
    clock.forward(minutes=15)
    first = next_of(ada, doctor)
    assert first is not None
    assert first["start_time"] == "09:30"
    clock.forward(hours=1.5)
    first = next_of(ada, doctor)
    assert first is not None
    assert (first["date"], first["start_time"]) == ("2030-03-04", "10:00")


def test_each_doctor_of_the_page_has_a_next_time_of_their_own(api: Api, ada: Patient) -> None:
    doctors = [api.doctor(f"Dr. Number {number}") for number in range(4)]
    for number, doctor in enumerate(doctors[1:]):
        doctor.set_hours(hours("tuesday", f"{10 + number}:00", "17:00"))
        doctor.publish(f"{12 - number}:10", f"{12 - number}:20", f"2030-03-0{4 + number}")
    starts = []
    for page in (1, 2):
        rows = found(ada, next_available="true", page=page, limit=2)["data"]
        starts += [row["next_available"] and row["next_available"]["starts_at"][:16] for row in rows]
    assert starts == [None, "2030-03-04T12:10", "2030-03-05T11:00", "2030-03-05T12:00"]
    for doctor in doctors:
        next_of(ada, doctor)
