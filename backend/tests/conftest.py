"""Fixtures: an application on each database, people who use it, and a clock that only the test moves."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import Response, current_app, g
from flask import request as flask_request
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

# What imports `app` and is no program of ours is a server in production, and refuses to start without secrets.
os.environ["APP_ENV"] = "development"  # noqa: TID251

from app import FORMS, PAGES, ROUTES
from config import Settings
from src.commands import COMMANDS
from src.database.transaction import transaction
from src.extensions import db
from src.models import Base
from src.services.mail import Mail
from src.services.memory_mailer import MemoryMailer
from src.services.pace import Pace
from src.tasks.delivery import deliver_due
from src.web.application import create_app
from tests import postgres
from tests.calls import CALLS, Clinic
from tests.guard import Guard
from tests.openapi import undeclared
from tests.people import Api, Deliver


class AtOnce(Pace):
    """Never waits: the tests of delivery move the clock themselves."""

    def pause(self, seconds: float) -> None:
        pass


AT_ONCE = AtOnce(None, threading.Event())
NOW = datetime(2030, 3, 4, 8, 0, tzinfo=timezone.utc)  # a Monday
# Tables with foreign keys come before the tables that they refer to.
TABLES = [table.name for table in reversed(Base.metadata.sorted_tables)]
# TRUNCATE makes a new file for each table and index, and takes ten times as long as DELETE. But DELETE leaves the dead
# rows in the files, and without autovacuum nobody removes them: once there are many, TRUNCATE does.
BYTES_WITH_MANY_DEAD_ROWS = 2 * 2**20
EMPTY_POSTGRESQL = f"""
    DO $$ BEGIN
        IF (SELECT sum(pg_total_relation_size(name)) FROM unnest('{{{", ".join(TABLES)}}}'::regclass[]) AS name)
            > {BYTES_WITH_MANY_DEAD_ROWS}
        THEN
            TRUNCATE {", ".join(TABLES)};
        ELSE
            {" ".join(f"DELETE FROM {name};" for name in TABLES)}
        END IF;
        PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence;
    END $$
"""
SERVER = "BOOKING_TEST_SERVER"
FOLDERS_OF_LONG_TESTS = {"faults", "processes", "properties"}

_cluster = contextlib.ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, in the process that starts the other test processes."""
    if SERVER not in os.environ:  # noqa: TID251 - how xdist's workers learn of the server
        # Autovacuum may count a table while a test has emptied it: checks of foreign keys then scan the whole table.
        os.environ[SERVER] = _cluster.enter_context(postgres.running(autovacuum="off"))  # noqa: TID251


def pytest_unconfigure(config: pytest.Config) -> None:
    _cluster.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests first: a last one of half a minute would keep one test process busy while the other waits.

    Apart from that, the order stays the random one of pytest-randomly.
    """
    items.sort(key=lambda item: item.path.parent.name not in FOLDERS_OF_LONG_TESTS)


@pytest.fixture(autouse=True, scope="session")
def _no_foreign_sockets() -> None:
    """Fail every test that connects to another machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and str(address[0]) not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test opens a socket to {address}")
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def worker_id_(request: pytest.FixtureRequest) -> str:
    return getattr(request.config, "workerinput", {}).get("workerid", "alone")


def make_settings(**overrides: Any) -> Settings:
    """Return settings for development that ignore any `.env` file and make hashing fast."""
    defaults: dict[str, Any] = {
        "app_env": "development",
        "secret_key": "a secret of the tests, for the tests",
        "jwt_secret_key": "a token secret of the tests, long enough",
        "argon2_memory_kib": 8,
        "argon2_iterations": 1,
        "resend_requests_per_second": 1000,
        # Most tests are of a clinic that takes guests.
        "guests_may_book": "no" if overrides.get("second_factor_required") == "everybody" else "yes",
    }
    return Settings(_env_file=None, **(defaults | overrides))  # pyright: ignore[reportCallIssue]


def build_app(settings: Settings, **options: Any) -> APIFlask:
    """Create the application with all its routes, pages, forms and commands."""
    return create_app(ROUTES, settings, pages=PAGES, forms=FORMS, commands=COMMANDS, **options)


@pytest.fixture(scope="session")
def postgresql_url(worker_id_: str) -> str:
    """Return the URL of this test process's migrated database."""
    url = create_database(f"test_{worker_id_}")
    migrate_to_head(url)
    return url


@pytest.fixture(scope="session")
def empty_postgresql(postgresql_url: str) -> Iterator[Callable[[], None]]:
    """Return a function that empties this test process's database, on a connection that stays open."""
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)

    def empty() -> None:
        with engine.connect() as connection:
            connection.execute(text(EMPTY_POSTGRESQL))

    yield empty
    engine.dispose()


def create_database(name: str) -> str:
    """Create an empty database on the test server and return its URL; drop one of that name first."""
    server = os.environ[SERVER]  # noqa: TID251
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate_to_head(f"sqlite:///{path}")
    return path


def migrate_to_head(url: str) -> None:
    app = build_app(make_settings(database_url=url))
    with app.app_context():
        upgrade()
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty, migrated database; a test that uses it runs on SQLite and on PostgreSQL."""
    return empty_database(request)


def empty_database(request: pytest.FixtureRequest) -> str:
    """Empty the database of the kind that is the fixture's parameter, and return its URL."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        # The same path for each test, because they share an application. SQLite may have left files beside the last.
        folder = template.with_name("now")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = shutil.copy(template, folder / "test.db")
        return f"sqlite:///{path}"
    request.getfixturevalue("empty_postgresql")()
    url: str = request.getfixturevalue("postgresql_url")
    return url


ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
ON_BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class StillClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture(scope="session")
def _shared_clock() -> StillClock:
    return StillClock()


@pytest.fixture
def clock(_shared_clock: StillClock) -> StillClock:
    _shared_clock.now = NOW
    return _shared_clock


MakeApp = Callable[..., APIFlask]
Watch = Callable[[APIFlask], APIFlask]


ROUTE_OF = {route.name: route for route in ROUTES}
ANSWERS = {call.name: (call.route.status, call.signature.answer) for call in CALLS}


def hold_against_schema(response: Response) -> Response:
    """Check an answer against its schema: the product itself does not validate its answers."""
    status, schema = ANSWERS.get(flask_request.endpoint or "", (None, None))
    if schema is not None and response.status_code == status and response.is_json:
        said = response.get_json()
        assert (
            schema.model_validate_json(response.get_data(), strict=True).model_dump(mode="json", by_alias=True) == said
        )
    return response


def note_undeclared_errors(response: Response) -> Response:
    # `//health` is matched like `/health` and then refused: it is not the address of the call. Nor is that of a page.
    strange = flask_request.environ["PATH_INFO"].startswith("//") or g.get("chose_page", False)
    route = None if strange else ROUTE_OF.get(flask_request.endpoint or "")
    surprise = undeclared(route, response) if route else None
    current_app.extensions["surprises"].update([surprise] if surprise else [])
    return response


def checked_app(settings: Settings, clock: StillClock) -> APIFlask:
    """Create an application whose answers are checked, once `watch` has watched it."""
    app = build_app(settings, clock=clock)
    app.after_request(hold_against_schema)
    app.after_request(note_undeclared_errors)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _reverse_unordered_rows)
    return app


def _reverse_unordered_rows(connection: sqlite3.Connection, _record: Any) -> None:
    """Let SQLite return rows without ORDER BY in another order than usual, as PostgreSQL may at any time."""
    connection.execute("PRAGMA reverse_unordered_selects=ON")


@pytest.fixture(scope="session")
def shared_apps() -> Iterator[dict[str, APIFlask]]:
    """Return the applications that many tests use, by the URL of their database.

    To create one and to compile its SQL take longer than most tests.
    """
    apps: dict[str, APIFlask] = {}
    yield apps
    for app in apps.values():
        close_connections(app)


def close_connections(app: APIFlask) -> None:
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def watch(request: pytest.FixtureRequest, shared_apps: dict[str, APIFlask]) -> Iterator[Watch]:
    """Return a function that watches an application until the end of the test."""
    watched: list[APIFlask] = []
    guard = Guard()
    surprises: set[str] = set()
    guarded = request.node.get_closest_marker("unguarded") is None

    def start(app: APIFlask) -> APIFlask:
        app.extensions |= {"surprises": surprises, "transaction": guard.transaction if guarded else transaction}
        watched.append(app)
        return app

    yield start
    # A new connection to PostgreSQL reads the catalog and plans all statements anew. A new SQLite file needs a new one.
    kept = [app for url, app in shared_apps.items() if not url.startswith("sqlite")]
    for app in watched:
        if app not in kept:
            close_connections(app)
    assert guard.broken == []
    assert surprises == set()


# The applications that earlier tests have made and not changed, with their settings.
_idle_apps: list[tuple[str, APIFlask]] = []
MOST_IDLE = 40


@pytest.fixture
def make_app(watch: Watch, database_url: str, clock: StillClock) -> Iterator[MakeApp]:
    """Return a function that makes an application, or takes one that an earlier test has made with these settings."""
    used: list[tuple[str, APIFlask, Any]] = []

    def make(**overrides: Any) -> APIFlask:
        values = {"database_url": database_url} | overrides
        key = repr(sorted(values.items()))
        app = watch(_idle_app(key) or checked_app(make_settings(**values), clock))
        used.append((key, app, changeable(app)))
        return app

    yield make
    _idle_apps.extend((key, app) for key, app, before in used if changeable(app) == before)
    del _idle_apps[:-MOST_IDLE]


def _idle_app(key: str) -> APIFlask | None:
    for number, (other, app) in enumerate(_idle_apps):
        if other == key:
            del _idle_apps[number]
            return app
    return None


@pytest.fixture
def app(watch: Watch, shared_apps: dict[str, APIFlask], database_url: str, clock: StillClock) -> Iterator[APIFlask]:
    """Return the application that many tests share. A test that changes an application makes one with `make_app`."""
    if database_url not in shared_apps:
        shared_apps[database_url] = checked_app(make_settings(database_url=database_url), clock)
    app = watch(shared_apps[database_url])
    before = changeable(app)
    yield app
    assert changeable(app) == before, "later tests would get a changed application"


def changeable(app: APIFlask) -> Any:
    """Return what a test could change in an application; Flask refuses new routes and hooks after the first request."""
    with app.app_context():
        engine = db.engine
    listeners = [
        list(getattr(events, name))
        for events in (engine.dispatch, engine.pool.dispatch)
        for name in dir(events)
        if not name.startswith("_")
    ]
    return dict(app.config), dict(app.extensions), app.wsgi_app, app.json, app.session_interface, listeners


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def api(client: FlaskClient) -> Api:
    return Api(client)


@pytest.fixture
def clinic(app: APIFlask, api: Api) -> Clinic:
    return Clinic.open(app, api)


@pytest.fixture
def mailer() -> MemoryMailer:
    return MemoryMailer()


@pytest.fixture
def deliver(app: APIFlask, mailer: MemoryMailer, clock: StillClock) -> Deliver:
    """Return a function that sends all due mails, as the worker does, and returns all mails sent so far."""

    def run() -> list[Mail]:
        with app.app_context():
            while deliver_due(transaction, mailer, clock, app.extensions["settings"], AT_ONCE):
                pass
        return [mail for _, mail in mailer.sent]

    return run
