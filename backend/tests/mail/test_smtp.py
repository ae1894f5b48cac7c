"""Delivery through SMTP, to a real server on loopback."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from src.services.mail import Mail, MailDelayed, MailRefused
from src.services.smtp_mailer import SmtpMailer

MAIL = Mail("ada@people.example", "Appointment booked: Dr. Ünal", "Grüße, plain", "<p>Grüße</p>")
ELSEWHERE = "mail.clinic.example"


class Mailbox:
    """Records each message, its recipient, whether it needed SMTPUTF8 and came over TLS, and log-ins.

    Refuses senders, recipients, texts and log-ins with the answers in `refusals`, by command.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.contents: list[bytes] = []
        self.recipients: list[str] = []
        self.needed_utf8: list[bool] = []
        self.over_tls: list[bool] = []
        self.users: list[bytes] = []
        self.passwords: list[bytes] = []
        self.refusals: dict[Literal["AUTH", "MAIL", "RCPT", "DATA", "QUIT"], str] = {}

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        self.users.append(data.login)
        self.passwords.append(data.password)
        if "AUTH" in self.refusals:
            return AuthResult(success=False, handled=False, message=self.refusals["AUTH"])
        return AuthResult(success=True)

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.refusals:
            return self.refusals["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        return self.refusals.get("QUIT", "221 Bye")

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.refusals:
            return self.refusals["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        self.recipients += envelope.rcpt_tos
        self.needed_utf8.append(envelope.smtp_utf8)
        self.contents.append(envelope.content)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.over_tls.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


Serve = Callable[..., int]


@pytest.fixture
def serve(mailbox: Mailbox) -> Iterator[Serve]:
    """Return a function that starts a server for the mailbox and returns its port; log-in is allowed without TLS."""
    with ExitStack() as servers:

        def start(server: type[Controller] = Controller, **options: Any) -> int:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            options = {"authenticator": mailbox.authenticate, "auth_require_tls": False} | options
            controller = server(mailbox, hostname="127.0.0.1", port=port, **options)
            controller.start()
            servers.callback(controller.stop)
            return port

        yield start


def mailer_to(url: str, sender: str = "Clinic <clinic@people.example>") -> SmtpMailer:
    return SmtpMailer(url=url, sender=sender, timeout_seconds=5)


@pytest.fixture
def mailer(serve: Serve) -> SmtpMailer:
    return mailer_to(f"smtp://127.0.0.1:{serve()}")


def test_a_mail_arrives_with_both_parts_and_a_message_id_made_of_its_key(mailer: SmtpMailer, mailbox: Mailbox) -> None:
    mailer.send(MAIL, "key-1")
    mailer.send(MAIL, "key-1")

    first, second = mailbox.messages
    assert first["Message-ID"] == second["Message-ID"] == "<key-1@people.example>"
    assert first["From"] == "Clinic <clinic@people.example>"
    assert first["To"] == "ada@people.example"
    assert first["Subject"] == MAIL.subject
    assert first["Auto-Submitted"] == "auto-generated"
    plain, html = first.get_body(["plain"]), first.get_body(["html"])
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == MAIL.text
    assert html.get_content().strip() == MAIL.html


def test_replies_go_where_the_mail_says(mailer: SmtpMailer, mailbox: Mailbox) -> None:
    mailer.send(MAIL, "key-1")
    mailer.send(replace(MAIL, reply_to="front+desk@xn--bcher-kva.example"), "key-2")
    without, with_it = mailbox.messages
    assert "Reply-To" not in without
    assert with_it["Reply-To"] == "front+desk@xn--bcher-kva.example"
    assert with_it["From"] == without["From"] == "Clinic <clinic@people.example>"


@pytest.mark.parametrize("reply_to", ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "x\n"])
def test_no_second_header_and_no_second_address_comes_with_the_address_for_replies(
    mailer: SmtpMailer, mailbox: Mailbox, reply_to: str
) -> None:
    with pytest.raises((ValueError, HeaderParseError)):
        mailer.send(replace(MAIL, reply_to=reply_to), "key-1")
    assert mailbox.messages == []


CONCERNS_THE_RECIPIENT = [
    ("RCPT", "550 no such user"),
    ("RCPT", "551 user not local"),
    ("RCPT", "553 mailbox name not allowed"),
    ("RCPT", "556 domain does not accept mail"),
    ("RCPT", "550 5.1.0 address rejected"),
    ("RCPT", "550 5.1.1 no such user"),
    ("RCPT", "550 5.1.2 no such domain"),
    ("RCPT", "501 5.1.3 bad address syntax"),
    ("RCPT", "550 5.1.6 mailbox has moved"),
    ("RCPT", "550 5.1.10 the domain has a null MX"),
    ("RCPT", "550 5.2.1 mailbox disabled"),
    ("DATA", "550 5.1.1 no such user"),
    ("DATA", "554 5.6.0 this text is damaged"),
    ("DATA", "552 5.3.4 this message is too big"),
]
CONCERNS_US = [
    ("MAIL", "450 4.1.8 who are you"),
    ("MAIL", "550 5.1.1 no such sender"),
    ("MAIL", "553 5.1.8 unknown domain of the sender"),
    ("MAIL", "530 5.7.0 log in first"),
    ("MAIL", "550 not you"),
    ("RCPT", "421 4.3.2 shutting down"),
    ("RCPT", "450 mailbox busy"),
    ("RCPT", "452 4.2.2 mailbox full"),
    ("RCPT", "552 5.2.2 mailbox full"),
    ("RCPT", "552 mailbox full"),
    ("RCPT", "550 5.1.7 bad address of the sender"),
    ("RCPT", "550 5.1.8 unknown domain of the sender"),
    ("RCPT", "550 5.4.5 daily sending quota exceeded"),
    ("RCPT", "503 5.5.1 bad sequence of commands"),
    ("RCPT", "550 5.7.1 relaying denied"),
    ("RCPT", "554 5.7.1 access denied"),
    ("RCPT", "530 5.7.0 log in first"),
    ("RCPT", "530 log in first"),
    ("RCPT", "550 5.7.26 this sender is not authenticated"),
    ("RCPT", "554 no valid recipients"),
    ("DATA", "451 4.7.1 try again later"),
    ("DATA", "550 5.4.5 daily sending quota exceeded"),
    ("DATA", "554 Message rejected: Email address is not verified"),
    ("DATA", "550 5.7.1 rejected by policy"),
]


@pytest.mark.parametrize(("command", "answer"), CONCERNS_THE_RECIPIENT)
def test_a_refusal_of_the_recipient_or_of_the_text_is_final(
    mailer: SmtpMailer, mailbox: Mailbox, command: Any, answer: str
) -> None:
    mailbox.refusals[command] = answer
    with pytest.raises(MailRefused, match=answer):
        mailer.send(MAIL, "key-1")


@pytest.mark.parametrize(("command", "answer"), CONCERNS_US)
def test_every_other_refusal_delays_the_mail(mailer: SmtpMailer, mailbox: Mailbox, command: Any, answer: str) -> None:
    mailbox.refusals[command] = answer
    with pytest.raises(MailDelayed, match=answer[:3]):
        mailer.send(MAIL, "key-1")


def test_a_mail_is_sent_once_it_is_accepted_whatever_the_server_says_then(mailer: SmtpMailer, mailbox: Mailbox) -> None:
    mailbox.refusals["QUIT"] = "421 too late"
    mailer.send(MAIL, "key-1")
    assert len(mailbox.messages) == 1


def test_a_server_that_is_away_delays_the_mail() -> None:
    mailer = SmtpMailer(url="smtp://127.0.0.1:1", sender="clinic@people.example", timeout_seconds=1)
    with pytest.raises(MailDelayed):
        mailer.send(MAIL, "key-1")


# Addresses and log-ins that are not ASCII


def mail_to(address: str) -> Mail:
    return Mail(address, MAIL.subject, MAIL.text, MAIL.html)


@pytest.mark.parametrize(
    ("address", "as_sent", "needs_utf8"),
    [
        ("jörg@people.example", "jörg@people.example", True),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example", True),
        ("ada@bücher.example", "ada@xn--bcher-kva.example", False),
        ("ada@people.example", "ada@people.example", False),
    ],
)
def test_a_server_with_smtputf8_gets_every_address(
    mailer: SmtpMailer,
    mailbox: Mailbox,
    address: str,
    as_sent: str,
    needs_utf8: bool,  # noqa: FBT001
) -> None:
    mailer.send(mail_to(address), "key-1")
    assert (mailbox.recipients, mailbox.needed_utf8) == ([as_sent], [needs_utf8])
    [message] = mailbox.messages
    assert message["To"] == as_sent
    assert message["Subject"] == MAIL.subject
    assert message["From"] == "Clinic <clinic@people.example>"


def test_a_text_that_is_not_ascii_is_sent_in_ascii_for_servers_without_8bitmime(
    mailer: SmtpMailer, mailbox: Mailbox
) -> None:
    mailer.send(MAIL, "key-1")
    assert [content for content in mailbox.contents if not content.isascii()] == []


def test_a_server_without_smtputf8_cannot_reach_such_a_mailbox(serve: Serve, mailbox: Mailbox) -> None:
    mailer = mailer_to(f"smtp://127.0.0.1:{serve(enable_SMTPUTF8=False)}")
    with pytest.raises(MailRefused, match=r"127\.0\.0\.1 offers no SMTPUTF8"):
        mailer.send(mail_to("jörg@people.example"), "key-1")
    assert mailbox.messages == []
    mailer.send(mail_to("ada@bücher.example"), "key-2")
    assert mailbox.recipients == ["ada@xn--bcher-kva.example"]


def test_an_address_that_is_none_is_refused(mailer: SmtpMailer, mailbox: Mailbox) -> None:
    for address in ("", "ada", "ada@people.example, ben@people.example", "ada@people.example\r\nBcc: b@people.example"):
        with pytest.raises(MailRefused, match="address"):
            mailer.send(mail_to(address), "key-1")
    assert mailbox.messages == []


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("Sample, Clinic <clinic@people.example>", "Sample, Clinic", "clinic@people.example"),
        ("Praxis Müller, Köln <clinic@bücher.example>", "Praxis Müller, Köln", "clinic@xn--bcher-kva.example"),
        ("Clinic <jörg@people.example>", "Clinic", "jörg@people.example"),
    ],
)
def test_the_sender_arrives_as_one_address_with_its_name(
    serve: Serve, mailbox: Mailbox, sender: str, name: str, address: str
) -> None:
    mailer_to(f"smtp://127.0.0.1:{serve()}", sender).send(MAIL, "key-1")
    [message] = mailbox.messages
    [arrived] = message["From"].addresses
    # The parser keeps bytes above 127 as surrogates.
    assert (arrived.display_name, arrived.addr_spec.encode(errors="surrogateescape").decode()) == (name, address)
    assert message["Message-ID"] == f"<key-1@{address.rpartition('@')[2]}>"


def test_a_sender_that_the_server_cannot_take_delays_the_mail(serve: Serve, mailbox: Mailbox) -> None:
    url = f"smtp://127.0.0.1:{serve(enable_SMTPUTF8=False)}"
    with pytest.raises(MailDelayed, match="FROM_EMAIL"):
        mailer_to(url, "Clinic <jörg@people.example>").send(MAIL, "key-1")
    assert mailbox.messages == []


def test_a_password_of_aws_ses_is_sent_as_it_is(serve: Serve, mailbox: Mailbox) -> None:
    mailer_to(f"smtp://AKIA0SAMPLE:Bs/a+b/c=@127.0.0.1:{serve()}").send(MAIL, "key-1")
    assert (mailbox.users, mailbox.passwords) == ([b"AKIA0SAMPLE"], [b"Bs/a+b/c="])


def test_a_log_in_that_is_not_ascii_is_sent_as_utf_8(serve: Serve, mailbox: Mailbox) -> None:
    mailer_to(f"smtp://j%C3%B6rg:gr%C3%BC%C3%9Fe@127.0.0.1:{serve()}").send(MAIL, "key-1")
    assert (mailbox.users, mailbox.passwords) == (["jörg".encode()], ["grüße".encode()])
    assert len(mailbox.messages) == 1


def test_a_refused_log_in_that_is_not_ascii_delays_the_mail(serve: Serve, mailbox: Mailbox) -> None:
    mailbox.refusals["AUTH"] = "535 5.7.8 wrong"
    with pytest.raises(MailDelayed, match="535"):
        mailer_to(f"smtp://clinic:gr%C3%BC%C3%9Fe@127.0.0.1:{serve()}").send(MAIL, "key-1")


@pytest.mark.parametrize("excluded", [["PLAIN"], ["PLAIN", "LOGIN"]])
def test_a_server_without_auth_plain_cannot_take_such_a_log_in(
    serve: Serve, mailbox: Mailbox, excluded: list[str]
) -> None:
    port = serve(auth_exclude_mechanism=excluded)
    with pytest.raises(MailDelayed, match=r"offers no AUTH PLAIN.* SMTP_URL") as delay:
        mailer_to(f"smtp://clinic:gr%C3%BC%C3%9Fe@127.0.0.1:{port}").send(MAIL, "key-1")
    assert "grüße" not in str(delay.value)
    assert mailbox.messages == []


# TLS


@pytest.fixture(autouse=True)
def _name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve ELSEWHERE, the name of a remote server, to loopback: no test may connect to another machine."""
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == ELSEWHERE else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture(scope="session")
def clinics_ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def _trust(monkeypatch: pytest.MonkeyPatch, clinics_ca: trustme.CA, tmp_path: Path) -> None:
    """Trust the clinic's own CA in the way that docs/deployment.md describes."""
    file = tmp_path / "ca.pem"
    clinics_ca.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def serving_with(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def options_for(scheme: str, certificate: trustme.LeafCert) -> dict[str, ssl.SSLContext]:
    return {"ssl_context" if scheme == "smtps" else "tls_context": serving_with(certificate)}


both_schemes = pytest.mark.parametrize("scheme", ["smtp", "smtps"])
with_and_without_log_in = pytest.mark.parametrize("account", ["", "clinic:p%40ss@"])


@both_schemes
@with_and_without_log_in
@pytest.mark.usefixtures("_trust")
def test_mails_and_passwords_go_over_tls_to_a_server_with_a_good_certificate(
    serve: Serve, mailbox: Mailbox, clinics_ca: trustme.CA, scheme: str, account: str
) -> None:
    port = serve(**options_for(scheme, clinics_ca.issue_cert(ELSEWHERE)))
    mailer_to(f"{scheme}://{account}{ELSEWHERE}:{port}").send(MAIL, "key-1")
    assert mailbox.over_tls == [True]
    assert mailbox.passwords == ([b"p@ss"] if account else [])


@both_schemes
@with_and_without_log_in
@pytest.mark.usefixtures("_trust")
@pytest.mark.parametrize("fault", ["unknown CA", "other name"])
def test_a_certificate_that_cannot_be_verified_delays_the_mail_and_says_what_to_do(
    serve: Serve, mailbox: Mailbox, clinics_ca: trustme.CA, scheme: str, account: str, fault: str
) -> None:
    certificate = (
        trustme.CA().issue_cert(ELSEWHERE) if fault == "unknown CA" else clinics_ca.issue_cert("other.clinic.example")
    )
    port = serve(**options_for(scheme, certificate))
    with pytest.raises(MailDelayed, match=rf"the certificate of {ELSEWHERE} .*SSL_CERT_FILE"):
        mailer_to(f"{scheme}://{account}{ELSEWHERE}:{port}").send(MAIL, "key-1")
    assert (mailbox.messages, mailbox.passwords) == ([], [])


def test_smtps_verifies_on_loopback_too(serve: Serve, mailbox: Mailbox) -> None:
    port = serve(**options_for("smtps", trustme.CA().issue_cert("localhost")))
    with pytest.raises(MailDelayed, match="SSL_CERT_FILE"):
        mailer_to(f"smtps://clinic:p%40ss@localhost:{port}").send(MAIL, "key-1")
    assert (mailbox.messages, mailbox.passwords) == ([], [])


def test_no_password_goes_to_a_server_elsewhere_that_offers_no_starttls(serve: Serve, mailbox: Mailbox) -> None:
    port = serve()
    with pytest.raises(MailDelayed, match=rf"{ELSEWHERE} offers no STARTTLS.*smtps://.*SMTP_URL"):
        mailer_to(f"smtp://clinic:p%40ss@{ELSEWHERE}:{port}").send(MAIL, "key-1")
    assert (mailbox.messages, mailbox.passwords) == ([], [])


def test_a_mail_without_log_in_goes_plain_to_a_server_that_offers_no_starttls(serve: Serve, mailbox: Mailbox) -> None:
    mailer_to(f"smtp://{ELSEWHERE}:{serve()}").send(MAIL, "key-1")
    assert mailbox.over_tls == [False]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_relay_on_loopback_gets_mails_and_passwords_without_tls_whatever_its_certificate(
    serve: Serve, mailbox: Mailbox, host: str
) -> None:
    port = serve(**options_for("smtp", trustme.CA().issue_cert("relay.clinic.example")))
    mailer_to(f"smtp://clinic:p%40ss@{host}:{port}").send(MAIL, "key-1")
    assert mailbox.over_tls == [False]
    assert mailbox.passwords == [b"p@ss"]


class StarttlsIsOutOfOrder(Controller):
    def factory(self) -> SMTP:
        class Server(SMTP):
            async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
                await self.push("554 5.7.3 Unable to initialize security subsystem")

        return Server(self.handler, **self.SMTP_kwargs)


@with_and_without_log_in
def test_a_server_that_refuses_starttls_delays_the_mail(
    serve: Serve, mailbox: Mailbox, clinics_ca: trustme.CA, account: str
) -> None:
    port = serve(StarttlsIsOutOfOrder, **options_for("smtp", clinics_ca.issue_cert(ELSEWHERE)))
    with pytest.raises(MailDelayed, match="Unable to initialize"):
        mailer_to(f"smtp://{account}{ELSEWHERE}:{port}").send(MAIL, "key-1")
    assert (mailbox.messages, mailbox.passwords) == ([], [])


@pytest.mark.parametrize("answer", ["535 5.7.8 wrong", "538 5.7.11 encryption required", "554 5.7.1 account locked"])
def test_a_refused_log_in_delays_the_mail(serve: Serve, mailbox: Mailbox, answer: str) -> None:
    mailbox.refusals["AUTH"] = answer
    port = serve()
    with pytest.raises(MailDelayed, match=answer[:3]):
        mailer_to(f"smtp://clinic:p%40ss@127.0.0.1:{port}").send(MAIL, "key-1")
