"""SQLite finds a page of each list in an index, and sorts no history."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from src.database.transaction import transaction
from src.domain.appointment_filter import EARLIEST, LATEST
from src.repositories import appointments_by_start, visit_type_repository
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


def page(person: str, stored: str | None) -> Select[Any]:
    by_start = {"patient": appointments_by_start._query_of_patient, "doctor": appointments_by_start._query_of_doctor}
    return by_start[person](stored, 21)


def plan_of(app: APIFlask, query: Select[Any]) -> str:
    statement = query.compile(dialect=sqlite.dialect(paramstyle="named"))
    with app.app_context(), transaction(writes=False) as db:
        values = {name: str(value) for name, value in (statement.params | VALUES).items()}
        rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(row.detail for row in rows)
