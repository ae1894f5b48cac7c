"""An account whose role only a newer version knows is refused, and never taken for a patient."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from sqlalchemy import CheckConstraint, text

from src.database.transaction import transaction
from src.models import User
from tests.people import Api, Person, error_of

CALLS = [
    ("GET", "/auth/me"),
    ("GET", "/patient/dashboard"),
    ("GET", "/appointments/my"),
    ("GET", "/doctor/dashboard"),
    ("POST", "/auth/logout-everywhere"),
]


CHECKS = (one for one in User.__table__.constraints if isinstance(one, CheckConstraint))
CHECK = next(one.sqltext for one in CHECKS if one.name == "ck_users_role")


@pytest.fixture
def receptionist(app: APIFlask, api: Api) -> Iterator[Person]:
    """Somebody whose role the CHECK of this schema does not allow yet."""
    person = api.patient()
    with app.app_context(), transaction(writes=True) as db:
        if db.dialect.name == "postgresql":
            db.execute(text("ALTER TABLE users DROP CONSTRAINT ck_users_role"))
        else:
            db.execute(text("PRAGMA ignore_check_constraints = ON"))
        db.execute(text("UPDATE users SET role = 'receptionist' WHERE id = :id"), {"id": person.id})
    yield person
    with app.app_context(), transaction(writes=True) as db:
        if db.dialect.name == "postgresql":
            # The tests of one process share the tables of PostgreSQL.
            db.execute(text("UPDATE users SET role = 'patient' WHERE id = :id"), {"id": person.id})
            db.execute(text(f"ALTER TABLE users ADD CONSTRAINT ck_users_role CHECK ({CHECK})"))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_takes_an_unknown_role_for_a_known_one(receptionist: Person, method: str, path: str) -> None:
    answer = receptionist.call(method, path)
    assert answer.status_code == 403
    assert "role" in error_of(answer)


def test_an_unknown_role_books_nothing(receptionist: Person, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient("Cleo Sample")
    slot_id = doctor.publish()
    assert receptionist.post("/appointments", {"slot_id": slot_id}).status_code == 403
    assert [slot["slot_id"] for slot in patient.free(doctor)] == [slot_id]
