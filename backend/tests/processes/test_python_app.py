"""`python app.py`, the program that a developer starts, from any folder."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from pathlib import Path

from tests.processes.conftest import StartProgram, StartServer
from tests.processes.servers import Server, free_port, is_open, wait_until

SECONDS_TO_REFUSE = 30


def test_from_its_start_to_ctrl_c(start_python_app: StartServer) -> None:
    server = start_python_app()
    for line in (server.url, f"{server.url}/docs", f"{server.url}/health", "sqlite:///", "Stop with Ctrl-C."):
        assert line in server.program.output
    assert "register with the invitation code DOC2024SECRET" in server.program.output
    health = server.ask("GET", "/health")
    assert health["status"] == "ok"

    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(server.open_half_a_request()) for _ in range(30)]
        booking = server.book_something()
        assert all(map(is_open, slow)), "clients that send half a body delayed the booking"

        def sent() -> bool:
            [mail] = server.ask("GET", "/dev/outbox")["data"]
            assert mail["to"] == booking.patients_email
            return mail["sent_at"] is not None

        wait_until(sent, 10, lambda: f"the mail to be sent\n{server.program.output}")
        assert f"mail to {booking.patients_email}" in server.program.output
        ends_cleanly(server, signal.SIGINT)


def ends_cleanly(server: Server, number: signal.Signals) -> None:
    assert server.program.signal(number) == 0
    assert "Stopped." in server.program.output
    assert "Traceback" not in server.program.output


def test_a_relative_database_path_starts_at_the_folder_of_app_py(
    start: StartProgram, backend: Path, tmp_path: Path
) -> None:
    port = free_port()
    name = f"relative-{port}.db"
    settings = {"DATABASE_URL": f"sqlite:///{name}", "PORT": str(port)}
    upgraded = start(sys.executable, "-m", "flask", "--app", backend / "app.py", "db", "upgrade", **settings)
    assert upgraded.wait(60) == 0, upgraded.output
    server = Server(start(sys.executable, backend / "app.py", cwd=tmp_path, **settings), port).wait_until_healthy()
    assert server.book_something()
    assert (backend / name).is_file()
    assert not (tmp_path / name).exists()
    ends_cleanly(server, signal.SIGTERM)


def test_the_banner_and_health_report_a_database_without_tables(start: StartProgram, tmp_path: Path) -> None:
    port = free_port()
    program = start(sys.executable, "app.py", PORT=str(port), DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    program.wait_for_output("Stop with Ctrl-C.")
    assert 'run "flask db upgrade"' in program.output
    server = Server(program, port)
    wait_until(server.answers, 10, lambda: program.output)
    health = server.call("GET", "/health")
    assert health.status == 503
    assert "flask db upgrade" in health.json()["error"]


def test_the_banner_reports_a_database_that_is_away(start: StartProgram) -> None:
    port = free_port()
    url = f"postgresql://me:hunter2@127.0.0.1:{free_port()}/clinic"
    code = "a code that somebody chose"
    program = start(sys.executable, "app.py", PORT=str(port), DATABASE_URL=url, DOCTOR_INVITATION_CODE=code)
    program.wait_for_output("Stop with Ctrl-C.")
    assert "invitation code" not in program.output
    assert "The database cannot be reached" in program.output
    assert "hunter2" not in program.output


def test_a_busy_port_is_reported_in_one_sentence(start: StartProgram, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        program = start(sys.executable, "app.py", PORT=str(port), DATABASE_URL=f"sqlite:///{tmp_path / 'x.db'}")
        assert program.wait(SECONDS_TO_REFUSE) == 1
    [line] = program.output.splitlines()
    assert line.startswith(f"Port {port} is in use; ")
    assert f"PORT={port + 1}" in line


def test_a_wrong_setting_is_reported_in_one_sentence_without_secrets(start: StartProgram) -> None:
    program = start(sys.executable, "app.py", DATABASE_URL="nonsense with hunter2 in it")
    assert program.wait(SECONDS_TO_REFUSE) == 1
    [line] = program.output.splitlines()
    assert "DATABASE_URL" in line
    assert line.endswith(".")
    assert "hunter2" not in line
