"""Patients leave while mails about them are under way: each mail arrives once, and is cleared when it is finished."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from src.database.transaction import transaction
from src.models import EmailConfirmation, OutboxMail, User
from src.services.mail import Mail, MailDelayed, Mailer, MailRefused
from src.services.memory_mailer import MemoryMailer
from src.tasks.delivery import deliver_due
from tests.conftest import AT_ONCE, MakeApp, StillClock
from tests.mail.conftest import Attempt, app_with_resend
from tests.mail.fake_resend import FakeResend
from tests.people import PASSWORD, Api, Deliver, Doctor, Patient

PATH = "/patient/account"


@pytest.fixture
def app(make_app: MakeApp, resend: FakeResend) -> APIFlask:
    return app_with_resend(make_app, resend, mail_timeout_seconds=1)


@pytest.fixture
def doctor(api: Api) -> Doctor:
    return api.doctor("Dr. Fenna Quill")


@pytest.fixture
def orla(api: Api) -> Patient:
    return api.patient("Orla Vanishing")


def outbox(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as db:
        return repr(db.execute(select(OutboxMail.__table__)).all()).lower()


def test_a_batch_that_is_under_way_is_repeated_as_it_was_and_then_cleared(
    app: APIFlask, doctor: Doctor, orla: Patient, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    orla.cancel(orla.book(doctor.publish()))
    resend.script.append("accept-then-cut")
    attempt()
    accepted = list(resend.accepted)
    assert accepted
    assert orla.delete(PATH).status_code == 200
    assert "orla" in outbox(app)
    clock.forward(hours=1)
    while attempt():
        pass
    assert resend.accepted[: len(accepted)] == accepted
    subjects = [(mail["to"], mail["subject"]) for mail in resend.accepted]
    assert len(subjects) == len(set(map(str, subjects)))
    assert "orla" not in outbox(app)
    assert "vanishing" not in outbox(app)


def test_a_batch_that_failed_goes_on_to_who_has_left_and_is_cleared_when_it_is_finished(
    app: APIFlask, doctor: Doctor, orla: Patient, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    orla.book(doctor.publish("09:00", "09:30"))
    orla.book(doctor.publish("10:00", "10:30"))
    resend.script.extend(["500", "500"])
    attempt()
    assert orla.delete(PATH).status_code == 200
    for _ in range(2):
        clock.forward(hours=1)
        while attempt():
            pass
    assert [mail["to"] for mail in resend.accepted].count([orla.email]) == 2
    assert "orla" not in outbox(app)


class LeavingMailer(MemoryMailer):
    """While it sends its first mail, somebody leaves; the worker has claimed the following mails already."""

    def __init__(self, leaver: Patient) -> None:
        super().__init__()
        self.leaver = leaver

    def send(self, mail: Mail, key: str) -> None:
        super().send(mail, key)
        if len(self.sent) == 1:
            assert self.leaver.delete(PATH).status_code == 200


def test_a_mail_that_is_claimed_but_not_begun_does_not_say_who_has_left(
    app: APIFlask, api: Api, doctor: Doctor, orla: Patient, clock: StillClock
) -> None:
    api.patient().book(doctor.publish("08:00", "08:30"))
    assert orla.cancel(orla.book(doctor.publish())).status_code == 200
    mailer = LeavingMailer(orla)
    with app.app_context():
        while deliver_due(transaction, mailer, clock, app.extensions["settings"], AT_ONCE):
            pass
    mails = [mail for _, mail in mailer.sent]
    assert [mail.to for mail in mails[1:]] == [doctor.email]
    assert "Patient:        A former patient" in mails[1].text
    assert "cancelled by the patient, who no longer has an account here" in mails[1].text
    assert "orla" not in outbox(app)


def test_the_first_mail_that_is_being_sent_is_cleared_too(
    app: APIFlask, doctor: Doctor, orla: Patient, clock: StillClock, deliver: Deliver
) -> None:
    orla.book(doctor.publish())
    mailer = LeavingMailer(orla)
    with app.app_context():
        while deliver_due(transaction, mailer, clock, app.extensions["settings"], AT_ONCE):
            pass
    assert [mail.to for _, mail in mailer.sent] == [orla.email, doctor.email]
    assert deliver() == []
    assert "orla" not in outbox(app)


def test_a_mail_about_a_new_password_is_dropped_or_cleared_when_its_recipient_leaves(
    app: APIFlask, orla: Patient, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    change_password(orla)
    attempt()
    change_password(orla)
    assert orla.delete(PATH).status_code == 200
    clock.forward(hours=1)
    attempt()
    assert [(mail["to"], mail["subject"]) for mail in resend.accepted] == [([orla.email], "Your password was changed")]
    with app.app_context(), transaction(writes=False) as db:
        assert db.scalars(select(OutboxMail.status).order_by(OutboxMail.id)).all() == ["sent", "dropped"]
    assert orla.email not in outbox(app)


def test_a_mail_about_a_new_password_that_is_under_way_is_cleared_when_it_is_finished(
    app: APIFlask, orla: Patient, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    change_password(orla)
    resend.script.append("accept-then-cut")
    attempt()
    assert orla.delete(PATH).status_code == 200
    assert orla.email in outbox(app)
    clock.forward(hours=1)
    attempt()
    assert [mail["to"] for mail in resend.accepted] == [[orla.email]]
    assert orla.email not in outbox(app)


def change_password(person: Patient) -> None:
    answer = person.post("/auth/password", {"current_password": PASSWORD, "new_password": PASSWORD})
    assert answer.status_code == 200
    person.token = answer.get_json()["access_token"]


@pytest.mark.parametrize("role", ["patient", "doctor"])
@pytest.mark.parametrize("moment", ["waiting", "sent", "under way"])
def test_who_leaves_takes_the_telephone_number_and_a_new_address_along(
    app: APIFlask, api: Api, clock: StillClock, attempt: Attempt, resend: FakeResend, role: str, moment: str
) -> None:
    orla = api.patient("Orla Vanishing") if role == "patient" else api.doctor("Orla Vanishing")
    assert orla.patch("/auth/me", {"phone": "+49 30 23125123", "language": "de"}).status_code == 200
    change = {"email": "nightjar@elsewhere.example", "current_password": PASSWORD}
    assert orla.patch("/auth/me", change).status_code == 200
    assert "elsewhere" in everything(app)
    if moment == "under way":
        resend.script.append("accept-then-cut")
    if moment != "waiting":
        attempt()
    assert orla.delete(f"/{role}/account").status_code == 200
    clock.forward(hours=1)
    while attempt():
        pass
    left = everything(app)
    assert [word for word in ("elsewhere", "nightjar", "23125123", "'de'") if word in left] == []
    assert len(resend.accepted) == (0 if moment == "waiting" else 2)


class RefusingMailer(MemoryMailer):
    """Refuses every mail, and quotes its address."""

    def send(self, mail: Mail, key: str) -> None:
        raise self.refusal_of(mail)

    def refusal_of(self, mail: Mail) -> MailRefused:
        return MailRefused(f"550 5.1.1 <{mail.to}>: no such mailbox")


class RefusingBatchMailer(RefusingMailer):
    largest_batch = 10

    def send_batch(self, mails: Sequence[Mail], key: str) -> dict[int, MailRefused | MailDelayed]:
        return {index: self.refusal_of(mail) for index, mail in enumerate(mails)}


@pytest.mark.parametrize("refusing", [RefusingMailer(), RefusingBatchMailer()])
@pytest.mark.parametrize("leaves_first", [True, False])
def test_what_a_provider_has_quoted_of_the_address_of_who_leaves_is_erased(
    app: APIFlask, doctor: Doctor, orla: Patient, clock: StillClock, refusing: Mailer, *, leaves_first: bool
) -> None:
    for start, end in (("09:00", "09:30"), ("10:00", "10:30")):
        assert orla.cancel(orla.book(doctor.publish(start, end))).status_code == 200
    if leaves_first:
        assert doctor.delete("/doctor/account").status_code == 200
    with app.app_context():
        while deliver_due(transaction, refusing, clock, app.extensions["settings"], AT_ONCE):
            pass
    if not leaves_first:
        assert doctor.email in outbox(app)
        assert doctor.delete("/doctor/account").status_code == 200
    assert doctor.email not in outbox(app)


def everything(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as db:
        tables = (OutboxMail, User, EmailConfirmation)
        return repr([db.execute(select(table.__table__)).all() for table in tables]).lower()
