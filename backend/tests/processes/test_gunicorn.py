"""`gunicorn app:app` and `python worker.py`, the programs that run in production."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.conftest import ON_POSTGRESQL
from tests.processes.conftest import StartProgram, StartServer
from tests.processes.servers import HALF_A_BODY, REAL_SECRETS, Program, free_port, is_open, wait_until

# As in gunicorn.conf.py.
SECONDS_OF_SILENCE = 10
THREADS_OF_A_WORKER = 8
SECONDS_TO_REFUSE = 30
MAKE_A_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
CODE = REAL_SECRETS["DOCTOR_INVITATION_CODE"]
LAST_REQUEST = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
# Gunicorn waits two seconds for each of them to close; together, that is longer than our own timeout.
CLIENTS_THAT_DO_NOT_CLOSE = 12
HALF_A_HEADER = b"POST /auth/login HTTP/1.1\r\nHost: loc"


def sentences(program: Program) -> list[str]:
    """Return the lines that the program printed, without those of gunicorn's log."""
    return [line for line in program.output.splitlines() if not line.startswith("[")]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "SECRET_KEY"),
        (REAL_SECRETS | {"JWT_SECRET_KEY": "only-31-bytes-of-a-long-secret."}, "JWT_SECRET_KEY"),
        (REAL_SECRETS | {"DOCTOR_INVITATION_CODE": "DOC2024SECRET"}, "DOCTOR_INVITATION_CODE"),
    ],
)
def test_production_refuses_published_and_short_secrets_with_one_sentence(
    start: StartProgram, settings: dict[str, str], named: str
) -> None:
    program = start(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{free_port()}", "app:app", **settings)
    assert program.wait(SECONDS_TO_REFUSE) == 1
    [sentence] = sentences(program)
    assert sentence.startswith(f"{named} ")
    assert MAKE_A_SECRET in sentence
    assert not [value for value in settings.values() if value and value in sentence]


def test_it_refuses_published_secrets_also_if_gunicorn_does_not_find_its_settings(
    start: StartProgram, backend: Path
) -> None:
    bind = f"127.0.0.1:{free_port()}"
    program = start(sys.executable, "-m", "gunicorn", "--chdir", backend, "--bind", bind, "app:app", cwd=backend.parent)
    assert program.wait(SECONDS_TO_REFUSE) != 0
    assert "SECRET_KEY has a published value" in program.output


def test_its_settings_are_the_configured_ones(start: StartProgram) -> None:
    settings = {"PORT": "8123", "WEB_CONCURRENCY": "3", "KEEP_ALIVE_SECONDS": "75"}
    program = start(sys.executable, "-m", "gunicorn", "--print-config", "app:app", **settings, **REAL_SECRETS)
    assert program.wait(SECONDS_TO_REFUSE) == 0
    printed = dict(line.split("=", 1) for line in program.output.splitlines() if "=" in line)
    used = {name.strip(): value.strip() for name, value in printed.items()}
    assert (used["bind"], used["workers"], used["keepalive"]) == ("['0.0.0.0:8123']", "3", "75")


def test_from_an_empty_database_to_a_booking(
    start: StartProgram, start_gunicorn: StartServer, empty_database_url: str
) -> None:
    settings = {"DATABASE_URL": empty_database_url}
    upgraded = start(sys.executable, "-m", "flask", "db", "upgrade", **settings)
    assert upgraded.wait(60) == 0, upgraded.output
    server = start_gunicorn(**settings)

    person = {"name": "Eve", "email": "eve@people.example", "password": "password123", "role": "doctor"}
    answer = server.call("POST", "/auth/register", person | {"invitation_code": "DOC2024SECRET"})
    assert answer.status == 403, "the published code is not that of a clinic"
    booking = server.book_something(CODE)

    outbox = server.call("GET", "/dev/outbox")
    assert outbox.status == 404
    assert isinstance(outbox.json()["error"], str)
    assert "No mail transport" in server.program.output
    assert "Mails carry no links: set CLINIC_URL" in server.program.output
    worker = start(sys.executable, "worker.py", **REAL_SECRETS, **settings)
    worker.wait_for_output("No mail transport")
    worker.wait_for_output("Mails carry no links: set CLINIC_URL")
    assert waiting_mails(empty_database_url) == [(booking.patients_email, "waiting", 0)]
    assert worker.signal(signal.SIGTERM) == 0
    assert worker.output.rstrip().endswith("stopped")

    with contextlib.ExitStack() as stack:
        # One fewer than the threads of a worker, because one worker may get all these connections.
        slow = [stack.enter_context(server.open_half_a_request()) for _ in range(THREADS_OF_A_WORKER - 1)]
        server.book_something(CODE)
        assert all(map(is_open, slow)), "the booking waited until the silent ones were cut"
    assert server.program.signal(signal.SIGTERM) == 0
    assert "Traceback" not in server.program.output


def test_clients_that_neither_send_nor_close_block_a_worker_for_seconds_only(
    start_gunicorn: StartServer, sqlite_template: Path, tmp_path: Path
) -> None:
    """Half of a body and half of a header both block a thread; only a buffering proxy in front can prevent that."""
    database = shutil.copy(sqlite_template, tmp_path / "half.db")
    server = start_gunicorn(DATABASE_URL=f"sqlite:///{database}", WEB_CONCURRENCY="1")
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS_THAT_DO_NOT_CLOSE):
            answered = stack.enter_context(server.open_half_a_request(LAST_REQUEST))
            assert answered.recv(12) == b"HTTP/1.1 200"
        server.book_something(CODE)
        slow = [
            stack.enter_context(server.open_half_a_request(beginning))
            for beginning in (HALF_A_BODY, HALF_A_HEADER) * (THREADS_OF_A_WORKER // 2 + 1)
        ]
        wait_until(server.answers, SECONDS_OF_SILENCE * 8, lambda: server.program.output)
        assert not all(map(is_open, slow)), "they did not block the worker"
        server.book_something(CODE)


@ON_POSTGRESQL
def test_the_worker_tries_to_send_mails_through_the_transport(
    start: StartProgram, start_gunicorn: StartServer, database_url: str
) -> None:
    """No mail server listens on the port, so the mail waits for the next attempt."""
    settings = {
        "DATABASE_URL": database_url,
        "SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "FROM_EMAIL": "Clinic <clinic@people.example>",
        "CLINIC_URL": "https://clinic.example",
        "MAIL_POLL_SECONDS": "0.1",
    }
    server = start_gunicorn(**settings)
    assert "No mail transport" not in server.program.output
    assert "Mails carry no links" not in server.program.output
    booking = server.book_something(CODE)
    worker = start(sys.executable, "worker.py", **REAL_SECRETS, **settings)

    wait_until(lambda: waiting_mails(database_url)[0][2] > 0, 30, lambda: worker.output)
    [(recipient, status, _)] = waiting_mails(database_url)
    assert (recipient, status) == (booking.patients_email, "waiting")
    assert worker.signal(signal.SIGTERM) == 0


def waiting_mails(url: str) -> list[tuple[str, str, int]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT recipient, status, attempts FROM outbox ORDER BY id"))
        return [(row.recipient, row.status, row.attempts) for row in rows]
