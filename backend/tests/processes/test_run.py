"""`./run` in a fresh clone: it creates the environment, installs packages, and starts a server with demo data.

`./test` has just installed packages in the same way, by backend/environment.sh, so only `./test --long` does it again.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from src.tasks.demo import DOCTORS, PATIENTS
from src.utils.clock import system_clock
from tests.processes.servers import BACKEND, Program, Server, clean_environment, free_port, wait_until

ROOT = BACKEND.parent
# Environment variables that pip needs to reach packages and its cache.
PASSED_ON = ("HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
# Timeouts for a start that hangs; the tests do not check how fast a start is.
SECONDS_TO_INSTALL = 240
SECONDS_TO_REFUSE = 60
INSTALLING = "Installing packages"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of the repository without the files that `.gitignore` names, like a fresh clone."""
    ignored = [line.strip().rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    patterns = [".git", *(line for line in ignored if line and not line.startswith("#"))]
    return shutil.copytree(ROOT, tmp_path / "clone", ignore=shutil.ignore_patterns(*patterns), symlinks=True)


Run = Callable[..., Program]


@pytest.fixture
def run(clone: Path, tmp_path: Path) -> Iterator[Run]:
    """Return a function that starts `./run` with the keywords as its environment."""
    started: list[Program] = []

    def start(**settings: str) -> Program:
        # With another version of Python, `./run` would make the environment of the tests anew.
        python = {"PYTHON": sys.executable}
        env = clean_environment(tmp_path, **(how_packages_are_reached() | python | settings))
        log = tmp_path / f"run-{len(started)}.log"
        # From another folder, because `./run` must find its own folder.
        started.append(Program([clone / "run"], cwd=tmp_path, env=env, log=log))
        return started[-1]

    yield start
    for program in reversed(started):
        program.end()


def how_packages_are_reached() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - pip's own settings
        if name in PASSED_ON or name.startswith("PIP_") or name.lower().endswith("_proxy")
    }


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_fresh_clone_installs_packages_once(run: Run) -> None:
    port = free_port()
    server = await_serving(run, port)
    assert INSTALLING in server.program.output
    server.book_something()
    assert server.program.signal(signal.SIGINT) == 0
    server = await_serving(run, port)
    assert INSTALLING not in server.program.output


@pytest.fixture
def _packages(clone: Path) -> None:
    """Give the clone the environment of the tests."""
    (clone / ".venv").symlink_to(sys.prefix)
    assert (clone / ".venv" / "installed-requirements.txt").is_file(), "the tests do not run by ./test"


@pytest.mark.usefixtures("_packages")
def test_a_clone_serves_demo_data_and_a_second_start_doubles_nothing(run: Run, clone: Path) -> None:
    port = free_port()
    server = await_serving(run, port)
    for line in (server.url, f"{server.url}/docs", DOCTORS[0].email, PATIENTS[0][1], "Stop with Ctrl-C."):
        assert line in server.program.output
    first = demo_slots(server)
    assert len(first) == 4
    server.book_something()
    # The last doctor's hours begin later.
    last_days = [max(day for day, _ in slots) for slots in list(first.values())[:3]]
    today = system_clock().date()
    # Four weeks ahead, or less if that is a weekend; the doctors' date may be a day before or after that of UTC.
    assert all(25 <= (last - today).days <= 29 for last in last_days), last_days
    assert (clone / "backend" / "local.db").is_file()

    busy = run(PORT=str(port))
    assert busy.wait(SECONDS_TO_REFUSE) == 1
    assert f"Port {port} is in use; " in busy.output
    assert "Traceback" not in busy.output

    assert server.program.signal(signal.SIGINT) == 0
    assert "Traceback" not in server.program.output

    server = await_serving(run, port)
    second = demo_slots(server)
    # The four demo doctors, and the one who registered before the second start.
    assert server.ask("GET", "/patient/doctors", token=server.log_in(PATIENTS[0][1]))["total"] == 5
    for doctor, slots in second.items():
        assert len(slots) == len(set(slots))
        # Between the two starts, times at the end of the four weeks may have been added.
        added = set(slots) - set(first[doctor])
        assert set(first[doctor]) <= set(slots)
        assert all(day >= max((day for day, _ in first[doctor]), default=day) for day, _ in added), added
    assert server.program.signal(signal.SIGTERM) == 0

    unreachable = run(PORT=str(port), DATABASE_URL=f"postgresql://me:hunter2@127.0.0.1:{free_port()}/clinic")
    assert unreachable.wait(SECONDS_TO_REFUSE) == 1
    assert "DATABASE_URL" in unreachable.output
    assert "hunter2" not in unreachable.output
    assert "Traceback" not in unreachable.output


def await_serving(run: Run, port: int) -> Server:
    server = Server(run(PORT=str(port)), port)
    wait_until(server.answers, SECONDS_TO_INSTALL, lambda: f"to serve\n{server.program.output}")
    return server.wait_until_healthy()


def demo_slots(server: Server) -> dict[str, list[tuple[date, str]]]:
    """Return the dates and times that are free with each demo doctor from the day after tomorrow on."""
    token = server.log_in(PATIENTS[0][1])
    listed: dict[str, Any] = server.ask("GET", "/patient/doctors?limit=100", token=token)
    ids = {row["name"]: row["id"] for row in listed["data"]}
    free = {
        doctor.name: server.ask("GET", f"/patient/doctors/{ids[doctor.name]}/availability", token=token)["data"]
        for doctor in DOCTORS
    }
    assert [name for name, slots in free.items() if not slots] == [DOCTORS[3].name], "the hours begin in five weeks"
    soon = system_clock().date() + timedelta(days=2)
    return {
        name: [(day, slot["start_time"]) for slot in slots if (day := date.fromisoformat(slot["date"])) > soon]
        for name, slots in free.items()
    }


def refused(program: Program) -> str:
    assert program.wait(SECONDS_TO_REFUSE) == 1
    [sentence] = program.output.splitlines()
    return sentence


def test_a_missing_python_is_reported_in_one_sentence(run: Run) -> None:
    assert refused(run(PYTHON="/nowhere/python3")) == "PYTHON names /nowhere/python3, which is not there."


def test_a_python_that_is_too_old_is_reported_in_one_sentence(run: Run, tmp_path: Path) -> None:
    old = script(tmp_path / "python3.9", 'case "$2" in *version_info*) exit 1 ;; esac; exit 0')
    assert refused(run(PYTHON=old)) == f"{old} is too old; Python 3.10 or newer is needed."


def test_a_python_without_venv_is_reported_with_the_command_to_run(run: Run, tmp_path: Path) -> None:
    bare = script(tmp_path / "python3", f'case "$2" in *"import venv"*) exit 1 ;; esac; exec {sys.executable} "$@"')
    sentence = refused(run(PYTHON=bare))
    assert "venv" in sentence
    assert "apt install python3-venv" in sentence


def test_a_machine_without_python_is_told_to_install_it(run: Run, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "dirname", "cat", "cksum"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    assert "install python3" in refused(run(PATH=str(tools), PYTHON=""))


def test_a_failed_installation_is_reported_and_the_next_start_tries_again(
    run: Run, clone: Path, tmp_path: Path
) -> None:
    """The fake python creates environments in which pip fails."""
    pip = 'case "$*" in *"pip install"*) echo "no network" >&2; exit 1 ;; esac; exec ' + sys.executable + ' "$@"'
    script(tmp_path / "inside", pip)
    make = f'mkdir -p "$4/bin" && cp {tmp_path / "inside"} "$4/bin/python"; exit $?'
    python = script(
        tmp_path / "python3", f'case "$*" in "-m venv --clear "*) {make} ;; esac; exec {sys.executable} "$@"'
    )
    for _ in range(2):
        program = run(PYTHON=python)
        assert program.wait(SECONDS_TO_REFUSE) == 1
        assert "The packages could not be installed" in program.output
        assert "no network" in program.output
    assert not list((clone / ".venv").glob("installed-*"))
