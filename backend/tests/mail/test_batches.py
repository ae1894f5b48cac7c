"""Many mails in one request to Resend: each arrives once, whatever happens to the request or to the worker."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from src.database.transaction import transaction
from src.repositories import outbox_repository as outbox
from src.services.email_service import mailer_for
from src.services.mail import BatchMailer, Mail, MailDelayed, MailRefused
from src.tasks.delivery import deliver_due
from tests.conftest import AT_ONCE, ON_POSTGRESQL, AtOnce, MakeApp, StillClock
from tests.mail.conftest import Attempt, app_with_resend
from tests.mail.fake_resend import Error, FakeResend
from tests.mail_tokens import reset_token_of
from tests.people import Api, Deliver


@pytest.fixture
def app(make_app: MakeApp, resend: FakeResend) -> APIFlask:
    return app_with_resend(make_app, resend, mail_timeout_seconds=1)


@pytest.fixture
def three(api: Api) -> list[str]:
    """Book for three patients, and return their addresses in the order of their mails."""
    doctor = api.doctor()
    patients = [api.patient(name) for name in ("Ada Sample", "Ben Placeholder", "Cleo Fiction")]
    for hour, patient in enumerate(patients, 9):
        patient.book(doctor.publish(f"{hour:02}:00", f"{hour:02}:30"))
    return [patient.email for patient in patients]


def change(app: APIFlask, sql: str) -> None:
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text(sql))


def outcomes(app: APIFlask) -> list[tuple[str, bool]]:
    """Return the status of each mail, and whether it is in a batch that is under way."""
    with app.app_context(), transaction(writes=False) as db:
        return [
            (row.status, row.batch_key is not None)
            for row in db.execute(text("SELECT status, batch_key FROM outbox ORDER BY id"))
        ]


def recipients(mails: Sequence[dict[str, list[str]]]) -> list[str]:
    return [address for mail in mails for address in mail["to"]]


ALL_SENT = [("sent", False)] * 3
UNDER_WAY = [("waiting", True)] * 3


def test_due_mails_go_in_one_request_in_their_order(
    app: APIFlask, resend: FakeResend, attempt: Attempt, three: list[str]
) -> None:
    assert [attempt(), attempt()] == [True, False]
    [call] = resend.calls
    assert call["path"] == "/emails/batch"
    assert len(call["key"]) >= 32
    assert recipients(call["mails"]) == recipients(resend.accepted) == three
    assert outcomes(app) == ALL_SENT


@ON_POSTGRESQL
def test_two_thousand_due_mails_take_twenty_requests(
    app: APIFlask, api: Api, resend: FakeResend, clock: StillClock
) -> None:
    """Two requests a second, the default of RESEND_REQUESTS_PER_SECOND, then take ten seconds."""

    class CountingPace(AtOnce):
        waits = 0

        def wait(self) -> bool:
            self.waits += 1
            return False

    api.patient().book(api.doctor().publish())
    change(app, OWE_TWO_THOUSAND)
    mailer, pace = mailer_for(app.extensions["settings"]), CountingPace(None, threading.Event())
    assert mailer is not None
    with app.app_context():
        while deliver_due(transaction, mailer, clock, app.extensions["settings"], pace):
            pass
    assert [len(mails) for mails in resend.batches] == [100] * 20
    assert len(resend.calls) == pace.waits == 20
    assert len(set(recipients(resend.accepted))) == len(resend.accepted) == 2000
    assert set(outcomes(app)) == {("sent", False)}


# Copies the one mail to 1,999 more recipients.
OWE_TWO_THOUSAND = """
    WITH friends AS (
        INSERT INTO users (name, email, email_key, password_hash, role, created_at)
        SELECT 'Friend ' || n, 'f' || n || '@people.example', 'f' || n || '@people.example', 'x', 'patient', now()
        FROM generate_series(1, 1999) AS n RETURNING id, email)
    INSERT INTO outbox (key, event_id, appointment_id, recipient_id, recipient, template, facts, due_at, created_at)
    SELECT gen_random_uuid()::text, event_id, appointment_id, friends.id, friends.email, template, facts, due_at,
        outbox.created_at FROM outbox CROSS JOIN friends
"""


@pytest.mark.parametrize(
    "fault",
    ["500", "429", "cut", "accept-then-cut", (403, "validation_error", "The people.example domain is not verified.")],
    ids=str,
)
def test_after_a_fault_exactly_the_same_request_is_repeated(
    app: APIFlask, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str], fault: str | Error
) -> None:
    resend.script.extend([fault, fault])
    for _ in range(3):
        assert [attempt(), attempt()] == [True, False]
        clock.forward(minutes=20)
    first, second, third = resend.calls
    assert first == second == third
    assert recipients(resend.accepted) == three
    assert outcomes(app) == ALL_SENT


def test_a_mail_that_came_later_joins_no_batch_that_is_under_way(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    resend.script.append("accept-then-cut")
    attempt()
    later = api.patient("Dora Later")
    later.book(api.doctor().publish("15:00", "15:30"))
    clock.forward(minutes=20)
    while attempt():
        pass
    first, second, alone = resend.calls
    assert first == second
    assert (alone["path"], alone["to"]) == ("/emails", [later.email])
    assert recipients(resend.accepted) == [*three, later.email]


class KilledError(BaseException):
    """Ends the worker like kill -9: no handler catches it."""


class Killing:
    """Sends, and is killed before anybody learns of the answer."""

    largest_batch = 100

    def __init__(self, mailer: BatchMailer) -> None:
        self.mailer = mailer

    def send(self, mail: Mail, key: str) -> None:
        self.mailer.send(mail, key)
        raise KilledError

    def send_batch(self, mails: Sequence[Mail], key: str) -> dict[int, MailRefused | MailDelayed]:
        self.mailer.send_batch(mails, key)
        raise KilledError


def test_another_worker_repeats_the_batch_of_one_that_was_killed_once_its_lease_has_ended(
    app: APIFlask, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    mailer = mailer_for(app.extensions["settings"])
    assert isinstance(mailer, BatchMailer)
    with app.app_context(), pytest.raises(KilledError):
        deliver_due(transaction, Killing(mailer), clock, app.extensions["settings"], AT_ONCE)
    assert outcomes(app) == UNDER_WAY
    assert attempt() is False
    clock.forward(seconds=61)
    assert [attempt(), attempt()] == [True, False]
    first, second = resend.calls
    assert first == second
    assert recipients(resend.accepted) == three
    assert outcomes(app) == ALL_SENT


def test_a_batch_is_claimed_whole(
    app: APIFlask, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    resend.script.append("500")
    attempt()
    clock.forward(minutes=20)
    with app.app_context(), transaction(writes=True) as db:
        assert len(outbox.claim(db, clock.now, timedelta(minutes=1), limit=1, limit_begun=1)) == len(three)
    assert attempt() is False


def test_a_mail_that_is_finished_stays_in_the_list_that_is_repeated(
    app: APIFlask, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    """A worker of the version before knows no batches, and sends a mail alone once it is due again."""
    resend.script.append("accept-then-cut")
    attempt()
    change(app, "UPDATE outbox SET status = 'set_aside' WHERE id = 2")
    clock.forward(minutes=20)
    assert [attempt(), attempt()] == [True, False]
    first, second = resend.calls
    assert first == second
    assert recipients(resend.accepted) == three
    assert outcomes(app) == [("sent", False), ("set_aside", False), ("sent", False)]


def test_a_batch_with_an_address_that_is_erased_is_set_aside(
    app: APIFlask, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    resend.script.append("accept-then-cut")
    attempt()
    change(app, "UPDATE outbox SET status = 'sent', recipient = NULL WHERE id = 2")
    clock.forward(minutes=20)
    assert [attempt(), attempt()] == [True, False]
    assert len(resend.calls) == 1
    assert outcomes(app) == [("set_aside", False), ("sent", False), ("set_aside", False)]


@pytest.mark.parametrize("number", [1, 2])
def test_a_mail_without_an_address_is_set_aside_and_joins_no_batch(
    app: APIFlask, resend: FakeResend, attempt: Attempt, three: list[str], number: int
) -> None:
    change(app, f"UPDATE outbox SET recipient = NULL WHERE id <= {number}")
    assert [attempt(), attempt()] == [True, False]
    assert recipients(resend.accepted) == three[number:]
    assert outcomes(app) == [("set_aside", False)] * number + [("sent", False)] * (3 - number)
    shown = app.test_cli_runner().invoke(args=["outbox", "show", "1"]).output
    assert "The mail has no address." in shown


def test_only_the_mails_that_resend_refuses_are_set_aside_and_they_are_retried_alone(
    app: APIFlask, resend: FakeResend, attempt: Attempt, three: list[str]
) -> None:
    resend.bad.add(three[1])
    assert [attempt(), attempt()] == [True, False]
    assert recipients(resend.accepted) == [three[0], three[2]]
    assert outcomes(app) == [("sent", False), ("set_aside", False), ("sent", False)]
    shown = app.test_cli_runner().invoke(args=["outbox", "show", "2"]).output
    assert "Invalid `to` field." in shown

    resend.bad.clear()
    assert app.test_cli_runner().invoke(args=["outbox", "retry", "2"]).exit_code == 0
    assert [attempt(), attempt()] == [True, False]
    assert (resend.calls[-1]["path"], resend.calls[-1]["to"]) == ("/emails", [three[1]])
    assert outcomes(app) == ALL_SENT


def test_after_a_lost_answer_the_refused_mails_are_set_aside_all_the_same(
    app: APIFlask, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    resend.bad.add(three[0])
    resend.script.append("accept-then-cut")
    attempt()
    clock.forward(minutes=20)
    attempt()
    assert recipients(resend.accepted) == three[1:]
    assert outcomes(app) == [("set_aside", False), ("sent", False), ("sent", False)]


def test_a_batch_that_is_refused_whole_goes_on_mail_by_mail(
    app: APIFlask, resend: FakeResend, attempt: Attempt, three: list[str]
) -> None:
    resend.script.append((422, "validation_error", "This list is too long."))
    assert [attempt(), attempt(), attempt()] == [True, True, False]
    assert [call["path"] for call in resend.calls] == ["/emails/batch", "/emails", "/emails", "/emails"]
    assert len({call["key"] for call in resend.calls}) == 4
    assert recipients(resend.accepted) == three
    assert outcomes(app) == ALL_SENT


def test_a_batch_that_resend_knows_with_another_sender_is_set_aside(
    app: APIFlask, make_app: MakeApp, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    resend.script.append("accept-then-cut")
    attempt()
    settings = app.extensions["settings"].model_copy(update={"from_email": "other@people.example"})
    mailer = mailer_for(settings)
    assert mailer is not None
    clock.forward(minutes=20)
    with app.app_context():
        deliver_due(transaction, mailer, clock, settings, AT_ONCE)
    assert recipients(resend.accepted) == three
    assert outcomes(app) == [("set_aside", False)] * 3


def test_a_mail_that_was_attempted_alone_goes_on_alone_under_its_own_key(
    app: APIFlask, resend: FakeResend, attempt: Attempt, three: list[str]
) -> None:
    change(app, "UPDATE outbox SET subject = 'S', text = 'T', html = 'H', key = 'own', attempts = 1 WHERE id = 1")
    assert [attempt(), attempt()] == [True, False]
    alone, together = resend.calls
    assert (alone["path"], alone["key"], alone["to"]) == ("/emails", "own", three[:1])
    assert recipients(together["mails"]) == three[1:]
    assert outcomes(app) == ALL_SENT


def test_a_cancellation_is_not_in_the_batch_of_its_confirmation(api: Api, resend: FakeResend, attempt: Attempt) -> None:
    doctor, patient = api.doctor(), api.patient()
    patient.cancel(patient.book(doctor.publish()))
    assert [attempt(), attempt(), attempt()] == [True, True, False]
    together, alone = resend.calls
    assert sorted(recipients(together["mails"])) == sorted([patient.email, doctor.email])
    assert (alone["to"], alone["subject"].partition(":")[0]) == ([patient.email], "Appointment cancelled")


def test_another_mailer_sends_the_mails_of_a_batch_one_by_one(
    app: APIFlask, resend: FakeResend, attempt: Attempt, deliver: Deliver, clock: StillClock, three: list[str]
) -> None:
    """The clinic has changed from Resend to SMTP."""
    resend.script.append("500")
    attempt()
    clock.forward(minutes=20)
    assert sorted(mail.to for mail in deliver()) == sorted(three)


def test_tokens_stay_in_a_batch_until_it_is_answered(
    app: APIFlask, api: Api, resend: FakeResend, attempt: Attempt, clock: StillClock, three: list[str]
) -> None:
    tokens = [reset_token_of(app, api.patient()) for _ in range(2)]
    resend.script.append("500")
    assert attempt()
    assert [token in texts_of(app) for token in tokens] == [True, True]
    # As if an older worker had sent one of them alone.
    change(app, "UPDATE outbox SET status = 'sent', text = NULL, html = NULL WHERE id = 4")
    clock.forward(minutes=1)
    assert attempt()
    first, second = resend.calls
    assert (first["key"], first["mails"]) == (second["key"], second["mails"])
    assert [token in texts_of(app) for token in tokens] == [False, False]
    assert "Your appointment is booked." in texts_of(app)


def texts_of(app: APIFlask) -> str:
    with app.app_context(), transaction(writes=False) as db:
        return repr([tuple(row) for row in db.execute(text("SELECT text, html FROM outbox"))])
