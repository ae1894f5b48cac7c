"""The version before the newest migration still works after it: an upgrade changes the database before the servers.

The old code is the commit before the one that added the migration, so these tests need the git history.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from src.database.revisions import newest_revision
from src.utils.clock import system_clock
from tests.people import CODE
from tests.processes.conftest import StartProgram
from tests.processes.servers import BACKEND, SECONDS_TO_START, Server, backend_of, free_port, wait_until

ROOT = BACKEND.parent
# The old code's own tests call this instead of their own `flask db upgrade`.
NEW_SCHEMA = """
import os, pathlib, subprocess, sys
import flask_migrate
from flask import current_app

def upgrade():
    url = current_app.extensions["settings"].database_url
    command = [sys.executable, "-m", "flask", "db", "upgrade"]
    subprocess.run(command, cwd=os.environ["NEW_BACKEND"], env=os.environ | {"DATABASE_URL": url}, check=True)
    with pathlib.Path(os.environ["UPGRADED"]).open("a") as upgraded:
        print(url, file=upgraded)

flask_migrate.upgrade = upgrade
"""

OF_TOMORROW = """
    INSERT INTO outbox (key, about, recipient_id, recipient, template, facts, due_at, created_at)
    SELECT 'tomorrow', 'tomorrow:1', id, 'a@people.example', 'of tomorrow', '{}', created_at, created_at
    FROM users ORDER BY id LIMIT 1
"""
# In the batch of a newer worker that has sent it and waits for the answer, so it is not due before the lease ends.
IN_A_BATCH = """
    INSERT INTO outbox (key, batch_key, batch_position, about, recipient_id, recipient, template, facts, subject, text,
        html, attempts, due_at, created_at)
    SELECT 'of a batch', 'a batch', 0, 'batch:1', id, 'a@people.example', 'booked', '{}', 'S', 'T', 'H', 1,
        '2100-01-01 00:00:00', created_at
    FROM users ORDER BY id LIMIT 1
"""


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=False)


@pytest.fixture(scope="session")
def old_backend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None or git("rev-parse", "HEAD").returncode != 0:
        pytest.skip("the code before the newest migration is not here: this is no git repository")
    migration = f"backend/migrations/versions/{newest_revision()}_*"
    added = git("log", "--diff-filter=A", "--format=%H", "--", migration).stdout.decode().split()
    # If the migration is not committed yet, the old code is the last commit.
    try:
        return backend_of(f"{added[-1]}^" if added else "HEAD", tmp_path_factory.mktemp("old"))
    except LookupError as error:
        pytest.skip(f"the code before the newest migration is not here: {error}")


def test_the_version_before_serves_a_day_on_the_newest_schema_and_books_beside_new_code(
    old_backend: Path, start: StartProgram, database_url: str
) -> None:
    old = _serve(start, database_url, cwd=old_backend)
    serve_a_day(old.wait_until_healthy())
    mails_of_newer_workers_wait(old, database_url)
    new = _serve(start, database_url)
    book_at_once(old, new.wait_until_healthy(), database_url)
    assert "Traceback" not in old.program.output + new.program.output


def serve_a_day(server: Server) -> None:
    ready = server.ask("GET", "/health/ready")
    assert ready["checks"]["migrations"] == newest_revision()

    left = server.book_something()
    server.ask("GET", "/doctor/dashboard", token=left.doctor)
    assert server.call("DELETE", "/doctor/account", token=left.doctor).status == 200
    cancelled = server.book_something()
    server.ask("POST", f"/appointments/{cancelled.appointment_id}/cancel", token=cancelled.patient)
    kept = server.book_something()
    server.ask("GET", "/patient/dashboard", token=kept.patient)
    server.ask("POST", "/auth/logout", token=kept.patient)

    for person, role in ((left.patient, "my"), (cancelled.patient, "my"), (cancelled.doctor, "doctor")):
        [listed] = server.ask("GET", f"/appointments/{role}", token=person)["data"]
        assert listed["status"] == "cancelled"
    [listed] = server.ask("GET", "/appointments/doctor", token=kept.doctor)["data"]
    assert listed["status"] == "booked"
    # Three confirmations, one mail to the patient of the deleted doctor, two mails about the other cancellation.
    wait_until(lambda: sent(server) == 6, SECONDS_TO_START, lambda: server.program.output)


def mails_of_newer_workers_wait(server: Server, database_url: str) -> None:
    """Neither a mail of an unknown kind nor one of a batch under way is sent by the old worker.

    This happens while servers of the newest version already run and the worker of the old one still does.
    """
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(IN_A_BATCH))
        connection.execute(text(OF_TOMORROW))
    server.program.wait_for_output("of tomorrow")
    with engine.connect() as connection:
        [(status, attempts)] = connection.execute(text("SELECT status, attempts FROM outbox WHERE key = 'tomorrow'"))
        under_way = connection.execute(text("SELECT status, attempts FROM outbox WHERE key = 'of a batch'")).one()
    assert status == "waiting"
    assert attempts > 0
    assert tuple(under_way) == ("waiting", 1)


def sent(server: Server) -> int:
    mails = server.ask("GET", "/dev/outbox")["data"]
    assert len(mails) == 6
    return sum(mail["sent_at"] is not None for mail in mails)


PATIENTS = 6
# After the hours: whatever is quicker, old code books this one.
ALONE = ("17:00", "17:30")
LIVE_ROWS = """
    SELECT slot_id, busy_from, busy_until FROM appointments
    WHERE doctor_id = :doctor AND status IN ('held', 'booked') AND NOT overbooked ORDER BY busy_from
"""


def book_at_once(old: Server, new: Server, database_url: str) -> None:
    """Old code books published slots, new code computed times that overlap them and one another."""
    doctor, doctor_id, day = _doctor_with_hours(new)
    published = [
        old.ask("POST", "/doctor/availability", {"date": day, "start_time": start, "end_time": end}, doctor)["slot_id"]
        for start, end in (("09:10", "09:40"), ("10:00", "10:30"), ("11:15", "12:15"), ("13:00", "14:00"), ALONE)
    ]
    patients = [new.join(f"Patient {n}", f"racer{n}-{time.monotonic_ns()}@people.example") for n in range(PATIENTS)]
    path = f"/patient/doctors/{doctor_id}/availability?from={day}&until={day}"
    offered = new.ask("GET", path, token=patients[0])["data"]
    computed = [time["slot_id"] for time in offered if time["slot_id"] not in published]
    assert len(computed) >= 12

    def book(number: int) -> list[int]:
        server, slots = (old, published) if number % 2 else (new, computed)
        return [
            server.call("POST", "/appointments", {"slot_id": slot_id}, patients[number]).status
            for slot_id in slots[number % 3 :] + slots[: number % 3]
        ]

    with ThreadPoolExecutor(max_workers=PATIENTS) as pool:
        statuses = Counter(itertools.chain.from_iterable(pool.map(book, range(PATIENTS))))
    assert set(statuses) == {201, 409}, (statuses, old.program.output, new.program.output)
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        rows = connection.execute(text(LIVE_ROWS), {"doctor": doctor_id}).all()
    assert len(rows) == statuses[201] > 5
    assert {row.slot_id >= 2**32 for row in rows} == {True, False}, "both kinds were booked"
    assert all(row.busy_until <= after.busy_from for row, after in itertools.pairwise(rows)), rows
    # Old code sees all appointments, and cancels those at published slots.
    listed = {row["appointment_id"] for row in old.ask("GET", "/appointments/doctor", token=doctor)["data"]}
    assert len(listed) == len(rows)
    mine = old.ask("GET", "/appointments/my", token=patients[1])["data"]
    for appointment in mine:
        cancelled = old.call("POST", f"/appointments/{appointment['appointment_id']}/cancel", token=patients[1])
        assert cancelled.status == 200


def _serve(start: StartProgram, database_url: str, **place: Path) -> Server:
    port = free_port()
    settings = {"DATABASE_URL": database_url, "PORT": str(port), "MAIL_POLL_SECONDS": "0.1"}
    return Server(start(sys.executable, "app.py", **settings, **place), port)


def _doctor_with_hours(server: Server) -> tuple[str, int, str]:
    """Register a doctor with hours on one weekday; return the token, the doctor's id and such a day."""
    doctor = server.join("Dr. Signe Vale", f"doctor{time.monotonic_ns()}@people.example", CODE)
    day = system_clock().date() + timedelta(days=7)
    weekly = [{"weekday": f"{day:%A}".lower(), "from": "09:00", "until": "16:00"}]
    server_hours = server.call("PUT", "/doctor/hours", {"time_zone": "UTC", "weekly": weekly}, doctor)
    assert server_hours.status == 200, server_hours.body
    return doctor, server.ask("GET", "/doctor/profile", token=doctor)["doctor_id"], str(day)


@pytest.mark.timeout(300)
def test_the_own_tests_of_the_version_before_pass_on_the_newest_schema(
    old_backend: Path, start: StartProgram, backend: Path, tmp_path: Path
) -> None:
    (tmp_path / "new_schema.py").write_text(NEW_SCHEMA)
    upgraded = tmp_path / "upgraded"
    places = {
        "PYTHONPATH": str(tmp_path),
        "NEW_BACKEND": str(backend),
        "UPGRADED": str(upgraded),
        "FLASK_APP": "app.py",
    }
    pytest_options = ("-p", "new_schema", "-p", "no:cacheprovider", "-q", "-x", "--tb=short")
    program = start(
        sys.executable, "-m", "pytest", *pytest_options, "tests/api/test_a_whole_day.py", cwd=old_backend, **places
    )
    assert program.wait(280) == 0, program.output
    assert "passed" in program.output
    assert len(upgraded.read_text().splitlines()) == 2, "SQLite and PostgreSQL"
