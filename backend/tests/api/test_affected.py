"""Which booked appointments the changes of hours, exceptions and zones answer as affected."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import insert

from src.database.transaction import transaction
from src.models import HoursException
from tests.computed import book_computed
from tests.conftest import NOW, StillClock
from tests.people import DAY, Api, Doctor, hours

HOURS = "/doctor/hours"
EXCEPTIONS = "/doctor/exceptions"


def ids(answer: Any) -> list[int]:
    assert answer.status_code in {200, 201}, answer.get_json()
    return [entry["appointment_id"] for entry in answer.get_json()["affected"]]


def put(doctor: Doctor, *weekly: Any, time_zone: str = "UTC", query: str = "") -> Any:
    return doctor.put(HOURS + query, {"time_zone": time_zone, "weekly": list(weekly)})


def consultation(doctor: Doctor) -> int:
    return doctor.visit_types()[0]["id"]


def test_what_lies_outside_of_the_hours_is_listed_by_time_and_stays_booked(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    kind = consultation(doctor)
    doctor.set_hours(hours("tuesday", "08:00", "18:00"))
    late = book_computed(app, doctor, patient, kind, "2030-03-12 16:45")
    book_computed(app, doctor, patient, kind, "2030-03-12 09:00")
    book_computed(app, doctor, patient, kind, "2030-03-12 16:00")
    early = book_computed(app, doctor, patient, kind, "2030-03-05 08:59")
    for query in ("?dry_run=true", ""):
        answer = put(doctor, hours("tuesday", "09:00", "17:00"), query=query)
        assert ids(answer) == [early, late]
    of_list = {row["appointment_id"]: row for row in doctor.get("/appointments/doctor").get_json()["data"]}
    assert answer.get_json()["affected"] == [of_list[early], of_list[late]]
    assert {row["status"] for row in of_list.values()} == {"booked"}
    # Nothing is left out because it was told before.
    assert ids(put(doctor, hours("tuesday", "09:00", "17:00"))) == [early, late]
    assert ids(put(doctor, hours("tuesday", "08:00", "18:00"))) == []


def test_only_booked_appointments_ahead_are_affected(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor, patient, other = api.doctor(), api.patient(), api.doctor()
    kind = consultation(doctor)
    book_computed(app, doctor, patient, kind, "2030-03-04 09:00")
    book_computed(app, doctor, patient, kind, "2030-03-05 09:00", status="cancelled", cancelled_at=NOW)
    book_computed(app, doctor, patient, kind, "2030-03-05 10:00", status="held", held_until=NOW)
    book_computed(app, other, patient, consultation(other), "2030-03-05 11:00")
    ahead = book_computed(app, doctor, patient, kind, "2030-03-04 09:31")
    clock.forward(hours=1.5)
    assert ids(put(doctor)) == [ahead]


def test_an_appointment_needs_hours_for_its_visit_type(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    first, second = consultation(doctor), doctor.add_visit_type()
    mine = book_computed(app, doctor, patient, second, "2030-03-05 09:00")
    other = book_computed(app, doctor, patient, first, "2030-03-05 09:30")
    assert ids(put(doctor, hours("tuesday"))) == []
    assert ids(put(doctor, hours("tuesday", visit_types=[first]))) == [mine]
    assert ids(put(doctor, hours("tuesday", visit_types=[second]))) == [other]
    assert ids(put(doctor, hours("tuesday", visit_types=[first, second]))) == []
    # A retired type has hours where all types have them.
    assert doctor.delete(f"/doctor/visit-types/{second}").status_code == 200
    assert ids(put(doctor, hours("tuesday"))) == []
    assert ids(put(doctor, hours("tuesday", visit_types=[first]))) == [mine]
    assert doctor.delete(f"/doctor/visit-types/{first}").status_code == 200
    assert ids(put(doctor, hours("tuesday"))) == []


def test_an_appointment_may_be_farther_ahead_than_the_horizon_is_now(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    kind = doctor.add_visit_type("Long", horizon=366)
    book_computed(app, doctor, patient, kind, "2031-02-04 09:00")
    body = {"name": "Long", "minutes": 30, "horizon": 1}
    assert doctor.put(f"/doctor/visit-types/{kind}", body).status_code == 200
    assert ids(put(doctor, hours("tuesday"))) == []


def test_an_appointment_may_run_over_midnight_if_the_hours_do(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    number = book_computed(app, doctor, patient, consultation(doctor), "2030-03-05 23:45")
    night = hours("wednesday", "00:00", "06:00")
    assert ids(put(doctor, hours("tuesday", "18:00", "24:00"), night)) == []
    assert ids(put(doctor, hours("tuesday", "18:00", "24:00"))) == [number]
    assert ids(put(doctor, hours("tuesday", "18:00", "24:00"), night | {"place": "Room 2"})) == [number]


def test_a_published_slot_needs_no_hours(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    patient.book(doctor.publish())
    assert ids(put(doctor, hours("friday"))) == []
    assert ids(put(doctor)) == []


@pytest.mark.parametrize(
    ("fields", "is_affected"),
    [
        ({"first_day": DAY}, [True, True]),
        ({"first_day": "2030-03-04", "last_day": "2030-03-06"}, [True, True]),
        ({"first_day": "2030-03-04"}, [False, False]),
        ({"first_day": "2030-03-06"}, [False, False]),
        ({"first_day": DAY, "from": "08:00", "until": "09:00"}, [False, False]),
        ({"first_day": DAY, "from": "08:00", "until": "09:01"}, [True, False]),
        ({"first_day": DAY, "from": "09:30", "until": "10:00"}, [False, False]),
        ({"first_day": DAY, "from": "09:29", "until": "10:01"}, [True, True]),
    ],
)
def test_a_closure_affects_what_it_overlaps(
    app: APIFlask, api: Api, fields: dict[str, Any], is_affected: list[bool]
) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday"))
    numbers = [
        patient.book(doctor.publish("09:00", "09:30")),
        book_computed(app, doctor, patient, consultation(doctor), f"{DAY} 10:00"),
    ]
    expected = [number for number, affected in zip(numbers, is_affected, strict=True) if affected]
    for query in ("?dry_run=true", ""):
        assert ids(doctor.post(EXCEPTIONS + query, {"kind": "closed"} | fields)) == expected


def test_a_closure_affects_a_published_slot_over_midnight(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    number = patient.book(doctor.publish("22:00", "02:00"))
    for day, expected in (("2030-03-04", []), (DAY, [number]), ("2030-03-06", [number]), ("2030-03-07", [])):
        assert ids(doctor.post(f"{EXCEPTIONS}?dry_run=true", {"kind": "closed", "first_day": day})) == expected, day


def test_a_closure_is_on_the_clocks_of_the_doctors_zone(api: Api) -> None:
    doctor, patient = api.doctor(time_zone="Asia/Tokyo"), api.patient()
    number = patient.book(doctor.publish("00:00", "00:30", "2030-03-06"))
    for day, expected in (("2030-03-05", []), ("2030-03-06", [number])):
        assert ids(doctor.post(f"{EXCEPTIONS}?dry_run=true", {"kind": "closed", "first_day": day})) == expected, day


def test_closures_of_the_clinic_count_as_well(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    day = date.fromisoformat(DAY)
    row = {"kind": "closed", "first_day": day, "last_day": day, "from_time": 0, "until_time": 1440, "created_at": NOW}
    with app.app_context(), transaction(writes=True) as db:
        db.execute(insert(HoursException).values(row))
    numbers = [
        patient.book(doctor.publish("09:00", "09:30")),
        book_computed(app, doctor, patient, consultation(doctor), f"{DAY} 10:00"),
    ]
    assert ids(put(doctor, hours("tuesday"))) == numbers


def test_without_extra_hours_their_appointments_are_affected(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    extra = doctor.open("2030-03-09", "10:00", "12:00")
    number = book_computed(app, doctor, patient, consultation(doctor), "2030-03-09 11:30")
    assert ids(doctor.post(EXCEPTIONS, {"kind": "extra", "first_day": DAY, "from": "10:00", "until": "12:00"})) == []
    assert ids(doctor.delete(f"{EXCEPTIONS}/{extra}")) == [number]


def test_another_zone_moves_the_hours_and_no_appointment(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(time_zone="Europe/Berlin"), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "17:00"), time_zone="Europe/Berlin")
    kind = consultation(doctor)
    early = book_computed(app, doctor, patient, kind, f"{DAY} 09:00", "Europe/Berlin")
    book_computed(app, doctor, patient, kind, f"{DAY} 10:00", "Europe/Berlin")
    assert ids(doctor.post("/doctor/profile", {"time_zone": "Europe/Berlin"})) == []
    assert ids(doctor.post("/doctor/profile", {"designation": "Prof."})) == []
    answer = doctor.post("/doctor/profile", {"time_zone": "Europe/London"})
    assert ids(answer) == [early]
    [entry] = answer.get_json()["affected"]
    assert (entry["start_time"], entry["time_zone"]) == ("09:00", "Europe/Berlin")
