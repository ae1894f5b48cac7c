"""The worker's loop, as it runs beside a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from src.utils.transaction import transaction
from tests.conftest import MakeApp
from tests.mail.fake_resend import FakeResend, fake_resend
from tests.people import Api
from worker import work


@pytest.fixture
def resend() -> Iterator[FakeResend]:
    with fake_resend() as fake:
        yield fake


@pytest.fixture
def app(make_app: MakeApp, resend: FakeResend) -> APIFlask:
    return make_app(
        resend_api_key="re_of_the_tests",
        resend_api_url=resend.url,
        from_email="clinic@people.example",
        mail_timeout_seconds=40,
        mail_poll_seconds=0.05,
    )


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


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
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
    assert len(resend.calls) == 12


def test_trouble_with_the_database_does_not_end_the_worker(app: APIFlask, api: Api, resend: FakeResend) -> None:
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


def test_without_a_transport_in_production_mails_wait(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(app_env="production")
    api = Api(app.test_client())
    api.patient().book(api.doctor().publish())
    with working(app):
        until(lambda: "Mails wait in the outbox" in caplog.text)
    with app.app_context(), transaction(writes=False) as db:
        assert list(db.execute(text("SELECT status, attempts FROM outbox"))) == [("waiting", 0)]
