"""How many statements each call sends to the database: none of them grows with the rows that it shows.

The caller's look-up counts; BEGIN and COMMIT do not. A number that rises here makes every such call slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apiflask import APIFlask
from sqlalchemy import event

from src.extensions import db
from tests.people import Api

CALLER = 1
READING = {
    "/auth/me": CALLER,
    "/patient/doctors": CALLER + 1,
    "/patient/doctors?page=7": CALLER + 2,
    "/patient/doctors/{doctor}/availability": CALLER + 1,
    "/appointments/my": CALLER + 1,
    "/patient/dashboard": CALLER + 3,
}
READING_OF_DOCTORS = {
    "/appointments/doctor": CALLER + 1,
    "/doctor/profile": CALLER + 1,
    "/doctor/dashboard": CALLER + 3,
}
# Each is one statement, a transaction by itself. SQLite takes one step after the other, without a network in between.
BOOK = {"postgresql": CALLER + 1, "sqlite": CALLER + 4}
CANCEL = {"postgresql": CALLER + 1, "sqlite": CALLER + 4}
# Forget an old key, reserve, savepoint and its release, keep the answer.
IDEMPOTENCY_KEY = 5
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def kind(app: APIFlask) -> str:
    with app.app_context():
        return db.engine.dialect.name


@contextmanager
def statements(app: APIFlask, *, with_begin: bool = False) -> Iterator[list[str]]:
    """Collect what is executed, and what begins transactions if asked for."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if with_begin or not statement.startswith("BEGIN"):
            seen.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("appointments", [1, 7])
def test_reading_takes_as_many_statements_whatever_there_is_to_read(app: APIFlask, api: Api, appointments: int) -> None:
    doctor, patient = api.doctor(), api.patient()
    for number in range(appointments):
        api.doctor()
        patient.book(doctor.publish(f"{8 + number:02}:00", f"{8 + number:02}:30"))
        doctor.publish(f"{8 + number:02}:30", f"{9 + number:02}:00")
    for person, expected in ((patient, READING), (doctor, READING_OF_DOCTORS)):
        for path, count in expected.items():
            with statements(app) as seen:
                assert person.get(path.format(doctor=doctor.doctor_id)).status_code == 200
            assert len(seen) == count, (path, seen)


def test_booking_and_cancelling(app: APIFlask, api: Api, kind: str) -> None:
    doctor, patient = api.doctor(), api.patient()
    slots = [doctor.publish("09:00", "09:30"), doctor.publish("10:00", "10:30")]
    with statements(app) as seen:
        appointment = patient.book(slots[0])
    assert len(seen) == BOOK[kind], seen
    with statements(app) as seen:
        patient.cancel(appointment)
    assert len(seen) == CANCEL[kind], seen
    with statements(app) as seen:
        patient.post("/appointments", {"slot_id": slots[1]}, headers={"Idempotency-Key": "one"})
    assert len([one for one in seen if "SAVEPOINT" not in one]) == BOOK[kind] + IDEMPOTENCY_KEY - 2, seen


@ON_POSTGRESQL
def test_booking_and_cancelling_need_no_begin(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    with statements(app, with_begin=True) as seen:
        patient.cancel(patient.book(slot_id))
    assert len(seen) == BOOK["postgresql"] + CANCEL["postgresql"], seen


def test_leaving_takes_as_many_statements_whatever_is_ahead(app: APIFlask, api: Api) -> None:
    counts = []
    for appointments in (1, 5):
        doctor, patient = api.doctor(), api.patient()
        for number in range(appointments):
            patient.book(doctor.publish(f"{8 + number:02}:00", f"{8 + number:02}:30"))
        with statements(app) as seen:
            assert doctor.delete("/doctor/account").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= CALLER + 10
