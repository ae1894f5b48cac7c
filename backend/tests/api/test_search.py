"""GET /slots."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.conftest import MakeApp, StillClock
from tests.people import Api, Doctor, Patient, Person, error_of, hours

PATH = "/slots"


def search(person: Person, **query: Any) -> dict[str, Any]:
    """Return the answer to the query; `from_` is its `from`."""
    answer = person.get(PATH, query_string={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def starts(person: Person, **query: Any) -> list[str]:
    """Return doctor and start of what is found."""
    return [f"{row['doctor_name'].split()[-1]} {row['starts_at'][5:16]}" for row in search(person, **query)["data"]]


def all_pages(person: Person, limit: int, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = search(person, limit=limit, **query, **more)
        assert len(page["data"]) == limit or page["next_cursor"] is None
        rows += page["data"]
        if page["next_cursor"] is None:
            return rows
        more = {"cursor": page["next_cursor"]}


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient()


@pytest.fixture
def quill(api: Api) -> Doctor:
    """Return a doctor of Berlin who is open on Tuesdays, and has a published slot on Wednesday."""
    quill = api.doctor("Dr. Quill", specialization="Cardiology", time_zone="Europe/Berlin", designation="Prof.")
    quill.set_hours(hours("tuesday", "10:00", "12:00"), time_zone="Europe/Berlin")
    quill.publish("18:00", "18:30", "2030-03-06")
    return quill


@pytest.fixture
def stem(api: Api) -> Doctor:
    stem = api.doctor("Dr. Stem", specialization="Dermatology")
    stem.set_hours(hours("tuesday", "09:30", "10:30", place="Room 7"), hours("wednesday", "17:00", "18:00"))
    return stem


def test_the_earliest_time_of_all_doctors_comes_first(ada: Patient, quill: Doctor, stem: Doctor) -> None:
    page = search(ada, limit=4)
    assert page["data"][0] == {
        "slot_id": page["data"][0]["slot_id"],
        "date": "2030-03-05",
        "start_time": "10:00",
        "end_time": "10:30",
        "starts_at": "2030-03-05T10:00:00+01:00",
        "ends_at": "2030-03-05T10:30:00+01:00",
        "time_zone": "Europe/Berlin",
        "visit_type_id": quill.visit_types()[0]["id"],
        "seats_left": None,
        "place": None,
        "doctor_id": quill.doctor_id,
        "doctor_name": "Dr. Quill",
        "designation": "Prof.",
        "specialization": "Cardiology",
        "visit_type": "Consultation",
    }
    shown = [(row["doctor_name"], row["starts_at"], row["place"]) for row in page["data"]]
    # At one minute, the smaller id comes first.
    assert shown[1:] == [
        ("Dr. Quill", "2030-03-05T10:30:00+01:00", None),
        ("Dr. Stem", "2030-03-05T09:30:00+00:00", "Room 7"),
        ("Dr. Quill", "2030-03-05T11:00:00+01:00", None),
    ]


def test_nothing_is_found_if_there_is_nothing(ada: Patient) -> None:
    assert search(ada) == {"data": [], "next_cursor": None}
    assert search(ada, part_of_day="morning") == {"data": [], "next_cursor": None}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_the_pages_are_the_merged_lists_of_all_doctors(
    api: Api, ada: Patient, quill: Doctor, stem: Doctor, limit: int
) -> None:
    third = api.doctor("Dr. Third", time_zone="Asia/Kathmandu")
    third.set_hours(hours("tuesday", "15:00", "19:00"), time_zone="Asia/Kathmandu")
    third.publish("15:15", "15:45", "2030-03-05")
    ada.book(ada.free(stem)[1]["slot_id"])
    merged = sorted(
        (
            row | {"doctor_id": doctor.doctor_id}
            for doctor in (quill, stem, third)
            for row in ada.times(doctor, until="2030-03-20")
        ),
        key=lambda row: (datetime.fromisoformat(row["starts_at"]), row["slot_id"]),
    )
    found = all_pages(ada, limit, until="2030-03-20")
    assert [{name: row[name] for name in merged[0]} for row in found] == merged
    assert len(merged) > 20


def test_a_page_has_twenty_rows_unless_asked(ada: Patient, quill: Doctor, stem: Doctor) -> None:
    page = search(ada)
    assert len(page["data"]) == 20
    following = search(ada, cursor=page["next_cursor"], limit=100)["data"]
    assert following == all_pages(ada, 100)[20:]


@pytest.mark.parametrize("limit", ["0", "101", "-1"])
def test_a_limit_out_of_range_is_refused(ada: Patient, limit: str) -> None:
    answer = ada.get(f"{PATH}?limit={limit}")
    assert answer.status_code == 400
    assert error_of(answer).startswith("limit")


def test_only_a_specialization_or_a_doctor(ada: Patient, quill: Doctor, stem: Doctor) -> None:
    assert {row["doctor_id"] for row in search(ada, specialization=" dERMATOLOGY")["data"]} == {stem.doctor_id}
    assert {row["doctor_id"] for row in search(ada, doctor_id=quill.doctor_id)["data"]} == {quill.doctor_id}
    for query in ({"specialization": "dermato"}, {"doctor_id": 999}, {"visit_type": "nothing"}):
        assert search(ada, **query)["data"] == []
    assert search(ada, specialization="Dermatology", doctor_id=quill.doctor_id)["data"] == []


def test_visit_types_of_a_name_are_found_at_all_doctors(ada: Patient, quill: Doctor, stem: Doctor) -> None:
    kinds = [doctor.add_visit_type("Prüfung", 60, capacity=3) for doctor in (quill, stem)]
    stem.add_visit_type("Prüfung", 60, booked_by="staff")
    found = search(ada, visit_type="PRÜFUNG", until="2030-03-06")["data"]
    assert [(row["visit_type_id"], row["visit_type"], row["seats_left"]) for row in found] == [
        (kinds[0], "Prüfung", 3),
        (kinds[1], "Prüfung", 3),
        (kinds[0], "Prüfung", 3),
        (kinds[1], "Prüfung", 3),
    ]
    ada.book(found[0]["slot_id"])
    assert search(ada, visit_type="prüfung")["data"][0]["seats_left"] == 2
    # Without a name: published slots and default types.
    assert {row["visit_type"] for row in search(ada, limit=100)["data"]} == {"Consultation", None}
    assert quill.delete(f"/doctor/visit-types/{kinds[0]}").status_code == 200
    assert {row["doctor_id"] for row in search(ada, visit_type="prüfung")["data"]} == {stem.doctor_id}


def test_days_are_those_of_each_doctors_calendar(api: Api, ada: Patient) -> None:
    west = api.doctor("Dr. West", time_zone="America/Los_Angeles")
    east = api.doctor("Dr. East", time_zone="Pacific/Auckland")
    for doctor, zone in ((west, "America/Los_Angeles"), (east, "Pacific/Auckland")):
        rows = [hours(day, begin, until) for day in ("tuesday", "wednesday")
                for begin, until in (("00:00", "00:30"), ("23:30", "24:00"))]  # fmt: skip
        doctor.set_hours(*rows, time_zone=zone)
        doctor.publish("12:00", "12:30", "2030-03-06")
    # Auckland is 21 hours ahead of Los Angeles.
    wednesday = ["East 03-06T00:00", "East 03-06T12:00", "West 03-06T00:00", "East 03-06T23:30"]
    wednesday += ["West 03-06T12:00", "West 03-06T23:30"]
    assert starts(ada, from_="2030-03-06", until="2030-03-06") == wednesday
    tuesday = ["East 03-05T00:00", "West 03-05T00:00", "East 03-05T23:30", "West 03-05T23:30"]
    assert starts(ada, until="2030-03-05") == tuesday
    assert starts(ada, from_="2030-03-13", limit=1) == ["East 03-13T00:00"]
    assert starts(ada, from_="2040-01-01") == starts(ada, until="2029-01-01") == []
    assert starts(ada, from_="0001-01-01", until="9999-12-31", limit=1) == ["East 03-05T00:00"]
    assert starts(ada, until="9999-12-30", from_="9999-12-29") == starts(ada, from_="9999-12-31") == []


def test_the_last_day_is_not_before_the_first(ada: Patient) -> None:
    answer = ada.get(f"{PATH}?from=2030-03-06&until=2030-03-05")
    assert answer.status_code == 400
    assert answer.get_json()["errors"][0]["code"] == "before_from"


def test_the_parts_of_a_day_begin_at_noon_and_at_five(api: Api, ada: Patient) -> None:
    doctor = api.doctor("Dr. Quill", time_zone="Europe/Berlin")
    # The clocks go forward on Sunday, the 31st.
    weekly = [hours(day, "11:30", "17:30") for day in ("saturday", "sunday", "monday")]
    doctor.set_hours(*weekly, time_zone="Europe/Berlin")
    for begin, until in (("11:00", "11:30"), ("17:30", "17:50")):
        doctor.publish(begin, until, "2030-03-30")
    days = {"from_": "2030-03-30", "until": "2030-04-01", "limit": 100}
    morning = starts(ada, part_of_day="morning", **days)
    assert morning == ["Quill 03-30T11:00"] + [f"Quill {day}T11:30" for day in ("03-30", "03-31", "04-01")]
    afternoon = starts(ada, part_of_day="afternoon", **days)
    assert afternoon == [
        f"Quill {day}T{hour}:{minute}" for day in ("03-30", "03-31", "04-01")
        for hour in range(12, 17) for minute in ("00", "30")
    ]  # fmt: skip
    evening = starts(ada, part_of_day="evening", **days)
    assert evening == ["Quill 03-30T17:00", "Quill 03-30T17:30", "Quill 03-31T17:00", "Quill 04-01T17:00"]
    assert len(starts(ada, **days)) == len(morning + afternoon + evening)
    assert ada.get(f"{PATH}?part_of_day=Morning").status_code == 400


def test_a_group_that_somebody_booked_is_found_as_long_as_a_seat_is_left(api: Api, ada: Patient, stem: Doctor) -> None:
    stem.add_visit_type("Group", 60, capacity=2)
    first = search(ada, visit_type="group", limit=1)["data"][0]
    ada.book(first["slot_id"])
    again = search(ada, visit_type="group", limit=2)
    assert again["data"][0] == first | {"seats_left": 1}
    cursor = search(ada, visit_type="group", limit=1)["next_cursor"]
    [following] = search(ada, visit_type="group", limit=1, cursor=cursor)["data"]
    assert following == again["data"][1]
    api.patient().book(first["slot_id"])
    assert search(ada, visit_type="group", limit=1)["data"] == [following]


def test_own_holds_are_found_and_those_of_others_are_not(api: Api, ada: Patient, stem: Doctor) -> None:
    ben = api.patient()
    first = search(ada, limit=1)["data"]
    ada.hold(first[0]["slot_id"])
    assert search(ada, limit=1)["data"] == first
    for other in (ben, stem):
        assert search(other, limit=1)["data"] != first


def test_a_doctor_who_left_is_not_found(ada: Patient, quill: Doctor, stem: Doctor) -> None:
    assert stem.delete("/doctor/account").status_code == 200
    assert {row["doctor_id"] for row in search(ada)["data"]} == {quill.doctor_id}


def test_what_has_passed_is_not_found(ada: Patient, quill: Doctor, stem: Doctor, clock: StillClock) -> None:
    page = search(ada, limit=2)
    clock.forward(days=1, hours=9.5)
    assert starts(ada, until="2030-03-06") == ["Quill 03-06T18:00", "Stem 03-06T17:00", "Stem 03-06T17:30"]
    assert search(ada, cursor=page["next_cursor"]) == search(ada)


def test_without_the_setting_a_search_needs_a_login(api: Api) -> None:
    assert api.client.get(PATH).status_code == 401


@pytest.mark.parametrize("header", [None, "Bearer garbage", "Basic x", "ended", "unknown"])
def test_with_the_setting_anybody_may_search(make_app: MakeApp, header: str | None) -> None:
    app = make_app(public_search="yes")
    api = Api(app.test_client())
    stem = api.doctor("Dr. Stem")
    stem.set_hours(hours("tuesday", "09:30", "10:30"))
    ada = api.patient()
    first = search(ada, limit=1)["data"]
    ada.hold(first[0]["slot_id"])
    # A valid token says whose holds do not count.
    assert search(ada, limit=1)["data"] == first
    if header == "ended":
        header = f"Bearer {ada.token}"
        assert ada.post("/auth/logout").status_code == 200
    answer = api.client.get(f"{PATH}?limit=1", headers={"Authorization": header} if header else {})
    assert answer.status_code == 200
    assert [row["start_time"] for row in answer.get_json()["data"]] == ["10:00"]
    assert api.client.get("/patient/doctors").status_code == 401
    operation = api.client.get("/openapi.json").get_json()["paths"][PATH]["get"]
    assert "security" not in operation or operation["security"] == []
