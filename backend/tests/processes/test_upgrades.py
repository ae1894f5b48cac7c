"""Several processes run `flask db upgrade` at once, as when each machine runs it during a release."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from src.database.upgrades import UPGRADE_LOCK, WAITING
from tests.processes.conftest import StartProgram
from tests.processes.servers import Program

FIRST = "Running upgrade  -> 0001"
RUNNING = "Running upgrade"


def upgrade(start: StartProgram, url: str) -> Program:
    return start(sys.executable, "-m", "flask", "db", "upgrade", DATABASE_URL=url)


@contextmanager
def another_upgrade(url: str) -> Generator[None]:
    """Hold the lock that an upgrade takes."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        yield


def test_waiting_upgrades_print_a_message_and_only_one_of_them_upgrades(
    start: StartProgram, empty_database_url: str
) -> None:
    with another_upgrade(empty_database_url):
        upgrades = [upgrade(start, empty_database_url) for _ in range(2)]
        for program in upgrades:
            program.wait_for_output(WAITING)
    for program in upgrades:
        assert program.wait(60) == 0, program.output
        assert program.output.count(WAITING) == 1
    assert sorted(program.output.count(FIRST) for program in upgrades) == [0, 1]
    assert [RUNNING in program.output for program in upgrades].count(True) == 1


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_upgrades_that_both_find_no_file_upgrade_once(start: StartProgram, empty_database_url: str) -> None:
    upgrades = [upgrade(start, empty_database_url) for _ in range(2)]
    for program in upgrades:
        assert program.wait(60) == 0, program.output
    assert [RUNNING in program.output for program in upgrades].count(True) == 1


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_timeouts_of_the_database_do_not_end_an_upgrade_that_waits(
    start: StartProgram, empty_database_url: str
) -> None:
    engine = create_engine(empty_database_url, poolclass=NullPool)
    with engine.begin() as connection:
        for limit in ("lock_timeout", "statement_timeout"):
            connection.execute(text(f"ALTER DATABASE {engine.url.database} SET {limit} = '200ms'"))
    with another_upgrade(empty_database_url):
        program = upgrade(start, empty_database_url)
        program.wait_for_output(WAITING)
        with engine.connect() as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_sleep(0.5)"))
        assert program.process.poll() is None, program.output
    assert program.wait(60) == 0, program.output
