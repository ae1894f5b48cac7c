"""Fixtures that start the product's programs and end them after the test."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import create_database
from tests.processes import servers
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
from tests.processes.site import Site

StartProgram = Callable[..., Program]
StartServer = Callable[..., Server]

# As in gunicorn.conf.py.
WORKERS = 2
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
NO_BROWSER = "no Chromium on this machine"


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of backend/ without this machine's `.env` and databases, as in a fresh clone."""
    return copy_backend(tmp_path_factory.mktemp("clone") / "backend")


@pytest.fixture
def start(backend: Path, tmp_path: Path) -> Iterator[StartProgram]:
    """Return a function that starts a program in the copy, or in `cwd`, with the keywords as its environment."""
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
    """Return a function that starts `gunicorn app:app` for production and waits until the server is healthy."""

    def run(**settings: str) -> Server:
        port = free_port()
        command = (sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app")
        program = start(*command, **(REAL_SECRETS | settings))
        # A worker ignores a signal that it gets before it has booted, and gunicorn kills it later.
        workers = int(settings.get("WEB_CONCURRENCY", WORKERS))
        wait_until(lambda: program.output.count("Booting worker") == workers, SECONDS_TO_START, lambda: program.output)
        return Server(program, port).wait_until_healthy()

    return run


@pytest.fixture
def start_python_app(start: StartProgram, backend: Path, tmp_path: Path, sqlite_template: Path) -> StartServer:
    """Return a function that starts `python app.py` from another folder, on a migrated SQLite database of its own."""

    def run(**settings: str) -> Server:
        port = free_port()
        database = tmp_path / f"{port}.db"
        shutil.copy(sqlite_template, database)
        settings = {"PORT": str(port), "DATABASE_URL": f"sqlite:///{database}", "MAIL_POLL_SECONDS": "0.1"} | settings
        return Server(start(sys.executable, backend / "app.py", cwd=tmp_path, **settings), port).wait_until_healthy()

    return run


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path, worker_id_: str) -> str:
    """Return the URL of a database without tables, for this test only."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return create_database(f"processes_{worker_id_}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of Chromium; if there is none, skip the browser tests and warn in pytest's summary."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        # pytest-xdist shows warnings of its workers in the summary.
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"THE BROWSER TESTS DID NOT RUN: {NO_BROWSER} (apt install chromium)", stacklevel=1)
        pytest.skip(NO_BROWSER)
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo_server(backend: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("demo")
    with servers.demo_server(folder, backend, PATIENT_CHANGES_PER_HOUR="1000") as server:
        yield server


@pytest.fixture
def site(browser: Browser, demo_server: Server) -> Iterator[Site]:
    site = Site(browser, demo_server.url)
    yield site
    assert site.complaints == []
    assert site.foreign == set()
