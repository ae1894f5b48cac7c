"""/desk/hours/special: hours for certain visit types, at a place, or for a season."""

from __future__ import annotations

import pytest

from tests.pages.conftest import Reader, hidden_fields
from tests.people import Api, Doctor, hours

NEW = "/desk/hours/special/new"


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    reader.log_in(doctor)
    return doctor


def rows(doctor: Doctor) -> list[dict[str, object]]:
    return doctor.get("/doctor/hours").get_json()["weekly"]


def row(**fields: object) -> dict[str, object]:
    nothing = {"visit_types": None, "place": None, "valid_from": None, "valid_until": None}
    return {"weekday": "monday", "from": "08:00", "until": "09:00"} | nothing | fields


def test_special_hours_are_added_beside_the_others(doctor: Doctor, reader: Reader) -> None:
    doctor.set_hours(hours("monday", "09:00", "12:00"))
    kind, other = doctor.add_visit_type("Checkup"), doctor.add_visit_type("Stress test")
    added = reader.send(
        NEW,
        **{"weekday": "monday", "from": "20:00", "until": "00:00", "place": "Room 3", "valid_until": "2030-08-31"},
        visit_types=[kind, other],
    )
    assert (added.status_code, added.headers["Location"]) == (303, "/desk/hours")
    until = {"until": "24:00", "place": "Room 3", "valid_until": "2030-08-31", "visit_types": [kind, other]}
    assert rows(doctor) == [row(**{"from": "09:00", "until": "12:00"}), row(**{"from": "20:00"}, **until)]
    page = reader.read("/desk/hours")
    assert "Checkup, Stress test · Room 3 · until Saturday 31 August 2030" in page


def test_an_untouched_page_saves_what_it_shows(doctor: Doctor, reader: Reader) -> None:
    kind = doctor.add_visit_type("Checkup")
    doctor.set_hours(hours("monday", "08:00", "24:00", visit_types=[kind], valid_from="2030-05-01", place="Room 3"))
    before = doctor.get("/doctor/hours").get_json()
    page = reader.read("/desk/hours/special/1")
    for shown in ('value="08:00"', 'value="00:00"', 'value="2030-05-01"', 'value="Room 3"', f'value="{kind}" checked'):
        assert shown in page
    fields = {"weekday": "monday", "from": "08:00", "until": "00:00", "valid_from": "2030-05-01", "place": "Room 3"}
    assert reader.send("/desk/hours/special/1", **fields, visit_types=[kind]).status_code == 303
    assert doctor.get("/doctor/hours").get_json() == before


def test_one_of_several_hours_is_changed_and_deleted(doctor: Doctor, reader: Reader) -> None:
    doctor.set_hours(hours("monday", "08:00", "09:00", place="Room 3"), hours("tuesday", "08:00", "09:00"))
    changed = {"weekday": "friday", "from": "08:00", "until": "09:00", "place": "Room 4"}
    assert reader.send("/desk/hours/special/1", **changed).status_code == 303
    assert rows(doctor) == [row(weekday="tuesday"), row(weekday="friday", place="Room 4")]
    assert "Delete these hours?" in reader.read("/desk/hours/special/2/delete")
    assert reader.send("/desk/hours/special/2/delete").status_code == 303
    assert rows(doctor) == [row(weekday="tuesday")]


def test_appointments_that_would_lie_outside_are_shown_first(api: Api, doctor: Doctor, reader: Reader) -> None:
    doctor.set_hours(hours("tuesday", "09:00", "12:00", place="Room 3"))
    ada = api.patient("Ada Sample")
    ada.book(ada.free(doctor)[0]["slot_id"])
    path = "/desk/hours/special/1/delete"
    asked = reader.send(path)
    assert asked.status_code == 409
    assert "Ada Sample" in asked.text
    assert len(rows(doctor)) == 1
    assert reader.post(path, **hidden_fields(asked.text)).status_code == 303
    assert rows(doctor) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"from": "09:00", "until": "08:00"}, 400),
        ({"from": "", "until": "08:00"}, 400),
        ({"from": "08:00", "until": "09:00", "valid_from": "2030-05-02", "valid_until": "2030-05-01"}, 400),
        ({"from": "08:00", "until": "09:00", "visit_types": ["999"]}, 400),
    ],
)
def test_what_the_call_refuses_is_refused(
    doctor: Doctor, reader: Reader, fields: dict[str, object], status: int
) -> None:
    assert reader.send(NEW, weekday="monday", **fields).status_code == status
    assert rows(doctor) == []


def test_hours_that_somebody_has_changed_meanwhile_are_refused(doctor: Doctor, reader: Reader) -> None:
    doctor.set_hours(hours("monday", "08:00", "09:00", place="Room 3"))
    for path in ("/desk/hours/special/1", "/desk/hours/special/1/delete", NEW):
        fields = hidden_fields(reader.read(path))
        doctor.set_hours(hours("monday", "08:00", "10:00", place="Room 3"))
        refused = reader.post(path, **fields, **{"weekday": "monday", "from": "12:00", "until": "13:00"})
        assert refused.status_code == 412
        assert "Somebody else has changed this meanwhile" in refused.text
    assert [one["until"] for one in rows(doctor)] == ["10:00"]


def test_unknown_hours_are_not_found(doctor: Doctor, reader: Reader) -> None:
    for path in ("/desk/hours/special/1", "/desk/hours/special/0", "/desk/hours/special/1/delete"):
        assert reader.open(path).status_code == 404
