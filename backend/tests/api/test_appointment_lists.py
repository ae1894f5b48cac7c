"""GET /appointments/my and GET /appointments/doctor: one list, as a patient and as a doctor sees it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from src.repositories import appointments_by_start
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
    return List(doctor, patient, doctor, "/appointments/doctor", {"patient_name": "Ada Sample", "reason": None}, others)


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
                "visit_type": None,
                "place": None,
                "can_cancel": True,
                "can_move": True,
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


# By start


def by_cursor(listed: List, query: str) -> list[int]:
    """Return the ids of all pages."""
    page = listed.page(f"?{query}")
    ids = [row["appointment_id"] for row in page["data"]]
    while page["next_cursor"] is not None:
        page = listed.page(f"?{query}&cursor={page['next_cursor']}")
        ids += [row["appointment_id"] for row in page["data"]]
    return ids


def test_by_start_the_earliest_comes_first(listed: List) -> None:
    eleven, nine = listed.book("11:00", "11:30"), listed.book("09:00", "09:30")
    next_week = listed.book("08:00", "08:30", "2030-03-12")
    slot_id = listed.doctor.publish("10:00", "10:30")
    gone = listed.patient.book(slot_id)
    assert listed.cancel(gone) == 200
    again = listed.patient.book(slot_id)
    listed.book_unlisted("12:00", "12:30")
    assert listed.ids() == [again, gone, next_week, nine, eleven]
    assert by_cursor(listed, "order=starts_at") == [nine, gone, again, eleven, next_week]
    for limit in range(1, 7):
        assert by_cursor(listed, f"order=starts_at&limit={limit}") == [nine, gone, again, eleven, next_week]


def test_who_is_due_in_two_days_is_found_behind_many_others(listed: List, clock: StillClock) -> None:
    due = listed.book("09:00", "09:30", "2030-03-06")
    for day in range(7, 12):
        # A patient cannot make so many changes within an hour.
        clock.forward(hours=1)
        for hour in range(8, 18):
            listed.book(f"{hour:02}:00", f"{hour:02}:30", f"2030-03-{day:02}")
    assert listed.page("?limit=1&order=starts_at")["data"][0]["appointment_id"] == due
    assert by_cursor(listed, "from=2030-03-06&until=2030-03-06") == [due]
    assert len(by_cursor(listed, "from=2030-03-07&limit=7")) == 50


def test_each_status_is_listed_by_its_word(listed: List, clock: StillClock) -> None:
    spans = (("08:30", "09:00"), ("09:00", "09:30"), ("09:30", "10:00"), ("10:00", "10:30"))
    over, gone, under_way, ahead = [listed.book(*span, "2030-03-04") for span in spans]
    assert listed.cancel(gone) == 200
    clock.forward(hours=1, minutes=30)
    expected = {"completed": [over], "cancelled": [gone], "in_progress": [under_way], "booked": [ahead]}
    assert {word: by_cursor(listed, f"status={word}") for word in expected} == expected
    for row in listed.rows():
        assert row["appointment_id"] in expected[row["status"]]
    clock.forward(minutes=30)
    assert by_cursor(listed, "status=completed") == [over, under_way]
    assert by_cursor(listed, "status=booked&until=2030-03-03") == []


@pytest.mark.parametrize(
    ("zone", "offset"), [("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12), ("Europe/Berlin", 1), ("UTC", 0)]
)
def test_days_are_those_of_the_appointments_own_zone(listed: List, zone: str, offset: int) -> None:
    listed.doctor.post("/doctor/profile", {"time_zone": zone})
    days = ("2030-03-09", "2030-03-10", "2030-03-11")
    booked = {day: [listed.book("00:00", "00:30", day), listed.book("23:00", "23:30", day)] for day in days}
    assert listed.rows()[0]["starts_at"].endswith(f"{offset:+03}:00")
    for day in days:
        assert by_cursor(listed, f"from={day}&until={day}") == booked[day]
    assert by_cursor(listed, "from=2030-03-10&limit=1") == booked["2030-03-10"] + booked["2030-03-11"]
    assert by_cursor(listed, "until=2030-03-10&limit=1") == booked["2030-03-09"] + booked["2030-03-10"]
    assert by_cursor(listed, "from=0001-01-01&until=9999-12-31&order=starts_at") == [*itertools.chain(*booked.values())]


def test_more_appointments_on_the_day_before_than_a_query_reads_at_once(
    listed: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appointments_by_start, "SPARE", 1)
    for hour in range(8, 14):
        listed.book(f"{hour:02}:00", f"{hour:02}:30", "2030-03-05")
    wanted = listed.book("09:00", "09:30", "2030-03-06")
    assert by_cursor(listed, "from=2030-03-06&limit=1") == [wanted]


def test_a_cursor_belongs_to_its_order_and_filters(listed: List) -> None:
    for hour in range(9, 13):
        listed.book(f"{hour:02}:00", f"{hour:02}:30")
    newest = listed.page("?limit=1")["next_cursor"]
    assert type(newest) is int
    queries = ["order=starts_at", "status=booked", "from=2030-03-05", "until=2030-03-05", "from=2030-03-04"]
    cursors = {query: listed.page(f"?limit=1&{query}")["next_cursor"] for query in queries}
    cursors[""] = newest
    for query in cursors:
        for other, cursor in cursors.items():
            answer = listed.reader.get(f"{listed.path}?{query}&cursor={cursor}")
            assert answer.status_code == (200 if query == other else 400), (query, other)
            if query != other:
                assert error_of(answer).startswith("cursor is of a list with other filters or another order")


def test_an_end_before_the_beginning_is_refused(listed: List) -> None:
    answer = listed.reader.get(f"{listed.path}?from=2030-03-06&until=2030-03-05")
    assert answer.status_code == 400
    assert error_of(answer) == "until must not be before from."
