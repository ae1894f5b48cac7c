"""The worker's loop, run in a thread beside the application."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from src.database.transaction import transaction
from tests.computed import openings
from tests.conftest import ON_POSTGRESQL, MakeApp, StillClock
from tests.mail.conftest import app_with_resend
from tests.mail.fake_resend import FakeResend
from tests.people import Api, hours
from worker import work


@pytest.fixture
def app(make_app: MakeApp, resend: FakeResend) -> APIFlask:
    return app_with_resend(make_app, resend, mail_timeout_seconds=40, mail_poll_seconds=0.05)


@contextmanager
def working(app: APIFlask) -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(app, stop))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(timeout=45)
        assert not thread.is_alive()


def until(happens: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        time.sleep(0.02)


def test_bookings_are_answered_while_the_provider_hangs(app: APIFlask, api: Api, resend: FakeResend) -> None:
    resend.script.append("hang")
    doctor, patient = api.doctor(), api.patient()
    with working(app):
        patient.book(doctor.publish("09:00", "09:30"))
        until(lambda: len(resend.calls) == 1)
        patient.book(doctor.publish("10:00", "10:30"))
        assert len(resend.calls) == 1, "the provider still hangs over the first mail"
        resend.release.set()


def test_several_workers_send_each_mail_once(app: APIFlask, api: Api, resend: FakeResend) -> None:
    doctor, patient = api.doctor(), api.patient()
    for minute in range(0, 60, 5):
        patient.book(doctor.publish(f"09:{minute:02}", f"09:{minute + 4:02}"))
    with working(app), working(app), working(app):
        until(lambda: len(resend.accepted) == 12)
    assert sum(len(call.get("mails", [call])) for call in resend.calls) == 12


@ON_POSTGRESQL
def test_a_thousand_due_mails_drain_and_no_transaction_is_open_while_the_network_is_slow(
    app: APIFlask, api: Api, resend: FakeResend
) -> None:
    api.patient().book(api.doctor().publish())
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text(_OWE_A_THOUSAND))
    resend.script.extend(["ok"] * 5 + ["late"])
    with working(app):
        until(lambda: len(resend.calls) == 6, seconds=80)
        with app.app_context(), transaction(writes=False) as db:
            assert db.execute(text(_OPEN_TRANSACTIONS)).scalar_one() == 0
        resend.release.set()
        until(lambda: len(resend.accepted) == 1000, seconds=80)
    assert len({mail["to"][0] for mail in resend.accepted}) == 1000
    with app.app_context(), transaction(writes=False) as db:
        assert db.execute(text("SELECT status, count(*) FROM outbox GROUP BY status")).all() == [("sent", 1000)]


# Copies the one mail to 999 more recipients.
_OWE_A_THOUSAND = """
    WITH friends AS (
        INSERT INTO users (name, email, email_key, password_hash, role, created_at)
        SELECT 'Friend ' || n, 'f' || n || '@people.example', 'f' || n || '@people.example', 'x', 'patient', now()
        FROM generate_series(1, 999) AS n RETURNING id, email)
    INSERT INTO outbox (key, event_id, appointment_id, recipient_id, recipient, template, facts, due_at, created_at)
    SELECT gen_random_uuid()::text, event_id, appointment_id, friends.id, friends.email, template, facts, due_at,
        outbox.created_at FROM outbox CROSS JOIN friends
"""
_OPEN_TRANSACTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


def test_a_database_error_does_not_end_the_worker(app: APIFlask, api: Api, resend: FakeResend) -> None:
    patient, doctor = api.patient(), api.doctor()
    slot_id = doctor.publish()
    rename = "ALTER TABLE {} RENAME TO {}"
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text(rename.format("outbox", "outbox_away")))
    with working(app) as thread:
        thread.join(timeout=0.5)
        assert thread.is_alive()
        with app.app_context(), transaction(writes=True) as db:
            db.execute(text(rename.format("outbox_away", "outbox")))
        patient.book(slot_id)
        until(lambda: len(resend.accepted) == 1)


def test_a_purge_that_fails_keeps_no_mail_from_being_sent(app: APIFlask, api: Api, resend: FakeResend) -> None:
    api.patient().book(api.doctor().publish())
    rename = "ALTER TABLE {} RENAME TO {}"
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text(rename.format("failed_attempts", "failed_attempts_away")))
    try:
        with working(app):
            until(lambda: len(resend.accepted) == 1)
    finally:
        with app.app_context(), transaction(writes=True) as db:
            db.execute(text(rename.format("failed_attempts_away", "failed_attempts")))


def test_without_a_transport_in_production_mails_wait(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(app_env="production")
    api = Api(app.test_client())
    api.patient().book(api.doctor().publish())
    with working(app):
        until(lambda: "Mails wait in the outbox" in caplog.text)
    with app.app_context(), transaction(writes=False) as db:
        assert list(db.execute(text("SELECT status, attempts FROM outbox"))) == [("waiting", 0)]


def test_the_worker_lays_openings(app: APIFlask, api: Api) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours())
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text("DELETE FROM openings"))
        db.execute(text("UPDATE doctors SET openings_until = '2030-03-03'"))
    with working(app):
        until(lambda: len(openings(app, doctor)) == 9)


def test_tasks_that_the_database_interrupts_are_soon_run_again(
    app: APIFlask, api: Api, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours())
    rename = "ALTER TABLE {} RENAME TO {}"
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text("DELETE FROM openings"))
        db.execute(text("UPDATE doctors SET openings_until = '2030-03-03'"))
        db.execute(text(rename.format("visit_types", "visit_types_away")))
    with working(app):
        until(lambda: "visit_types" in caplog.text)
        with app.app_context(), transaction(writes=True) as db:
            db.execute(text(rename.format("visit_types_away", "visit_types")))
        clock.forward(minutes=1)
        until(lambda: len(openings(app, doctor)) == 9)


def test_a_clock_that_is_set_back_does_not_keep_the_worker_from_laying_openings(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours())
    laid = openings(app, doctor)
    clock.forward(days=365)
    with working(app):
        until(lambda: openings(app, doctor) != laid)
        with app.app_context(), transaction(writes=True) as db:
            db.execute(text("DELETE FROM openings"))
            db.execute(text("UPDATE doctors SET openings_until = '2030-03-03'"))
        clock.forward(days=-365)
        until(lambda: openings(app, doctor) == laid)
