"""GET /doctor/availability."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import StillClock
from tests.people import Api, Doctor, error_of

PATH = "/doctor/availability"


def listed(doctor: Doctor, **query: Any) -> list[dict[str, Any]]:
    answer = doctor.get(PATH, query_string={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()["data"]


def ids(doctor: Doctor, **query: Any) -> list[int]:
    return [row["slot_id"] for row in listed(doctor, **query)]


def test_own_slots_are_listed_by_time_with_their_status(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    late, early, withdrawn = doctor.publish("10:00", "10:30"), doctor.publish(), doctor.publish("11:00", "11:30")
    api.doctor("Dr. Imani Lark").publish("12:00", "12:30")
    patient.book(early)
    doctor.delete(f"{PATH}/{withdrawn}")
    rows = listed(doctor)
    assert [(row["slot_id"], row["status"]) for row in rows] == [(early, "booked"), (late, "free")]
    assert rows[0] == {
        "slot_id": early,
        "status": "booked",
        "date": "2030-03-05",
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-03-05T09:00:00+00:00",
        "ends_at": "2030-03-05T09:30:00+00:00",
        "time_zone": "UTC",
    }
    for status, expected in (("free", [late]), ("booked", [early]), ("withdrawn", [withdrawn])):
        assert ids(doctor, status=status) == expected


def test_a_slot_whose_appointment_is_cancelled_is_free_again(api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    patient.cancel(patient.book(slot_id))
    assert ids(doctor, status="free") == [slot_id]


def test_today_counts_on_the_doctors_clock_and_earlier_days_only_if_asked_for(api: Api, clock: StillClock) -> None:
    doctor = api.doctor(time_zone="Pacific/Auckland")
    # It is 21:00 of Monday, 4 March.
    today, tomorrow = doctor.publish("22:00", "23:00", "2030-03-04"), doctor.publish("00:00", "01:00", "2030-03-05")
    assert ids(doctor) == [today, tomorrow]
    clock.forward(hours=2.5)
    assert ids(doctor) == [today, tomorrow]
    clock.forward(hours=1)
    assert ids(doctor) == [tomorrow]
    assert ids(doctor, from_="2030-03-04") == [today, tomorrow]
    assert ids(doctor, from_="2030-03-04", until="2030-03-04") == [today]
    assert ids(doctor, until="2030-03-04") == []


def test_days_are_those_of_the_doctors_zone_also_for_slots_of_another(api: Api) -> None:
    doctor = api.doctor(time_zone="Asia/Tokyo")
    slot_id = doctor.publish("08:00", "09:00", "2030-03-06")
    assert ids(doctor, from_="2030-03-06", until="2030-03-06") == [slot_id]
    assert doctor.post("/doctor/profile", {"time_zone": "UTC"}).status_code == 200
    assert ids(doctor, from_="2030-03-06", until="2030-03-06") == []
    [row] = listed(doctor, from_="2030-03-05", until="2030-03-05")
    assert (row["date"], row["start_time"], row["time_zone"]) == ("2030-03-06", "08:00", "Asia/Tokyo")


@pytest.mark.parametrize("status", [None, "withdrawn"])
def test_the_pages_together_are_the_list(api: Api, status: str | None) -> None:
    doctor = api.doctor()
    for _ in range(2):
        # The withdrawn ones are at the same times.
        for number in range(3):
            slot_id = doctor.publish(f"{9 + number:02}:00", f"{9 + number:02}:30")
            if status:
                doctor.delete(f"{PATH}/{slot_id}")
        if not status:
            break
    query = {"status": status} if status else {}
    whole = ids(doctor, **query)
    assert len(whole) == (6 if status else 3)
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = doctor.get(PATH, query_string={"limit": 2, **query, **cursor}).get_json()
        seen += [row["slot_id"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        assert len(page["data"]) == 2
        cursor = {"cursor": page["next_cursor"]}
    assert seen == whole


def test_a_whole_last_page_has_no_cursor(api: Api) -> None:
    doctor = api.doctor()
    doctor.publish()
    assert doctor.get(f"{PATH}?limit=1").get_json()["next_cursor"] is None
    assert doctor.get(PATH).get_json()["next_cursor"] is None


def test_the_ends_of_the_calendar_are_taken(api: Api) -> None:
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "America/Juneau", "Asia/Manila"):
        doctor = api.doctor(time_zone=zone)
        slot_id = doctor.publish()
        for first, until in (("0001-01-01", "9999-12-31"), ("0001-01-01", None)):
            assert ids(doctor, from_=first, until=until) == [slot_id], zone
        for day in ("0001-01-01", "9999-12-31"):
            assert ids(doctor, from_=day, until=day) == [], zone


def test_until_must_not_be_before_from(api: Api) -> None:
    answer = api.doctor().get(f"{PATH}?from=2030-03-05&until=2030-03-04")
    assert answer.status_code == 400
    assert error_of(answer) == "until must not be before from."
