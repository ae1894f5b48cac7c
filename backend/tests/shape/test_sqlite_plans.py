"""SQLite finds a page of each list in an index, and sorts no history."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from src.database.transaction import transaction
from src.domain.appointment_filter import EARLIEST, LATEST
from src.repositories import appointments_by_start, offered, visit_type_repository
from src.repositories.booking_sql import typed

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
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


@pytest.mark.parametrize("chosen", [offered.OF_VERSION, offered.OF_TYPE, offered.OF_DEFAULT_TYPE])
def test_computed_times_of_a_database_with_statistics(app: APIFlask, chosen: str) -> None:
    """With joins, SQLite would read all appointments for a Bloom filter."""
    query = typed(f"WITH RECURSIVE {offered.offered('sqlite', chosen)} SELECT minute FROM offered")
    with app.app_context(), transaction(writes=True) as db:
        for statement in MANY_APPOINTMENTS:
            db.exec_driver_sql(statement)
    plan = plan_of(app, query)
    assert "USING INDEX ix_appointments_live (doctor_id=? AND busy_from>? AND busy_from<?)" in plan
    assert "BLOOM" not in plan


MANY_APPOINTMENTS = (
    "ANALYZE",
    "DELETE FROM sqlite_stat1",
    "INSERT INTO sqlite_stat1 VALUES ('appointments', 'ix_appointments_live', '100000 400 1')",
    "INSERT INTO sqlite_stat1 VALUES ('appointments', 'uq_appointments_day_limit', '100000 400 8 1')",
    "ANALYZE sqlite_schema",
)


def page(person: str, stored: str | None) -> Select[Any]:
    by_start = {"patient": appointments_by_start._query_of_patient, "doctor": appointments_by_start._query_of_doctor}
    return by_start[person](stored, 21)


def plan_of(app: APIFlask, query: Select[Any]) -> str:
    statement = query.compile(dialect=sqlite.dialect(paramstyle="named"))
    with app.app_context(), transaction(writes=False) as db:
        values = {name: str(value) for name, value in (statement.params | VALUES).items()}
        rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(row.detail for row in rows)
