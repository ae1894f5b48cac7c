"""PostgreSQL reads few rows for each list, in an index scan, even when its statistics suggest another plan.

Each statement runs with a custom plan (planned for its values) and with a generic plan (planned once for all values),
because PostgreSQL chooses between the two for a prepared statement.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Select, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import psycopg as postgresql

from src.database.statements import delete_unlocked, limited
from src.domain.appointment_filter import EARLIEST, LATEST
from src.domain.minutes import minute_of
from src.extensions import db
from src.models.base import Instant
from src.repositories import affected_repository as affected
from src.repositories import appointment_repository as appointments
from src.repositories import (
    appointments_by_start,
    booking_statement,
    booking_targets,
    holds,
    kept_answers_erasure,
    mail_erasure,
    offered,
    old_rows,
)
from src.repositories import availability_repository as slots
from src.repositories import batch_repository as batches
from src.repositories import booking_history as history
from src.repositories import explanation_repository as explanations
from src.repositories import free_times_repository as free_times
from src.repositories import leaving_repository as leaving
from src.repositories import outbox_repository as outbox
from src.repositories import schedule_repository as schedules
from src.repositories import search_repository as searches
from src.repositories import slots_at_appointments as at_appointments
from src.repositories.search_repository import Criteria
from src.repositories.search_statement import Sought, search_statement
from tests.conftest import NOW, StillClock, build_app, create_database, make_settings, migrate_to_head
from tests.people import Api, Doctor, Patient

pytestmark = pytest.mark.parametrize("planned", ["force_custom_plan", "force_generic_plan"])
# The tables have tens of thousands of rows.
FEW = 200
MINUTE = timedelta(minutes=1)

# The oldest tenth of all appointments is between one patient and one doctor; the rest are newer and are shared among
# 6,000 other doctors. The doctor has withdrawn thousands of slots, and thousands of mails were sent.
PAST = """
    INSERT INTO users (name, email, email_key, password_hash, role, created_at)
    SELECT 'Person ' || n, 'q' || n || '@people.example', 'q' || n || '@people.example', 'x', 'doctor', now()
    FROM generate_series(1, 6000) AS n;
    INSERT INTO doctors (user_id, designation, specialization) SELECT id, '', '' FROM users WHERE name LIKE 'Person %';
    INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, status, booked_at,
        cancelled_at)
    SELECT s.id, coalesce(p.id, s.doctor_id), coalesce(p.user_id, :patient), s.starts_at, s.ends_at, 'UTC', 'cancelled',
        now(), now()
    FROM availability_slots s, generate_series(1, 20000) AS n LEFT JOIN (
        SELECT *, row_number() OVER () AS number FROM doctors) AS p ON n > 2000 AND p.number = n % 6000 + 2
    ORDER BY n;
    INSERT INTO availability_slots (doctor_id, starts_at, ends_at, time_zone, status, created_at)
    SELECT doctor_id, starts_at, ends_at, 'UTC', 'withdrawn', now() FROM availability_slots, generate_series(1, 20000);
    INSERT INTO appointment_events (appointment_id, event, actor_id, at)
    SELECT id, 'cancelled', patient_id, now() FROM appointments;
    INSERT INTO outbox (key, event_id, appointment_id, recipient_id, recipient, template, facts, status, due_at,
        created_at)
    SELECT e.id, e.id, appointment_id, actor_id, 'a@people.example', 'cancelled', '{}', 'sent', now(), now()
    FROM appointment_events e;
    ANALYZE users, doctors, availability_slots, appointments, appointment_events, outbox
"""


@dataclass(frozen=True)
class OldClinic:
    """A clinic with a past, and the doctor and the patient who share it."""

    engine: Engine
    doctor: Doctor
    patient: Patient


@pytest.fixture(scope="module")
def old_clinic(worker_id_: str) -> Iterator[OldClinic]:
    url = create_database(f"plans_{worker_id_}")
    migrate_to_head(url)
    app = build_app(make_settings(database_url=url), clock=StillClock())
    api = Api(app.test_client())
    doctor, patient = api.doctor(), api.patient()
    doctor.publish()
    with app.app_context():
        # The product's engine, for its settings of the planner; but with transactions, which can be rolled back.
        engine = db.engine.execution_options(isolation_level="READ COMMITTED")
    with engine.begin() as connection:
        for statement in PAST.split(";"):
            connection.execute(text(statement), {"patient": patient.id} if ":patient" in statement else {})
    yield OldClinic(engine, doctor, patient)
    engine.dispose()


@pytest.fixture
def doctor(old_clinic: OldClinic) -> Doctor:
    return old_clinic.doctor


@pytest.fixture
def patient(old_clinic: OldClinic) -> Patient:
    return old_clinic.patient


@pytest.fixture
def past(old_clinic: OldClinic, planned: str) -> Iterator[Connection]:
    """Return a connection to the clinic's database; what a test writes is rolled back."""
    with old_clinic.engine.connect() as connection:
        connection.execute(text(f"SET LOCAL plan_cache_mode = {planned}"))
        yield connection


def test_a_page_of_a_patients_old_history(past: Connection, patient: Patient) -> None:
    page = appointments._page_of_patient(21)
    assert looked_at(past, page, {"of": patient.id, "before": appointments.LARGEST_ID}) < FEW


def test_a_page_of_a_doctors_old_history(past: Connection, doctor: Doctor) -> None:
    page = appointments._page_of_doctor(21)
    assert looked_at(past, page, {"of": doctor.doctor_id, "before": appointments.LARGEST_ID}) < FEW


# Each appointment at another time, and every second one booked.
AT_ALL_TIMES = """
    UPDATE appointments SET starts_at = starts_at - id * interval '1 hour', ends_at = ends_at - id * interval '1 hour';
    UPDATE appointments SET status = 'booked', cancelled_at = NULL, slot_id = s.id
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM availability_slots WHERE status = 'withdrawn') AS s
    WHERE s.number = appointments.id AND appointments.id % 2 = 0;
    ANALYZE appointments
"""


def test_a_page_by_start_of_a_long_history(past: Connection, doctor: Doctor, patient: Patient) -> None:
    """It starts its index scans at the cursor, and reads a page of each status."""
    past.execute(text(AT_ALL_TIMES))
    middle = NOW - timedelta(hours=1000)
    spans = ((EARLIEST, LATEST, 0), (middle, LATEST, 17), (middle, NOW, 0), (NOW, LATEST, 0))
    for stored, (begin, end, after) in itertools.product((None, "booked", "cancelled"), spans):
        values = {"begin": begin, "end": end, "after_id": after}
        for query, of in (
            (appointments_by_start._query_of_patient(stored, 21), patient.id),
            (appointments_by_start._query_of_doctor(stored, 21), doctor.doctor_id),
        ):
            assert looked_at(past, query, {"of": of, **values}) < FEW


def test_the_next_appointments_after_an_old_history(past: Connection, doctor: Doctor, patient: Patient) -> None:
    assert looked_at(past, appointments._NEXT_OF_PATIENT, {"of": patient.id, "now": NOW}) < FEW
    assert looked_at(past, appointments._NEXT_OF_DOCTOR, {"of": doctor.doctor_id, "now": NOW}) < FEW
    day = {"of": doctor.doctor_id, "begin": NOW, "end": NOW + timedelta(days=1)}
    assert looked_at(past, appointments._OF_DOCTOR_BETWEEN, day) < FEW


def test_free_slots_among_withdrawn_ones(past: Connection, doctor: Doctor) -> None:
    now = minute_of(NOW)
    values = offered.values(NOW, now, now + 1000, me=1, doctor_id=doctor.doctor_id)
    values |= {"begin": NOW, "end": NOW + timedelta(days=300)}
    assert looked_at(past, free_times._published("postgresql", 2003), values) < FEW


def test_own_slots_after_years_of_withdrawn_ones(past: Connection, doctor: Doctor) -> None:
    """Withdrawn slots before the first day are not read, nor are those of the same days if free ones are wanted."""
    past.execute(text("UPDATE availability_slots SET starts_at = starts_at - id * interval '1 hour'"))
    past.execute(text("ANALYZE availability_slots"))
    values = {"doctor_id": doctor.doctor_id, "begin": NOW, "after_id": 0, "end": LATEST}
    for query in slots._PAGES.values():
        assert looked_at(past, limited(query, 201), values) < FEW
    everything = values | {"begin": EARLIEST}
    for status in ("free", "withdrawn"):
        assert looked_at(past, limited(slots._PAGES[status], 50), everything) < FEW


# The doctor is open all day for eight weeks, and had twenty appointments a day for the past three years. Other doctors
# have as many openings, and patients hold times of theirs.
HOURS = """
    INSERT INTO openings (doctor_id, day, from_minute, until_minute, runs_until)
    SELECT d.id, date '2030-03-04' + n, 5349600 + n * 1440, 5349600 + n * 1440 + 600, 5349600 + n * 1440 + 600
    FROM generate_series(0, 55) AS n, doctors AS d WHERE d.id = :doctor OR d.id % 100 = 0;
    INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, booked_at, busy_from,
        busy_until, visit_type_id, day)
    SELECT 256 * 16777216::bigint + minute, :doctor, p.id, starts_at, starts_at + interval '30 minutes', 'UTC', now(),
        minute, minute + 30, :type, starts_at::date
    FROM generate_series(0, 20000) AS n
    CROSS JOIN LATERAL (SELECT 5349600 - (n / 20) * 1440 + n % 20 * 30 AS minute) AS m
    CROSS JOIN LATERAL (SELECT timestamptz '2020-01-01 00:00Z' + minute * interval '1 minute' AS starts_at) AS s
    JOIN (SELECT id, row_number() OVER () AS number FROM users) AS p ON p.number = n % 6000 + 1;
    INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, booked_at, status,
        held_until)
    SELECT 100000 + d.id, d.id, d.user_id, now(), now() + interval '1 hour', 'UTC', now(), 'held', now()
    FROM doctors AS d WHERE d.id > :doctor AND d.id % 60 = 0;
    ANALYZE openings, appointments, visit_types, visit_type_versions
"""
# A list of two weeks reads the openings and appointments of two weeks, several times.
OF_TWO_WEEKS = 2_000
# Each time is a look at the appointment before it, the following one and the opening.
OF_TWENTY_TIMES = 1_000


def test_computed_times_after_years_of_appointments(past: Connection, doctor: Doctor, patient: Patient) -> None:
    [kind] = doctor.visit_types()
    fill_hours(past, doctor, kind["id"])
    now = minute_of(NOW)
    values = offered.values(
        NOW, now, now + 14 * 1440, me=patient.id, doctor_id=doctor.doctor_id, visit_type_id=kind["id"]
    )
    for chosen in (offered.OF_TYPE, offered.OF_DEFAULT_TYPE):
        assert looked_at(past, free_times._computed("postgresql", chosen, 2003), values) < OF_TWO_WEEKS
    time = booking_targets.find_computed(past, 256 * 2**24 + now + 1440 + 61, "UTC")
    assert time is not None
    # The statement locks and refuses what is not on the grid, but reads what it needs for that.
    refused = {**time.values(NOW, me=patient.id), "reason": None}
    assert looked_at(past, booking_statement._BOOK_TIME, refused) < FEW
    assert looked_at(past, booking_targets._PLACE["postgresql"], refused) < FEW
    asked = values | time.values(NOW) | {"busy_from": now + 1500, "busy_until": now + 1530}
    assert looked_at(past, explanations._EXPLAIN["postgresql"], asked) < FEW
    assert looked_at(past, explanations._TAKING, asked) < FEW
    assert looked_at(past, explanations._SLOT["postgresql"], asked | {"begin": NOW, "end": NOW + MINUTE}) < FEW
    assert looked_at(past, holds._OF_EITHER, {"doctor_id": doctor.doctor_id, "me": patient.id}) < FEW


def fill_hours(past: Connection, doctor: Doctor, visit_type_id: int) -> None:
    names = {"doctor": doctor.doctor_id, "type": visit_type_id}
    for statement in HOURS.split(";"):
        past.execute(text(statement), {name: names[name] for name in names if f":{name}" in statement})


# It has twenty appointments a day, and the names of their patients and of their visit types.
OF_A_WEEK = 1_000


def test_a_schedule_of_a_week_among_years_of_appointments(past: Connection, doctor: Doctor) -> None:
    fill_hours(past, doctor, doctor.visit_types()[0]["id"])
    past.execute(text("UPDATE availability_slots SET starts_at = starts_at - id * interval '1 hour'"))
    past.execute(text("ANALYZE availability_slots"))
    for begin in (NOW, NOW - timedelta(days=500)):
        days = schedules.Days(doctor.doctor_id, begin.date(), begin.date(), begin, begin + timedelta(days=7))
        around = {"earliest": begin - schedules.LONGEST_TAKEN, "latest": days.end + schedules.LONGEST_TAKEN}
        values = days.values | around | {"now": NOW, "of": doctor.doctor_id}
        for query in (schedules._OPENINGS, schedules._SLOTS, schedules._HOLDS):
            assert looked_at(past, query, values) < FEW
        assert looked_at(past, schedules._APPOINTMENTS, values) < OF_A_WEEK


def test_cancelling_affected_appointments_among_years_of_them(past: Connection, doctor: Doctor) -> None:
    fill_hours(past, doctor, doctor.visit_types()[0]["id"])
    ids = past.scalars(text("SELECT max(id) - n * 100 FROM appointments, generate_series(0, 9) AS n GROUP BY n")).all()
    values = {"ids": ids, "doctor_id": doctor.doctor_id, "actor_id": doctor.id, "now": NOW, "reason": "closed"}
    for query in (
        affected._PATIENTS,
        at_appointments._LOCK_AT_APPOINTMENTS,
        at_appointments._WITHDRAW_AT_APPOINTMENTS,
        history._ADD_CANCELLED_MANY,
        history._CANCELLED_MANY["postgresql"],
        affected._CANCEL,
    ):
        assert looked_at(past, query, values | {"cancelled_by": "the doctor"}) < FEW


# The doctor is taken until an hour of the third day.
TAKEN = """
    INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, booked_at, busy_from,
        busy_until, visit_type_id, day)
    SELECT 256 * 16777216::bigint + minute, :doctor, p.id, starts_at, starts_at + interval '30 minutes', 'UTC', now(),
        minute, minute + 30, :type, starts_at::date
    FROM generate_series(1, 2) AS day CROSS JOIN generate_series(0, 19) AS n
    CROSS JOIN LATERAL (SELECT 5349600 + day * 1440 + n * 30 AS minute) AS m
    CROSS JOIN LATERAL (SELECT timestamptz '2020-01-01 00:00Z' + minute * interval '1 minute' AS starts_at) AS s
    JOIN (SELECT id, row_number() OVER () AS number FROM users) AS p ON p.number = day * 20 + n + 1;
    ANALYZE appointments
"""


def test_the_next_time_after_years_of_appointments(past: Connection, doctor: Doctor) -> None:
    """It reads the appointments ahead up to the first gap, and few openings."""
    [kind] = doctor.visit_types()
    for statement in (HOURS + ";" + TAKEN).split(";"):
        names = {"doctor": doctor.doctor_id, "type": kind["id"]}
        past.execute(text(statement), {name: names[name] for name in names if f":{name}" in statement})
    values = searches._values(NOW, 0, "UTC", Criteria(doctor_id=doctor.doctor_id), None)
    values |= {"doctors": f"[{doctor.doctor_id}]"}
    next_of_one = search_statement("postgresql", Sought(doctors=True), None)
    assert looked_at(past, next_of_one, values) < FEW
    next_three = search_statement("postgresql", Sought(doctors=True), None, 3)
    assert looked_at(past, next_three, values) < OF_TWENTY_TIMES
    # Twenty more times.
    assert looked_at(past, search_statement("postgresql", Sought(doctor=True), 21), values) < OF_TWENTY_TIMES
    assert looked_at(past, search_statement("postgresql", Sought(doctor=True, days=True), 1), values) < FEW


def test_the_mails_of_an_appointment(past: Connection) -> None:
    """PostgreSQL asks so for its foreign key whenever a hold is deleted."""
    of_one = text("SELECT 1 FROM outbox WHERE appointment_id = :appointment_id")
    assert looked_at(past, of_one, {"appointment_id": 4711}) < FEW


def test_due_mails_among_sent_ones(past: Connection) -> None:
    """An idle worker runs these queries five times a second."""
    assert looked_at(past, outbox._FIRST_DUE, {}) < FEW
    assert looked_at(past, limited(outbox._DUE, 10), {"now": NOW}) < FEW
    assert looked_at(past, outbox._LONGEST_DUE, {"now": NOW}) < FEW
    assert looked_at(past, limited(outbox._DUE, 100), {"now": NOW}) < FEW
    assert looked_at(past, batches._MEMBERS, {"in_batch": "a key"}) < FEW


def test_a_chunk_of_what_is_purged_among_years_of_it(past: Connection) -> None:
    """It reads the rows of its chunk, and of slots also their appointments; no chunk reads the whole table."""
    for kind in (old_rows.finished_mails, old_rows.set_aside_mails, old_rows.unused_slots):
        chunk = kind(past, 10_000, NOW, 50)
        assert chunk.last is not None
        for statement in (delete_unlocked(chunk.model, *chunk.which), select(func.count()).where(*chunk.which)):
            assert looked_at(past, statement, {}) < FEW


def test_the_outcome_of_a_mail(past: Connection) -> None:
    assert looked_at(past, outbox._LOCK_PEOPLE, {"mail_id": 4711, "to": 4711}) < FEW
    assert looked_at(past, mail_erasure._FINISHED, {"ids": [4711, 4712]}) < FEW


def test_a_patient_who_leaves_among_years_of_others(past: Connection) -> None:
    me = past.execute(text("SELECT max(patient_id) FROM appointments")).scalar_one()
    values = {"me": me, "now": NOW, "kept_since": NOW}
    for query in (
        leaving._DOCTORS,
        leaving._IDS_AHEAD,
        leaving._LOCK_HELD,
        leaving._ERASE_TEXTS,
        leaving._ERASE_REASONS,
        mail_erasure._ABOUT,
        kept_answers_erasure._KEPT,
        kept_answers_erasure._OUTDATED,
    ):
        assert looked_at(past, query, values) < FEW


# One to the patient of each appointment; those of the newest fifty appointments are due.
REMINDERS = text("""
    INSERT INTO outbox (key, about, appointment_id, recipient_id, recipient, template, facts, due_at, created_at)
    SELECT gen_random_uuid()::text, 'reminder:' || id, id, patient_id, 'a@people.example', 'reminder', '{}',
        CASE WHEN id > (SELECT max(id) - 50 FROM appointments) THEN :now ELSE :later END, now()
    FROM appointments
""").bindparams(bindparam("now", type_=Instant()), bindparam("later", type_=Instant()))


def test_due_mails_among_those_due_next_week(past: Connection) -> None:
    past.execute(REMINDERS, {"now": NOW, "later": NOW + timedelta(days=7)})
    past.execute(text("ANALYZE outbox"))
    assert looked_at(past, outbox._FIRST_DUE, {}) < FEW
    assert looked_at(past, limited(outbox._DUE, 10), {"now": NOW}) < FEW


def looked_at(connection: Connection, query: Select[Any], values: dict[str, Any]) -> int:
    """Run the statement, prepared as psycopg prepares it, and return how many rows its scans read."""
    compiled = query.compile(dialect=postgresql.dialect())
    # `params` has None for what is missing in the values.
    expanded = compiled.construct_expanded_state({**compiled.params, **values})
    given = expanded.parameters
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        names.append(found[1])
        return f"${len(names)}"

    statement = re.sub(r"%\((\w+)\)s", number, expanded.statement)
    arguments = ", ".join("NULL" if given[name] is None else f"'{given[name]}'" for name in names)
    connection.exec_driver_sql(f"PREPARE asked AS {statement}", execution_options={"no_parameters": True})
    asked = f"asked({arguments})" if names else "asked"
    [[plan]] = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {asked}", execution_options={"no_parameters": True}
    ).all()
    connection.exec_driver_sql("DEALLOCATE asked")
    return _looked_at(plan[0]["Plan"])


def _looked_at(node: dict[str, Any]) -> int:
    below = sum(_looked_at(child) for child in node.get("Plans", []))
    if "Scan" not in node["Node Type"] or node["Node Type"] == "Subquery Scan":
        return below
    return below + int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
