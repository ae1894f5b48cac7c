"""SQLite tables that a migration rebuilds keep everything that the migration does not change."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.util import CommandError
from apiflask import APIFlask
from sqlalchemy.pool import NullPool

from src.database.rebuild import rebuilt
from src.database.transaction import transaction
from src.database.upgrades import refuse_dangling_rows, upgrade_transaction
from tests.conftest import ON_SQLITE
from tests.people import Api

pytestmark = ON_SQLITE
TABLES = ("availability_slots", "appointments", "outbox")


@pytest.fixture
def path(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite:///"))


@pytest.fixture
def people(api: Api) -> None:
    """Add two slots, one of them booked, and a cancelled appointment."""
    doctor, patient = api.doctor(), api.patient()
    patient.book(doctor.publish("09:00", "09:30"))
    patient.cancel(patient.book(doctor.publish("10:00", "10:30")))


Migrate = Callable[[Callable[[sa.Connection], None]], None]


@pytest.fixture
def migrate(app: APIFlask) -> Migrate:
    """Return a function that runs another one as a migration."""

    def run(upgrade: Callable[[sa.Connection], None]) -> None:
        with upgrade_transaction(app.extensions["settings"]) as connection:
            with Operations.context(MigrationContext.configure(connection)):
                upgrade(connection)
            refuse_dangling_rows(connection)

    return run


def rebuild_all(_connection: sa.Connection) -> None:
    for table in TABLES:
        with rebuilt(table):
            pass


def shape(path: Path) -> dict[str, Any]:
    """Return the schema and rows of the tables, in parts: the CREATE TABLE of a rebuilt one has another order."""
    with sa.create_engine(f"sqlite:///{path}", poolclass=NullPool).connect() as connection:
        inspector = sa.inspect(connection)
        checks = {table: sorted(map(str, inspector.get_check_constraints(table))) for table in TABLES}
    with closing(sqlite3.connect(path)) as db:
        entries = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        others = [entry for entry in entries if entry[0] == "table" and entry[1] not in TABLES]
        return {
            "triggers, indexes": [entry for entry in entries if entry[0] != "table"],
            "other tables": others,
            "counters": sorted(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall()),
        } | {
            table: (
                db.execute(f"PRAGMA table_xinfo({table})").fetchall(),
                sorted(row[2:] for row in db.execute(f"PRAGMA foreign_key_list({table})")),
                checks[table],
                db.execute(f"SELECT * FROM {table} ORDER BY id").fetchall(),
                ["AUTOINCREMENT" in sql for _, name, _, sql in entries if name == table],
            )
            for table in TABLES
        }


def mended(shape: dict[str, Any]) -> dict[str, Any]:
    return shape | {
        table: tuple(
            sorted(check.replace(f"ck_{table}_ck_{table}_", f"ck_{table}_") for check in part)
            if part is parts[2]
            else part
            for part in parts
        )
        for table in TABLES
        if (parts := shape[table])
    }


def test_rebuilt_tables_that_others_refer_to_are_unchanged(people: None, migrate: Migrate, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "INSERT INTO availability_slots (id, doctor_id, starts_at, ends_at, time_zone, status, created_at)"
            " SELECT 900, doctor_id, '2031-01-01', '2031-01-02', 'UTC', 'free', created_at FROM availability_slots"
            " WHERE id = 1"
        )
        db.execute("DELETE FROM availability_slots WHERE id = 900")
        db.commit()
    before = shape(path)
    assert ("availability_slots", 900) in before["counters"]
    assert len(before["availability_slots"][3]) == len(before["appointments"][3]) == 2
    migrate(rebuild_all)
    after = shape(path)
    assert after == mended(before)
    migrate(rebuild_all)
    assert shape(path) == after


def test_triggers_and_foreign_keys_work_after_a_rebuild(
    people: None, migrate: Migrate, app: APIFlask, api: Api
) -> None:
    migrate(rebuild_all)
    doctor = api.doctor()
    assert doctor.publish("09:00", "09:30") == 3
    overlapping = {"date": "2030-03-05", "start_time": "09:15", "end_time": "09:45"}
    assert doctor.post("/doctor/availability", overlapping).status_code == 409
    assert api.patient().book(3) == 3
    with app.app_context(), pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"), transaction(writes=True) as db:
        db.execute(sa.text("DELETE FROM appointments"))


def test_a_trigger_of_another_table_may_name_a_rebuilt_one(people: None, migrate: Migrate, path: Path) -> None:
    def upgrade(connection: sa.Connection) -> None:
        connection.exec_driver_sql(
            "CREATE TRIGGER watch AFTER INSERT ON doctors BEGIN SELECT count(*) FROM availability_slots; END"
        )
        rebuild_all(connection)

    migrate(upgrade)
    assert "watch" in [entry[1] for entry in shape(path)["triggers, indexes"]]


def test_an_empty_table_keeps_its_counter(migrate: Migrate, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM sqlite_sequence WHERE name = 'appointments'")
        db.execute("INSERT INTO sqlite_sequence VALUES ('appointments', 41)")
        db.commit()
    migrate(rebuild_all)
    assert ("appointments", 41) in shape(path)["counters"]


def test_rows_that_refer_to_missing_rows_make_the_upgrade_fail_and_nothing_changes(
    people: None, migrate: Migrate, path: Path
) -> None:
    def upgrade(connection: sa.Connection) -> None:
        rebuild_all(connection)
        connection.exec_driver_sql("DELETE FROM appointments")

    before = shape(path)
    with pytest.raises(CommandError, match="rows of appointment_events refer to appointments"):
        migrate(upgrade)
    assert shape(path) == before


def test_the_database_is_copied_before_a_rebuild_and_no_copy_is_overwritten(
    people: None, migrate: Migrate, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def upgrade(connection: sa.Connection) -> None:
        connection.exec_driver_sql("UPDATE users SET name = 'Somebody Else'")
        rebuild_all(connection)

    before = shape(path)
    migrate(upgrade)
    [copy] = path.parent.glob("*.at-*")
    [line] = [record.getMessage() for record in caplog.records if record.name == "upgrade"]
    assert str(copy) in line
    assert shape(copy) == before
    with closing(sqlite3.connect(copy)) as db:
        [[revision]] = db.execute("SELECT version_num FROM alembic_version")
        assert copy.name == f"{path.name}.at-{revision}"
        names = {name for [name] in db.execute("SELECT name FROM users")}
    assert "Somebody Else" not in names
    copied = copy.read_bytes()
    migrate(upgrade)
    assert copy.read_bytes() == copied
    assert path.with_name(f"{copy.name}-2").is_file()
