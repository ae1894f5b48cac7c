"""How many statements a call sends to the database: no number grows with the rows that the call shows.

The number of each read stands in tests/calls.py. The look-up of the caller counts, BEGIN and COMMIT do not. A number
that rises makes every such call slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apiflask import APIFlask
from sqlalchemy import event

from src.context import Doctor
from src.extensions import db
from tests.calls import CALLS, Clinic
from tests.conftest import ON_POSTGRESQL
from tests.people import DAY, Api, hours

CALLER = 1
# On PostgreSQL each is one statement and commits by itself; SQLite needs several, but none crosses a network.
BOOK = {"postgresql": CALLER + 1, "sqlite": CALLER + 9}
CANCEL = {"postgresql": CALLER + 1, "sqlite": CALLER + 8}
# The patients, the locks, what the hours follow from, the booked appointments, and five writes.
CANCEL_AFFECTED = 12
# Reserve the key, and store the answer. Beside these, PostgreSQL needs BEGIN and COMMIT, so a booking with a key takes
# six round trips.
IDEMPOTENCY_KEY = 2


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
def test_reading_takes_as_many_statements_whatever_there_is_to_read(
    app: APIFlask, clinic: Clinic, appointments: int
) -> None:
    for number in range(1, appointments):
        clinic.api.doctor()
        clinic.patient.book(clinic.doctor.publish(f"{10 + number:02}:00", f"{10 + number:02}:30"))
        clinic.doctor.publish(f"{10 + number:02}:30", f"{11 + number:02}:00")
    for call in CALLS:
        if call.route.writes:
            continue
        for role in call.who or (None,):
            with statements(app) as seen:
                assert clinic.make(call, clinic.people[role] if role else None).status_code == 200
            expected = call.statements + (call.more_for_doctors if role is Doctor else 0)
            assert len(seen) == expected + (CALLER if role else 0), (call.name, role, seen)


@pytest.mark.parametrize(("zone", "count"), [("UTC", CALLER + 1), ("Asia/Tokyo", CALLER + 2)])
def test_the_days_of_a_doctor_in_another_zone_take_one_statement_more(
    app: APIFlask, api: Api, zone: str, count: int
) -> None:
    doctor, patient = api.doctor(time_zone=zone), api.patient()
    doctor.set_hours(hours("tuesday"), time_zone=zone)
    [kind] = doctor.visit_types()
    with statements(app) as seen:
        assert patient.times(doctor, visit_type=kind["id"], until=DAY)
    assert len(seen) == count, seen


def test_a_page_after_the_last_takes_one_statement_more(app: APIFlask, clinic: Clinic) -> None:
    with statements(app) as seen:
        assert clinic.patient.get("/patient/doctors?page=7").status_code == 200
    assert len(seen) == CALLER + 2, seen


@pytest.mark.unguarded
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
    assert len([one for one in seen if "SAVEPOINT" not in one]) == BOOK[kind] + IDEMPOTENCY_KEY, seen
    if kind == "postgresql":
        assert not [one for one in seen if "SAVEPOINT" in one]


@ON_POSTGRESQL
@pytest.mark.unguarded
def test_booking_and_cancelling_need_no_begin(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    with statements(app, with_begin=True) as seen:
        patient.cancel(patient.book(slot_id))
    assert len(seen) == BOOK["postgresql"] + CANCEL["postgresql"], seen


def test_deleting_an_account_takes_as_many_statements_whatever_is_ahead(app: APIFlask, api: Api) -> None:
    counts = []
    for appointments in (1, 5):
        doctor, patient = api.doctor(), api.patient()
        for number in range(appointments):
            patient.book(doctor.publish(f"{8 + number:02}:00", f"{8 + number:02}:30"))
        with statements(app) as seen:
            assert doctor.delete("/doctor/account").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= CALLER + 19


def test_leaving_as_a_patient_takes_as_many_statements_whatever_is_ahead(app: APIFlask, api: Api) -> None:
    counts = []
    for appointments in (1, 5):
        patient = api.patient()
        for number in range(appointments):
            doctor = api.doctor()
            patient.book(doctor.publish(f"{8 + number:02}:00", f"{8 + number:02}:30"))
        with statements(app) as seen:
            assert patient.delete("/patient/account").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= CALLER + 24, seen


@pytest.mark.parametrize("appointments", [2, 7])
def test_cancelling_affected_appointments_takes_as_many_statements_however_many_they_are(
    app: APIFlask, api: Api, appointments: int
) -> None:
    doctor = api.doctor()
    booked = [api.patient().book(doctor.publish(f"{8 + n:02}:00", f"{8 + n:02}:30")) for n in range(appointments)]
    doctor.close(DAY)
    with statements(app) as seen:
        assert doctor.post("/doctor/affected/cancel", {"appointment_ids": booked}).status_code == 200
    assert len(seen) == CALLER + CANCEL_AFFECTED, seen
