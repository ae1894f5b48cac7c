"""The OpenAPI document is true: requests that Schemathesis generates from it get the documented answers, and no 5xx.

All of Schemathesis's checks run except `positive_data_acceptance`: a schema cannot express which dates are past or
which slots are taken.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from apiflask import APIFlask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from src.extensions import db
from tests.calls import CALLS, Clinic
from tests.conftest import ON_SQLITE, MakeApp

load_all_checks()
EXCLUDED = [CHECKS.get_one("positive_data_acceptance")]
# The addresses that the generator makes by itself have a wider syntax than we accept.
schemathesis.openapi.format("email", st.integers(1, 9999).map(lambda number: f"somebody{number}@people.example"))

CALL_OF = {(call.method, call.path): call for call in CALLS}

LIMITS = settings(
    max_examples=8,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """Return an application in which the tests can register as many people as they need."""
    return make_app(registrations_per_hour=1_000_000)


def described(app: APIFlask, clinic: Clinic) -> Any:
    """Return the schema of the application, set up to send a token with every operation that needs one."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)

    @schema.auth(refresh_interval=None)
    class LoggedIn:
        def get(self, case: Any, context: Any) -> str | None:
            caller = clinic.caller(CALL_OF[case.operation.method.upper(), case.operation.path])
            return caller.token if caller else None

        def set(self, case: Any, token: str | None, context: Any) -> None:
            if token is not None:
                case.headers["Authorization"] = f"Bearer {token}"

    for start in range(11, 17):
        clinic.doctor.publish(f"{start:02}:00", f"{start:02}:30")
    return schema


def restorer(app: APIFlask) -> Callable[[], None]:
    """Return a function that restores the SQLite database to its present state."""
    now = Path(app.extensions["settings"].database.database)
    then = now.with_suffix(".then")

    def fold() -> None:
        with app.app_context():
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            db.engine.dispose()

    def restore() -> None:
        fold()
        shutil.copy(then, now)

    fold()
    shutil.copy(now, then)
    return restore


@ON_SQLITE
def test_every_operation_is_answered_as_the_document_says(app: APIFlask, clinic: Clinic) -> None:
    tried = 0
    for result in described(app, clinic).get_all_operations():

        @LIMITS
        @given(case=result.ok().as_strategy())
        def answered(case: Any) -> None:
            case.call_and_validate(excluded_checks=EXCLUDED)

        answered()
        tried += 1
    assert tried >= 20


@ON_SQLITE
def test_chains_of_calls_are_answered_as_the_document_says(app: APIFlask, clinic: Clinic) -> None:
    called: set[str] = set()
    schema = described(app, clinic).exclude(operation_id=[call.name for call in CALLS if call.ends_session])
    restore = restorer(app)

    class People(schema.as_state_machine()):  # type: ignore[misc]
        """Chains of calls by the links that the document declares or Schemathesis infers; all start from equal data."""

        def setup(self) -> None:
            restore()

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            called.add(case.operation.path)
            case.validate_response(response, excluded_checks=EXCLUDED)

    People.run(settings=settings(LIMITS, max_examples=15, stateful_step_count=12))
    assert len(called) >= 5
