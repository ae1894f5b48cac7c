"""How mails are rendered, and that names cannot inject HTML or headers."""

from __future__ import annotations

from typing import Any

import pytest

from src.services.mail import Mail, MailUnknown
from src.services.rendering import render

# With instants as PostgreSQL writes them into the outbox.
FACTS: dict[str, Any] = {
    "number": 17,
    "recipient_name": "Ada <script>alert(1)</script>",
    "doctor_name": "Dr. <b>Fenna</b> & Co",
    "specialization": "Cardiology",
    "patient_name": "Ada <script>alert(1)</script>",
    "starts_at": "2030-07-01T07:00:00+00:00",
    "ends_at": "2030-07-01T07:30:00+00:00",
    "time_zone": "Europe/Berlin",
}


def confirmation(**facts: Any) -> Mail:
    return render("ada@people.example", "booked", FACTS | facts)


def test_times_are_the_doctors_wall_clock() -> None:
    mail = confirmation()
    for part in (mail.text, mail.html):
        assert "Monday, 1 July 2030" in part
        assert "09:00 to 09:30 (Europe/Berlin)" in part
        assert "Cardiology" in part
        assert "no. 17" in part


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        ("2030-07-01 07:00:00.000000", "2030-07-01 07:30:00.000000"),  # as SQLite writes them
        ("2030-07-01T12:30:00+05:30", "2030-07-01T13:00:00+05:30"),  # as PostgreSQL writes them in another time zone
    ],
)
def test_instants_are_rendered_the_same_in_the_formats_of_both_databases(starts_at: str, ends_at: str) -> None:
    assert confirmation(starts_at=starts_at, ends_at=ends_at) == confirmation()


def test_an_appointment_that_ends_the_next_day_says_so() -> None:
    for ends_at, end in (("2030-07-01T22:00:00+00:00", "00:00"), ("2030-07-02T00:00:00+00:00", "02:00")):
        mail = confirmation(starts_at="2030-07-01T20:00:00+00:00", ends_at=ends_at)
        for part in (mail.text, mail.html):
            assert "Monday, 1 July 2030" in part
            assert f"22:00 to {end} the next day (Europe/Berlin)" in part


def test_an_appointment_that_ends_after_the_clocks_go_back_says_so() -> None:
    # On this day, the clocks go back from 03:00 to 02:00.
    mail = confirmation(starts_at="2030-10-27T00:30:00+00:00", ends_at="2030-10-27T01:00:00+00:00")
    for part in (mail.text, mail.html):
        assert "Sunday, 27 October 2030" in part
        assert "02:30 to 02:00, after the clocks go back (Europe/Berlin)" in part


def test_names_are_escaped_in_html_and_unchanged_in_text() -> None:
    mail = confirmation()
    assert "<script>" not in mail.html
    assert "<b>" not in mail.html
    assert "Ada &lt;script&gt;" in mail.html
    assert "Dr. <b>Fenna</b> & Co" in mail.text


def test_a_cancellation_says_who_cancelled() -> None:
    mail = render("ada@people.example", "cancelled", FACTS | {"cancelled_by": "the doctor, Dr. {Fenna.__class__}"})
    assert "cancelled by the doctor, Dr. {Fenna.__class__}." in mail.text
    assert "cancelled by the doctor, Dr. {Fenna.__class__}." in mail.html
    assert mail.subject.startswith("Appointment cancelled: ")


@pytest.mark.parametrize("true", [True, 1])
def test_a_cancellation_says_you_to_the_person_who_cancelled(true: object) -> None:
    """SQLite writes truth as a number."""
    facts = {"cancelled_by": "the patient, Ada Sample", "cancelled_by_recipient": true}
    mail = render("ada@people.example", "cancelled", FACTS | facts)
    for part in (mail.text, mail.html):
        assert "You cancelled this appointment." in part
        assert "cancelled by" not in part


def test_the_subject_is_one_line_whatever_the_name() -> None:
    subject = confirmation(doctor_name="Dr. Evil\r\nBcc: everybody@people.example").subject
    assert "\n" not in subject
    assert "\r" not in subject


def test_a_doctor_without_a_specialization_has_no_empty_line_for_it() -> None:
    assert "Specialization" not in confirmation(specialization="").text


def test_a_mail_with_an_unknown_template_is_not_rendered() -> None:
    with pytest.raises(MailUnknown):
        render("ada@people.example", "moved", FACTS)
