"""The purge runs while others have locked what is old: it waits for nobody, and deletes that the next time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from src.database.transaction import transaction
from src.repositories import old_rows
from src.repositories.old_rows import Chunk
from src.tasks.purge import purge_expired
from tests.conftest import ON_POSTGRESQL, StillClock
from tests.mail_tokens import confirmation_token_of, reset_token_of
from tests.people import KEY, Api, Deliver
from tests.races.crowd import count, until_somebody_waits
from tests.refreshing import refreshable

pytestmark = pytest.mark.unguarded


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("kind", "table"), [(old_rows.finished_mails, "outbox"), (old_rows.unused_slots, "availability_slots")]
)
def test_a_purge_leaves_what_somebody_who_leaves_has_locked_to_the_next_one(
    app: APIFlask, api: Api, clock: StillClock, deliver: Deliver, kind: Callable[..., Chunk], table: str
) -> None:
    doctor, patient = api.doctor(), api.patient()
    slots = [doctor.publish(f"{hour:02}:00", f"{hour:02}:30") for hour in (9, 10, 11)]
    if kind is old_rows.finished_mails:
        for slot_id in slots:
            patient.book(slot_id)
        deliver()
    clock.forward(days=800)
    person = patient if kind is old_rows.finished_mails else doctor
    person.token = api.log_in(person.email).get_json()["access_token"]

    def purge() -> int:
        with app.app_context(), transaction(writes=True) as db:
            return kind(db, 0, clock(), 1000).delete(db)

    own = replace(person, client=app.test_client())
    path = "/patient/account" if person is patient else "/doctor/account"
    with ThreadPoolExecutor() as pool:
        with app.app_context(), transaction(writes=True) as db:
            db.execute(text(f"SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET 1 FOR UPDATE"))
            answer = pool.submit(own.delete, path)
            until_somebody_waits(db)
            assert pool.submit(purge).result(timeout=20) == 1
        assert answer.result(timeout=30).status_code == 200
    assert purge() == 2


EXPIRED = (
    "idempotent_answers",
    "failed_attempts",
    "revoked_tokens",
    "refresh_tokens",
    "password_resets",
    "email_confirmations",
)


@ON_POSTGRESQL
def test_the_purge_of_the_worker_waits_for_nobody_who_has_locked_what_has_expired(
    app: APIFlask, api: Api, clock: StillClock
) -> None:
    patient = api.patient()
    confirmation_token_of(app, patient)
    reset_token_of(app, patient)
    refreshable(api, patient.email)
    api.log_in(patient.email, "a wrong guess")
    patient.post("/appointments", {"slot_id": 4711}, headers=KEY)
    patient.post("/auth/logout")
    clock.forward(days=100)

    def purge() -> None:
        with app.app_context():
            purge_expired(transaction, clock(), app.extensions["settings"])

    def left() -> list[int]:
        return [count(app, f"SELECT count(*) FROM {table}") for table in EXPIRED]

    before = left()
    assert 0 not in before
    with ThreadPoolExecutor() as pool, app.app_context(), transaction(writes=True) as db:
        for table in EXPIRED:
            db.execute(text(f"SELECT 1 FROM {table} FOR UPDATE"))
        pool.submit(purge).result(timeout=20)
    assert left() == before
    purge()
    assert left() == [0] * len(EXPIRED)
