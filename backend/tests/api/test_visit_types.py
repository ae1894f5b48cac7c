"""The calls about visit types."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from src.controllers import visit_type_controller
from src.database.transaction import transaction
from src.domain import schedule
from src.models import VisitTypeVersion
from tests.conftest import ON_SQLITE
from tests.people import Api, Doctor, error_of, hours

PATH = "/doctor/visit-types"
DEFAULTS = {
    "description": "",
    "buffer_before": 0,
    "buffer_after": 0,
    "minimum_notice": 0,
    "horizon": 56,
    "most_per_day": None,
    "capacity": 1,
    "booked_by": "patients",
    "place": None,
}
WHOLE = {
    "name": "Travel advice",
    "description": "Bring your vaccination card.",
    "minutes": 40,
    "buffer_before": 5,
    "buffer_after": 10,
    "step": 20,
    "minimum_notice": 1440,
    "horizon": 90,
    "most_per_day": 4,
    "capacity": 2,
    "booked_by": "staff",
    "place": "Room 2",
    "is_default": False,
}
OF_DOCTORS_ONLY = {"buffer_before", "buffer_after", "booked_by"}


def versions(app: APIFlask, visit_type_id: int) -> list[tuple[int, int, int, int, bool]]:
    query = select(
        VisitTypeVersion.minutes,
        VisitTypeVersion.buffer_before,
        VisitTypeVersion.buffer_after,
        VisitTypeVersion.step,
        VisitTypeVersion.is_current,
    ).where(VisitTypeVersion.visit_type_id == visit_type_id)
    with app.app_context(), transaction(writes=False) as db:
        return [tuple(row) for row in db.execute(query.order_by(VisitTypeVersion.id))]


def defaults(doctor: Doctor) -> list[int]:
    return [kind["id"] for kind in doctor.visit_types() if kind["is_default"]]


def test_a_new_doctor_offers_consultations_of_half_an_hour(api: Api) -> None:
    [consultation] = api.doctor().visit_types()
    number = consultation.pop("id")
    assert number > 0
    assert consultation == DEFAULTS | {"name": "Consultation", "minutes": 30, "step": 30, "is_default": True}


def test_what_is_left_out_gets_its_default(api: Api) -> None:
    doctor = api.doctor()
    answer = doctor.post(PATH, {"name": " Checkup ", "minutes": 45})
    assert answer.status_code == 201
    number = answer.get_json()["visit_type_id"]
    assert answer.get_json() == {"message": "The visit type is added.", "visit_type_id": number}
    assert answer.headers["Location"] == f"{PATH}/{number}"
    expected = DEFAULTS | {"id": number, "name": "Checkup", "minutes": 45, "step": 45, "is_default": False}
    assert doctor.visit_types()[1] == expected


def test_all_that_is_sent_is_kept(api: Api) -> None:
    doctor = api.doctor()
    number = doctor.add_visit_type(**WHOLE)
    assert doctor.visit_types()[1] == WHOLE | {"id": number}


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("minutes", 1, 1440),
        ("buffer_before", 0, 480),
        ("buffer_after", 0, 480),
        ("step", 1, 1440),
        ("minimum_notice", 0, 527_040),
        ("horizon", 1, 366),
        ("most_per_day", 1, 1440),
        ("capacity", 1, 1000),
    ],
)
@ON_SQLITE
def test_numbers_have_limits(api: Api, field: str, least: int, most: int) -> None:
    doctor = api.doctor()
    good = {"name": "Checkup", "minutes": 30}
    for number in (least, most):
        assert doctor.post(PATH, good | {field: number}).status_code == 201, number
    for number in (least - 1, most + 1, float(least), str(least), True):
        answer = doctor.post(PATH, good | {field: number})
        assert answer.status_code == 400, number
        assert error_of(answer).startswith(f"{field} must be "), number


def test_a_replacement_is_whole_and_the_id_stays(api: Api) -> None:
    doctor = api.doctor()
    number = doctor.add_visit_type(**WHOLE)
    answer = doctor.put(f"{PATH}/{number}", {"name": "Checkup", "minutes": 20})
    assert (answer.status_code, answer.get_json()) == (200, {"message": "The visit type is changed."})
    expected = DEFAULTS | {"id": number, "name": "Checkup", "minutes": 20, "step": 20, "is_default": False}
    assert doctor.visit_types()[1] == expected


@pytest.mark.parametrize("change", [{"minutes": 50}, {"buffer_before": 0}, {"buffer_after": 1}, {"step": 40}])
def test_another_length_makes_another_version(app: APIFlask, api: Api, change: dict[str, int]) -> None:
    doctor = api.doctor()
    number = doctor.add_visit_type(**WHOLE)
    assert doctor.put(f"{PATH}/{number}", WHOLE | change).status_code == 200
    changed = {"minutes": 40, "buffer_before": 5, "buffer_after": 10, "step": 20} | change
    assert versions(app, number) == [(40, 5, 10, 20, False), (*changed.values(), True)]


def test_a_change_of_anything_else_makes_no_version(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    number = doctor.add_visit_type(**WHOLE)
    change = DEFAULTS | {"name": "Checkup", "buffer_before": 5, "buffer_after": 10, "booked_by": "staff"}
    assert doctor.put(f"{PATH}/{number}", WHOLE | change).status_code == 200
    assert versions(app, number) == [(40, 5, 10, 20, True)]


def test_a_retired_type_is_shown_and_changed_no_more(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    number = doctor.add_visit_type()
    answer = doctor.delete(f"{PATH}/{number}")
    assert (answer.status_code, answer.get_json()) == (200, {"message": "The visit type is retired."})
    assert [kind["name"] for kind in doctor.visit_types()] == ["Consultation"]
    listed = patient.get(f"/patient/doctors/{doctor.doctor_id}/visit-types").get_json()["data"]
    assert [kind["name"] for kind in listed] == ["Consultation"]
    for answer in (doctor.delete(f"{PATH}/{number}"), doctor.put(f"{PATH}/{number}", WHOLE)):
        assert answer.status_code == 404
        assert error_of(answer) == "There is no such visit type."


def test_the_types_of_another_doctor_are_not_found(api: Api) -> None:
    doctor, other = api.doctor(), api.doctor()
    [theirs] = other.visit_types()
    before = other.visit_types()
    for answer in (doctor.delete(f"{PATH}/{theirs['id']}"), doctor.put(f"{PATH}/{theirs['id']}", WHOLE)):
        assert answer.status_code == 404
    assert other.visit_types() == before


def test_the_default_is_the_first_that_one_patient_can_book_unless_the_doctor_chooses(api: Api) -> None:
    doctor = api.doctor()
    [consultation] = defaults(doctor)
    group = doctor.add_visit_type("Group", capacity=8)
    checkup, travel = doctor.add_visit_type("Checkup"), doctor.add_visit_type("Travel advice")
    assert defaults(doctor) == [consultation]
    assert doctor.put(f"{PATH}/{consultation}", WHOLE).status_code == 200
    assert defaults(doctor) == [checkup]
    last = doctor.add_visit_type("Chosen", is_default=True)
    assert defaults(doctor) == [last]
    assert doctor.put(f"{PATH}/{travel}", {"name": "Travel", "minutes": 30, "is_default": True}).status_code == 200
    assert defaults(doctor) == [travel]
    assert doctor.put(f"{PATH}/{travel}", {"name": "Travel", "minutes": 30}).status_code == 200
    assert defaults(doctor) == [checkup]
    for number in (checkup, travel, last):
        assert doctor.delete(f"{PATH}/{number}").status_code == 200
    assert defaults(doctor) == []
    assert [kind["id"] for kind in doctor.visit_types()] == [consultation, group]


@pytest.mark.parametrize("other", [{"booked_by": "staff"}, {"capacity": 2}])
def test_what_a_patient_cannot_book_alone_is_no_default(api: Api, other: dict[str, Any]) -> None:
    doctor = api.doctor()
    [kind] = doctor.visit_types()
    body = {"name": "Checkup", "minutes": 30, "is_default": True} | other
    for answer in (doctor.post(PATH, body), doctor.put(f"{PATH}/{kind['id']}", body)):
        assert answer.status_code == 400
        assert error_of(answer) == "is_default must be false if staff book the visit or patients share it."
        assert [finding["code"] for finding in answer.get_json()["errors"]] == ["no_default"]
    assert doctor.visit_types() == [kind]


def test_patients_see_what_they_may_book_without_what_is_of_the_doctor_only(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.add_visit_type(**WHOLE)
    doctor.add_visit_type("Group", capacity=8, place="Room 2", most_per_day=2, buffer_after=5)
    listed = patient.get(f"/patient/doctors/{doctor.doctor_id}/visit-types").get_json()["data"]
    expected = [kind for kind in doctor.visit_types() if kind["booked_by"] == "patients"]
    assert [kind["name"] for kind in expected] == ["Consultation", "Group"]
    assert listed == [{name: value for name, value in kind.items() if name not in OF_DOCTORS_ONLY} for kind in expected]


def test_a_doctor_who_offers_nothing_has_an_empty_list_and_one_who_left_is_not_found(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    path = f"/patient/doctors/{doctor.doctor_id}/visit-types"
    [kind] = doctor.visit_types()
    assert doctor.delete(f"{PATH}/{kind['id']}").status_code == 200
    assert patient.get(path).get_json() == {"data": []}
    assert doctor.delete("/doctor/account").status_code == 200
    for gone in (path, "/patient/doctors/999/visit-types"):
        answer = patient.get(gone)
        assert answer.status_code == 404
        assert error_of(answer) == "There is no such doctor."


def test_a_doctor_has_a_limit_of_types_that_are_not_retired(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visit_type_controller.MOST_LIVING == 100
    monkeypatch.setattr(visit_type_controller, "MOST_LIVING", 3)
    doctor = api.doctor()
    first, _ = doctor.add_visit_type("Checkup"), doctor.add_visit_type("Travel advice")
    answer = doctor.post(PATH, {"name": "Group", "minutes": 30})
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "urn:problem:too-many-visit-types"
    assert doctor.delete(f"{PATH}/{first}").status_code == 200
    doctor.add_visit_type("Group")


def test_a_type_that_would_make_too_many_openings_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday"), hours("tuesday"))
    [kind] = doctor.visit_types()
    # Two rows in nine weeks, and in 53.
    monkeypatch.setattr(schedule, "MOST_OPENINGS", 18)
    longer = {"name": "Consultation", "minutes": 30, "horizon": 366}
    for answer in (doctor.post(PATH, longer), doctor.put(f"{PATH}/{kind['id']}", longer)):
        assert answer.status_code == 409
        assert answer.get_json()["type"] == "urn:problem:too-many-openings"
    assert doctor.visit_types() == [kind]
    assert doctor.put(f"{PATH}/{kind['id']}", longer | {"horizon": 56}).status_code == 200


def test_hours_and_exceptions_lose_a_type_that_is_retired(api: Api) -> None:
    doctor = api.doctor()
    [consultation] = defaults(doctor)
    checkup = doctor.add_visit_type()
    doctor.set_hours(
        hours("monday", visit_types=[checkup]),
        hours("tuesday", visit_types=[consultation, checkup]),
        hours("wednesday"),
    )
    doctor.open("2030-03-09", "10:00", "12:00", visit_types=[checkup])
    doctor.open("2030-03-10", "10:00", "12:00", visit_types=[checkup, consultation])
    assert doctor.delete(f"{PATH}/{checkup}").status_code == 200
    shown = doctor.get("/doctor/hours").get_json()
    rows = [(row["weekday"], row["visit_types"]) for row in shown["weekly"]]
    assert (rows, shown["revision"]) == ([("tuesday", [consultation]), ("wednesday", None)], 2)
    listed = doctor.get("/doctor/exceptions").get_json()["data"]
    assert [(row["first_day"], row["visit_types"]) for row in listed] == [("2030-03-10", [consultation])]
    unconcerned = doctor.add_visit_type()
    assert doctor.delete(f"{PATH}/{unconcerned}").status_code == 200
    assert doctor.get("/doctor/hours").get_json()["revision"] == 2
