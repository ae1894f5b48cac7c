"""Servers that the product does not know, `flask run`, and commands: who must have secrets, and what APP_ENV is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.processes.conftest import StartProgram
from tests.processes.servers import REAL_SECRETS, Program, Server, free_port

SECONDS_TO_REFUSE = 30
SECONDS_FOR_A_COMMAND = 60
MAKE_A_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
PUBLISHED = {"SECRET_KEY": "dev-secret", "JWT_SECRET_KEY": "jwt-dev-secret", "DOCTOR_INVITATION_CODE": "DOC2024SECRET"}
# How waitress, uWSGI, mod_wsgi and every other WSGI server get the application.
SOME_WSGI_SERVER = """
import sys
from wsgiref.simple_server import make_server
from app import app
make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""
FLASK = (sys.executable, "-m", "flask")
# Not an address of this machine: `flask run` could not listen there if it tried.
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'any.db')}"


def is_development(server: Server) -> bool:
    """Return whether the calls of development are there."""
    server.wait_until_answering()
    return server.call("GET", "/dev/outbox").status == 200


def refusal(program: Program) -> str:
    assert program.wait(SECONDS_TO_REFUSE) == 1, program.output
    return program.output.splitlines()[-1].removeprefix("config.ConfigurationError: ")


@pytest.mark.parametrize(("settings", "development"), [(REAL_SECRETS, False), ({"APP_ENV": "development"}, True)])
def test_every_server_serves_production_unless_app_env_says_otherwise(
    start: StartProgram, sqlite_url: str, settings: dict[str, str], *, development: bool
) -> None:
    port = free_port()
    program = start(sys.executable, "-c", SOME_WSGI_SERVER, str(port), DATABASE_URL=sqlite_url, **settings)
    assert is_development(Server(program, port)) is development


def test_an_import_alone_is_refused_without_secrets(start: StartProgram) -> None:
    sentence = refusal(start(sys.executable, "-c", "import app"))
    assert sentence.startswith("SECRET_KEY ")
    assert MAKE_A_SECRET in sentence


def test_flask_run_is_development_on_loopback(start: StartProgram, sqlite_url: str) -> None:
    port = free_port()
    program = start(*FLASK, "run", "--host", "localhost", "--port", str(port), DATABASE_URL=sqlite_url)
    assert is_development(Server(program, port))


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ([*FLASK, "run", "--host", ELSEWHERE], {}),
        ([sys.executable, "app.py"], {"APP_ENV": "production"}),
    ],
)
def test_our_own_servers_refuse_published_secrets_in_production_with_one_sentence(
    start: StartProgram, command: list[str], settings: dict[str, str]
) -> None:
    program = start(*command, **PUBLISHED, **settings)
    assert refusal(program).startswith("SECRET_KEY has a published value")
    assert len(program.output.splitlines()) == 1


def test_commands_that_serve_nobody_need_no_secrets(start: StartProgram, sqlite_url: str) -> None:
    program = start(*FLASK, "db", "upgrade", APP_ENV="production", DATABASE_URL=sqlite_url)
    assert program.wait(SECONDS_FOR_A_COMMAND) == 0, program.output
    assert "secret" not in program.output.lower()
