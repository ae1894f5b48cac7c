"""GET /appointments/my and GET /appointments/doctor: one list, as a patient and as a doctor sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import StillClock
from tests.people import DAY, Api, Doctor, Patient, Person, error_of


@dataclass
class List:
    """Ada's appointments with Dr. Quill, and whose list of them is read."""

    doctor: Doctor
    patient: Patient
    reader: Person
    path: str
    # The field that names the other one, and who that is.
    other: dict[str, str]
    # Two whose appointments do not belong in the list, although the other one may be among them.
    unlisted: tuple[Doctor, Patient]

    def page(self, query: str = "") -> dict[str, Any]:
        answer = self.reader.get(self.path + query)
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()

    def rows(self) -> list[dict[str, Any]]:
        return self.page()["data"]

    def ids(self) -> list[int]:
        return [row["appointment_id"] for row in self.rows()]

    def book(self, start: str, end: str, date: str = DAY) -> int:
        return self.patient.book(self.doctor.publish(start, end, date))

    def book_unlisted(self, start: str, end: str) -> int:
        doctor, patient = self.unlisted
        return patient.book(doctor.publish(start, end))

    def cancel(self, appointment_id: int) -> int:
        return self.reader.post(f"/appointments/{appointment_id}/cancel").status_code


@pytest.fixture(params=["patient", "doctor"])
def listed(request: pytest.FixtureRequest, api: Api) -> List:
    doctor, patient = api.doctor("Dr. Fenna Quill"), api.patient("Ada Sample")
    if request.param == "patient":
        others = (doctor, api.patient("Ben Sample"))
        return List(doctor, patient, patient, "/appointments/my", {"doctor_name": "Dr. Fenna Quill"}, others)
    others = (api.doctor("Dr. Koji Stem"), patient)
    return List(doctor, patient, doctor, "/appointments/doctor", {"patient_name": "Ada Sample"}, others)


def test_a_new_account_has_none(listed: List) -> None:
    assert listed.page() == {"data": [], "next_cursor": None}


def test_an_appointment_is_listed_whole_and_without_addresses(listed: List) -> None:
    appointment_id = listed.book("09:00", "09:30")
    assert listed.page() == {
        "data": [
            {
                "appointment_id": appointment_id,
                **listed.other,
                "date": DAY,
                "start_time": "09:00",
                "end_time": "09:30",
                "starts_at": "2030-03-05T09:00:00+00:00",
                "ends_at": "2030-03-05T09:30:00+00:00",
                "time_zone": "UTC",
                "status": "booked",
            }
        ],
        "next_cursor": None,
    }
    assert b"@" not in listed.reader.get(listed.path).data


def test_the_status_moves_with_the_clock(listed: List, clock: StillClock) -> None:
    listed.book("09:00", "09:30", "2030-03-04")
    assert listed.cancel(listed.book("09:30", "10:00", "2030-03-04")) == 200

    def statuses() -> list[str]:
        return [row["status"] for row in listed.rows()]

    assert statuses() == ["cancelled", "booked"]
    clock.forward(minutes=59, seconds=59)
    assert statuses() == ["cancelled", "booked"]
    clock.forward(seconds=1)
    assert statuses() == ["cancelled", "in_progress"]
    clock.forward(minutes=29, seconds=59)
    assert statuses() == ["cancelled", "in_progress"]
    clock.forward(seconds=1)
    assert statuses() == ["cancelled", "completed"]


def test_an_appointment_stays_for_ever(listed: List, api: Api, clock: StillClock) -> None:
    listed.book("09:00", "09:30")
    assert listed.cancel(listed.book("10:00", "10:30")) == 200
    clock.forward(days=3650)
    # The token has expired; the same person logs in again.
    listed.reader.token = api.log_in(listed.reader.email).get_json()["access_token"]
    assert [row["status"] for row in listed.rows()] == ["cancelled", "completed"]


def test_an_appointment_is_booked_if_and_only_if_it_can_be_cancelled(listed: List, clock: StillClock) -> None:
    spans = (("08:30", "09:00"), ("09:00", "09:30"), ("09:30", "10:00"), ("10:00", "10:30"))
    booked = [listed.book(*span, "2030-03-04") for span in spans]
    assert listed.cancel(booked[0]) == 200
    clock.forward(hours=1)
    for row in listed.rows():
        assert (listed.cancel(row["appointment_id"]) == 200) == (row["status"] == "booked"), row


def test_the_newest_booking_comes_first_whatever_its_time(listed: List) -> None:
    booked = [listed.book(start, f"{start[:3]}30") for start in ("11:00", "09:00", "12:00", "10:00")]
    assert listed.ids() == booked[::-1]


def test_an_appointment_that_was_cancelled_keeps_its_place(listed: List) -> None:
    slot_id = listed.doctor.publish("11:00", "11:30")
    first = listed.patient.book(slot_id)
    assert listed.cancel(first) == 200
    second, third = listed.patient.book(slot_id), listed.book("09:00", "09:30")
    assert [(row["appointment_id"], row["status"]) for row in listed.rows()] == [
        (third, "booked"),
        (second, "booked"),
        (first, "cancelled"),
    ]


def test_pages_go_on_at_the_cursor(listed: List) -> None:
    booked = []
    for hour in range(9, 14):
        booked.append(listed.book(f"{hour:02}:00", f"{hour:02}:30"))
        listed.book_unlisted(f"{hour:02}:30", f"{hour:02}:45")
    assert listed.cancel(booked[2]) == 200
    for limit in (1, 2, 3, 4, 5, 1000):
        seen: list[int] = []
        query = f"?limit={limit}"
        for _ in range(6):
            page = listed.page(query)
            assert len(page["data"]) <= limit
            seen += [row["appointment_id"] for row in page["data"]]
            if page["next_cursor"] is None:
                break
            query = f"?limit={limit}&cursor={page['next_cursor']}"
        assert seen == booked[::-1]


def test_the_last_page_has_no_cursor_even_if_it_is_full(listed: List) -> None:
    for hour in range(9, 13):
        listed.book(f"{hour:02}:00", f"{hour:02}:30")
    page = listed.page("?limit=4")
    assert (len(page["data"]), page["next_cursor"]) == (4, None)


def test_a_booking_made_meanwhile_shifts_no_page(listed: List) -> None:
    booked = [listed.book(f"{hour:02}:00", f"{hour:02}:30") for hour in range(9, 13)]
    first = listed.page("?limit=2")
    listed.book("15:00", "15:30")
    second = listed.page(f"?limit=2&cursor={first['next_cursor']}")
    assert [row["appointment_id"] for row in first["data"] + second["data"]] == booked[::-1]
    assert second["next_cursor"] is None


def test_a_cursor_past_the_end_is_an_empty_page(listed: List) -> None:
    booked = listed.book("09:00", "09:30")
    assert listed.page(f"?cursor={booked}") == {"data": [], "next_cursor": None}
    assert len(listed.page(f"?cursor={2**63 - 1}")["data"]) == 1


def test_a_limit_out_of_range_is_refused(listed: List) -> None:
    for limit in ("0", "1001", "-5"):
        answer = listed.reader.get(f"{listed.path}?limit={limit}")
        assert answer.status_code == 400
        assert error_of(answer).startswith("limit")


def test_other_peoples_appointments_are_not_shown(listed: List) -> None:
    listed.book_unlisted("09:00", "09:30")
    assert listed.rows() == []
    assert listed.page("?cursor=1000")["data"] == []
