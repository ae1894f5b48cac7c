"""What the entries of `errors[]` say: a sentence for people, and a code with parameters for programs."""

from __future__ import annotations

import typing
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, ValidationError

from src.schemas.affected import CancelAffected
from src.schemas.appointment_list import AppointmentsWanted
from src.schemas.auth import NewPasswordIn, Registration
from src.schemas.availability import NewSlot
from src.schemas.base import In
from src.schemas.doctor import ProfileUpdate
from src.schemas.findings import Code
from src.schemas.hours import DryRun, NewWeeklyHours
from src.schemas.hours_exception import NewException
from src.schemas.schedule import DaysWanted
from src.schemas.visit_type import NewVisitType
from src.web.problems import problem_of_validation

PERSON = {"name": "Ada", "email": "ada@people.example", "password": "password123", "role": "patient"}
SLOT = {"date": "2030-05-14", "start_time": "09:00", "end_time": "09:30"}
PASSWORDS = {"current_password": "password123", "new_password": "password123"}
EMAIL = "must be one valid e-mail address, like ada@example.org."
PLAIN_EMAIL = "must be a plain e-mail address, without name or angle brackets."
TIME = "must be a time from 00:00 to 24:00 written as HH:MM, like 09:30."
LENGTH = "must have at most 1024 characters."
ROLES = ["patient", "doctor"]
INVISIBLE = "must not contain the invisible character"
DIRECTION = "must not contain U+202E, which changes the direction of text."
OTHER_LIST = "is of a list with other filters or another order; leave it out to begin."
KIND = {"name": "Checkup", "minutes": 30}
NO_DEFAULT = "must be false if staff book the visit or patients share it."
ROW = {"weekday": "monday", "from": "09:00", "until": "17:00"}
WEEK = {"time_zone": "UTC", "weekly": []}
OVERLAP = "has rows that overlap, both on monday: 0 (09:00-17:00) and 1 (09:00-17:00)."
ROWS = {"weekday": "monday", "row": 0, "times": "09:00-17:00", "other": 1, "other_times": "09:00-17:00"}
DAY = {"kind": "closed", "first_day": "2030-05-14"}
TOO_LONG = "must be at most 366 days after first_day."
TOO_MANY_DAYS = "must be at most 61 days after from."
LINE = "must not contain line breaks or control characters."

CASES: list[tuple[type[In], dict[str, Any], str, Any, str, str, dict[str, Any]]] = [
    (Registration, PERSON, "name", None, "not_a_string", "must be a string.", {}),
    (Registration, PERSON, "name", "", "too_short", "must not be empty.", {"min_length": 1}),
    (Registration, PERSON, "name", "\ue000", "blank", "must not be blank.", {}),
    (Registration, PERSON, "name", "a\u200bb", "invisible", f"{INVISIBLE} U+200B.", {"character": "U+200B"}),
    (Registration, PERSON, "name", "a\u202eb", "changes_direction", DIRECTION, {"character": "U+202E"}),
    (Registration, PERSON, "name", "a\nb", "not_one_line", LINE, {}),
    (Registration, PERSON, "name", "x" * 201, "too_long", "must have at most 200 characters.", {"max_length": 200}),
    (Registration, PERSON, "email", "ada", "not_an_email", EMAIL, {}),
    (Registration, PERSON, "email", "<a@b.example>", "not_a_plain_email", PLAIN_EMAIL, {}),
    (Registration, PERSON, "email", "\0", "contains_nul", "must not contain the character NUL.", {}),
    (Registration, PERSON, "password", "short", "too_short", "must have at least 8 characters.", {"min_length": 8}),
    (Registration, PERSON, "password", "\ud800" * 8, "not_unicode", "must be valid Unicode text.", {}),
    (Registration, PERSON, "role", "admin", "not_allowed", "must be 'patient' or 'doctor'.", {"expected": ROLES}),
    (NewPasswordIn, PASSWORDS, "new_password", "x" * 1025, "too_long", LENGTH, {"max_length": 1024}),
    (NewSlot, SLOT, "date", "14.5.2030", "not_a_date", "must be a date written as YYYY-MM-DD, like 2030-05-14.", {}),
    (NewSlot, SLOT, "date", "2030-02-30", "no_such_date", "is a date that no calendar has.", {}),
    (NewSlot, SLOT, "end_time", "9:30", "not_a_time", TIME, {}),
    (ProfileUpdate, {}, "time_zone", "Mars", "not_a_time_zone", "must be an IANA time zone, like Europe/Berlin.", {}),
    (NewVisitType, KIND, "minutes", 30.0, "not_a_whole_number", "must be a whole number.", {}),
    (NewVisitType, KIND, "minutes", 0, "too_small", "must be at least 1.", {"minimum": 1}),
    (NewVisitType, KIND, "most_per_day", 1441, "too_large", "must be at most 1440.", {"maximum": 1440}),
    (NewVisitType, KIND, "is_default", 1, "not_true_or_false", "must be true or false.", {}),
    (NewVisitType, KIND | {"capacity": 2}, "is_default", True, "no_default", NO_DEFAULT, {}),
    (NewWeeklyHours, WEEK, "weekly", {}, "not_a_list", "must be a list.", {}),
    (NewWeeklyHours, WEEK, "weekly", [ROW] * 201, "too_long", "must have at most 200 entries.", {"max_length": 200}),
    (NewWeeklyHours, WEEK, "weekly", [ROW, ROW], "overlapping", OVERLAP, ROWS),
    (DryRun, {}, "dry_run", "1", "not_true_or_false", "must be true or false.", {}),
    (NewException, DAY, "last_day", "2031-05-16", "too_long_after", TOO_LONG, {"days": 366}),
    (CancelAffected, {}, "appointment_ids", [1, 2, 1], "repeated", "must not name anything twice.", {}),
    (DaysWanted, {}, "until", "2030-05-14", "without_from", "must not be given without from.", {}),
    (DaysWanted, {"from": "2030-03-01"}, "until", "2030-05-02", "too_long_after", TOO_MANY_DAYS, {"days": 61}),
    (AppointmentsWanted, {}, "limit", "x", "not_a_whole_number", "must be a whole number.", {}),
    (AppointmentsWanted, {}, "limit", "0", "too_small", "must be at least 1.", {"minimum": 1}),
    (AppointmentsWanted, {}, "limit", "1001", "too_large", "must be at most 1000.", {"maximum": 1000}),
    (AppointmentsWanted, {}, "cursor", "0", "not_a_cursor", "must be the next_cursor of the page before.", {}),
    (AppointmentsWanted, {"from": "2030-05-14"}, "until", "2030-05-13", "before_from", "must not be before from.", {}),
    (AppointmentsWanted, {"order": "starts_at"}, "cursor", "17", "of_another_list", OTHER_LIST, {}),
]  # fmt: skip


def findings(schema: type[In], value: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(ValidationError) as caught:
        schema.model_validate(value)
    return problem_of_validation(caught.value)["errors"]


@pytest.mark.parametrize(("schema", "good", "field", "bad", "code", "words", "params"), CASES)
def test_each_finding_has_a_sentence_a_code_and_the_parameters_of_the_sentence(
    schema: type[In], good: dict[str, Any], field: str, bad: Any, code: str, words: str, params: dict[str, Any]
) -> None:
    expected = {"field": field, "message": f"{field} {words}", "code": code, "params": params}
    assert findings(schema, good | {field: bad}) == [expected]
    assert code in typing.get_args(Code)


def test_a_missing_field_is_missing() -> None:
    expected = [
        {"field": field, "message": f"{field} is missing.", "code": "missing", "params": {}} for field in PASSWORDS
    ]
    assert findings(NewPasswordIn, {}) == expected


def test_the_field_of_a_nested_value_is_named_by_its_path() -> None:
    rows = [ROW, 7, ROW | {"from": "9:00", "visit_types": [1, 0]}]
    named = [finding["field"] for finding in findings(NewWeeklyHours, WEEK | {"weekly": rows})]
    assert named == ["weekly.1", "weekly.2.from", "weekly.2.visit_types.1"]


def test_a_finding_without_a_code_of_its_own_is_not_valid() -> None:
    def refuse(text: str) -> str:
        raise ValueError("must rhyme.")

    class Poem(In):
        line: Annotated[str, AfterValidator(refuse)]
        verses: int

    [line, verses] = findings(Poem, {"line": "", "verses": "one"})
    assert line == {"field": "line", "message": "line must rhyme.", "code": "not_valid", "params": {}}
    assert verses == {"field": "verses", "message": "verses is not valid.", "code": "not_valid", "params": {}}
