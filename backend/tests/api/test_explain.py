"""GET /doctor/availability/explain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from apiflask import APIFlask

from src.models import Appointment, HoursException, Opening
from tests.computed import opening_ids, set_columns
from tests.conftest import StillClock
from tests.people import Api, Doctor, Patient, error_of, hours

# NOW is Monday, 2030-03-04, 08:00 UTC.
TUESDAY, WEDNESDAY = "2030-03-05", "2030-03-06"
Said = dict[str, Any]


@pytest.fixture
def doctor(api: Api) -> Doctor:
    """Return a doctor with hours on Tuesday; the first visit type takes 30 minutes."""
    doctor = api.doctor()
    doctor.set_hours(hours("tuesday", "09:00", "11:00"), hours("tuesday", "13:00", "15:00"))
    return doctor


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient("Ada Sample")


def explained(doctor: Doctor, at: str, **query: Any) -> Said:
    answer = doctor.get("/doctor/availability/explain", query_string={"at": at, **query})
    assert answer.status_code == 200, answer.get_json()
    said = answer.get_json()
    assert said["offered"] == (said["reasons"] == []) == (said["slot_id"] is not None)
    return said


def reasons(doctor: Doctor, at: str, **query: Any) -> list[Said]:
    return explained(doctor, at, **query)["reasons"]


def codes(doctor: Doctor, at: str, **query: Any) -> list[str]:
    return [reason["code"] for reason in reasons(doctor, at, **query)]


def only_reason(doctor: Doctor, at: str, **query: Any) -> Said:
    [reason] = reasons(doctor, at, **query)
    return reason


def test_a_time_that_is_offered(doctor: Doctor, ada: Patient) -> None:
    first = ada.free(doctor)[0]
    span = ("date", "start_time", "end_time", "starts_at", "ends_at", "time_zone")
    assert explained(doctor, f"{TUESDAY}T09:00") == {
        "at": {name: first[name] for name in span},
        "visit_type_id": first["visit_type_id"],
        "offered": True,
        "slot_id": first["slot_id"],
        "reasons": [],
        "published_slot": None,
    }


def test_a_time_in_the_past_has_this_reason_alone(doctor: Doctor) -> None:
    assert only_reason(doctor, "2030-03-04T08:00") == {
        "code": "past",
        "message": "This time has already begun.",
        "change": "Choose a time that is ahead.",
        "params": {},
    }
    assert codes(doctor, "2030-02-05T09:00") == ["past"]
    assert codes(doctor, "2020-03-10T09:00") == ["past"]


def test_between_two_openings_of_a_day(doctor: Doctor) -> None:
    assert only_reason(doctor, f"{TUESDAY}T12:00") == {
        "code": "outside_hours",
        "message": '12:00 is not in your hours for "Consultation": near it on 2030-03-05 are 09:00 to 11:00 and'
        " 13:00 to 15:00.",
        "change": "Add hours that have 12:00 to 12:30: weekly ones, or extra hours.",
        "params": {
            "day": TUESDAY,
            "before": {"from": f"{TUESDAY}T09:00", "until": f"{TUESDAY}T11:00"},
            "after": {"from": f"{TUESDAY}T13:00", "until": f"{TUESDAY}T15:00"},
        },
    }
    assert only_reason(doctor, f"{TUESDAY}T15:00")["params"]["after"] is None
    assert only_reason(doctor, f"{TUESDAY}T08:59")["params"]["before"] is None


def test_a_day_without_hours(doctor: Doctor) -> None:
    reason = only_reason(doctor, f"{WEDNESDAY}T09:00")
    assert (reason["code"], reason["message"]) == (
        "outside_hours",
        'You have no hours for "Consultation" on 2030-03-06.',
    )
    assert reason["params"] == {"day": WEDNESDAY, "before": None, "after": None}


def test_a_doctor_without_any_hours(api: Api) -> None:
    assert codes(api.doctor(), f"{TUESDAY}T09:00") == ["outside_hours"]


def test_beside_the_grid(doctor: Doctor) -> None:
    assert only_reason(doctor, f"{TUESDAY}T09:10") == {
        "code": "off_grid",
        "message": "Visits of this type begin at 09:00, when these hours begin, and every 30 minutes after it.",
        "change": "Choose 09:00 or 09:30, or change the step of the visit type.",
        "params": {
            "hours_begin": f"{TUESDAY}T09:00",
            "step": 30,
            "before": f"{TUESDAY}T09:00",
            "after": f"{TUESDAY}T09:30",
        },
    }


def test_a_visit_that_would_end_after_the_hours(doctor: Doctor) -> None:
    late, grid = reasons(doctor, f"{TUESDAY}T10:45")
    assert late == {
        "code": "beyond_hours",
        "message": "The visit would end at 11:15, but the hours in which it begins end at 11:00. Visits do not go on"
        " in hours at another place.",
        "change": "Let the hours last until 11:15, or choose 10:30.",
        "params": {"ends_at": f"{TUESDAY}T11:15", "hours_end": f"{TUESDAY}T11:00", "last": f"{TUESDAY}T10:30"},
    }
    assert (grid["params"]["before"], grid["params"]["after"]) == (f"{TUESDAY}T10:30", None)
    assert grid["change"] == "Choose 10:30, or change the step of the visit type."
    short = doctor.add_visit_type("Checkup", 30, step=15)
    _, grid = reasons(doctor, f"{TUESDAY}T10:50", visit_type=short)
    assert (grid["params"]["before"], grid["params"]["after"]) == (f"{TUESDAY}T10:30", None)
    long = doctor.add_visit_type("Surgery", 150)
    reason = only_reason(doctor, f"{TUESDAY}T09:00", visit_type=long)
    assert (reason["code"], reason["params"]["last"]) == ("beyond_hours", None)


def test_hours_at_another_place_are_other_hours(doctor: Doctor) -> None:
    doctor.set_hours(hours("tuesday", "09:00", "10:00", place="Ward"), hours("tuesday", "10:00", "12:00"))
    long = doctor.add_visit_type("Surgery", 60, step=30)
    assert codes(doctor, f"{TUESDAY}T09:30", visit_type=long) == ["beyond_hours"]


def test_closures_are_named(doctor: Doctor) -> None:
    morning = doctor.close(TUESDAY, **{"from": "09:15", "until": "10:00"})
    holiday = doctor.close("2030-03-04", last_day=TUESDAY)
    doctor.close(WEDNESDAY)
    first, second = reasons(doctor, f"{TUESDAY}T09:00")
    assert first == {
        "code": "closed",
        "message": f"You are closed on 2030-03-05, 09:15 to 10:00 (exception {morning}).",
        "change": f"Delete exception {morning}.",
        "params": {
            "exception_id": morning,
            "of_clinic": False,
            "first_day": TUESDAY,
            "last_day": TUESDAY,
            "from": "09:15",
            "until": "10:00",
        },
    }
    assert second["message"] == f"You are closed 2030-03-04 to 2030-03-05 (exception {holiday})."
    assert (second["params"]["from"], second["params"]["until"]) == (None, None)
    assert codes(doctor, f"{TUESDAY}T12:00") == ["outside_hours", "closed"]
    assert doctor.delete(f"/doctor/exceptions/{holiday}").status_code == 200
    assert codes(doctor, f"{TUESDAY}T09:00") == ["closed"]
    assert codes(doctor, f"{TUESDAY}T10:00") == []


def test_a_closure_of_the_clinic(app: APIFlask, doctor: Doctor) -> None:
    closure = doctor.close(TUESDAY)
    set_columns(app, HoursException, closure, doctor_id=None)
    reason = only_reason(doctor, f"{TUESDAY}T09:00")
    assert reason["message"] == f"The clinic is closed on 2030-03-05 (exception {closure})."
    assert reason["change"] == "Ask the clinic to change its closure."
    assert reason["params"]["of_clinic"] is True


def test_hours_for_other_types(doctor: Doctor) -> None:
    checkup = doctor.add_visit_type("Checkup")
    doctor.set_hours(hours("tuesday", "09:00", "11:00", visit_types=[checkup]))
    assert codes(doctor, f"{TUESDAY}T09:00", visit_type=checkup) == []
    reason = only_reason(doctor, f"{TUESDAY}T09:00")
    assert reason["code"] == "hours_for_other_types"
    assert reason["message"] == 'Your hours at this time are not for "Consultation".'
    assert codes(doctor, f"{TUESDAY}T11:00") == ["outside_hours"]


def test_an_appointment_takes_its_time_with_buffers(doctor: Doctor, ada: Patient) -> None:
    checkup = doctor.add_visit_type("Checkup", 30, buffer_before=10, buffer_after=5, step=15)
    appointment = ada.book(ada.times(doctor, visit_type=checkup)[2]["slot_id"])
    assert codes(doctor, f"{TUESDAY}T09:30", visit_type=checkup) == ["taken"]
    assert only_reason(doctor, f"{TUESDAY}T09:00") == {
        "code": "taken",
        "message": f"Appointment {appointment} is from 09:30 to 10:00, and takes 09:20 to 10:05 with its"
        " buffers; a visit at this time would take 09:00 to 09:30.",
        "change": f"Move or cancel appointment {appointment}.",
        "params": {
            "appointment_id": appointment,
            "held_until": None,
            "starts_at": "2030-03-05T09:30:00+00:00",
            "ends_at": "2030-03-05T10:00:00+00:00",
            "takes_from": "2030-03-05T09:20:00+00:00",
            "takes_until": "2030-03-05T10:05:00+00:00",
        },
    }
    assert codes(doctor, f"{TUESDAY}T10:00") == ["taken"]
    assert codes(doctor, f"{TUESDAY}T10:30") == []


def test_a_hold_takes_its_time_until_it_expires(doctor: Doctor, ada: Patient, clock: StillClock) -> None:
    ada.hold(ada.free(doctor)[0]["slot_id"], 10)
    reason = only_reason(doctor, f"{TUESDAY}T09:00")
    assert reason["message"] == (
        "Until 2030-03-04 08:10 a patient holds 09:00 to 09:30; a visit at this time would take 09:00 to 09:30."
    )
    assert reason["params"]["held_until"] == "2030-03-04T08:10:00+00:00"
    assert reason["params"]["appointment_id"] is None
    assert "Ada" not in str(reason)
    clock.forward(minutes=10)
    assert codes(doctor, f"{TUESDAY}T09:00") == []


def test_notice_and_horizon(doctor: Doctor, clock: StillClock) -> None:
    kind = doctor.add_visit_type("Checkup", minimum_notice=25 * 60, horizon=7)
    clock.forward(minutes=30)
    # It is Monday, 08:30.
    notice = only_reason(doctor, f"{TUESDAY}T09:00", visit_type=kind)
    assert notice == {
        "code": "notice_too_short",
        "message": "Patients must book this visit type 1500 minutes before; 09:30 is the first time that is far enough"
        " from now.",
        "change": "Lower minimum_notice of the visit type to at most 1470, or choose 09:30 or later.",
        "params": {"minimum_notice": 1500, "first": f"{TUESDAY}T09:30", "most": 1470},
    }
    assert codes(doctor, f"{TUESDAY}T09:30", visit_type=kind) == []
    assert only_reason(doctor, "2030-03-12T09:00", visit_type=kind) == {
        "code": "too_far_ahead",
        "message": "Patients can book this visit type 7 days before at the earliest: this time from 2030-03-05 09:00"
        " on.",
        "change": "Raise horizon of the visit type to at least 9, or wait until 2030-03-05 09:00.",
        "params": {"horizon": 7, "bookable_from": f"{TUESDAY}T09:00", "least": 9},
    }


def test_all_reasons_of_a_far_time(doctor: Doctor) -> None:
    closure = doctor.close("2031-06-10")
    # 2031-06-10 is a Tuesday, and after the last day for which there are openings.
    assert codes(doctor, "2031-06-17T09:00") == ["too_far_ahead"]
    assert codes(doctor, "2031-06-17T09:01") == ["too_far_ahead", "off_grid"]
    assert codes(doctor, "2031-06-18T09:00") == ["too_far_ahead", "outside_hours"]
    far, closed = reasons(doctor, "2031-06-10T09:00")
    assert (far["params"]["least"], far["change"]) == (None, "Wait until 2031-04-15 09:00.")
    assert closed["params"]["exception_id"] == closure
    assert codes(doctor, "2040-02-28T09:00") == ["too_far_ahead"]


def test_more_than_ten_years_away_is_refused(doctor: Doctor) -> None:
    for at in ("2040-03-06T09:00", "2020-02-01T09:00", "9999-12-31T23:59", "0001-01-01T00:00"):
        answer = doctor.get(f"/doctor/availability/explain?at={at}")
        assert (answer.status_code, error_of(answer)) == (400, "at must be at most ten years from now."), at


def test_the_limit_of_a_day(doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type("Checkup", most_per_day=1)
    ada.book(ada.times(doctor, visit_type=kind)[0]["slot_id"])
    assert only_reason(doctor, f"{TUESDAY}T10:00", visit_type=kind) == {
        "code": "day_full",
        "message": "On 2030-03-05 there are as many appointments of this type as a day may have: 1.",
        "change": "Raise most_per_day of the visit type, or choose another day.",
        "params": {"day": TUESDAY, "most_per_day": 1},
    }
    assert codes(doctor, f"{TUESDAY}T09:10", visit_type=kind) == ["day_full", "off_grid", "taken"]
    assert codes(doctor, f"{TUESDAY}T10:00") == []


def test_a_group_is_offered_until_its_seats_are_taken(api: Api, doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type("Course", 60, capacity=2, step=30)
    ada.book(ada.times(doctor, visit_type=kind)[0]["slot_id"])
    assert codes(doctor, f"{TUESDAY}T09:00", visit_type=kind) == []
    assert codes(doctor, f"{TUESDAY}T09:30", visit_type=kind) == ["taken"]
    # The hours begin at another minute, and the group stays at its own.
    doctor.set_hours(hours("tuesday", "08:50", "11:00"))
    assert codes(doctor, f"{TUESDAY}T09:00", visit_type=kind) == []
    api.patient("Ben Sample").book(explained(doctor, f"{TUESDAY}T09:00", visit_type=kind)["slot_id"])
    reason = only_reason(doctor, f"{TUESDAY}T09:00", visit_type=kind)
    assert (reason["code"], reason["message"]) == ("seats_full", "All 2 seats at this time are taken.")
    assert codes(doctor, f"{TUESDAY}T09:00") == ["off_grid", "taken", "taken"]


def test_types_that_patients_cannot_book(doctor: Doctor) -> None:
    staff = doctor.add_visit_type("Report", booked_by="staff", minimum_notice=50000, horizon=1)
    reason = only_reason(doctor, f"{TUESDAY}T09:00", visit_type=staff)
    assert reason["code"] == "booked_by_staff"
    assert codes(doctor, f"{TUESDAY}T12:00", visit_type=staff) == ["booked_by_staff", "outside_hours"]
    assert codes(doctor, "2031-03-04T09:00", visit_type=staff) == ["booked_by_staff"]
    assert codes(doctor, "2030-03-04T07:00", visit_type=staff) == ["booked_by_staff", "past"]
    assert doctor.delete(f"/doctor/visit-types/{staff}").status_code == 200
    said = explained(doctor, f"{TUESDAY}T09:00", visit_type=staff)
    assert [reason["message"] for reason in said["reasons"]] == ['The visit type "Report" is retired.']
    assert (said["visit_type_id"], said["at"]["end_time"]) == (staff, "09:30")


def test_the_type_of_somebody_else_is_not_found(api: Api, doctor: Doctor) -> None:
    other = api.doctor().add_visit_type("Checkup")
    for kind in (other, 999):
        answer = doctor.get(f"/doctor/availability/explain?at={TUESDAY}T09:00&visit_type={kind}")
        assert (answer.status_code, error_of(answer)) == (404, "There is no such visit type.")


def test_a_doctor_without_a_default_type(doctor: Doctor) -> None:
    slot = doctor.publish("09:00", "09:30")
    for kind in doctor.visit_types():
        doctor.delete(f"/doctor/visit-types/{kind['id']}")
    said = explained(doctor, f"{TUESDAY}T09:00")
    assert [reason["code"] for reason in said["reasons"]] == ["no_visit_type"]
    assert (said["visit_type_id"], said["at"]["start_time"], said["at"]["end_time"]) == (None, "09:00", "09:00")
    assert said["published_slot"] == {"slot_id": slot, "offered": True, "reasons": []}


def test_published_slots_are_explained_beside(doctor: Doctor, ada: Patient, clock: StillClock) -> None:
    slot = doctor.publish("09:00", "09:30")

    def said() -> tuple[bool, list[tuple[str, Any]]]:
        published = explained(doctor, f"{TUESDAY}T09:00")["published_slot"]
        assert published["slot_id"] == slot
        found = [(reason["code"], reason["params"].get("appointment_id")) for reason in published["reasons"]]
        return published["offered"], found

    assert said() == (True, [])
    computed = ada.book(ada.times(doctor, visit_type=doctor.visit_types()[0]["id"])[0]["slot_id"])
    assert said() == (False, [("taken", computed)])
    ada.cancel(computed)
    hold = ada.hold(slot)
    assert said() == (False, [("taken", None)])
    assert ada.delete(f"/holds/{hold}").status_code == 200
    booked = ada.book(slot)
    assert said() == (False, [("booked", booked)])
    assert codes(doctor, f"{TUESDAY}T09:00") == ["taken"]
    ada.cancel(booked)
    assert doctor.delete(f"/doctor/availability/{slot}").status_code == 200
    assert said() == (False, [("withdrawn", None)])
    slot = doctor.publish("09:00", "10:00")
    assert said() == (True, [])
    clock.forward(hours=25)
    assert said() == (False, [("past", None)])
    assert explained(doctor, f"{TUESDAY}T09:30")["published_slot"] is None


@pytest.fixture
def in_berlin(api: Api) -> Callable[..., Doctor]:
    """Return a doctor in Berlin whose hours are these."""

    def with_hours(*rows: dict[str, Any], **kind: Any) -> Doctor:
        doctor = api.doctor(time_zone="Europe/Berlin")
        doctor.add_visit_type(**{"name": "Night visit", "minutes": 60, "step": 30, "is_default": True, **kind})
        doctor.set_hours(*rows, time_zone="Europe/Berlin")
        return doctor

    return with_hours


def test_a_time_that_the_clocks_skip_is_refused(in_berlin: Callable[..., Doctor]) -> None:
    doctor = in_berlin(hours("sunday", "00:00", "06:00"))
    answer = doctor.get("/doctor/availability/explain?at=2030-03-31T02:30")
    assert answer.status_code == 400
    assert "does not exist on 2030-03-31" in error_of(answer)
    assert explained(doctor, "2030-03-31T01:30")["at"]["end_time"] == "03:30"


def test_the_clocks_go_back(in_berlin: Callable[..., Doctor], clock: StillClock) -> None:
    clock.now = datetime(2030, 10, 25, 8, tzinfo=timezone.utc)
    doctor = in_berlin(hours("sunday", "00:00", "06:00"))
    # 02:30 comes twice; this is the first.
    said = explained(doctor, "2030-10-27T02:00")
    assert (said["offered"], said["at"]["starts_at"]) == (True, "2030-10-27T02:00:00+02:00")
    [reason] = reasons(doctor, "2030-10-27T02:30")
    assert (reason["code"], reason["params"]) == ("clocks_go_back", {"latest": "2030-10-27T02:00"})
    assert codes(doctor, "2030-10-27T03:00") == []
    closure = doctor.close("2030-10-27", **{"from": "02:40", "until": "02:50"})
    assert codes(doctor, "2030-10-27T02:30") == ["closed", "clocks_go_back"]
    doctor.delete(f"/doctor/exceptions/{closure}")
    doctor.set_hours(hours("sunday", "00:00", "02:45"), time_zone="Europe/Berlin")
    assert codes(doctor, "2030-10-27T02:30") == ["beyond_hours", "clocks_go_back"]
    # Hours end when the clocks would show 03:00, though they then show 02:00.
    doctor.set_hours(hours("sunday", "00:00", "03:00"), time_zone="Europe/Berlin")
    [outside] = reasons(doctor, "2030-10-27T03:10")
    assert "near it on 2030-10-27 are 00:00 to 03:00." in outside["message"]
    assert outside["params"]["before"] == {"from": "2030-10-27T00:00", "until": "2030-10-27T03:00"}


def test_the_first_time_after_the_notice_is_one_that_can_be_asked_for(
    in_berlin: Callable[..., Doctor], clock: StillClock
) -> None:
    clock.now = datetime(2030, 10, 26, 1, 10, tzinfo=timezone.utc)
    doctor = in_berlin(hours("sunday", "00:00", "06:00"), minimum_notice=1440)
    # 24 hours later the clocks show 02:10 for the second time.
    assert reasons(doctor, "2030-10-27T01:00")[0]["params"]["first"] == "2030-10-27T03:00"
    assert codes(doctor, "2030-10-27T03:00") == []


def test_hours_over_midnight(in_berlin: Callable[..., Doctor]) -> None:
    doctor = in_berlin(hours("tuesday", "22:00", "24:00"), hours("wednesday", "00:00", "02:00"))
    said = explained(doctor, f"{TUESDAY}T23:30")
    assert (said["offered"], said["at"]["end_time"]) == (True, "00:30")
    assert codes(doctor, f"{WEDNESDAY}T01:00") == []
    late = reasons(doctor, f"{WEDNESDAY}T01:30")[0]
    assert (late["code"], late["params"]["hours_end"]) == ("beyond_hours", f"{WEDNESDAY}T02:00")
    outside = only_reason(doctor, f"{TUESDAY}T21:00")
    assert "22:00 to 24:00" in outside["message"]
    closure = doctor.close(WEDNESDAY)
    closed = only_reason(doctor, f"{TUESDAY}T23:30")
    assert (closed["code"], closed["params"]["exception_id"]) == ("closed", closure)


def test_a_visit_of_a_day_with_long_buffers(api: Api, in_berlin: Callable[..., Doctor]) -> None:
    every_day = [hours(day, "00:00", "24:00") for day in ("tuesday", "wednesday", "thursday")]
    doctor = in_berlin(*every_day, minutes=1440, step=60, buffer_before=480, buffer_after=480)
    ada = api.patient("Ada Sample")
    first = explained(doctor, f"{WEDNESDAY}T00:00")
    appointment = ada.book(first["slot_id"])
    reason = only_reason(doctor, f"{TUESDAY}T00:00")
    assert reason["message"].startswith(
        f"Appointment {appointment} is from 2030-03-06 00:00 to 2030-03-07 00:00, and takes 16:00"
    )
    short = doctor.add_visit_type("Check", 5, step=5)
    assert codes(doctor, "2030-03-07T07:55", visit_type=short) == ["taken"]
    assert codes(doctor, "2030-03-07T08:00", visit_type=short) == []


def test_many_appointments_in_the_way_are_not_all_named(api: Api, doctor: Doctor) -> None:
    course = doctor.add_visit_type("Course", 30, capacity=30)
    slot = explained(doctor, f"{TUESDAY}T09:00", visit_type=course)["slot_id"]
    for number in range(22):
        api.patient(f"Patient {number}").book(slot)
    assert codes(doctor, f"{TUESDAY}T09:00") == ["taken"] * 20


def test_openings_that_are_not_laid_yet(app: APIFlask, doctor: Doctor) -> None:
    for opening_id in opening_ids(app, doctor).values():
        set_columns(app, Opening, opening_id, from_minute=1, until_minute=2, runs_until=2)
    reason = only_reason(doctor, f"{TUESDAY}T09:00")
    assert reason["code"] == "hours_not_computed"
    assert codes(doctor, f"{WEDNESDAY}T09:00") == ["outside_hours"]


def test_an_overbooked_appointment_takes_no_time(app: APIFlask, doctor: Doctor, ada: Patient) -> None:
    appointment = ada.book(ada.free(doctor)[0]["slot_id"])
    set_columns(app, Appointment, appointment, overbooked=True)
    assert codes(doctor, f"{TUESDAY}T09:00") == []
