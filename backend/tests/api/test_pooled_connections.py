"""Behind a transaction pooler: nothing that outlives a transaction may be left on a connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import make_url, text

from src.database.transaction import transaction
from src.extensions import db
from tests.conftest import ON_POSTGRESQL, MakeApp, build_app, close_connections, make_settings
from tests.people import Api

pytestmark = ON_POSTGRESQL
LEFT_OVER = "SELECT current_setting('lock_timeout'), (SELECT count(*) FROM pg_prepared_statements)"


@pytest.fixture
def pooled_app(database_url: str, tmp_path: Path) -> Iterator[APIFlask]:
    """An application that takes its database for a pooled one, by the name of the host."""
    url = make_url(database_url)
    pooler = tmp_path / "ep-quiet-pooler"
    pooler.symlink_to(str(url.query["host"]))
    app = build_app(make_settings(database_url=url.update_query_dict({"host": str(pooler)}).render_as_string(False)))
    yield app
    close_connections(app)


def raw(app: APIFlask, query: str) -> Any:
    """Ask on a connection of the pool, outside of any transaction."""
    with app.app_context():
        connection = db.engine.raw_connection()
        try:
            return connection.driver_connection.execute(query).fetchone()  # pyright: ignore[reportOptionalMemberAccess]
        finally:
            connection.close()


def test_limits_hold_inside_each_transaction_and_nothing_stays(pooled_app: APIFlask) -> None:
    for writes in (False, True):
        with pooled_app.app_context(), transaction(writes=writes) as connection:
            assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "5s"
            assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "15s"
    assert raw(pooled_app, LEFT_OVER) == ("0", 0)


def test_a_booking_and_its_end_leave_nothing_on_the_connection(pooled_app: APIFlask) -> None:
    api = Api(pooled_app.test_client())
    doctor, patient = api.doctor(), api.patient()
    for number in range(7):
        appointment = patient.book(doctor.publish(f"{8 + number:02}:00", f"{8 + number:02}:30"))
        assert patient.cancel(appointment).status_code == 200
    assert len(patient.get("/appointments/my").get_json()["data"]) == 7
    assert raw(pooled_app, LEFT_OVER) == ("0", 0)


def test_direct_connections_are_told_once_and_prepare(make_app: MakeApp) -> None:
    app = make_app()
    for _ in range(8):
        app.test_client().get("/health/ready")
    lock_timeout, prepared = raw(app, LEFT_OVER)
    assert lock_timeout == "5s"
    assert prepared > 0
