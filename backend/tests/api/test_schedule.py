"""GET /doctor/schedule."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import insert

from src.database.transaction import transaction
from src.domain.appointment_rules import LONGEST_SLOT
from src.domain.minutes import minute_of
from src.models import Appointment, HoursException
from src.models.appointment import LONGEST_BUSY
from tests.computed import book_computed, set_columns
from tests.conftest import NOW, StillClock
from tests.people import DAY, Api, Doctor, error_of, hours

PATH = "/doctor/schedule"
LISTS = ("openings", "published_slots", "appointments", "holds", "closures")


def schedule(doctor: Doctor, **query: Any) -> dict[str, Any]:
    answer = doctor.get(PATH, query_string={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def day(doctor: Doctor, when: str) -> dict[str, Any]:
    return schedule(doctor, from_=when, until=when)


def shown(doctor: Doctor, when: str) -> set[str]:
    """Return which lists show something on the day."""
    answer = day(doctor, when)
    return {name for name in LISTS if answer[name]}


def test_all_that_is_on_a_day_is_shown(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "12:00", place="Room 2"))
    kind = doctor.add_visit_type("Checkup", buffer_before=10, buffer_after=5)
    slot_id, booked = doctor.publish("18:00", "18:30"), doctor.publish("19:00", "19:30")
    computed = patient.times(doctor, visit_type=kind)[0]["slot_id"]
    at_slot, at_time = patient.book(booked), patient.book(computed)
    held = patient.times(doctor, visit_type=kind)[0]["slot_id"]
    patient.hold(held)
    patient.cancel(patient.book(doctor.publish("20:00", "20:30", "2030-03-06")))
    closure = doctor.close(DAY, **{"from": "21:00", "until": "22:00"}, reason="Conference")
    other = api.doctor("Dr. Imani Lark")
    api.patient().book(other.publish())
    other.close(DAY)

    answer = day(doctor, DAY)

    assert list(answer) == ["time_zone", "from", "until", *LISTS]
    assert [answer[name] for name in ("time_zone", "from", "until")] == ["UTC", DAY, DAY]
    [opening] = answer["openings"]
    assert opening == {
        "date": DAY,
        "start_time": "09:00",
        "end_time": "12:00",
        "starts_at": f"{DAY}T09:00:00+00:00",
        "ends_at": f"{DAY}T12:00:00+00:00",
        "time_zone": "UTC",
        "visit_type_id": None,
        "place": "Room 2",
    }
    assert answer["published_slots"] == doctor.get("/doctor/availability").get_json()["data"][:2]
    assert [row["slot_id"] for row in answer["published_slots"]] == [slot_id, booked]
    listed = {row["appointment_id"]: row for row in doctor.get("/appointments/doctor").get_json()["data"]}
    first, second = answer["appointments"]
    assert first == listed[at_time] | {
        "slot_id": computed,
        "visit_type_id": kind,
        "busy_starts_at": f"{DAY}T08:50:00+00:00",
        "busy_ends_at": f"{DAY}T09:35:00+00:00",
    }
    assert second == listed[at_slot] | {
        "slot_id": booked,
        "visit_type_id": None,
        "busy_starts_at": f"{DAY}T19:00:00+00:00",
        "busy_ends_at": f"{DAY}T19:30:00+00:00",
    }
    [hold] = answer["holds"]
    assert hold == {
        "slot_id": held,
        "visit_type_id": kind,
        "held_until": "2030-03-04T08:10:00+00:00",
        "date": DAY,
        "start_time": "10:00",
        "end_time": "10:30",
        "starts_at": f"{DAY}T10:00:00+00:00",
        "ends_at": f"{DAY}T10:30:00+00:00",
        "time_zone": "UTC",
        "busy_starts_at": f"{DAY}T09:50:00+00:00",
        "busy_ends_at": f"{DAY}T10:35:00+00:00",
    }
    assert answer["closures"] == [
        row for row in doctor.get("/doctor/exceptions").get_json()["data"] if row["id"] == closure
    ]


def test_without_a_query_it_is_a_week_from_today_on_the_doctors_clock(api: Api, clock: StillClock) -> None:
    doctor = api.doctor(time_zone="Pacific/Auckland")
    assert [schedule(doctor)[name] for name in ("from", "until")] == ["2030-03-04", "2030-03-10"]
    clock.forward(hours=3)
    assert [schedule(doctor)[name] for name in ("from", "until")] == ["2030-03-05", "2030-03-11"]
    assert [schedule(doctor, from_="2030-12-30")[name] for name in ("from", "until")] == ["2030-12-30", "2031-01-05"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2030-03-01&until=2030-05-02", "until must be at most 61 days after from."),
        ("from=2030-03-02&until=2030-03-01", "until must not be before from."),
        ("until=2030-03-05", "until must not be given without from."),
    ],
)
def test_days_that_cannot_be_shown_are_refused(api: Api, query: str, sentence: str) -> None:
    answer = api.doctor().get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert error_of(answer) == sentence
    assert [finding["field"] for finding in answer.get_json()["errors"]] == ["until"]


def test_sixty_two_days_and_the_ends_of_the_calendar_are_shown(api: Api) -> None:
    for zone in ("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Manila", "America/Juneau"):
        doctor = api.doctor(time_zone=zone)
        assert schedule(doctor, from_="2030-03-01", until="2030-05-01")["until"] == "2030-05-01"
        assert schedule(doctor, from_="0001-01-01")["until"] == "0001-01-07"
        assert schedule(doctor, from_="9999-12-31")["until"] == "9999-12-31"


def test_what_runs_over_midnight_is_shown_on_both_days(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "20:00", "24:00"), hours("wednesday", "00:00", "04:00"))
    kind = doctor.visit_types()[0]["id"]
    doctor.publish("19:00", "01:00", "2030-03-12")
    book_computed(app, doctor, patient, kind, "2030-03-05 23:45")
    doctor.close("2030-03-12", last_day="2030-03-13", **{"from": "00:00", "until": "24:00"})

    assert shown(doctor, "2030-03-04") == set()
    assert shown(doctor, "2030-03-05") == {"openings", "appointments"}
    assert shown(doctor, "2030-03-06") == {"openings", "appointments"}
    assert shown(doctor, "2030-03-07") == set()
    assert shown(doctor, "2030-03-11") == set()
    assert shown(doctor, "2030-03-12") == {"published_slots", "closures"}
    assert shown(doctor, "2030-03-13") == {"published_slots", "closures"}
    assert shown(doctor, "2030-03-14") == set()


def test_what_ends_when_the_day_begins_is_not_shown(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "20:00", "24:00"))
    kind = doctor.visit_types()[0]["id"]
    doctor.publish("23:00", "24:00")
    book_computed(app, doctor, patient, kind, f"{DAY} 22:30", minutes=90)
    hold = doctor.publish("23:00", "24:00", "2030-03-07")
    patient.hold(hold)
    assert shown(doctor, "2030-03-05") == {"openings", "published_slots", "appointments"}
    assert shown(doctor, "2030-03-06") == set()
    assert shown(doctor, "2030-03-07") == {"published_slots", "holds"}
    assert shown(doctor, "2030-03-08") == set()


def test_buffers_reach_into_the_day_before_and_the_day_after(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    kind = doctor.add_visit_type("Surgery", minutes=60, buffer_before=450, buffer_after=450)
    doctor.set_hours(hours("tuesday", "00:00", "24:00"))
    early = patient.times(doctor, visit_type=kind, until=DAY)[7]
    assert early["start_time"] == "07:00"
    patient.hold(early["slot_id"])
    api.patient().book(early["slot_id"] + 16 * 60)
    for when, expected in (
        ("2030-03-04", {"holds"}),
        (DAY, {"openings", "holds", "appointments"}),
        ("2030-03-06", {"appointments"}),
        ("2030-03-07", set()),
    ):
        assert shown(doctor, when) == expected, when


def test_the_longest_slot_is_shown_on_its_last_day(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    number = patient.book(doctor.publish("00:00", "00:30"))
    begin = NOW.replace(day=5, hour=0)
    span = {"starts_at": begin, "ends_at": begin + LONGEST_SLOT, "wall_start": None, "wall_end": None}
    minute = minute_of(begin)
    # Appointments that had ended when migration 0013 ran have no range.
    for busy in ((None, None), (minute, minute + LONGEST_BUSY)):
        set_columns(app, Appointment, number, busy_from=busy[0], busy_until=busy[1], **span)
        assert shown(doctor, "2030-03-07") == {"appointments"}
        assert shown(doctor, "2030-03-08") == set()


def test_an_expired_hold_and_what_is_cancelled_or_withdrawn_is_not_shown(api: Api, clock: StillClock) -> None:
    doctor, patient = api.doctor(), api.patient()
    held, withdrawn = doctor.publish("09:00", "09:30"), doctor.publish("10:00", "10:30")
    patient.hold(held)
    doctor.delete(f"/doctor/availability/{withdrawn}")
    patient.cancel(patient.book(doctor.publish("11:00", "11:30")))
    answer = day(doctor, DAY)
    assert [row["slot_id"] for row in answer["holds"]] == [held]
    assert [row["slot_id"] for row in answer["published_slots"]] == [held, answer["published_slots"][1]["slot_id"]]
    assert answer["appointments"] == []
    clock.forward(minutes=10)
    assert day(doctor, DAY)["holds"] == []


def test_a_hold_does_not_say_who_holds(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient("Ada Unmistakable")
    patient.hold(doctor.publish())
    answer = doctor.get(f"{PATH}?from={DAY}&until={DAY}")
    assert answer.get_json()["holds"]
    assert "Unmistakable" not in answer.text
    assert str(patient.id) not in answer.get_json()["holds"][0].values()


def test_past_days_show_what_became_of_the_appointments(api: Api, clock: StillClock) -> None:
    doctor, patient = api.doctor(), api.patient()
    patient.book(doctor.publish())
    clock.forward(hours=25, minutes=10)
    assert [row["status"] for row in day(doctor, DAY)["appointments"]] == ["in_progress"]
    clock.forward(days=3)
    assert [row["status"] for row in day(doctor, DAY)["appointments"]] == ["completed"]


def test_closures_of_the_clinic_are_shown_and_extra_hours_are_openings(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    first = date.fromisoformat(DAY)
    row = {"kind": "closed", "first_day": first, "last_day": first, "from_time": 0, "until_time": 720}
    with app.app_context(), transaction(writes=True) as db:
        db.execute(insert(HoursException).values(row | {"created_at": NOW, "reason": "Holiday"}))
    kind = doctor.add_visit_type()
    doctor.open(DAY, "10:00", "14:00", visit_types=[kind])
    answer = day(doctor, DAY)
    [closure] = answer["closures"]
    assert (closure["of_clinic"], closure["reason"], closure["from"], closure["until"]) == (
        True,
        "Holiday",
        "00:00",
        "12:00",
    )
    [opening] = answer["openings"]
    assert (opening["start_time"], opening["end_time"], opening["visit_type_id"]) == ("12:00", "14:00", kind)


def test_days_and_openings_are_on_the_doctors_clock_over_a_change_of_the_clocks(api: Api) -> None:
    doctor = api.doctor(time_zone="Europe/Berlin")
    doctor.set_hours(hours("sunday", "00:00", "04:00"), time_zone="Europe/Berlin")
    # On 31 March 2030 the clocks go from 02:00 to 03:00.
    [opening] = day(doctor, "2030-03-31")["openings"]
    assert (opening["starts_at"], opening["ends_at"]) == ("2030-03-31T00:00:00+01:00", "2030-03-31T04:00:00+02:00")
    assert shown(doctor, "2030-03-30") == shown(doctor, "2030-04-01") == set()


def test_an_appointment_shows_its_own_zone_and_the_days_are_of_the_present_one(api: Api) -> None:
    doctor, patient = api.doctor(time_zone="Asia/Tokyo"), api.patient()
    patient.book(doctor.publish("08:00", "09:00", "2030-03-06"))
    assert doctor.post("/doctor/profile", {"time_zone": "UTC"}).status_code == 200
    assert shown(doctor, "2030-03-06") == set()
    [appointment] = day(doctor, "2030-03-05")["appointments"]
    assert (appointment["date"], appointment["start_time"]) == ("2030-03-06", "08:00")
    assert appointment["busy_starts_at"] == "2030-03-06T08:00:00+09:00"
