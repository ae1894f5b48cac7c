"""`flask outbox list|show|retry`, for the operator."""

from __future__ import annotations

from apiflask import APIFlask

from src.services.mail import MailRefused
from src.services.memory_mailer import MemoryMailer
from tests.conftest import MakeApp
from tests.people import Api, Deliver


def test_a_mail_set_aside_is_listed_shown_and_tried_again_under_its_own_key(
    app: APIFlask, api: Api, deliver: Deliver, mailer: MemoryMailer
) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(args=["outbox", "list"]).output == ""
    patient = api.patient()
    patient.book(api.doctor().publish())
    mailer.failures.append(MailRefused("no such mailbox"))
    assert deliver() == []

    listed = runner.invoke(args=["outbox", "list"]).output
    assert "set_aside" in listed
    assert patient.email in listed
    shown = runner.invoke(args=["outbox", "show", "1"]).output
    assert "no such mailbox" in shown
    assert "Your appointment is booked." in shown

    assert runner.invoke(args=["outbox", "retry", "1"]).exit_code == 0
    assert [mail.to for mail in deliver()] == [patient.email]
    assert runner.invoke(args=["outbox", "retry", "--all"]).exit_code == 1


def test_the_address_of_somebody_who_has_left_is_shown_as_erased(
    app: APIFlask, api: Api, deliver: Deliver, mailer: MemoryMailer
) -> None:
    patient = api.patient()
    patient.book(api.doctor().publish())
    mailer.failures.append(MailRefused("no such mailbox"))
    deliver()
    assert patient.delete("/patient/account").status_code == 200
    runner = app.test_cli_runner()
    assert "\tto (erased)\t" in runner.invoke(args=["outbox", "list"]).output
    assert "To:      (erased)\n" in runner.invoke(args=["outbox", "show", "1"]).output


def test_the_address_for_replies_is_shown(make_app: MakeApp) -> None:
    app = make_app(reply_to="desk@clinic.example")
    api = Api(app.test_client())
    api.patient().book(api.doctor().publish())
    assert "Replies: desk@clinic.example\n" in app.test_cli_runner().invoke(args=["outbox", "show", "1"]).output


def test_mistakes_get_a_sentence(app: APIFlask) -> None:
    runner = app.test_cli_runner()
    assert "no mail 77" in runner.invoke(args=["outbox", "show", "77"]).output
    assert "Name one mail, or say --all." in runner.invoke(args=["outbox", "retry"]).output
    assert runner.invoke(args=["outbox", "show", "abc"]).exit_code == 2
