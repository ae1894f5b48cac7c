"""Every `flask …` command says in one line why the database cannot be used, and ends with status 1."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.cli import FlaskGroup
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from src.database.revisions import newest_revision
from src.extensions import db
from tests.conftest import build_app, create_database, make_settings, migrate_to_head
from tests.processes.conftest import StartProgram
from tests.processes.servers import free_port

COMMANDS = [
    "db upgrade",
    "db current",
    "db downgrade",
    "db check",
    "demo --yes",
    "purge",
    "prepare",
    "user disable ada@people.example",
    "user enable ada@people.example",
    "outbox list",
    "outbox show 1",
    "outbox retry --all",
]
AWAY = "postgresql://somebody:hush-hush@127.0.0.1:1/clinic"


def what_it_says(capfd: pytest.CaptureFixture[str], command: str, url: str) -> str:
    """Run the command as `flask` does, check that it ends with status 1 and one line, and return the line."""
    app = build_app(make_settings(database_url=url, port=free_port()))
    app.config["CONFIGURE_MIGRATION_LOGS"] = False
    result = CliRunner().invoke(FlaskGroup(create_app=lambda: app), command.split())
    with app.app_context():
        db.engine.dispose()
    assert result.exit_code == 1
    error = result.exception
    assert error is not None
    said = result.output
    if not isinstance(error, SystemExit):
        # What Python does with an exception that ends a program.
        capfd.readouterr()
        sys.excepthook(type(error), error, error.__traceback__)
        said = capfd.readouterr().err
    [line] = [line for line in said.splitlines() if line.strip()]
    assert "hush-hush" not in line
    return line


@pytest.fixture(autouse=True)
def _settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", AWAY)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_is_away(capfd: pytest.CaptureFixture[str], command: str) -> None:
    line = what_it_says(capfd, command, AWAY)
    assert "postgresql+psycopg://somebody:***@127.0.0.1:1/clinic cannot be opened" in line
    assert "refused" in line
    assert "DATABASE_URL" in line


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_no_database(capfd: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("This is no database. " * 100)
    assert "file is not a database" in what_it_says(capfd, command, f"sqlite:///{file}")


@pytest.mark.parametrize("command", ["db upgrade", "purge"])
def test_a_folder_and_a_file_in_no_folder(capfd: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    for path in (tmp_path, tmp_path / "missing" / "clinic.db"):
        assert "unable to open database file" in what_it_says(capfd, command, f"sqlite:///{path}")


@pytest.mark.parametrize("command", ["db upgrade", "purge"])
def test_a_database_and_a_user_that_the_server_does_not_know(
    capfd: pytest.CaptureFixture[str], postgresql_url: str, command: str
) -> None:
    url = make_url(postgresql_url)
    for wrong in (url.set(database="nothing_of_this_name"), url.set(username="nobody_of_this_name")):
        assert "does not exist" in what_it_says(capfd, command, wrong.render_as_string(hide_password=False))


@pytest.mark.parametrize("command", ["demo --yes", "purge", "user enable ada@people.example", "outbox list"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_without_tables(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, worker_id_: str, kind: str, command: str
) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}" if kind == "sqlite" else create_database(f"bare_{worker_id_}")
    assert 'has no tables yet; run "flask db upgrade"' in what_it_says(capfd, command, url)


@pytest.mark.parametrize(("command", "is_migrated"), [("db upgrade", False), ("user disable x@people.example", True)])
def test_a_database_that_accepts_no_changes(
    capfd: pytest.CaptureFixture[str],
    worker_id_: str,
    command: str,
    is_migrated: bool,  # noqa: FBT001
) -> None:
    url = create_database(f"bare_{worker_id_}")
    if is_migrated:
        migrate_to_head(url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {engine.url.database} SET default_transaction_read_only = on"))
    assert "accepts no changes" in what_it_says(capfd, command, url)


@pytest.mark.parametrize("command", ["db upgrade", "db current", "prepare"])
def test_a_database_of_a_newer_release(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, sqlite_template: Path, command: str
) -> None:
    path = tmp_path / "newer.db"
    path.write_bytes(sqlite_template.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    app = build_app(make_settings(database_url=f"sqlite:///{path}", port=free_port()))
    app.config["CONFIGURE_MIGRATION_LOGS"] = False
    result = CliRunner().invoke(FlaskGroup(create_app=lambda: app), command.split())
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert f"at migration 9999, and this release ends at {newest_revision()}" in line


@pytest.mark.parametrize("command", ["db upgrade", "prepare", "purge"])
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_store_every_name(
    capfd: pytest.CaptureFixture[str], postgresql_url: str, worker_id_: str, encoding: str, command: str
) -> None:
    url = database_in(encoding, postgresql_url, f"encoded_{worker_id_}")
    line = what_it_says(capfd, command, url)
    assert f"its encoding is {encoding}" in line
    assert "ENCODING 'UTF8'" in line
    for path in ("/health", "/health/ready"):
        app = build_app(make_settings(database_url=url))
        answer = app.test_client().get(path)
        assert answer.status_code == 503
        assert answer.get_json()["failing"] == "database"


def database_in(encoding: str, server: str, name: str) -> str:
    """Create a database in another encoding and return its URL."""
    url = make_url(server)
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(
            text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'")
        )
    return url.set(database=name).render_as_string(hide_password=False)


def test_the_programs_say_it_too(start: StartProgram) -> None:
    purge = start(sys.executable, "-m", "flask", "purge", DATABASE_URL=AWAY)
    upgrade = start(sys.executable, "-m", "flask", "db", "upgrade", DATABASE_URL=AWAY)
    worker = start(sys.executable, "worker.py", DATABASE_URL=AWAY)
    for program in (purge, upgrade):
        assert program.wait() == 1
        assert len(program.output.strip().splitlines()) == 1
        assert "cannot be opened" in program.output
        assert "hush-hush" not in program.output
    worker.wait_for_output("database trouble, going on")
    assert worker.process.poll() is None
    assert "Traceback" not in worker.output
