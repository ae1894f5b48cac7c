"""What the mails look like, and that nobody's name can do harm in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from src.services.appointment_mails import AppointmentFacts, booking_confirmation, cancellation

FACTS = AppointmentFacts(
    number=17,
    doctor_name="Dr. <b>Fenna</b> & Co",
    specialization="Cardiology",
    patient_name="Ada <script>alert(1)</script>",
    starts_at=datetime(2030, 7, 1, 7, 0, tzinfo=timezone.utc),
    ends_at=datetime(2030, 7, 1, 7, 30, tzinfo=timezone.utc),
    time_zone="Europe/Berlin",
)


def test_times_are_the_doctors_wall_clock() -> None:
    mail = booking_confirmation("ada@people.example", FACTS)
    for part in (mail.text, mail.html):
        assert "Monday, 1 July 2030" in part
        assert "09:00 to 09:30 (Europe/Berlin)" in part
        assert "Cardiology" in part
        assert "no. 17" in part


def test_names_are_escaped_in_html_and_left_alone_in_text() -> None:
    mail = booking_confirmation("ada@people.example", FACTS)
    assert "<script>" not in mail.html
    assert "<b>" not in mail.html
    assert "Ada &lt;script&gt;" in mail.html
    assert "Dr. <b>Fenna</b> & Co" in mail.text


def test_a_cancellation_says_who_cancelled() -> None:
    mail = cancellation("ada@people.example", "Ada", "the doctor, Dr. Fenna", FACTS)
    assert "cancelled by the doctor, Dr. Fenna" in mail.text
    assert "cancelled by the doctor, Dr. Fenna" in mail.html
    assert mail.subject.startswith("Appointment cancelled: ")


def test_the_subject_is_one_line_whatever_the_name() -> None:
    facts = replace(FACTS, doctor_name="Dr. Evil\r\nBcc: everybody@people.example")
    assert "\n" not in booking_confirmation("ada@people.example", facts).subject
    assert "\r" not in booking_confirmation("ada@people.example", facts).subject


def test_a_doctor_without_a_specialization_has_no_empty_line_for_it() -> None:
    facts = replace(FACTS, specialization="")
    assert "Specialization" not in booking_confirmation("ada@people.example", facts).text
