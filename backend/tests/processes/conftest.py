"""Programs for the tests: started on demand, ended by their ids when the test is over."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import create_database
from tests.processes.servers import (
    REAL_SECRETS,
    SECONDS_TO_START,
    Program,
    Server,
    clean_environment,
    copy_backend,
    free_port,
    wait_until,
)

StartProgram = Callable[..., Program]
StartServer = Callable[..., Server]

# As in gunicorn.conf.py.
WORKERS = 2
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = "no Chromium on this machine"


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of backend/ as a fresh clone has it, so that a `.env` or a database of this machine does not matter."""
    return copy_backend(tmp_path_factory.mktemp("clone") / "backend")


@pytest.fixture
def start(backend: Path, tmp_path: Path) -> Iterator[StartProgram]:
    """Start a program in the copy, or in the folder `cwd`; other keywords are its environment."""
    started: list[Program] = []

    def run(*command: str | Path, cwd: Path = backend, **settings: str) -> Program:
        log = tmp_path / f"output-{len(started)}.log"
        started.append(Program(command, cwd=cwd, env=clean_environment(tmp_path, **settings), log=log))
        return started[-1]

    yield run
    for program in reversed(started):
        program.end()


@pytest.fixture
def start_gunicorn(start: StartProgram) -> StartServer:
    """`gunicorn app:app` in production, with real secrets unless others are given, once it is healthy."""

    def run(**settings: str) -> Server:
        port = free_port()
        command = (sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app")
        program = start(*command, **(REAL_SECRETS | settings))
        # A signal that reaches a worker while it is being born is lost (gunicorn kills it in the end).
        wait_until(lambda: program.output.count("Booting worker") == WORKERS, SECONDS_TO_START, lambda: program.output)
        return Server(program, port).wait_until_healthy()

    return run


@pytest.fixture
def start_python_app(start: StartProgram, backend: Path, tmp_path: Path, sqlite_template: Path) -> StartServer:
    """`python app.py` from another folder, on a migrated SQLite database of its own, once it is healthy."""

    def run(**settings: str) -> Server:
        port = free_port()
        database = tmp_path / f"{port}.db"
        shutil.copy(sqlite_template, database)
        settings = {"PORT": str(port), "DATABASE_URL": f"sqlite:///{database}", "MAIL_POLL_SECONDS": "0.1"} | settings
        return Server(start(sys.executable, backend / "app.py", cwd=tmp_path, **settings), port).wait_until_healthy()

    return run


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path, worker_id_: str) -> str:
    """An empty database without tables, of this test alone."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return create_database(f"processes_{worker_id_}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the browser tests are skipped, and the run says so at its end."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        # A warning, because it is what xdist's workers can bring to the summary of the whole run.
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"THE BROWSER TESTS DID NOT RUN: {NO_BROWSER} (apt install chromium)", stacklevel=1)
        pytest.skip(NO_BROWSER)
    return found
