"""GET and PUT /doctor/hours."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask

from src.domain import schedule
from tests.calls import OUR_ORIGIN
from tests.conftest import ON_SQLITE
from tests.openapi import Document
from tests.people import Api, Doctor, error_of, hours

PATH = "/doctor/hours"
UNSAID = {"visit_types": None, "place": None, "valid_from": None, "valid_until": None}


def put(doctor: Doctor, *weekly: Any, time_zone: str = "UTC", query: str = "", **options: Any) -> Any:
    return doctor.put(PATH + query, {"time_zone": time_zone, "weekly": list(weekly)}, **options)


def shown(doctor: Doctor) -> dict[str, Any]:
    answer = doctor.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == f'"{answer.get_json()["revision"]}"'
    return answer.get_json()


def test_a_new_doctor_has_no_hours(api: Api) -> None:
    assert shown(api.doctor()) == {"time_zone": "UTC", "weekly": [], "revision": 0}


def test_hours_are_replaced_and_shown_by_weekday_and_time(api: Api) -> None:
    doctor = api.doctor()
    [kind] = doctor.visit_types()
    late = hours("tuesday", "18:30", "24:00", place="Room 2", visit_types=[kind["id"]])
    afternoon = hours("monday", "13:00", "17:00", valid_from="2030-05-01", valid_until="2030-05-01")
    morning = hours("monday", "00:00", "12:00")
    answer = put(doctor, late, afternoon, morning)
    assert answer.status_code == 200
    assert answer.get_json() == {"message": "Your hours are changed.", "affected": [], "revision": 1}
    assert answer.headers["ETag"] == '"1"'
    assert shown(doctor) == {
        "time_zone": "UTC",
        "weekly": [UNSAID | morning, UNSAID | afternoon, UNSAID | late],
        "revision": 1,
    }
    assert doctor.set_hours()["revision"] == 2
    assert shown(doctor) == {"time_zone": "UTC", "weekly": [], "revision": 2}


def test_what_is_shown_can_be_sent_again(api: Api) -> None:
    doctor = api.doctor(time_zone="Europe/Berlin")
    doctor.set_hours(
        hours("sunday", "22:00", "00:00", valid_from="2030-01-01"),
        hours("monday", "00:00", "06:00", place="Room 2"),
        time_zone="Europe/Berlin",
    )
    before = shown(doctor)
    assert before["weekly"][1]["until"] == "24:00"
    assert put(doctor, *before["weekly"], time_zone="Europe/Berlin").status_code == 200
    assert shown(doctor) == before | {"revision": before["revision"] + 1}


@pytest.mark.parametrize("header", ['"1"', '"0", "1"', '"7" ,"1"', "*"])
def test_a_change_of_the_revision_that_is_named_is_made(api: Api, header: str) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours())
    answer = put(doctor, hours("friday"), headers={"If-Match": header})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')


@pytest.mark.parametrize("header", ['"0"', '"2"', 'W/"1"', 'W/"1", "0"', '"*"', '"01"', '""', "", "x", '"1'])
def test_a_change_of_another_revision_is_412_and_changes_nothing(api: Api, header: str) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours())
    before = shown(doctor)
    for query in ("", "?dry_run=true"):
        answer = put(doctor, hours("friday"), query=query, headers={"If-Match": header})
        assert answer.status_code == 412
        assert error_of(answer) == "Somebody else has changed this meanwhile; please load it again."
        assert answer.get_json()["type"] == "urn:problem:hours-outdated"
        assert "ETag" not in answer.headers
    assert shown(doctor) == before


def test_of_two_editors_with_one_revision_the_second_is_told(api: Api) -> None:
    doctor = api.doctor()
    tag = {"If-Match": doctor.get(PATH).headers["ETag"]}
    assert put(doctor, hours("monday"), headers=tag).status_code == 200
    assert put(doctor, hours("tuesday"), headers=tag).status_code == 412
    assert [row["weekday"] for row in shown(doctor)["weekly"]] == ["monday"]


def test_without_a_revision_the_last_change_stays(api: Api) -> None:
    doctor = api.doctor()
    for weekday in ("monday", "tuesday"):
        assert put(doctor, hours(weekday)).status_code == 200
    assert [row["weekday"] for row in shown(doctor)["weekly"]] == ["tuesday"]


def test_a_dry_run_answers_the_same_and_changes_nothing(api: Api, app: APIFlask) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours())
    before = shown(doctor)
    answer = put(doctor, hours("friday"), query="?dry_run=true", headers={"If-Match": '"1"'})
    assert answer.status_code == 200
    assert answer.get_json() == {"message": "This was a dry run.", "affected": [], "revision": 1}
    assert answer.headers["ETag"] == '"1"'
    assert shown(doctor) == before
    assert put(doctor, hours("friday"), query="?dry_run=false").get_json()["revision"] == 2
    for bad in ("1", "True", "", "yes"):
        answer = put(doctor, query=f"?dry_run={bad}")
        assert answer.status_code == 400
        assert error_of(answer) == "dry_run must be true or false."


def test_an_answer_under_a_key_has_its_etag_again(api: Api) -> None:
    doctor, key = api.doctor(), {"Idempotency-Key": "one"}
    first = put(doctor, hours(), headers=key)
    doctor.set_hours()
    again = put(doctor, hours(), headers=key)
    assert (again.data, again.headers["ETag"]) == (first.data, '"1"')
    assert shown(doctor)["revision"] == 2


def test_a_refused_revision_leaves_the_key_free(api: Api) -> None:
    doctor, key = api.doctor(), {"Idempotency-Key": "one"}
    assert put(doctor, hours(), headers=key | {"If-Match": '"9"'}).status_code == 412
    assert put(doctor, hours(), headers=key | {"If-Match": '"0"'}).status_code == 200


AFTER = "must be after from; hours over midnight need two entries: until 24:00, and from 00:00 of the next day."
REFUSED: list[tuple[Any, str, str, str]] = [
    (7, "weekly.1", "not_an_object", "must be an object."),
    ({}, "weekly.1.weekday", "missing", "is missing."),
    (
        hours("Monday"),
        "weekly.1.weekday",
        "not_allowed",
        "must be 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday' or 'sunday'.",
    ),
    (
        hours("friday", "24:00", "24:00"),
        "weekly.1.from",
        "not_a_time",
        "must be a time from 00:00 to 23:59 written as HH:MM, like 09:30.",
    ),
    (hours("friday", "09:00", "09:00"), "weekly.1.until", "not_after_from", AFTER),
    (hours("friday", "17:00", "09:00"), "weekly.1.until", "not_after_from", AFTER),
    (
        hours("friday", "09:00", "24:30"),
        "weekly.1.until",
        "not_a_time",
        "must be a time from 00:00 to 24:00 written as HH:MM, like 09:30.",
    ),
    (hours("friday", visit_types=[]), "weekly.1.visit_types", "too_short", "must not be empty."),
    (hours("friday", visit_types=7), "weekly.1.visit_types", "not_a_list", "must be a list."),
    (
        hours("friday", visit_types=[0]),
        "weekly.1.visit_types.0",
        "not_an_id",
        f"must be a whole number from 1 to {2**63 - 1}.",
    ),
    (
        hours("friday", visit_types=[1] * 101),
        "weekly.1.visit_types",
        "too_long",
        "must have at most 100 entries.",
    ),
    (hours("friday", place=" "), "weekly.1.place", "too_short", "must not be empty."),
    (hours("friday", place=""), "weekly.1.place", "too_short", "must not be empty."),
    (
        hours("friday", valid_from="2030-05-02", valid_until="2030-05-01"),
        "weekly.1.valid_until",
        "before_valid_from",
        "must not be before valid_from.",
    ),
    (
        hours("monday", "16:59", "18:00"),
        "weekly",
        "overlapping",
        "has rows that overlap, both on monday: 0 (09:00-17:00) and 1 (16:59-18:00).",
    ),
]


@ON_SQLITE
@pytest.mark.parametrize(("row", "field", "code", "words"), REFUSED)
def test_a_wrong_row_is_refused_and_its_place_is_named(api: Api, row: Any, field: str, code: str, words: str) -> None:
    doctor = api.doctor()
    answer = put(doctor, hours("monday"), row)
    assert answer.status_code == 400
    finding = answer.get_json()["errors"][0]
    assert (finding["field"], finding["code"], finding["message"]) == (field, code, f"{field} {words}")
    assert error_of(answer) == f"{field} {words}"
    assert shown(doctor)["revision"] == 0


KEPT = hours("monday", "09:00", "17:00", valid_from="2030-05-01", valid_until="2030-05-31")
APART = [
    hours("monday", "17:00", "18:00"),
    hours("tuesday", "09:00", "17:00"),
    hours("monday", "00:00", "09:00"),
    hours("monday", "10:00", "11:00", valid_until="2030-04-30"),
    hours("monday", "10:00", "11:00", valid_from="2030-06-01"),
]
OVERLAPPING = [
    hours("monday", "00:00", "09:01"),
    hours("monday", "10:00", "11:00"),
    hours("monday", "08:00", "00:00"),
    hours("monday", "10:00", "11:00", valid_until="2030-05-01"),
    hours("monday", "10:00", "11:00", valid_from="2030-05-31"),
    hours("monday", "10:00", "11:00", valid_from="2030-05-02", valid_until="2030-05-03"),
    hours("monday", "10:00", "11:00", valid_from="2020-01-01", valid_until="2040-01-01"),
]


@ON_SQLITE
def test_rows_of_a_weekday_are_apart_in_time_or_in_validity(api: Api) -> None:
    doctor = api.doctor()
    for row in APART:
        for weekly in ([KEPT, row], [row, KEPT]):
            assert put(doctor, *weekly).status_code == 200, row


@ON_SQLITE
def test_rows_that_overlap_in_both_are_refused(api: Api) -> None:
    doctor = api.doctor()
    for row in OVERLAPPING:
        for weekly in ([KEPT, row], [row, KEPT]):
            answer = put(doctor, hours("friday"), *weekly)
            assert answer.status_code == 400, row
            first, second = (f"{each['from']}-{each['until'].replace('00:00', '24:00')}" for each in weekly)
            sentence = f"weekly has rows that overlap, both on monday: 1 ({first}) and 2 ({second})."
            assert error_of(answer) == sentence


def test_there_are_at_most_two_hundred_rows(api: Api) -> None:
    doctor = api.doctor()
    rows = [
        hours(weekday, f"{hour:02}:{minute:02}", f"{hour:02}:{minute + 20:02}")
        for weekday in ("monday", "tuesday", "wednesday")
        for hour in range(24)
        for minute in (0, 20, 39)
    ]
    assert put(doctor, *rows[:200]).status_code == 400, "minutes 39 and 40 overlap"
    rows = [row for row in rows if not row["from"].endswith("39")]
    rows += [hours("friday", f"{hour:02}:{minute:02}", f"{hour:02}:{minute + 5:02}") for hour in range(24)
             for minute in (0, 5, 10)]  # fmt: skip
    assert put(doctor, *rows[:200]).status_code == 200
    assert len(shown(doctor)["weekly"]) == 200
    answer = put(doctor, *rows[:201])
    assert answer.status_code == 400
    assert error_of(answer) == "weekly must have at most 200 entries."


def test_visit_types_must_be_the_doctors_own_and_not_retired(api: Api) -> None:
    doctor, other = api.doctor(), api.doctor()
    [mine], [theirs] = doctor.visit_types(), other.visit_types()
    retired = doctor.add_visit_type()
    assert doctor.delete(f"/doctor/visit-types/{retired}").status_code == 200
    for number in (theirs["id"], retired, 999, 2**63 - 1):
        answer = put(doctor, hours("monday"), hours("friday", visit_types=[mine["id"], number]))
        assert answer.status_code == 400
        sentence = "weekly.1.visit_types must be visit types of your own that are not retired."
        assert error_of(answer) == sentence
        assert answer.get_json()["type"] == "urn:problem:visit-type-unknown"
    assert shown(doctor)["revision"] == 0


def test_hours_for_another_zone_than_the_profiles_are_refused(api: Api) -> None:
    doctor = api.doctor(time_zone="Europe/Berlin")
    answer = put(doctor, hours(), time_zone="Europe/Vienna")
    assert answer.status_code == 400
    assert error_of(answer) == "time_zone must be that of your profile, Europe/Berlin; change it there."
    assert answer.get_json()["params"] == {"time_zone": "Europe/Berlin"}
    assert answer.get_json()["type"] == "urn:problem:zone-of-profile"
    assert put(doctor, hours(), time_zone="Europe/Berlin").status_code == 200


def test_hours_that_make_too_many_openings_are_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    doctor = api.doctor()
    # A row in nine weeks.
    monkeypatch.setattr(schedule, "MOST_OPENINGS", 9)
    assert put(doctor, hours("monday")).status_code == 200
    for query in ("", "?dry_run=true"):
        answer = put(doctor, hours("monday"), hours("friday"), query=query)
        assert answer.status_code == 409
        assert answer.get_json()["type"] == "urn:problem:too-many-openings"
    assert shown(doctor)["revision"] == 1


def test_another_zone_is_another_revision(api: Api) -> None:
    doctor = api.doctor()
    tag = {"If-Match": doctor.get(PATH).headers["ETag"]}
    assert doctor.post("/doctor/profile", {"time_zone": "UTC", "designation": "Prof."}).status_code == 200
    assert shown(doctor)["revision"] == 0
    assert doctor.post("/doctor/profile", {"time_zone": "Asia/Tokyo"}).status_code == 200
    assert shown(doctor) == {"time_zone": "Asia/Tokyo", "weekly": [], "revision": 1}
    assert put(doctor, hours(), time_zone="Asia/Tokyo", headers=tag).status_code == 412


def test_the_document_tells_of_both_headers(api: Api) -> None:
    document = Document(api.client)
    for name in ("hours.show", "hours.replace"):
        assert document.operations[name]["responses"]["200"]["headers"]["ETag"]["schema"] == {"type": "string"}
    obeying = {
        name
        for name, operation in document.operations.items()
        if any(parameter["name"] == "If-Match" for parameter in operation["parameters"])
    }
    assert "hours.replace" in obeying
    assert not {"hours.show", "visit_type.replace", "exception.add"} & obeying
    assert put(api.doctor(), hours(), headers={"If-Match": '"9"'}).get_json() in document.examples("hours.replace", 412)


def test_a_page_of_another_origin_may_use_both_headers(api: Api) -> None:
    answer = api.doctor().get(PATH, headers={"Origin": OUR_ORIGIN})
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    asked = {
        "Origin": OUR_ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "if-match",
    }
    answer = api.client.options(PATH, headers=asked)
    assert "if-match" in answer.headers["Access-Control-Allow-Headers"].lower()
