"""The calls about exceptions to weekly hours."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import insert

from src.controllers import changes_of_hours
from src.database.transaction import transaction
from src.domain import schedule
from src.models import HoursException
from tests.api.test_hours import AFTER
from tests.conftest import NOW, ON_SQLITE, StillClock
from tests.people import Api, Doctor, error_of

PATH = "/doctor/exceptions"
UNSAID = {"from": None, "until": None, "visit_types": None, "place": None, "reason": None, "of_clinic": False}
CLOSED = {"kind": "closed", "first_day": "2030-03-05"}
EXTRA = {"kind": "extra", "first_day": "2030-03-05", "from": "18:00", "until": "20:00"}


def listed(doctor: Doctor, query: str = "") -> list[dict[str, Any]]:
    answer = doctor.get(PATH + query)
    assert answer.status_code == 200
    return answer.get_json()["data"]


def close_clinic(app: APIFlask, first_day: str, last_day: str) -> int:
    values = {"kind": "closed", "from_time": 0, "until_time": 1440, "created_at": NOW}
    days = {"first_day": schedule.date.fromisoformat(first_day), "last_day": schedule.date.fromisoformat(last_day)}
    with app.app_context(), transaction(writes=True) as db:
        return db.scalars(insert(HoursException).values(values | days).returning(HoursException.id)).one()


def test_a_day_is_closed(api: Api) -> None:
    doctor = api.doctor()
    answer = doctor.post(PATH, CLOSED)
    assert answer.status_code == 201
    number = answer.get_json()["id"]
    said = {"message": "The exception is added.", "affected": [], "still_offered": 0}
    assert answer.get_json() == said | {"id": number}
    assert answer.headers["Location"] == f"{PATH}/{number}"
    assert listed(doctor) == [UNSAID | CLOSED | {"id": number, "last_day": "2030-03-05"}]


def test_free_published_slots_in_a_closure_are_counted_and_still_offered(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    one, booked = doctor.publish("09:00", "09:30"), doctor.publish("10:00", "10:30")
    withdrawn, after = doctor.publish("11:00", "11:30"), doctor.publish("12:00", "12:30")
    ada.book(booked)
    assert doctor.delete(f"/doctor/availability/{withdrawn}").status_code == 200
    body = CLOSED | {"from": "09:10", "until": "12:00"}
    assert doctor.post(f"{PATH}?dry_run=true", body).get_json()["still_offered"] == 1
    added = doctor.post(PATH, body).get_json()
    assert added["still_offered"] == 1
    assert added["message"] == (
        "The exception is added. Published slots still offered in it: 1. Withdraw those that should not be."
    )
    assert [time["slot_id"] for time in ada.free(doctor)] == [one, after]
    assert doctor.post(PATH, EXTRA).get_json()["still_offered"] == 0


def test_all_that_is_sent_is_kept(api: Api) -> None:
    doctor = api.doctor()
    [kind] = doctor.visit_types()
    closed = CLOSED | {"last_day": "2031-03-06", "from": "12:00", "until": "00:00", "reason": "Holiday"}
    extra = EXTRA | {"last_day": "2030-03-06", "visit_types": [kind["id"]], "place": "Room 2", "reason": "Flu"}
    numbers = [doctor.post(PATH, body).get_json()["id"] for body in (closed, extra)]
    assert listed(doctor) == [
        UNSAID | closed | {"id": numbers[0], "until": "24:00"},
        UNSAID | extra | {"id": numbers[1]},
    ]


def test_a_whole_day_is_shown_without_times_and_extra_hours_with_them(api: Api) -> None:
    doctor = api.doctor()
    for kind in ("closed", "extra"):
        doctor.except_hours(kind, "2030-03-05", **{"from": "00:00", "until": "24:00"})
    shown = [(row["kind"], row["from"], row["until"]) for row in listed(doctor)]
    assert shown == [("closed", None, None), ("extra", "00:00", "24:00")]


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str, str, str]] = [
    (CLOSED, {"kind": "open"}, "kind", "not_allowed", "must be 'closed' or 'extra'."),
    (CLOSED, {"last_day": "2030-03-04"}, "last_day", "before_first_day", "must not be before first_day."),
    (CLOSED, {"last_day": "2031-03-07"}, "last_day", "too_long_after", "must be at most 366 days after first_day."),
    (CLOSED, {"from": "09:00"}, "until", "missing", "is missing."),
    (CLOSED, {"until": "09:00"}, "until", "without_from", "must not be given without from."),
    (CLOSED, {"from": "09:00", "until": "09:00"}, "until", "not_after_from", AFTER),
    (CLOSED, {"visit_types": [1]}, "visit_types", "of_extra_hours_only", "must be left out of a closure."),
    (CLOSED, {"place": "Room 2"}, "place", "of_extra_hours_only", "must be left out of a closure."),
    (EXTRA, {"from": None}, "from", "missing", "is missing."),
    (EXTRA, {"until": None}, "until", "missing", "is missing."),
    (EXTRA, {"from": None, "until": None}, "from", "missing", "is missing."),
    (EXTRA, {"until": "18:00"}, "until", "not_after_from", AFTER),
    (EXTRA, {"visit_types": []}, "visit_types", "too_short", "must not be empty."),
    (EXTRA, {"reason": "a\nb"}, "reason", "not_one_line", "must not contain line breaks or control characters."),
]


@ON_SQLITE
@pytest.mark.parametrize(("good", "change", "field", "code", "words"), REFUSED)
def test_a_wrong_field_is_refused(
    api: Api, good: dict[str, Any], change: dict[str, Any], field: str, code: str, words: str
) -> None:
    doctor = api.doctor()
    assert doctor.post(PATH, good).status_code == 201
    answer = doctor.post(PATH, good | change)
    assert answer.status_code == 400
    finding = answer.get_json()["errors"][0]
    assert (finding["field"], finding["code"], finding["message"]) == (field, code, f"{field} {words}")
    assert len(listed(doctor)) == 1


@ON_SQLITE
def test_a_field_that_is_left_out_is_named_as_clients_name_it(api: Api) -> None:
    doctor = api.doctor()
    for missing in ("from", "until"):
        answer = doctor.post(PATH, {name: value for name, value in EXTRA.items() if name != missing})
        assert answer.status_code == 400
        [finding] = answer.get_json()["errors"]
        assert (finding["field"], finding["message"]) == (missing, f"{missing} is missing.")


def test_a_day_that_is_past_in_the_doctors_zone_is_refused(api: Api, clock: StillClock) -> None:
    clock.forward(hours=4)
    doctor, tokyo = api.doctor(), api.doctor(time_zone="Pacific/Auckland")
    doctor.close("2030-03-04")
    answer = tokyo.post(PATH, CLOSED | {"first_day": "2030-03-04", "last_day": "2030-03-05"})
    assert answer.status_code == 400
    assert error_of(answer) == "first_day must not be in the past."
    assert answer.get_json()["type"] == "urn:problem:day-past"
    tokyo.close("2030-03-05")
    assert doctor.post(PATH, CLOSED | {"first_day": "2030-03-03"}).status_code == 400


def test_visit_types_must_be_the_doctors_own_and_not_retired(api: Api) -> None:
    doctor, other = api.doctor(), api.doctor()
    [theirs] = other.visit_types()
    retired = doctor.add_visit_type()
    assert doctor.delete(f"/doctor/visit-types/{retired}").status_code == 200
    for number in (theirs["id"], retired, 999):
        answer = doctor.post(PATH, EXTRA | {"visit_types": [number]})
        assert answer.status_code == 400
        assert error_of(answer) == "visit_types must be visit types of your own that are not retired."
    assert listed(doctor) == []


def test_a_dry_run_answers_the_same_and_changes_nothing(api: Api) -> None:
    doctor = api.doctor()
    for body in (CLOSED, EXTRA):
        answer = doctor.post(f"{PATH}?dry_run=true", body)
        assert answer.status_code == 201
        assert answer.get_json() == {
            "message": "This was a dry run.",
            "affected": [],
            "id": None,
            "still_offered": 0,
        }
        assert "Location" not in answer.headers
    assert doctor.post(f"{PATH}?dry_run=true", CLOSED | {"first_day": "2030-03-03"}).status_code == 400
    assert listed(doctor) == []


def test_exceptions_are_listed_by_their_first_day_from_yesterday_on(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor, other = api.doctor(), api.doctor()
    other.close("2030-03-06")
    late, early = doctor.close("2030-03-08"), doctor.close("2030-03-04", last_day="2030-03-09")
    ended = doctor.close("2030-03-05")
    clinic = close_clinic(app, "2030-03-06", "2030-03-07")
    assert [(row["id"], row["of_clinic"]) for row in listed(doctor)] == [
        (early, False),
        (ended, False),
        (clinic, True),
        (late, False),
    ]
    clock.forward(days=2)
    assert [row["id"] for row in listed(doctor)] == [early, ended, clinic, late]
    clock.forward(days=1)
    assert [row["id"] for row in listed(doctor)] == [early, clinic, late]


def test_a_list_comes_in_pages(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    numbers = [doctor.close(day) for day in ("2030-03-07", "2030-03-05", "2030-03-06", "2030-03-05", "2030-03-05")]
    numbers.append(close_clinic(app, "2030-03-05", "2030-03-05"))
    expected = [numbers[1], numbers[3], numbers[4], numbers[5], numbers[2], numbers[0]]
    for limit in (1, 2, 3, 5, 6):
        found, cursor = [], ""
        while cursor is not None:
            page = doctor.get(f"{PATH}?limit={limit}&cursor={cursor}" if cursor else f"{PATH}?limit={limit}").get_json()
            found += [row["id"] for row in page["data"]]
            cursor = page["next_cursor"]
        assert found == expected, limit
    # What was deleted meanwhile does not disturb the pages after it.
    page = doctor.get(f"{PATH}?limit=2").get_json()
    assert doctor.delete(f"{PATH}/{numbers[3]}").status_code == 200
    assert [row["id"] for row in listed(doctor, f"?cursor={page['next_cursor']}")] == expected[2:]


def test_an_exception_is_deleted(api: Api) -> None:
    doctor = api.doctor()
    number, kept = doctor.close("2030-03-05"), doctor.close("2030-03-05")
    answer = doctor.delete(f"{PATH}/{number}")
    assert (answer.status_code, answer.get_json()) == (200, {"message": "The exception is deleted.", "affected": []})
    assert [row["id"] for row in listed(doctor)] == [kept]
    answer = doctor.delete(f"{PATH}/{number}")
    assert answer.status_code == 404
    assert error_of(answer) == "There is no such exception."


def test_what_is_of_the_clinic_or_another_doctor_cannot_be_deleted(app: APIFlask, api: Api) -> None:
    doctor, other = api.doctor(), api.doctor()
    theirs, clinic = other.close("2030-03-05"), close_clinic(app, "2030-03-06", "2030-03-06")
    for number in (theirs, clinic):
        assert doctor.delete(f"{PATH}/{number}").status_code == 404
    assert [row["id"] for row in listed(other)] == [theirs, clinic]


def test_a_doctor_has_a_limit_of_exceptions_that_have_not_ended(
    app: APIFlask, api: Api, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changes_of_hours.MOST_EXCEPTIONS_AHEAD == 1000
    monkeypatch.setattr(changes_of_hours, "MOST_EXCEPTIONS_AHEAD", 2)
    doctor = api.doctor()
    close_clinic(app, "2030-03-06", "2030-03-06")
    doctor.close("2030-03-04")
    doctor.close("2030-03-05")
    answer = doctor.post(PATH, CLOSED)
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "urn:problem:too-many-exceptions"
    clock.forward(days=1)
    doctor.close("2030-03-05")


def test_extra_hours_that_make_too_many_openings_are_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "MOST_OPENINGS", 57)
    doctor = api.doctor()
    doctor.open("2030-03-04", "18:00", "20:00", last_day="2030-04-29")
    answer = doctor.post(PATH, EXTRA | {"from": "08:00", "until": "09:00"})
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "urn:problem:too-many-openings"
