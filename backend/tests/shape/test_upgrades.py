"""`flask db upgrade` and `flask db downgrade` run in one transaction, and one at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from apiflask import APIFlask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from src.database import upgrades
from src.database.revisions import newest_revision
from src.database.transaction import transaction
from src.extensions import db


def run(*statements: str) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names())


def test_a_migration_that_fails_halfway_changes_nothing_and_can_be_tried_again(empty_app: APIFlask) -> None:
    """0002 adds a column, then fails because a table that it creates exists."""
    run("CREATE TABLE failed_attempts (id INTEGER)")
    for _ in range(2):
        with pytest.raises(DBAPIError, match="failed_attempts"):
            flask_migrate.upgrade()
        assert tables() == {"failed_attempts"}
    run("DROP TABLE failed_attempts")
    flask_migrate.upgrade()
    assert "failed_attempts" in tables()


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_migration_of_many_tables_does_not_block_requests_or_deadlock_with_them(empty_app: APIFlask) -> None:
    """0007 locks `users` before `appointments`; the request uses them in the other order."""
    flask_migrate.upgrade(revision="0006")

    def upgrade() -> None:
        with empty_app.app_context():
            flask_migrate.upgrade()

    waiting = threading.Thread(target=upgrade)
    with transaction(writes=True) as request:
        request.execute(sa.text("SELECT count(*) FROM appointments"))
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive()
        request.execute(sa.text("SELECT count(*) FROM users"))
    waiting.join(20)
    with db.engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT version_num FROM alembic_version")).one() == newest_revision()


def test_the_newest_revision_is_that_of_the_newest_migration(empty_app: APIFlask) -> None:
    configuration = empty_app.extensions["migrate"].migrate.get_config()
    assert newest_revision() == ScriptDirectory.from_config(configuration).get_current_head()


def test_a_new_database_is_not_copied(empty_app: APIFlask, tmp_path: Path) -> None:
    """0004 rebuilds a table in its upgrade and in its downgrade."""
    flask_migrate.upgrade(revision="0004")
    assert not list(tmp_path.glob("*.at-*"))
    flask_migrate.downgrade(revision="0003")
    kept = [f"{Path(db.engine.url.database or '').name}.at-0004"] if db.engine.dialect.name == "sqlite" else []
    assert [path.name for path in tmp_path.glob("*.at-*")] == kept


def test_an_upgrade_of_sqlite_waits_for_the_write_lock(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = f"sqlite:///{tmp_path / 'held.db'}"
    held = sa.create_engine(url, poolclass=NullPool).connect()
    held.exec_driver_sql("BEGIN IMMEDIATE")
    begun = threading.Event()

    def wait() -> None:
        with upgrades._begin_on_sqlite(url, try_seconds=0.01):
            begun.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not begun.wait(0.5), "the upgrade began although another connection holds the write lock"
    held.close()
    assert begun.wait(20)
    waiting.join()
    assert [record.getMessage() for record in caplog.records if record.name == "upgrade"] == [upgrades.WAITING]
