"""Fixtures of the tests of delivery: a fake of Resend, and attempts at delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask

from src.database.transaction import transaction
from src.services.email_service import mailer_for
from src.tasks.delivery import deliver_due
from tests.conftest import AT_ONCE, MakeApp, StillClock
from tests.mail.fake_resend import FakeResend, ResendServer, resend_server

Attempt = Callable[[], bool]


@pytest.fixture(scope="session")
def _resend_server() -> Iterator[ResendServer]:
    with resend_server() as server:
        yield server


@pytest.fixture
def resend(_resend_server: ResendServer) -> Iterator[FakeResend]:
    """Yield a fake, at the same address for all tests, so that they can share applications."""
    with _resend_server.new_fake() as fake:
        yield fake


def app_with_resend(make_app: MakeApp, resend: FakeResend, **options: Any) -> APIFlask:
    """Create an application that sends its mails to the fake; `options` are further settings."""
    sender = "Clinic <clinic@people.example>"
    return make_app(resend_api_key="re_of_the_tests", resend_api_url=resend.url, from_email=sender, **options)


@pytest.fixture
def attempt(app: APIFlask, clock: StillClock) -> Attempt:
    """Return a function that makes one delivery attempt, as the worker does; it returns False if no mail was due."""
    settings = app.extensions["settings"]
    mailer = mailer_for(settings)
    assert mailer is not None

    def run() -> bool:
        with app.app_context():
            return deliver_due(transaction, mailer, clock, settings, AT_ONCE)

    return run
