"""A hold of a campaign expires at one instant for all requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from apiflask import APIFlask

from src.database.transaction import transaction
from src.extensions import db as database
from src.repositories import account_locks as locks
from tests.conftest import NOW, ON_POSTGRESQL
from tests.faults.expiry import expire
from tests.people import Api
from tests.races.crowd import count, until_somebody_waits

pytestmark = pytest.mark.unguarded

EXPIRED = "SELECT count(*) FROM appointments WHERE held_until < '2030-03-04'"


@ON_POSTGRESQL
@pytest.mark.parametrize("whose", ["doctor", "patient"])
def test_a_hold_does_not_expire_while_a_request_of_its_doctor_or_patient_is_under_way(
    app: APIFlask, api: Api, whose: str
) -> None:
    doctor, patient = api.doctor(), api.patient()
    hold_id = patient.hold(doctor.publish())
    with app.app_context():
        engine = database.engine
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            locks.lock_exclusively(db, {"doctor": doctor, "patient": patient}[whose].id)
            expiry = pool.submit(expire, engine, hold_id, NOW - timedelta(days=1))
            until_somebody_waits(db)
        assert expiry.result(timeout=30) is True
    assert count(app, EXPIRED) == 1


def test_a_hold_of_a_campaign_expires(app: APIFlask, api: Api) -> None:
    hold_id = api.patient().hold(api.doctor().publish())
    with app.app_context():
        engine = database.engine
    assert expire(engine, hold_id, NOW - timedelta(days=1)) is True
    assert expire(engine, hold_id + 1, NOW - timedelta(days=1)) is False
    assert count(app, EXPIRED) == 1
