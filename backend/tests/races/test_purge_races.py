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
from tests.conftest import ON_POSTGRESQL, StillClock
from tests.people import Api, Deliver
from tests.races.crowd import until_somebody_waits

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
