"""SQLite finds a page of each list in an index, and sorts no history."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Select, TextClause, TextualSelect
from sqlalchemy.dialects import sqlite

from src.database.statements import limited
from src.database.transaction import transaction
from src.domain.appointment_filter import EARLIEST, LATEST
from src.repositories import (
    appointments_by_start,
    availability_repository,
    booking_targets,
    exception_repository,
    schedule_repository,
    visit_type_repository,
)
from src.repositories import explanation_repository as explanations
from src.repositories import free_times_repository as free_times
from src.repositories.offered import OF_DEFAULT_TYPE, OF_TYPE
from src.repositories.search_statement import Sought, search_statement
from tests.conftest import ON_SQLITE

pytestmark = ON_SQLITE
VALUES = {"of": 1, "begin": EARLIEST, "end": LATEST, "after_id": 0}


@pytest.mark.parametrize("person", ["patient", "doctor"])
@pytest.mark.parametrize(("stored", "index"), [("booked", "ahead"), ("cancelled", "cancelled")])
def test_a_page_by_start(app: APIFlask, person: str, stored: str, index: str) -> None:
    plan = plan_of(app, page(person, stored))
    assert f"USING INDEX ix_appointments_{person}_{index} (({person}_id,starts_at" in plan
    assert "SCAN appointments" not in plan
    # The page itself, after the names are joined.
    assert plan.count("USE TEMP B-TREE FOR ORDER BY") == 1


@pytest.mark.parametrize("person", ["patient", "doctor"])
def test_a_page_by_start_of_any_status_merges_a_page_of_each(app: APIFlask, person: str) -> None:
    plan = plan_of(app, page(person, None))
    for index in ("ahead", "cancelled"):
        assert f"USING INDEX ix_appointments_{person}_{index} (({person}_id,starts_at" in plan
    assert "SCAN appointments" not in plan


def test_the_visit_types_of_a_doctor(app: APIFlask) -> None:
    plan = plan_of(app, visit_type_repository._LIVING)
    assert "USING INDEX uq_visit_type_versions_current (visit_type_id=?)" in plan
    assert "SCAN" not in plan


def test_computed_times_of_a_database_with_statistics(app: APIFlask) -> None:
    """It reads the appointments and openings of one doctor, and not all appointments, as for a Bloom filter."""
    with app.app_context(), transaction(writes=True) as db:
        for statement in CLINIC.split(";"):
            db.exec_driver_sql(statement)
    for query in (
        free_times._published("sqlite", 21),
        free_times._computed("sqlite", OF_TYPE, 21),
        free_times._computed("sqlite", OF_DEFAULT_TYPE, 21),
        booking_targets._PLACE["sqlite"],
        booking_targets._WHY_NOT["sqlite"],
    ):
        reads = [line for line in plan_of(app, query).splitlines() if re.search(r"\b(appointments|openings)\b", line)]
        assert len(reads) > 1
        assert [line for line in reads if not re.match(OF_ONE, line)] == []


OF_ONE = r"SEARCH .* INDEX \w+ \((doctor|visit_type)_id=\? AND "
# Three hundred doctors with fifty appointments each, one a day, and as many openings.
CLINIC = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300)
    INSERT INTO users (id, name, email, email_key, password_hash, role, created_at)
    SELECT n, 'Person ' || n, 'p' || n || '@people.example', 'p' || n || '@people.example', 'x', 'doctor', '2030-03-01'
    FROM numbers;
    INSERT INTO doctors (id, user_id, designation, specialization) SELECT id, id, '', '' FROM users;
    INSERT INTO visit_types (id, doctor_id, name, most_per_day, created_at)
    SELECT id, id, 'Checkup', 8, created_at FROM users;
    INSERT INTO visit_type_versions (id, visit_type_id, minutes, buffer_before, buffer_after, step)
    SELECT 256 + id, id, 30, 0, 10, 30 FROM visit_types;
    WITH RECURSIVE days (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM days WHERE n < 49)
    INSERT INTO openings (doctor_id, day, from_minute, until_minute, runs_until)
    SELECT id, date('2030-03-04', n || ' days'), 5349600 + n * 1440, 5350200 + n * 1440, 5350200 + n * 1440
    FROM doctors CROSS JOIN days;
    INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, booked_at, busy_from,
        busy_until, visit_type_id, day, nth, most_per_day)
    SELECT (256 + doctor_id) * 16777216 + from_minute, doctor_id, doctor_id, day || ' 00:00:00', day || ' 00:30:00',
        'UTC', '2030-03-01', from_minute, from_minute + 40, doctor_id, day, 1, 8
    FROM openings;
    ANALYZE
"""


@pytest.mark.parametrize(
    "query",
    [explanations._EXPLAIN["sqlite"], explanations._TAKING, explanations._SLOT["sqlite"]],
    ids=["conditions", "taking", "slot"],
)
def test_an_explanation_of_a_time(app: APIFlask, query: TextClause) -> None:
    plan = plan_of(app, query)
    assert "USING INDEX ix_appointments_live (doctor_id=? AND busy_from>" in plan
    for table in ("appointments", "openings", "availability_slots", "slot", "version", "visit_type"):
        assert not re.search(rf"SCAN {table}\b", plan), plan


def test_a_doctors_own_slots(app: APIFlask) -> None:
    for query in availability_repository._PAGES.values():
        plan = plan_of(app, limited(query, 201))
        assert "USING INDEX ix_availability_slots_doctor (doctor_id=? AND starts_at>? AND starts_at<?)" in plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (schedule_repository._OPENINGS, "ix_openings_doctor (doctor_id=? AND from_minute>? AND from_minute<?)"),
        (schedule_repository._SLOTS, "ix_availability_slots_doctor (doctor_id=? AND starts_at>? AND starts_at<?)"),
        (
            schedule_repository._APPOINTMENTS,
            "ix_appointments_doctor_ahead (doctor_id=? AND starts_at>? AND starts_at<?)",
        ),
        (schedule_repository._HOLDS, "ix_appointments_doctor_held (doctor_id=?)"),
        (exception_repository._CLOSURES, "ix_exceptions_doctor (doctor_id=? AND last_day>?)"),
    ],
)
def test_a_schedule(app: APIFlask, query: Select[Any], index: str) -> None:
    plan = plan_of(app, query)
    assert f"USING INDEX {index}" in plan
    assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", "")


@pytest.mark.parametrize("sought", [Sought(), Sought(by_type=True), Sought(doctor=True, days=True, part=True)])
@pytest.mark.parametrize(("most", "of_each"), [(None, 1), (None, 3), (21, 1)])
def test_the_next_times_of_doctors(app: APIFlask, sought: Sought, most: int | None, of_each: int) -> None:
    """It reads no appointments, openings and slots but by an index, and stops at the first gap that fits."""
    with app.app_context(), transaction(writes=True) as db:
        for statement in CLINIC.split(";"):
            db.exec_driver_sql(statement)
    plan = plan_of(app, search_statement("sqlite", sought, most, of_each))
    for table in ("appointments", "openings", "availability_slots", "slot", "next_slot"):
        assert not re.search(rf"SCAN {table}\b", plan)
    assert "USING INDEX ix_appointments_live (doctor_id=? AND busy_from>? AND busy_from<?)" in plan
    assert "USING INDEX ix_openings_doctor (doctor_id=? AND from_minute>? AND from_minute<?)" in plan
    assert "CO-ROUTINE gaps" in plan
    assert "MATERIALIZE gaps" not in plan


def page(person: str, stored: str | None) -> Select[Any]:
    by_start = {"patient": appointments_by_start._query_of_patient, "doctor": appointments_by_start._query_of_doctor}
    return by_start[person](stored, 21)


def plan_of(app: APIFlask, query: Select[Any] | TextualSelect | TextClause) -> str:
    statement = query.compile(dialect=sqlite.dialect(paramstyle="named"))
    with app.app_context(), transaction(writes=False) as db:
        values = {name: str(value) for name, value in (statement.params | VALUES).items()}
        rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(row.detail for row in rows)
