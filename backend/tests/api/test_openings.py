"""The table of openings: laid with each change, by `flask openings` and by the worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import delete, select, text

from src.database.transaction import transaction
from src.models import DoctorProfile, Opening, VisitType, VisitTypeVersion
from src.tasks import openings as task
from tests.computed import book_computed, opening_ids, openings, set_columns
from tests.conftest import NOW, StillClock
from tests.people import Api, Doctor, hours

# Mondays from NOW until 57 days later.
MONDAYS = ["2030-03-04", "2030-03-11", "2030-03-18", "2030-03-25"]
MONDAYS += ["2030-04-01", "2030-04-08", "2030-04-15", "2030-04-22", "2030-04-29"]


def days(app: APIFlask, doctor: Doctor) -> list[str]:
    return [begin[:10] for begin, *_ in openings(app, doctor)]


def openings_until(app: APIFlask, doctor: Doctor) -> str | None:
    query = select(DoctorProfile.openings_until).where(DoctorProfile.id == doctor.doctor_id)
    with app.app_context(), transaction(writes=False) as db:
        day = db.scalars(query).one()
    return day and day.isoformat()


def lay(app: APIFlask, *options: str) -> str:
    result = app.test_cli_runner().invoke(args=["openings", *options])
    assert result.exit_code == 0, result.output
    return result.output


def test_hours_make_openings_as_far_as_visits_can_be_booked(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday", "09:00", "12:30", place="Room 2"))
    assert openings(app, doctor) == [(f"{day} 09:00", f"{day} 12:30", None, "Room 2") for day in MONDAYS]
    assert openings_until(app, doctor) == "2030-04-30"
    doctor.set_hours()
    assert openings(app, doctor) == []


def test_a_dry_run_lays_nothing(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday"))
    before = opening_ids(app, doctor)
    assert doctor.put("/doctor/hours?dry_run=true", {"time_zone": "UTC", "weekly": []}).status_code == 200
    closed = {"kind": "closed", "first_day": "2030-03-11"}
    assert doctor.post("/doctor/exceptions?dry_run=true", closed).status_code == 201
    assert opening_ids(app, doctor) == before


def test_openings_that_stay_keep_their_rows(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday"))
    before = opening_ids(app, doctor)
    doctor.set_hours(hours("monday"), hours("tuesday"))
    doctor.set_hours(hours("monday", "08:00", "17:00", valid_until="2030-03-11"), hours("monday",
                     valid_from="2030-03-12"))  # fmt: skip
    after = opening_ids(app, doctor)
    kept = [f"{day} 09:00" for day in MONDAYS[2:]]
    assert {begin: after[begin] for begin in kept} == {begin: before[begin] for begin in kept}
    assert sorted(set(after) - set(kept)) == ["2030-03-04 08:00", "2030-03-11 08:00"]


def test_exceptions_change_openings_and_deleting_them_changes_them_back(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday", "09:00", "17:00"))
    before = openings(app, doctor)
    closed = doctor.close("2030-03-11", **{"from": "12:00", "until": "13:00"})
    extra = doctor.open("2030-03-09", "10:00", "12:00")
    assert openings(app, doctor)[:4] == [
        ("2030-03-04 09:00", "2030-03-04 17:00", None, None),
        ("2030-03-09 10:00", "2030-03-09 12:00", None, None),
        ("2030-03-11 09:00", "2030-03-11 12:00", None, None),
        ("2030-03-11 13:00", "2030-03-11 17:00", None, None),
    ]
    for number in (closed, extra):
        assert doctor.delete(f"/doctor/exceptions/{number}").status_code == 200
    assert openings(app, doctor) == before


def test_each_visit_type_has_openings_if_some_hours_are_not_for_all(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    [consultation] = [kind["id"] for kind in doctor.visit_types()]
    checkup = doctor.add_visit_type()
    doctor.set_hours(hours("monday", "09:00", "12:00"), hours("monday", "13:00", "17:00", visit_types=[checkup]))
    first = [row[:3] for row in openings(app, doctor) if row[0].startswith("2030-03-11")]
    assert first == [
        ("2030-03-11 09:00", "2030-03-11 12:00", consultation),
        ("2030-03-11 09:00", "2030-03-11 12:00", checkup),
        ("2030-03-11 13:00", "2030-03-11 17:00", checkup),
    ]
    added = doctor.add_visit_type("Travel advice")
    assert {row[2] for row in openings(app, doctor)} == {consultation, checkup, added}
    assert doctor.delete(f"/doctor/visit-types/{checkup}").status_code == 200
    assert {row[2] for row in openings(app, doctor)} == {None}


def test_the_greatest_horizon_decides_how_far_openings_go(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday"))
    long = doctor.add_visit_type("Long", horizon=366)
    assert (openings_until(app, doctor), days(app, doctor)[-1]) == ("2031-03-06", "2031-03-03")
    path = f"/doctor/visit-types/{long}"
    assert doctor.put(path, {"name": "Long", "minutes": 30, "horizon": 63}).status_code == 200
    assert (openings_until(app, doctor), days(app, doctor)[-1]) == ("2030-05-07", "2030-05-06")
    assert doctor.delete(path).status_code == 200
    assert days(app, doctor) == MONDAYS
    [consultation] = doctor.visit_types()
    assert doctor.delete(f"/doctor/visit-types/{consultation['id']}").status_code == 200
    assert openings(app, doctor) == []


@pytest.mark.parametrize(("old", "new"), [("America/Los_Angeles", "Pacific/Auckland"), ("UTC", "Asia/Tokyo")])
def test_another_zone_lays_other_openings(app: APIFlask, api: Api, clock: StillClock, old: str, new: str) -> None:
    # In Los Angeles it is still the day before.
    clock.now = NOW.replace(hour=4)
    doctor, other = api.doctor(time_zone=old), api.doctor(time_zone=new)
    rows = [hours(weekday, "00:00", "24:00") for weekday in ("sunday", "monday", "wednesday")]
    doctor.set_hours(*rows, time_zone=old)
    other.set_hours(*rows, time_zone=new)
    assert doctor.post("/doctor/profile", {"time_zone": new}).status_code == 200
    now = f"{clock.now:%Y-%m-%d %H:%M}"
    assert [row for row in openings(app, doctor) if row[1] > now] == openings(app, other)


def test_nothing_is_left_of_a_doctor_who_leaves(app: APIFlask, api: Api) -> None:
    doctor, stays, patient = api.doctor(), api.doctor(), api.patient()
    for one in (doctor, stays):
        one.set_hours(hours("monday"))
        one.close("2030-03-11")
        [kind] = one.visit_types()
        book_computed(app, one, patient, kind["id"], f"2030-03-1{one.doctor_id} 09:00", status="held", held_until=NOW)
    assert doctor.delete("/doctor/account").status_code == 200
    with app.app_context(), transaction(writes=False) as db:
        for table in ("weekly_hours", "exceptions", "openings", "appointments"):
            owners = db.scalars(text(f"SELECT DISTINCT doctor_id FROM {table}")).all()
            assert owners == [stays.doctor_id], table
        living = db.scalars(select(VisitType.doctor_id).where(VisitType.retired_at.is_(None))).all()
        assert living == [stays.doctor_id]
    assert "The openings of 1 doctors were laid." in lay(app, "--all")


def test_the_command_lays_what_has_come_into_reach_and_deletes_what_is_past(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    doctor = api.doctor()
    doctor.set_hours(*(hours(weekday) for weekday in ("monday", "wednesday", "thursday")))
    assert "The openings of 0 doctors were laid." in lay(app)
    before = opening_ids(app, doctor)
    clock.forward(days=5)
    assert "The openings of 1 doctors were laid." in lay(app)
    assert "The openings of 0 doctors were laid." in lay(app)
    after = opening_ids(app, doctor)
    assert set(before) - set(after) == {"2030-03-04 09:00", "2030-03-06 09:00"}
    assert set(after) - set(before) == {"2030-05-01 09:00", "2030-05-02 09:00"}
    assert {begin: after[begin] for begin in before if begin in after}.items() <= before.items()
    assert openings_until(app, doctor) == "2030-05-05"


def test_a_day_comes_into_reach_at_midnight_of_the_doctors_zone(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor = api.doctor(time_zone="Asia/Tokyo")
    doctor.set_hours(hours("wednesday"), time_zone="Asia/Tokyo")
    clock.now = NOW.replace(hour=14, minute=59)
    assert "of 0 doctors" in lay(app)
    clock.forward(minutes=1)
    assert "of 1 doctors" in lay(app)
    assert days(app, doctor)[-1] == "2030-05-01"


def test_the_command_lays_all_openings_anew(app: APIFlask, api: Api) -> None:
    doctors = [api.doctor(), api.doctor()]
    for doctor in doctors:
        doctor.set_hours(hours("monday"))
    with app.app_context(), transaction(writes=True) as db:
        db.execute(delete(Opening))
    assert "of 0 doctors" in lay(app)
    assert "of 2 doctors" in lay(app, "--all")
    assert [days(app, doctor) for doctor in doctors] == [MONDAYS, MONDAYS]


def test_a_new_doctor_without_hours_is_done_once_a_day(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor = api.doctor()
    assert openings_until(app, doctor) is None
    for _ in range(2):
        assert "of 1 doctors" in lay(app)
        assert "of 0 doctors" in lay(app)
        clock.forward(days=1)


def test_a_doctor_whom_an_older_server_registered_gets_a_visit_type(app: APIFlask, api: Api) -> None:
    doctor, retired = api.doctor(), api.doctor()
    with app.app_context(), transaction(writes=True) as db:
        of_doctor = select(VisitType.id).where(VisitType.doctor_id == doctor.doctor_id)
        db.execute(delete(VisitTypeVersion).where(VisitTypeVersion.visit_type_id.in_(of_doctor)))
        db.execute(delete(VisitType).where(VisitType.doctor_id == doctor.doctor_id))
    [kind] = retired.visit_types()
    assert retired.delete(f"/doctor/visit-types/{kind['id']}").status_code == 200
    assert doctor.visit_types() == []
    for _ in range(2):
        lay(app)
        assert [kind["name"] for kind in doctor.visit_types()] == ["Consultation"]
        assert retired.visit_types() == []


def test_many_doctors_are_done_in_small_transactions(
    app: APIFlask, api: Api, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "DOCTORS_OF_A_PAGE", 3)
    monkeypatch.setattr(task, "DOCTORS_OF_A_TRANSACTION", 2)
    doctors = [api.doctor() for _ in range(7)]
    for doctor in doctors:
        doctor.set_hours(hours("wednesday"))
    set_columns(app, DoctorProfile, doctors[1].doctor_id, openings_until=(NOW + timedelta(days=100)).date())
    clock.forward(days=1)
    with app.app_context():
        done = list(task.extend(transaction, clock(), app.extensions["settings"]))
    assert done == [2, 2, 1, 1]
    assert [days(app, doctor)[-1] for doctor in doctors].count("2030-05-01") == 6
