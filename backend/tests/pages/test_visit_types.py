"""/desk/visit-types: what a doctor offers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.conftest import Reader
from tests.people import Api, Doctor, hours

LIST = "/desk/visit-types"
FIELDS: dict[str, Any] = {
    "name": "Checkup",
    "description": "Once a year.",
    "minutes": "45",
    "buffer_before": "5",
    "buffer_after": "10",
    "step": "15",
    "minimum_notice": "2",
    "notice_unit": "hours",
    "horizon": "90",
    "most_per_day": "4",
    "capacity": "1",
    "booked_by": "patients",
    "place": "Room 3",
    "is_default": "yes",
}
SAVED = FIELDS | {
    "minutes": 45,
    "buffer_before": 5,
    "buffer_after": 10,
    "step": 15,
    "minimum_notice": 120,
    "horizon": 90,
    "most_per_day": 4,
    "capacity": 1,
    "is_default": True,
}


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    reader.log_in(doctor)
    return doctor


def of_name(doctor: Doctor, name: str) -> dict[str, Any]:
    [found] = [each for each in doctor.visit_types() if each["name"] == name]
    return found


def test_a_visit_type_has_all_that_the_call_takes(doctor: Doctor, reader: Reader) -> None:
    added = reader.send(f"{LIST}/new", **FIELDS)
    assert (added.status_code, added.headers["Location"]) == (303, LIST)
    found = of_name(doctor, "Checkup")
    assert found == {name: value for name, value in SAVED.items() if name != "notice_unit"} | {"id": found["id"]}
    page = reader.read(LIST)
    for shown in ("The visit type is added.", "Checkup", "45 minutes", "Room 3", "default"):
        assert shown in page


def test_what_is_left_empty_gets_its_default(doctor: Doctor, reader: Reader) -> None:
    assert reader.send(f"{LIST}/new", name="Checkup", minutes="20", step="", most_per_day="").status_code == 303
    found = of_name(doctor, "Checkup")
    assert (found["step"], found["most_per_day"], found["is_default"]) == (20, None, False)


def test_the_page_of_a_visit_type_shows_what_is_saved(doctor: Doctor, reader: Reader) -> None:
    reader.send(f"{LIST}/new", **FIELDS)
    path = f"{LIST}/{of_name(doctor, 'Checkup')['id']}"
    page = reader.read(path)
    for name in ("minutes", "buffer_before", "buffer_after", "step", "minimum_notice", "horizon", "most_per_day"):
        assert f'name="{name}" type="number" value="{FIELDS[name]}"' in page
    assert '<option value="hours" selected>' in page
    assert 'name="is_default" value="yes" checked' in page
    before = of_name(doctor, "Checkup")
    assert reader.send(path, **FIELDS).status_code == 303
    assert of_name(doctor, "Checkup") == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "half an hour"}, "minutes"),
        ({"name": " "}, "name"),
        ({"horizon": "1000"}, "horizon"),
        ({"minimum_notice": "9999", "notice_unit": "days"}, "minimum_notice"),
    ],
)
def test_a_mistake_is_shown_at_its_field(doctor: Doctor, reader: Reader, wrong: dict[str, str], field: str) -> None:
    refused = reader.send(f"{LIST}/new", **(FIELDS | wrong))
    assert refused.status_code == 400
    assert f'<p class="wrong" id="{field}-says">' in refused.text
    assert 'value="Once a year."' in refused.text


def test_a_visit_that_patients_share_cannot_be_the_default(doctor: Doctor, reader: Reader) -> None:
    refused = reader.send(f"{LIST}/new", **(FIELDS | {"capacity": "6"}))
    assert refused.status_code == 400
    assert "Such a visit type must be for one patient" in refused.text


def test_a_visit_type_is_retired_by_a_page_that_asks(doctor: Doctor, reader: Reader) -> None:
    path = f"{LIST}/{doctor.add_visit_type('Checkup')}"
    doctor.set_hours(hours("monday"))
    assert f'href="{path}/retire"' in reader.read(path)
    assert "Retire this visit type?" in reader.read(f"{path}/retire")
    assert reader.send(f"{path}/retire").headers["Location"] == LIST
    assert "Checkup" not in [each["name"] for each in doctor.visit_types()]
    assert reader.open(path).status_code == 404


def test_a_foreign_visit_type_is_not_found(api: Api, doctor: Doctor, reader: Reader) -> None:
    foreign = api.doctor().add_visit_type("Checkup")
    for path in (f"{LIST}/{foreign}", f"{LIST}/{foreign}/retire"):
        assert reader.open(path).status_code == 404
        assert reader.post(path, **FIELDS).status_code == 404
