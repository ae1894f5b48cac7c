"""POST /appointments/{id}/cancel with a body: why, and whether the time is offered again."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.conftest import StillClock
from tests.offered import day_of, first_id
from tests.people import Api, Deliver, Doctor, error_of, hours

REASON = "The doctor is ill"
TUESDAY = "2030-03-05"
NIGHT = "2030-10-27"


def test_a_doctors_reason_is_in_the_history_and_in_the_mails(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    assert doctor.post(f"/appointments/{appointment_id}/cancel", {"reason": REASON}).status_code == 200
    mails = [mail for mail in deliver() if "cancelled" in mail.subject]
    assert sorted(mail.to for mail in mails) == sorted([ada.email, doctor.email])
    assert all(REASON in mail.text and REASON in mail.html for mail in mails)
    assert ada.get(f"/appointments/{appointment_id}").get_json()["history"][-1]["reason"] == REASON


def test_a_patients_reason_is_in_the_history_alone(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    assert ada.post(f"/appointments/{appointment_id}/cancel", {"reason": "A fever"}).status_code == 200
    mails = deliver()
    assert len(mails) == 3
    assert not any("fever" in mail.text + mail.html for mail in mails)
    assert doctor.get(f"/appointments/{appointment_id}").get_json()["history"][-1]["reason"] == "A fever"


def test_a_request_without_body_and_content_type_cancels_as_ever(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()
    for headers in ({}, {"Content-Type": "application/json"}):
        appointment_id = ada.book(slot_id)
        answer = ada.client.open(
            f"/appointments/{appointment_id}/cancel",
            method="POST",
            headers={"Authorization": f"Bearer {ada.token}", **headers},
        )
        assert answer.status_code == 200
        assert answer.get_json() == {"message": "The appointment is cancelled."}
        assert [slot["slot_id"] for slot in ada.free(doctor)] == [slot_id]


@pytest.mark.parametrize("body", [{}, {"reason": None}, {"reason": ""}, {"withdraw": False}])
def test_a_body_may_leave_everything_out(api: Api, body: dict[str, object]) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    assert ada.post(f"/appointments/{appointment_id}/cancel", body).status_code == 200
    assert ada.get(f"/appointments/{appointment_id}").get_json()["history"][-1]["reason"] is None


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b'{"reason": "a\\nb"}', "application/json", 400),
        (b'{"withdraw": 1}', "application/json", 400),
    ],
)
def test_a_bad_body_cancels_nothing(api: Api, data: bytes, content_type: str, status: int) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    path = f"/appointments/{appointment_id}/cancel"
    assert ada.post(path, data=data, headers={"Content-Type": content_type}).status_code == status
    assert ada.get(f"/appointments/{appointment_id}").get_json()["status"] == "booked"


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "once"}])
def test_a_withdrawn_slot_is_not_offered_again(api: Api, key: dict[str, str]) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()
    appointment_id = ada.book(slot_id)
    path = f"/appointments/{appointment_id}/cancel"
    for _ in key or range(1):
        assert doctor.post(path, {"withdraw": True}, headers=key).status_code == 200
    assert ada.free(doctor) == []
    assert ada.post("/appointments", {"slot_id": slot_id}).status_code == 404
    assert doctor.publish() != slot_id


def test_a_withdrawn_time_is_closed(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Sample")
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    times = [time["slot_id"] for time in ada.times(doctor, until=TUESDAY)]
    appointment_id = ada.book(times[1])
    stays = ben.book(times[3])
    answer = doctor.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True, "reason": REASON})
    assert answer.status_code == 200
    assert [time["start_time"] for time in ada.times(doctor, until=TUESDAY)] == ["09:00", "10:00"]
    [closure] = doctor.get("/doctor/exceptions").get_json()["data"]
    assert (closure["kind"], closure["first_day"], closure["from"], closure["until"], closure["reason"]) == (
        "closed", TUESDAY, "09:30", "10:00", None,
    )  # fmt: skip
    assert ada.post("/appointments", {"slot_id": times[1]}).status_code == 409
    assert ben.get(f"/appointments/{stays}").get_json()["status"] == "booked"


def test_a_withdrawn_time_over_midnight_is_closed_on_both_days(api: Api) -> None:
    doctor, ada = api.doctor(time_zone="Asia/Tokyo"), api.patient()
    doctor.set_hours(hours("tuesday", "22:00", "24:00"), hours("wednesday", "00:00", "02:00"), time_zone="Asia/Tokyo")
    kind = doctor.add_visit_type("Night visit", 60, step=30)
    [late] = [time for time in ada.times(doctor, visit_type=kind) if time["start_time"] == "23:30"][:1]
    appointment_id = ada.book(late["slot_id"])
    assert doctor.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True}).status_code == 200
    assert closures(doctor) == [("2030-03-05", "23:30", "24:00"), ("2030-03-06", "00:00", "00:30")]


@pytest.mark.parametrize("begin", ["01:00", "01:30", "02:00"])
def test_a_withdrawn_time_up_to_the_hour_that_comes_twice_is_closed(api: Api, clock: StillClock, begin: str) -> None:
    clock.now = datetime(2030, 10, 20, 8, tzinfo=timezone.utc)
    doctor, ada = api.doctor(time_zone="Europe/Berlin"), api.patient()
    doctor.set_hours(hours("sunday", begin, "03:00"), time_zone="Europe/Berlin")
    minutes = 60 * 3 - 60 * int(begin[:2]) - int(begin[3:])
    kind = doctor.add_visit_type(minutes=minutes)
    # It ends when the clocks show 02:00 for the second time.
    appointment_id = ada.book(first_id(ada, doctor, kind, NIGHT))
    assert doctor.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True}).status_code == 200
    assert day_of(ada, doctor, day=NIGHT) == []


@pytest.mark.parametrize("at", ["computed time", "published slot"])
def test_nothing_that_overlaps_a_withdrawn_time_is_offered(api: Api, at: str) -> None:
    doctor, other, ada = api.doctor(), api.doctor("Dr. Imani Lark"), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    slot_id, touching = doctor.publish("09:30", "10:00"), doctor.publish("10:00", "10:30")
    before, elsewhere = doctor.publish("09:15", "09:30"), other.publish("09:30", "10:00")
    [time] = [one for one in ada.times(doctor, until=TUESDAY) if one["start_time"] == "09:30" and one["visit_type_id"]]
    appointment_id = ada.book(time["slot_id"] if at == "computed time" else slot_id)
    assert doctor.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True}).status_code == 200
    offered = ada.times(doctor, until=TUESDAY)
    assert [one["start_time"] for one in offered if one["visit_type_id"]] == ["09:00", "10:00", "10:30"]
    assert [one["slot_id"] for one in offered if not one["visit_type_id"]] == [before, touching]
    assert [one["slot_id"] for one in ada.free(other)] == [elsewhere]
    for gone in (slot_id, time["slot_id"]):
        assert ada.post("/appointments", {"slot_id": gone}).status_code in {404, 409}
    assert closures(doctor) == [(TUESDAY, "09:30", "10:00")]


def test_free_slots_that_overlap_a_withdrawn_time_in_part_are_withdrawn(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    before, after = doctor.publish("09:00", "09:31"), doctor.publish("09:59", "10:30")
    [time] = [one for one in ada.times(doctor, until=TUESDAY) if one["start_time"] == "09:30"]
    appointment_id = ada.book(time["slot_id"])
    assert doctor.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True}).status_code == 200
    assert [one["start_time"] for one in ada.times(doctor, until=TUESDAY)] == ["09:00", "10:00", "10:30"]
    withdrawn = doctor.get("/doctor/availability?status=withdrawn").get_json()["data"]
    assert [slot["slot_id"] for slot in withdrawn] == [before, after]


@pytest.mark.parametrize(
    ("begin", "end", "day", "closed"),
    [
        ("11:00", "11:30", TUESDAY, []),
        ("09:00", "09:30", "2030-03-06", []),
        ("08:45", "09:15", TUESDAY, [(TUESDAY, "08:45", "09:15")]),
        ("10:59", "11:30", TUESDAY, [(TUESDAY, "10:59", "11:30")]),
        # The hours reach further than visits can be booked today.
        ("09:00", "09:30", "2031-03-04", [("2031-03-04", "09:00", "09:30")]),
    ],
)
def test_the_time_of_a_withdrawn_slot_is_closed_if_the_doctor_is_open_then(
    api: Api, begin: str, end: str, day: str, closed: list[tuple[str, str, str]]
) -> None:
    doctor, ada = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    appointment_id = ada.book(doctor.publish(begin, end, day))
    assert doctor.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True}).status_code == 200
    assert closures(doctor) == closed


def test_a_withdrawn_time_that_is_closed_already_is_not_closed_again(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    appointment_id = ada.book(ada.times(doctor, until=TUESDAY)[0]["slot_id"])
    doctor.close(TUESDAY, **{"from": "09:00", "until": "10:00"})
    assert doctor.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True}).status_code == 200
    assert closures(doctor) == [(TUESDAY, "09:00", "10:00")]


def closures(doctor: Doctor) -> list[tuple[str, str, str]]:
    rows = doctor.get("/doctor/exceptions").get_json()["data"]
    return [(row["first_day"], row["from"], row["until"]) for row in rows]


def test_patients_cannot_withdraw_a_time(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    refused = ada.post(f"/appointments/{appointment_id}/cancel", {"withdraw": True})
    assert refused.status_code == 403
    assert error_of(refused) == "Only the doctor can withdraw a time; please cancel without `withdraw`."
    assert ada.get(f"/appointments/{appointment_id}").get_json()["status"] == "booked"
