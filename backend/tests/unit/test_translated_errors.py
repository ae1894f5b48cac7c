"""Problem documents, findings and messages in another language."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from src.domain.refusals import Late, Limited
from src.domain.wall_clock import instant_of, wall_span
from src.errors import ClinicError, Conflict
from src.errors_of_appointments import NotAffected, SlotTaken, TooManyAhead, TooManyChanges
from src.errors_of_hours import VisitTypeUnknown
from src.pages.languages import languages
from src.schemas.auth import Registration
from src.schemas.base import In
from src.schemas.hours import NewWeeklyHours
from src.schemas.schedule import DaysWanted
from src.web.problems import problem_of_error, problem_of_validation

EN, DE = languages()["en"], languages()["de"]
ZONE = "Europe/Berlin"
STARTS_AT = datetime(2030, 5, 14, 9, 0, tzinfo=timezone.utc)
SPRING = datetime(2030, 3, 31, 2, 30)
AUTUMN = datetime(2030, 10, 27, 2, 30)
FULL = "Es sind höchstens 3 künftige Termine möglich. Bitte sagen Sie zuerst einen ab."
ONE = "Es ist nur ein künftiger Termin möglich. Bitte sagen Sie ihn zuerst ab."
TOO_OFTEN = (
    "Sie können innerhalb einer Stunde 5-mal buchen, verschieben und absagen."
    " Bitte versuchen Sie es in 2 Minuten noch einmal."
)
NOT_AFFECTED = (
    "Es wurde nichts abgesagt, denn dies sind keine künftigen Termine von Ihnen außerhalb Ihrer Sprechzeiten:"
    " 1, 2, 3 und 1 weitere."
)
LATE = (
    "Dieser Termin konnte nur bis 1 Stunde 30 Minuten vor Beginn abgesagt oder verschoben werden."
    " Die Frist endete: Dienstag, 14. Mai 2030, 09:30 Uhr (Mitteleuropäische Zeit). Bitte rufen Sie die Praxis an."
)
SKIPPED = (
    "Diese Zeit gibt es nicht, denn die Uhren werden an diesem Tag vorgestellt:"
    " Sonntag, 31. März 2030, 02:30 Uhr (Mitteleuropäische Zeit)."
)
TWICE = (
    "Diese Zeit gibt es zweimal, denn die Uhren werden an diesem Tag zurückgestellt:"
    " Sonntag, 27. Oktober 2030, 02:30 Uhr (Mitteleuropäische Zeit)."
)
LAST_DAY = "Dieser Tag liegt außerhalb des Kalenders: Freitag, 31. Dezember 9999."
TYPES = "treat_as: Möglich sind nur eigene Terminarten, die noch angeboten werden."


def refused(rule: Any, *arguments: Any) -> ClinicError:
    with pytest.raises(ClinicError) as caught:
        rule(*arguments)
    return caught.value


WHEN_LATE = {"notice": "90 minutes", "notice_minutes": 90, "date": "2030-05-14", "time": "09:30", "time_zone": ZONE}
ERRORS: list[tuple[ClinicError, dict[str, Any] | None, str]] = [
    (SlotTaken(), None, "Diese Zeit ist bereits vergeben."),
    (TooManyAhead(1), {"limit": 1}, ONE),
    (Limited("too_many_ahead", 3).error(), {"limit": 3}, FULL),
    (TooManyChanges(5, 61), {"limit": 5, "minutes": 2}, TOO_OFTEN),
    (NotAffected([1, 2, 3, 4]), {"named": "1, 2, 3", "more": 1}, NOT_AFFECTED),
    (Late(90, STARTS_AT, ZONE).error(), WHEN_LATE, LATE),
    (refused(instant_of, SPRING, ZONE), {"time": "02:30", "date": "2030-03-31", "time_zone": ZONE}, SKIPPED),
    (refused(instant_of, AUTUMN, ZONE), {"time": "02:30", "date": "2030-10-27", "time_zone": ZONE}, TWICE),
    (refused(wall_span, date.max, SPRING.time(), timedelta(days=1)), {"date": "9999-12-31"}, LAST_DAY),
    (VisitTypeUnknown("treat_as"), {"field": "treat_as"}, TYPES),
]


@pytest.mark.parametrize(("error", "params", "german"), ERRORS)
def test_a_refusal_is_translated_from_its_problem_document(
    error: ClinicError, params: dict[str, Any] | None, german: str
) -> None:
    document = problem_of_error(error)
    assert document.get("params") == params
    assert EN.problem(document) == document["error"] == document["detail"] == str(error)
    assert DE.problem(document) == german


def test_a_sentence_that_no_translation_knows_stays_as_it_is() -> None:
    document = problem_of_error(Conflict("Two {things} collide.", things="cats"))
    assert DE.problem(document) == "Two cats collide."


PERSON = {"name": "Ada", "email": "ada@people.example", "password": "password123", "role": "patient"}
ROW = {"weekday": "monday", "from": "09:00", "until": "17:00"}
EMAIL = "must be one valid e-mail address, like ada@example.org."
E_MAIL = "muss eine gültige E-Mail-Adresse sein, zum Beispiel ada@example.org."
OVERLAP = "has rows that overlap, both on monday: 0 (09:00-17:00) and 1 (09:00-17:00)."
OVERLAPPING = "Zeilen überschneiden sich am Montag: 0 (09:00-17:00) und 1 (09:00-17:00)."
WEEK = {"time_zone": "UTC", "weekly": [ROW, ROW]}
BACKWARDS = {"from": "2030-03-02", "until": "2030-03-01"}
FINDINGS: list[tuple[type[In], dict[str, Any], str, str]] = [
    (Registration, PERSON | {"email": "ada"}, EMAIL, E_MAIL),
    (
        Registration,
        PERSON | {"password": "short"},
        "must have at least 8 characters.",
        "muss mindestens 8 Zeichen haben.",
    ),
    (Registration, PERSON | {"role": "admin"}, "must be 'patient' or 'doctor'.", "möglich ist nur: patient, doctor."),
    (NewWeeklyHours, WEEK, OVERLAP, OVERLAPPING),
    (DaysWanted, BACKWARDS, "must not be before the start.", "darf nicht vor dem Beginn liegen."),
]


@pytest.mark.parametrize(("schema", "value", "english", "german"), FINDINGS)
def test_a_finding_names_the_field_as_the_form_does(
    schema: type[In], value: dict[str, Any], english: str, german: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        schema.model_validate(value)
    document = problem_of_validation(caught.value)
    [entry] = document["errors"]
    assert EN.finding(entry, "This") == f"This {english}"
    assert DE.finding(entry, "Das hier") == f"Das hier: {german}"
    assert EN.problem(document) == f"{entry['field']} {english}"


def test_messages_of_answers_are_translated_with_the_answers_members() -> None:
    assert DE.message({"message": "Your appointment is booked.", "appointment_id": 7}) == "Ihr Termin ist gebucht."
    assert DE.message({"message": "3 appointments are cancelled.", "cancelled": 3}) == "3 Termine sind abgesagt."
