"""What development prints of a mail."""

from __future__ import annotations

import io
from dataclasses import replace

from src.services.console_mailer import ConsoleMailer
from src.services.mail import Mail

MAIL = Mail("ada@people.example", "Appointment booked", "Hello Ada,\n\nWhere: https://no.example\n", "<p>HTML</p>")


def printed(mail: Mail) -> list[str]:
    stream = io.StringIO()
    ConsoleMailer(stream).send(mail, "key-1")
    return stream.getvalue().splitlines()


def test_a_mail_is_one_line() -> None:
    assert printed(MAIL) == ["  mail to ada@people.example: Appointment booked"]


def test_links_and_the_address_for_replies_follow() -> None:
    text = MAIL.text + "\nSee this appointment:\nhttp://localhost:5000/my/17\n\nClinic Sample\n"
    assert printed(replace(MAIL, text=text, reply_to="desk@clinic.example")) == [
        "  mail to ada@people.example: Appointment booked",
        "    reply to desk@clinic.example",
        "    http://localhost:5000/my/17",
    ]
