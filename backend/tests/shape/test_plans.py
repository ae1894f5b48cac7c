"""PostgreSQL enters an index at the rows that are shown, also where its statistics tempt it to do otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection, Select, text
from sqlalchemy.dialects import postgresql

from src.repositories import appointment_repository as appointments
from src.repositories.base import limited
from src.utils.transaction import transaction
from tests.people import Api

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

# A tenth of all appointments are one patient's with one doctor, and 18,000 of other people are newer.
PAST = """
    WITH people AS (
        INSERT INTO users (name, email, email_key, password_hash, role, created_at)
        SELECT 'Person ' || n, 'q' || n || '@people.example', 'q' || n || '@people.example', 'x', 'doctor', now()
        FROM generate_series(1, 900) AS n RETURNING id),
    profiles AS (INSERT INTO doctors (user_id, designation, specialization) SELECT id, '', '' FROM people RETURNING *)
    INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, status, booked_at,
        cancelled_at)
    SELECT s.id, coalesce(p.id, s.doctor_id), coalesce(p.user_id, :patient), s.starts_at, s.ends_at, 'UTC', 'cancelled',
        now(), now()
    FROM availability_slots s, generate_series(1, 20000) AS n LEFT JOIN (
        SELECT *, row_number() OVER () AS number FROM profiles) AS p ON n > 2000 AND p.number = n % 900 + 1
    ORDER BY n
"""


@pytest.mark.parametrize("whose", ["patient", "doctor"])
def test_a_page_of_an_old_history_does_not_pass_all_that_is_newer(app: APIFlask, api: Api, whose: str) -> None:
    doctor, patient = api.doctor(), api.patient()
    doctor.publish()
    page = {"patient": appointments._PAGE_OF_PATIENT, "doctor": appointments._PAGE_OF_DOCTOR}[whose]
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text(PAST), {"patient": patient.id})
        db.execute(text("ANALYZE appointments"))
        of = {"patient": patient.id, "doctor": doctor.doctor_id}[whose]
        assert rows_passed(db, limited(page, 21), {"of": of, "before": appointments.LARGEST_ID}) < 200


def rows_passed(db: Connection, query: Select[Any], values: dict[str, Any]) -> int:
    """Return how many rows were looked at and not wanted, planned with these very values."""
    compiled = query.params(values).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    [[plan]] = db.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}").all()
    return _removed(plan[0]["Plan"])


def _removed(node: dict[str, Any]) -> int:
    own = node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
    return int(own + sum(_removed(child) for child in node.get("Plans", [])))
