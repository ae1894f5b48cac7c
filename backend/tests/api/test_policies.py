"""What a clinic and its doctors allow patients: until when to change an appointment, and how many of them to have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.conftest import MakeApp, StillClock
from tests.people import Api, Doctor, Patient, error_of

DAY = 24 * 60
Change = Callable[[Patient, int, int], TestResponse]


def _cancel(patient: Patient, appointment_id: int, _: int) -> TestResponse:
    return patient.cancel(appointment_id)


def _move(patient: Patient, appointment_id: int, slot_id: int) -> TestResponse:
    return patient.move(appointment_id, slot_id)


CHANGES = pytest.mark.parametrize("change", [_cancel, _move])


def publish_hours(doctor: Doctor, number: int) -> list[int]:
    """Publish so many slots on 5 March, one each hour from 9:00."""
    return [doctor.publish(f"{hour:02}:00", f"{hour:02}:30") for hour in range(9, 9 + number)]


def kind_of(answer: TestResponse) -> str:
    return answer.get_json()["type"].rpartition(":")[2]


def test_by_default_the_clinic_limits_only_the_number_of_changes(api: Api) -> None:
    doctor = api.doctor()
    clinics = {"cancellation_notice": 0, "most_ahead": None, "most_ahead_with_doctor": None, "changes_per_hour": 30}
    unset = {"cancellation_notice": None, "most_ahead": None}
    assert doctor.get("/doctor/policies").get_json() == unset | {"clinic": clinics}


def test_a_doctor_replaces_the_policies(api: Api) -> None:
    doctor, other = api.doctor(), api.doctor("Dr. Stem")
    own = {"cancellation_notice": DAY, "most_ahead": 3}
    changed = doctor.put("/doctor/policies", own)
    assert changed.status_code == 200
    assert {name: changed.get_json()[name] for name in own} == own
    shown = doctor.get("/doctor/policies").get_json()
    assert {name: shown[name] for name in own} == own
    assert other.get("/doctor/policies").get_json()["most_ahead"] is None
    doctor.put("/doctor/policies", {"most_ahead": 2})
    shown = doctor.get("/doctor/policies").get_json()
    assert (shown["cancellation_notice"], shown["most_ahead"]) == (None, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cancellation_notice", -1),
        ("cancellation_notice", 527041),
        ("cancellation_notice", 1.5),
        ("cancellation_notice", True),
        ("most_ahead", 0),
        ("most_ahead", 1_000_001),
        ("most_ahead", "3"),
    ],
)
def test_a_policy_out_of_range_is_refused(api: Api, field: str, value: Any) -> None:
    answer = api.doctor().put("/doctor/policies", {field: value})
    assert answer.status_code == 400
    assert error_of(answer).startswith(field)


@CHANGES
def test_patients_can_cancel_and_move_until_the_last_minute_of_the_notice(
    make_app: MakeApp, clock: StillClock, change: Change
) -> None:
    """The appointment is on 5 March at 9:00, and the notice 60 minutes."""
    api = Api(make_app(cancellation_notice_minutes=60).test_client())
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Sample")
    nine, other, third = publish_hours(doctor, 3)
    [early, late] = [ada.book(nine), ben.book(other)]
    clock.forward(hours=24)
    assert ada.get(f"/appointments/{early}").get_json()["can_cancel"]
    assert change(ada, early, third).status_code == 200
    clock.forward(hours=1, minutes=1)
    listed = ben.get("/appointments/my").get_json()["data"][0]
    assert (listed["status"], listed["can_cancel"], listed["can_move"]) == ("booked", False, False)
    refused = change(ben, late, nine)
    assert refused.status_code == 409
    assert kind_of(refused) == "too-late"
    assert error_of(refused) == (
        "Patients can cancel or move this appointment until 1 hour before its start, which was on 2030-03-05 at 09:00"
        " (UTC); please call the practice."
    )


@CHANGES
def test_doctors_can_cancel_and_move_after_the_notice(make_app: MakeApp, clock: StillClock, change: Change) -> None:
    api = Api(make_app(cancellation_notice_minutes=60).test_client())
    doctor, ada = api.doctor(), api.patient()
    nine, ten = publish_hours(doctor, 2)
    appointment_id = ada.book(nine)
    clock.forward(hours=24, minutes=59)
    assert doctor.get("/appointments/doctor").get_json()["data"][0]["can_cancel"]
    assert not ada.get(f"/appointments/{appointment_id}").get_json()["can_move"]
    as_doctor = Patient(doctor.client, doctor.name, doctor.email, doctor.id, doctor.token)
    assert change(as_doctor, appointment_id, ten).status_code == 200


@pytest.mark.parametrize(("own", "status"), [(0, 200), (None, 409), (2 * DAY, 409)])
def test_the_notice_of_a_doctor_replaces_the_clinics(make_app: MakeApp, own: int | None, status: int) -> None:
    """The appointment begins in 25 hours, and the clinic's notice is two days."""
    api = Api(make_app(cancellation_notice_minutes=2 * DAY).test_client())
    doctor, ada = api.doctor(), api.patient()
    doctor.put("/doctor/policies", {"cancellation_notice": own})
    appointment_id = ada.book(doctor.publish())
    assert ada.get("/patient/dashboard").get_json()["next_appointment"]["can_cancel"] is (status == 200)
    assert ada.cancel(appointment_id).status_code == status


def test_who_has_as_many_appointments_ahead_as_the_clinic_allows_can_neither_book_nor_hold(
    make_app: MakeApp, clock: StillClock
) -> None:
    api = Api(make_app(most_appointments_ahead=2).test_client())
    doctor, other, ada = api.doctor(), api.doctor("Dr. Stem"), api.patient()
    nine, ten, eleven = publish_hours(doctor, 3)
    first = ada.book(nine)
    ada.book(other.publish("10:00", "10:30"))
    for refused in (ada.post("/appointments", {"slot_id": eleven}), ada.post("/holds", {"slot_id": ten, "minutes": 5})):
        assert refused.status_code == 409
        assert kind_of(refused) == "too-many-ahead"
        assert error_of(refused) == "You can have 2 appointments ahead; please cancel one first."
    assert ada.move(first, eleven).status_code == 200
    assert ada.cancel(first).status_code == 200
    assert ada.book(eleven)
    # The appointment at 10:00 has begun.
    clock.forward(hours=26)
    assert ada.book(doctor.publish("12:00", "12:30"))


def test_a_hold_becomes_an_appointment_only_below_the_limit(make_app: MakeApp) -> None:
    api = Api(make_app(most_appointments_ahead=1).test_client())
    doctor, ada = api.doctor(), api.patient()
    nine, ten = publish_hours(doctor, 2)
    ada.hold(nine)
    ada.book(ten)
    assert kind_of(ada.post("/appointments", {"slot_id": nine})) == "too-many-ahead"


def test_the_limit_of_a_doctor_counts_appointments_with_this_doctor_alone(make_app: MakeApp) -> None:
    api = Api(make_app(most_appointments_ahead_per_doctor=2).test_client())
    doctor, other, ada = api.doctor(), api.doctor("Dr. Stem"), api.patient()
    doctor.put("/doctor/policies", {"most_ahead": 1})
    nine, ten = publish_hours(doctor, 2)
    mine = ada.book(nine)
    refused = ada.post("/appointments", {"slot_id": ten})
    assert kind_of(refused) == "too-many-with-doctor"
    assert error_of(refused) == "You can have one appointment ahead with this doctor; please cancel one first."
    assert ada.move(mine, ten).status_code == 200
    theirs = [ada.book(other.publish(f"{hour}:00", f"{hour}:30")) for hour in (13, 14)]
    assert kind_of(ada.post("/appointments", {"slot_id": other.publish("15:00", "15:30")})) == "too-many-with-doctor"
    moved = ada.move(theirs[0], nine)
    assert kind_of(moved) == "too-many-with-doctor"
    assert ada.cancel(mine).status_code == 200
    assert ada.move(theirs[0], nine).status_code == 200


def test_an_appointment_can_be_moved_after_the_doctor_has_lowered_the_limit(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    nine, ten, eleven = publish_hours(doctor, 3)
    mine = ada.book(nine)
    ada.book(ten)
    doctor.put("/doctor/policies", {"most_ahead": 1})
    assert ada.move(mine, eleven).status_code == 200


def test_a_patient_can_change_so_many_times_within_an_hour(make_app: MakeApp, clock: StillClock) -> None:
    """Three changes: booked at 8:00, moved at 8:20, cancelled at 8:20."""
    api = Api(make_app(patient_changes_per_hour=3).test_client())
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Sample")
    nine, ten, eleven = publish_hours(doctor, 3)
    mine = ada.book(nine)
    clock.forward(minutes=20)
    assert ada.move(mine, ten).status_code == 200
    assert ada.cancel(mine).status_code == 200
    refused = ada.post("/appointments", {"slot_id": nine}, headers={"Idempotency-Key": "again"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == str(40 * 60)
    assert kind_of(refused) == "too-many-changes"
    assert error_of(refused) == (
        "You can book, move and cancel 3 times within an hour; please try again in 40 minutes."
    )
    assert ben.book(eleven)
    clock.forward(minutes=39, seconds=59)
    assert ada.post("/appointments", {"slot_id": nine}).headers["Retry-After"] == "1"
    clock.forward(seconds=1)
    again = ada.post("/appointments", {"slot_id": nine}, headers={"Idempotency-Key": "again"})
    assert again.status_code == 201
    # Cancelling is never refused, but counts: 8:20, 8:20, 9:00 and 9:00.
    assert ada.cancel(again.get_json()["appointment_id"]).status_code == 200
    assert ada.post("/appointments", {"slot_id": nine}).headers["Retry-After"] == str(20 * 60)


def test_what_doctors_change_does_not_count_for_their_patients(make_app: MakeApp) -> None:
    api = Api(make_app(patient_changes_per_hour=2).test_client())
    doctor, ada = api.doctor(), api.patient()
    nine, ten = publish_hours(doctor, 2)
    mine = ada.book(nine)
    assert doctor.post(f"/appointments/{mine}/reschedule", {"slot_id": ten}).status_code == 200
    assert doctor.post(f"/appointments/{mine}/cancel").status_code == 200
    assert ada.book(nine)
    assert ada.post("/appointments", {"slot_id": ten}).status_code == 429
