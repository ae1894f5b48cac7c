"""How mails are rendered, and that names cannot inject HTML or headers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from src.services.mail import Mail, MailUnknown
from src.services.rendering import render as render_for
from src.settings.clinic import Clinic
from src.utils.security import hash_of_token

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


NOTHING_KNOWN = Clinic()
CLINIC = Clinic(
    name="Praxis Müller <b>& Söhne</b>",
    address="1 <i>Sample</i> Straße, 12345 Sampletown",
    phone="+49 30 <555>",
    base_url="https://clinic.example/booking",
    reply_to="desk@clinic.example",
)


def render(to: str, kind: str, facts: dict[str, Any], clinic: Clinic = NOTHING_KNOWN) -> Mail:
    return render_for(to, kind, facts, clinic)


def confirmation(clinic: Clinic = NOTHING_KNOWN, **facts: Any) -> Mail:
    return render("ada@people.example", "booked", FACTS | facts, clinic)


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


@pytest.mark.parametrize(
    ("recipient_is", "link"),
    [
        ("patient", "https://clinic.example/booking/my/17"),
        ("doctor", "https://clinic.example/booking/desk/appointments/17"),
    ],
)
@pytest.mark.parametrize("kind", ["booked", "rescheduled", "cancelled"])
def test_a_mail_has_a_link_to_the_appointments_page(kind: str, recipient_is: str, link: str) -> None:
    mail = render("ada@people.example", kind, FACTS | {"recipient_is": recipient_is}, CLINIC)
    assert link in mail.text.splitlines()
    assert f'<a href="{link}">See this appointment</a>' in mail.html


@pytest.mark.parametrize(
    ("clinic", "facts"),
    [
        (replace(CLINIC, base_url=None), {"recipient_is": "patient"}),
        (CLINIC, {"recipient_is": None}),
        (CLINIC, {}),  # a mail of the version before
    ],
)
def test_without_an_address_or_a_page_there_is_no_link(clinic: Clinic, facts: dict[str, Any]) -> None:
    mail = confirmation(clinic, **facts)
    for part in (mail.text, mail.html):
        assert "://" not in part
        assert "See this appointment" not in part


TOKEN = "a-token-of-the-tests"
RESET: dict[str, Any] = {"minutes": 30, "token": TOKEN, "token_hash": hash_of_token(TOKEN)}


def test_the_mail_for_a_new_password_has_the_token_alone_on_a_line_and_a_link() -> None:
    mail = render("ada@people.example", "password_reset", RESET, CLINIC)
    link = f"https://clinic.example/booking/password/reset?token={TOKEN}"
    assert mail.subject == "Your new password"
    assert mail.reply_to == "desk@clinic.example"
    assert {TOKEN, link} <= set(mail.text.splitlines())
    assert f'<a href="{link}">' in mail.html
    assert f"<strong>{TOKEN}</strong>" in mail.html
    for part in (mail.text, mail.html):
        assert "within 30 minutes" in part
        assert "If you did not ask for this, do nothing: your password stays as it is." in part
        assert "12345 Sampletown" in part


def test_without_an_address_the_mail_for_a_new_password_has_the_token_alone() -> None:
    mail = render("ada@people.example", "password_reset", RESET)
    assert TOKEN in mail.text.splitlines()
    assert "://" not in mail.text + mail.html
    assert "\n\n\n" not in mail.text


def test_a_token_of_another_secret_is_not_rendered() -> None:
    with pytest.raises(MailUnknown, match="SECRET_KEY"):
        render("ada@people.example", "password_reset", RESET | {"token": "of another secret"})


def test_a_mail_names_the_clinic_its_address_and_telephone() -> None:
    mail = confirmation(CLINIC)
    assert mail.text.endswith(
        "Praxis Müller <b>& Söhne</b>\n1 <i>Sample</i> Straße, 12345 Sampletown\nTelephone: +49 30 <555>\n"
    )
    assert "<b>" not in mail.html
    assert "<i>" not in mail.html
    assert "Praxis Müller &lt;b&gt;&amp; Söhne&lt;/b&gt;" in mail.html
    assert "1 &lt;i&gt;Sample&lt;/i&gt; Straße" in mail.html
    assert "+49 30 &lt;555&gt;" in mail.html


@pytest.mark.parametrize(("part", "shown"), [("name", "Praxis"), ("address", "Straße"), ("phone", "Telephone: +49")])
def test_what_is_not_configured_is_left_out(part: str, shown: str) -> None:
    mail = confirmation(replace(NOTHING_KNOWN, **{part: getattr(CLINIC, part)}))
    assert shown in mail.text
    assert shown in mail.html
    others = {"Praxis", "Straße", "Telephone"} - {shown.partition(":")[0]}
    assert not [other for other in others if other in mail.text or other in mail.html]


def test_where_nothing_is_configured_a_mail_ends_with_the_appointment() -> None:
    mail = confirmation(recipient_is="patient")
    assert mail.text.rstrip().endswith("no. 17")
    assert "<p>\n</p>" not in mail.html
    assert mail.reply_to is None


def test_what_is_configured_of_the_clinic_is_in_no_header_but_reply_to() -> None:
    with_clinic = confirmation(CLINIC, recipient_is="patient")
    assert with_clinic.subject == confirmation().subject
    assert with_clinic.reply_to == "desk@clinic.example"
