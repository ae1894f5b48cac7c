"""Mails through a real SMTP server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from src.services.mail import Mail, MailDelayed, MailRefused
from src.services.smtp_mailer import SmtpMailer

MAIL = Mail("ada@people.example", "Appointment booked: Dr. Ünal", "Grüße, plain", "<p>Grüße</p>")


class Mailbox:
    """Keeps messages; refuses the next recipient with `refusal` when it is set."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusal: str | None = None

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.refusal is not None:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mailer(mailbox: Mailbox) -> Iterator[SmtpMailer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield SmtpMailer(url=f"smtp://127.0.0.1:{port}", sender="Clinic <clinic@people.example>", timeout_seconds=5)
    finally:
        controller.stop()


def test_a_mail_arrives_with_both_parts_and_a_message_id_made_of_its_key(mailer: SmtpMailer, mailbox: Mailbox) -> None:
    mailer.send(MAIL, "key-1")
    mailer.send(MAIL, "key-1")

    first, second = mailbox.messages
    assert first["Message-ID"] == second["Message-ID"] == "<key-1@people.example>"
    assert first["From"] == "Clinic <clinic@people.example>"
    assert first["To"] == "ada@people.example"
    assert first["Subject"] == MAIL.subject
    plain, html = first.get_body(["plain"]), first.get_body(["html"])
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == MAIL.text
    assert html.get_content().strip() == MAIL.html


def test_a_permanent_refusal_is_final_and_a_temporary_one_is_not(mailer: SmtpMailer, mailbox: Mailbox) -> None:
    mailbox.refusal = "550 no such user"
    with pytest.raises(MailRefused):
        mailer.send(MAIL, "key-1")
    mailbox.refusal = "450 mailbox busy"
    with pytest.raises(MailDelayed):
        mailer.send(MAIL, "key-1")


def test_a_server_that_is_away_delays_the_mail() -> None:
    mailer = SmtpMailer(url="smtp://127.0.0.1:1", sender="clinic@people.example", timeout_seconds=1)
    with pytest.raises(MailDelayed):
        mailer.send(MAIL, "key-1")
