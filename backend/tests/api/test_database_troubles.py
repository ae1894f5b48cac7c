"""A database that answers but cannot do its work: 503 with a sentence and Retry-After, and reads go on."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.pool import NullPool
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.extensions import db
from tests.conftest import (
    ON_POSTGRESQL,
    ON_SQLITE,
    MakeApp,
    StillClock,
    Watch,
    checked_app,
    close_connections,
    make_settings,
)
from tests.people import DAY, Api, error_of
from tests.postgres import NOBODY

SLOT = {"date": DAY, "start_time": "09:00", "end_time": "09:30"}


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """Return an application that other tests do not share: these tests change its connections."""
    return make_app()


def is_unavailable(answer: TestResponse, kind: str) -> str:
    """Check that the answer asks to come again because of the database, and return its sentence."""
    assert answer.status_code == 503, answer.data
    assert answer.content_type == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["type"] == f"urn:problem:{kind}"
    assert answer.get_json()["failing"] == "database"
    return error_of(answer)


@contextlib.contextmanager
def default_of(app: APIFlask, name: str, value: str) -> Iterator[None]:
    """Set a default of the PostgreSQL database; new connections get it."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def run(statement: str) -> None:
        # In a transaction that may write, whatever the default is.
        with engine.connect() as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(statement))
        close_connections(app)

    run(f"ALTER DATABASE {url.database} SET {name} = {value}")
    try:
        yield
    finally:
        run(f"ALTER DATABASE {url.database} RESET {name}")


@contextlib.contextmanager
def read_only(app: APIFlask) -> Iterator[None]:
    if app.extensions["settings"].database_is_sqlite:
        path = Path(app.extensions["settings"].database.database)
        close_connections(app)
        path.chmod(0o444)
        with a_user_whom_permissions_bind(path):
            yield
        # SQLite creates its `-wal` and `-shm` files with the permissions of the database.
        for file in path.parent.glob(f"{path.name}*"):
            file.chmod(0o644)
        close_connections(app)
    else:
        with default_of(app, "default_transaction_read_only", "on"):
            yield


@contextlib.contextmanager
def a_user_whom_permissions_bind(path: Path) -> Iterator[None]:
    """Be nobody in place of root, whom no permission keeps from writing; every folder on the way lets nobody in."""
    if os.geteuid() != 0:
        yield
        return
    closed = {folder: mode for folder in path.parents if not (mode := folder.stat().st_mode) & 0o001}
    for folder in {path.parent, *closed}:
        folder.chmod(0o777)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        for folder, mode in closed.items():
            folder.chmod(mode)


def test_a_read_only_database_refuses_writes_and_answers_reads(app: APIFlask, api: Api) -> None:
    doctor, patient = api.doctor(), api.patient()
    patient.book(doctor.publish("08:00", "08:30"))
    free = doctor.publish("10:00", "10:30")
    with read_only(app):
        for answer in (
            doctor.post("/doctor/availability", SLOT),
            patient.post("/appointments", {"slot_id": free}),
            patient.post("/appointments/1/cancel"),
            api.client.post("/auth/login", json={"email": "x@people.example", "password": "not this one"}),
        ):
            assert "accepts no changes" in is_unavailable(answer, "database-read-only")
        assert len(patient.get("/appointments/my").get_json()["data"]) == 1
        assert patient.get("/appointments/1").status_code == 200
        assert "accepts no changes" in is_unavailable(api.client.get("/health/ready"), "database-read-only")
        assert api.client.get("/health").status_code == 200
        assert api.client.get("/health/live").status_code == 200
    assert doctor.post("/doctor/availability", SLOT).status_code == 201
    assert api.client.get("/health/ready").status_code == 200


@ON_POSTGRESQL
def test_after_a_failover_new_connections_are_made(app: APIFlask, api: Api) -> None:
    """The pool's connections lead to the old primary, which is read-only now; new ones lead to the new primary."""
    doctor = api.doctor()
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = on"))
    is_unavailable(doctor.post("/doctor/availability", SLOT), "database-read-only")
    assert doctor.post("/doctor/availability", SLOT).status_code == 201


@ON_POSTGRESQL
@pytest.mark.parametrize("before", [0, 8])
def test_a_pooler_that_was_not_recognised_is_named_in_the_log(
    app: APIFlask, api: Api, caplog: pytest.LogCaptureFixture, before: int
) -> None:
    """A pooler gives us a connection of other clients: the name of our statement is taken, or our statement missing."""
    patient = api.patient()
    for _ in range(before):
        assert patient.get("/appointments/my").status_code == 200
    # Inside of DO, because psycopg notices a DEALLOCATE of our own.
    others = "EXECUTE 'DEALLOCATE ALL'; FOR n IN 0..99 LOOP EXECUTE 'PREPARE _pg3_' || n || ' AS SELECT 1'; END LOOP;"
    others = "EXECUTE 'DEALLOCATE ALL';" if before else others
    with app.app_context(), db.engine.connect() as connection:
        connection.exec_driver_sql(f"DO $$ BEGIN {others} END $$")
    answers = [patient.get("/appointments/my") for _ in range(8)]
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert "reached" in is_unavailable(refused, "database-away")
    [line, *_] = [record.getMessage() for record in caplog.records if record.name == "problems"]
    assert ("does not exist" if before else "already exists") in line
    assert "DATABASE_POOLED=yes" in line


@ON_POSTGRESQL
def test_a_statement_that_takes_too_long_is_ended(make_app: MakeApp) -> None:
    app = make_app(database_statement_timeout_seconds=0.2)
    api = Api(app.test_client())
    patient = api.patient()
    with locked(app, "appointments", "ACCESS EXCLUSIVE"):
        assert "too busy" in is_unavailable(patient.get("/appointments/my"), "database-busy")
    assert patient.get("/appointments/my").status_code == 200


@ON_POSTGRESQL
def test_a_lock_that_takes_too_long_is_given_up(make_app: MakeApp) -> None:
    app = make_app(database_lock_timeout_seconds=0.2)
    api = Api(app.test_client())
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    with locked(app, "availability_slots", "EXCLUSIVE"):
        is_unavailable(patient.post("/appointments", {"slot_id": slot_id}), "database-busy")
    assert patient.post("/appointments", {"slot_id": slot_id}).status_code == 201


@contextlib.contextmanager
def locked(app: APIFlask, table: str, mode: str) -> Iterator[None]:
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"], poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN {mode} MODE"))
        yield


@ON_POSTGRESQL
def test_a_server_that_takes_no_more_connections_asks_to_come_again(app: APIFlask, api: Api) -> None:
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    admin = create_engine(url.set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with app.app_context(), admin.connect() as connection:
        db.engine.dispose()
        connection.execute(text(f"ALTER DATABASE {url.database} WITH ALLOW_CONNECTIONS false"))
        try:
            is_unavailable(api.client.get("/health"), "database-away")
        finally:
            connection.execute(text(f"ALTER DATABASE {url.database} WITH ALLOW_CONNECTIONS true"))
    assert api.client.get("/health").status_code == 200


@ON_POSTGRESQL
def test_a_connection_that_the_server_ends_is_no_500(app: APIFlask, api: Api) -> None:
    patient = api.patient()
    with app.app_context(), pytest.raises(Exception, match="terminating connection") as ended:  # noqa: SIM117
        with transaction(writes=True) as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert isinstance(ended.value.__cause__, psycopg.OperationalError)
    assert patient.get("/appointments/my").status_code == 200


@ON_SQLITE
def test_a_full_sqlite_file_is_named(make_app: MakeApp) -> None:
    app = make_app()
    doctor = Api(app.test_client()).doctor()
    with app.app_context():
        engine = db.engine
        engine.dispose()
        event.listen(engine, "connect", _allow_no_more_pages)
    minutes = (f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(0, 60, 5))
    answers = (
        doctor.post("/doctor/availability", {"date": DAY, "start_time": start, "end_time": end})
        for start, end in itertools.pairwise(minutes)
    )
    refused = next(answer for answer in answers if answer.status_code != 201)
    assert "no room" in is_unavailable(refused, "database-full")
    assert doctor.get("/doctor/profile").status_code == 200


def _allow_no_more_pages(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA max_page_count=1")


def test_a_database_without_tables_says_what_to_run(make_app: MakeApp, api: Api) -> None:
    doctor = api.doctor()
    app = make_app()
    hide, show = "ALTER TABLE appointments RENAME TO hidden", "ALTER TABLE hidden RENAME TO appointments"
    with app.app_context(), transaction(writes=True) as connection:
        connection.execute(text(hide))
    try:
        answer = doctor.get("/appointments/doctor")
    finally:
        with app.app_context(), transaction(writes=True) as connection:
            connection.execute(text(show))
    assert "flask db upgrade" in is_unavailable(answer, "database-not-migrated")


@ON_SQLITE
def test_a_file_that_is_no_database_is_no_500(make_app: MakeApp, tmp_path: Path, client: FlaskClient) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("This is no database. " * 100)
    answer = make_app(database_url=f"sqlite:///{file}").test_client().get("/health")
    is_unavailable(answer, "database-away")


@ON_POSTGRESQL
def test_a_mistake_in_a_statement_stays_500(
    watch: Watch, database_url: str, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    def mistake() -> str:
        with transaction(writes=False) as connection:
            connection.execute(text("SELECT 1 FROM"))
        return ""

    # Not by `make_app`: other tests would get an application with this page.
    app = watch(checked_app(make_settings(database_url=database_url), clock))
    app.add_url_rule("/mistake", view_func=mistake)
    assert app.test_client().get("/mistake").status_code == 500
    assert "Traceback" in caplog.text
