"""Delivery through Resend's API: the provider accepts each mail once, whatever faults it has."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import bindparam, text

from src.database.transaction import transaction
from src.models.base import Instant
from src.repositories import outbox_repository as outbox
from src.services import appointment_mails
from src.services.email_service import mailer_for
from src.services.mail import Mail, MailDelayed, MailRefused
from src.services.resend_mailer import ResendMailer
from src.tasks.delivery import deliver_due
from tests.conftest import AT_ONCE, MakeApp, StillClock
from tests.mail.conftest import Attempt, app_with_resend
from tests.mail.fake_resend import Error, FakeResend
from tests.people import Api

MAIL = Mail("ada@people.example", "Appointment booked", "plain", "<p>HTML</p>")


@pytest.fixture
def app(make_app: MakeApp, resend: FakeResend) -> APIFlask:
    return app_with_resend(make_app, resend, mail_timeout_seconds=1)


def test_a_mail_is_sent_once_with_all_its_parts(api: Api, resend: FakeResend, attempt: Attempt) -> None:
    patient = api.patient("Ada Sample")
    patient.book(api.doctor().publish())

    assert [attempt(), attempt()] == [True, False]

    [call] = resend.calls
    assert call["path"] == "/emails"
    assert call["authorization"] == "Bearer re_of_the_tests"
    assert call["from"] == "Clinic <clinic@people.example>"
    assert call["to"] == [patient.email]
    assert "booked" in call["subject"]
    assert call["text"]
    assert call["html"].startswith("<!doctype html>")
    assert call["headers"] == {"Auto-Submitted": "auto-generated"}
    assert len(call["key"]) >= 32, "as many random bits as nobody guesses, and far below Resend's 256 characters"


@pytest.mark.parametrize("mood", ["500", "503-html", "429", "403", "hang", "cut", "accept-then-cut"])
def test_a_fault_is_retried_with_the_same_key_until_the_mail_is_accepted_once(
    api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock, mood: str
) -> None:
    resend.script.extend([mood, mood])
    api.patient().book(api.doctor().publish())

    for _ in range(3):
        assert attempt() is True
        assert attempt() is False, "a mail that failed must wait before it is tried again"
        clock.forward(minutes=20)

    assert attempt() is False
    assert len(resend.accepted) == 1
    assert len(resend.calls) == 3
    assert len({call["key"] for call in resend.calls}) == 1


def test_a_mail_stays_as_it_was_first_rendered(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt is by a version with other texts, which the provider would refuse under the same key."""
    resend.script.append("accept-then-cut")
    api.patient().book(api.doctor().publish())
    assert attempt() is True
    monkeypatch.setitem(appointment_mails.NEWS, "booked", ("Congratulations", "We are looking forward to it."))
    clock.forward(minutes=20)
    assert attempt() is True

    assert len(resend.calls) == 2
    assert {call["subject"].partition(":")[0] for call in resend.calls} == {"Appointment booked"}
    assert statuses(app) == ["sent"]


BEFORE = {
    "clinic_name": "Praxis Müller <Zentrum>",
    "clinic_address": "1 Sample Street",
    "clinic_phone": "+49 30 555",
    "clinic_url": "https://clinic.example",
    "reply_to": "desk@clinic.example",
}


@pytest.mark.parametrize("afterwards", [{}, {name: f"{value}.uk" for name, value in BEFORE.items()}])
@pytest.mark.parametrize("mails", [1, 3])
def test_a_mail_stays_as_it_was_when_the_settings_change_between_two_attempts(
    make_app: MakeApp, resend: FakeResend, clock: StillClock, mails: int, afterwards: dict[str, str]
) -> None:
    """One mail goes alone, three go together."""
    resend.script.append("accept-then-cut")
    app = app_with_resend(make_app, resend, **BEFORE)
    api = Api(app.test_client())
    doctor, patient = api.doctor(), api.patient()
    for hour in range(10, 10 + mails):
        patient.book(doctor.publish(f"{hour}:00", f"{hour}:30"))
    for worker in (app, app_with_resend(make_app, resend, **afterwards)):
        settings = worker.extensions["settings"]
        mailer = mailer_for(settings)
        assert mailer is not None
        with worker.app_context():
            assert deliver_due(transaction, mailer, clock, settings, AT_ONCE) is True
        clock.forward(minutes=20)

    first, second = resend.calls
    assert first == second
    assert len(resend.accepted) == mails
    assert {mail["reply_to"] for mail in resend.accepted} == {"desk@clinic.example"}
    assert all("https://clinic.example/my/" in mail["text"] for mail in resend.accepted)
    assert all("Praxis Müller &lt;Zentrum&gt;" in mail["html"] for mail in resend.accepted)
    assert statuses(app) == ["sent"] * mails


def test_without_an_address_for_replies_there_is_no_such_parameter(
    api: Api, resend: FakeResend, attempt: Attempt
) -> None:
    """A mail that the version before attempted has none either, and must be repeated unchanged."""
    api.patient().book(api.doctor().publish())
    attempt()
    assert "reply_to" not in resend.calls[0]


def test_a_mail_that_cannot_be_rendered_delays_no_other(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    """This happens while an old worker still runs beside servers of a version that has a new kind of mail."""
    doctor, patient = api.doctor(), api.patient()
    patient.book(doctor.publish("09:00", "09:30"))
    patient.book(doctor.publish("10:00", "10:30"))
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text("UPDATE outbox SET template = 'of tomorrow' WHERE id = 1"))

    assert attempt() is True
    assert attempt() is False
    assert ["10:00" in mail["text"] for mail in resend.accepted] == [True]
    assert statuses(app) == ["waiting", "sent"]
    shown = app.test_cli_runner().invoke(args=["outbox", "show", "1"])
    assert "of tomorrow" in shown.output
    assert api.client.get("/dev/outbox").status_code == 200

    with app.app_context(), transaction(writes=True) as db:
        db.execute(text("UPDATE outbox SET template = 'booked' WHERE id = 1"))
    clock.forward(hours=5)
    assert attempt() is True
    assert statuses(app) == ["sent", "sent"]


def statuses(app: APIFlask) -> list[str]:
    with app.app_context(), transaction(writes=False) as db:
        return list(db.scalars(text("SELECT status FROM outbox ORDER BY id")))


def test_a_retry_waits_as_long_as_retry_after_says(
    api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    resend.script.append("429")
    api.patient().book(api.doctor().publish())
    attempt()
    clock.forward(seconds=6)
    assert attempt() is False
    clock.forward(seconds=2)
    assert attempt() is True
    assert len(resend.accepted) == 1


@pytest.mark.parametrize("retry_after", [0, -7, float("nan")])
def test_the_pauses_grow_where_retry_after_says_no_time(
    api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock, retry_after: float
) -> None:
    resend.retry_after = retry_after
    resend.script.extend(["429"] * 60)
    api.patient().book(api.doctor().publish())
    for _ in range(60):
        attempt()
        clock.forward(seconds=1)
    # 1, 2, 4, … seconds between half and the whole.
    assert 5 <= len(resend.calls) <= 8


def test_a_refused_mail_is_set_aside_and_delays_no_other(
    api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    doctor = api.doctor()
    first, second = api.patient("Ada Sample"), api.patient("Ben Placeholder")
    resend.bad.add(first.email)
    first.book(doctor.publish("09:00", "09:30"))
    second.book(doctor.publish("10:00", "10:30"))

    assert [attempt(), attempt()] == [True, False]
    clock.forward(hours=5)
    assert attempt() is False
    assert [mail["to"] for mail in resend.accepted] == [[second.email]]


# Messages as Resend publishes them: https://resend.com/docs/api-reference/errors
ABOUT_US = [
    (400, "invalid_idempotency_key", "The key must be between 1-256 chars."),
    (400, "validation_error", "API key is invalid"),
    (401, "missing_api_key", "Missing API key in the authorization header."),
    (401, "restricted_api_key", "This API key is restricted to only send emails."),
    (401, "validation_error", "API key is invalid"),
    (403, "invalid_api_key", "API key is invalid."),
    (403, "validation_error", "You can only send testing emails to your own email address."),
    (403, "validation_error", "The people.example domain is not verified."),
    (422, "validation_error", "The people.example domain is not verified."),
    (
        422,
        "validation_error",
        "Invalid `from` field. The email address needs to follow the `email@example.com` format.",
    ),
    (422, "invalid_from_address", "Invalid from field."),
    (422, "invalid_access", "Access must be full_access or sending_access."),
    (404, "not_found", "The requested endpoint does not exist."),
    (405, "method_not_allowed", "Method is not allowed for the requested path."),
    (409, "concurrent_idempotent_requests", "Same idempotency key used while original request is still in progress."),
    (429, "rate_limit_exceeded", "Too many requests."),
    (429, "daily_quota_exceeded", "You have reached your daily email sending quota."),
    (429, "monthly_quota_exceeded", "You have reached your monthly email sending quota."),
    (451, "security_error", "We may have found a security issue with the request."),
    (500, "application_error", "An unexpected error occurred."),
]
ABOUT_THIS_MAIL = [
    (
        422,
        "validation_error",
        "Invalid `to` field. Please use our testing email address instead of domains like `example.com`.",
    ),
    (400, "validation_error", "Invalid `to` field. The email address has non-ASCII characters."),
    (422, "validation_error", "The `subject` is too long."),
    (422, "missing_required_field", "Missing `to` field."),
    (409, "invalid_idempotent_request", "Same idempotency key used with a different request payload."),
]


@pytest.fixture
def mailer(resend: FakeResend) -> ResendMailer:
    return ResendMailer(api_key="re_of_the_tests", api_url=resend.url, sender="a@people.example", timeout_seconds=1)


@pytest.mark.parametrize("error", ABOUT_US, ids=lambda error: f"{error[0]} {error[1]}")
def test_a_refusal_of_our_settings_or_quota_delays_the_mail(
    resend: FakeResend, mailer: ResendMailer, error: Error
) -> None:
    resend.script.append(error)
    with pytest.raises(MailDelayed, match=f"{error[0]} {error[1]}"):
        mailer.send(MAIL, "key-1")


@pytest.mark.parametrize("error", ABOUT_THIS_MAIL, ids=lambda error: f"{error[0]} {error[1]}")
def test_a_refusal_of_this_mail_is_final(resend: FakeResend, mailer: ResendMailer, error: Error) -> None:
    resend.script.append(error)
    with pytest.raises(MailRefused, match=f"{error[0]} {error[1]}"):
        mailer.send(MAIL, "key-1")


def test_a_cancellation_never_overtakes_its_confirmation(
    api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    resend.script.extend(["500", "ok"])
    doctor, patient = api.doctor(), api.patient()
    appointment_id = patient.book(doctor.publish())
    assert attempt() is True
    patient.cancel(appointment_id)

    # The confirmation to the patient has failed, so of the two mails about the cancellation only the doctor's is sent.
    assert [attempt(), attempt()] == [True, False]
    assert [mail["to"] for mail in resend.accepted] == [[doctor.email]]
    clock.forward(minutes=20)
    assert [attempt(), attempt(), attempt()] == [True, True, False]
    to_patient = [mail["subject"] for mail in resend.accepted if mail["to"] == [patient.email]]
    assert [subject.partition(":")[0] for subject in to_patient] == ["Appointment booked", "Appointment cancelled"]


def test_a_mail_that_is_due_next_week_delays_no_other(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    doctor, patient = api.doctor(), api.patient()
    appointment_id = patient.book(doctor.publish(date="2030-04-05"))
    assert attempt() is True
    with app.app_context(), transaction(writes=True) as db:
        again = {"about": "a reminder", "due": clock.now + timedelta(days=7)}
        db.execute(_COPY.bindparams(bindparam("due", type_=Instant())), again)
    patient.cancel(appointment_id)
    assert [attempt(), attempt()] == [True, False]
    assert sorted(mail["to"][0] for mail in resend.accepted) == sorted([patient.email, patient.email, doctor.email])
    assert statuses(app) == ["sent", "waiting", "sent", "sent"]


def test_a_mail_waits_for_an_earlier_one_that_another_worker_is_sending(
    app: APIFlask, api: Api, attempt: Attempt, clock: StillClock
) -> None:
    """A claimed mail is not due again before its lease ends."""
    doctor, patient = api.doctor(), api.patient()
    appointment_id = patient.book(doctor.publish())
    with app.app_context(), transaction(writes=True) as db:
        assert len(outbox.claim(db, clock.now, timedelta(minutes=1), limit=10, limit_begun=10)) == 1
    patient.cancel(appointment_id)
    attempt()
    # The doctor has had no earlier mail.
    with app.app_context(), transaction(writes=False) as db:
        mails = db.execute(text("SELECT recipient, status FROM outbox")).all()
    assert sorted(mails) == sorted([(patient.email, "waiting"), (patient.email, "waiting"), (doctor.email, "sent")])


def test_a_mail_of_an_unknown_kind_about_no_appointment_waits_for_a_version_that_knows_it(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    patient = api.patient()
    with app.app_context(), transaction(writes=True) as db:
        db.execute(_OF_TOMORROW.bindparams(bindparam("now", type_=Instant())), {"to": patient.id, "now": clock.now})
    for _ in range(3):
        assert attempt() is True
        assert attempt() is False
        clock.forward(hours=1)
    assert statuses(app) == ["waiting"]
    assert resend.calls == []
    with app.app_context(), transaction(writes=False) as db:
        assert "'of tomorrow'" in db.execute(text("SELECT last_error FROM outbox")).scalar_one()


_COPY = text("""
    INSERT INTO outbox (key, about, appointment_id, recipient_id, recipient, template, facts, due_at, created_at)
    SELECT 'another', :about, appointment_id, recipient_id, recipient, template, facts, :due, created_at FROM outbox
""")
_OF_TOMORROW = text("""
    INSERT INTO outbox (key, about, recipient_id, recipient, template, facts, due_at, created_at)
    VALUES ('k', 'tomorrow:1', :to, 'a@people.example', 'of tomorrow', '{"sun": true}', :now, :now)
""")


def test_a_worker_killed_after_claiming_delays_the_mail_by_its_lease_only(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    class KilledError(BaseException):
        """Ends the worker like kill -9: no handler catches it."""

    class KillingMailer:
        def send(self, mail: object, key: str) -> None:
            raise KilledError

    api.patient().book(api.doctor().publish())
    with app.app_context(), pytest.raises(KilledError):
        deliver_due(transaction, KillingMailer(), clock, app.extensions["settings"], AT_ONCE)
    assert attempt() is False
    clock.forward(seconds=app.extensions["settings"].mail_lease_seconds + 1)
    assert attempt() is True
    assert len(resend.accepted) == 1


def test_no_mail_is_begun_that_would_outlast_the_lease_if_it_took_as_long_as_those_before(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    """An SMTP server may answer each of several commands within MAIL_TIMEOUT_SECONDS, and take longer in all."""
    ended: list[datetime] = []

    class SlowMailer:
        def send(self, mail: Mail, key: str) -> None:
            clock.forward(seconds=9)
            ended.append(clock.now)

    doctor, patient = api.doctor(), api.patient()
    for minute in range(10, 18):
        patient.book(doctor.publish(f"{minute}:00", f"{minute}:30"))
    claimed_at = clock.now
    with app.app_context():
        deliver_due(transaction, SlowMailer(), clock, app.extensions["settings"], AT_ONCE)
    assert ended[-1] <= claimed_at + timedelta(seconds=app.extensions["settings"].mail_lease_seconds)
    assert statuses(app) == ["sent"] * 6 + ["waiting"] * 2


@pytest.mark.parametrize("first_is_refused", [True, False])
def test_of_two_workers_whose_attempts_overlap_the_one_that_sent_decides(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock, *, first_is_refused: bool
) -> None:
    class SlowMailer:
        def send(self, mail: Mail, key: str) -> None:
            clock.forward(seconds=app.extensions["settings"].mail_lease_seconds + 1)
            assert attempt() is True
            if first_is_refused:
                raise MailRefused("no such mailbox")

    patient = api.patient()
    patient.book(api.doctor().publish())
    if not first_is_refused:
        resend.bad.add(patient.email)
    with app.app_context():
        deliver_due(transaction, SlowMailer(), clock, app.extensions["settings"], AT_ONCE)
    assert statuses(app) == ["sent"]


def test_a_confirmation_is_dropped_only_once_its_appointment_is_over(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock
) -> None:
    doctor, patient = api.doctor(), api.patient()
    patient.book(doctor.publish("09:00", "09:30"))
    patient.book(doctor.publish("10:00", "10:30"))
    clock.forward(days=1, hours=1, minutes=45)  # 09:45 on that day: only the first appointment is over

    while attempt():
        pass
    assert ["10:00" in mail["text"] for mail in resend.accepted] == [True]
    shown = app.test_cli_runner().invoke(args=["outbox", "show", "1"])
    assert "It could not be sent while it was of use." in shown.output


def test_a_deleted_doctor_gets_the_mails_already_due_and_then_the_address_is_erased(
    api: Api, resend: FakeResend, attempt: Attempt
) -> None:
    doctor, patient = api.doctor("Dr. Fenna Quill"), api.patient()
    patient.cancel(patient.book(doctor.publish()))
    patient.book(doctor.publish("10:00", "10:30"))
    assert doctor.delete("/doctor/account").status_code == 200

    while attempt():
        pass
    assert [mail["to"] for mail in resend.accepted].count([doctor.email]) == 1
    assert "who no longer offers appointments here" in resend.accepted[-1]["text"]
    shown = api.client.get("/dev/outbox").get_json()["data"]
    assert doctor.email not in str(shown)
    assert [mail["to"] for mail in shown].count(None) == 1
