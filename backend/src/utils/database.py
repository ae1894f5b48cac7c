"""How the two databases are connected to."""

from __future__ import annotations

import select
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

from config import Settings

CONNECT_TIMEOUT_SECONDS = 3
SQLITE_BUSY_TIMEOUT_SECONDS = 10
# The execution option by which `transaction(writes=True)` asks for a transaction that can write.
WRITES = "writes"
# And by which a writer says that a single statement does it all: PostgreSQL then needs no BEGIN.
ONE_STATEMENT = "one_statement"


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the engine's options for Flask-SQLAlchemy."""
    if settings.database_is_sqlite:
        return {"connect_args": {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}, "pool_size": 16}
    # Behind a transaction pooler a prepared statement may meet a server connection that does not know it.
    prepare = None if settings.database_is_pooled else 5
    return {
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "prepare_threshold": prepare,
            # The driver must not begin transactions by itself: on_begin does, where something is written.
            "autocommit": True,
        },
        "pool_size": 8,
    }


def listen_to_postgresql(engine: Engine, settings: Settings) -> None:
    """Begin transactions where they are needed, bound how long statements run and wait, and notice dead connections.

    Direct connections are told their limits once. Behind a transaction pooler a setting of the session would land on
    somebody else's connection, so there every transaction is told, reading ones too (`SET LOCAL`).
    """
    pooled = settings.database_is_pooled
    limits = _limits(settings)
    begin = f"BEGIN; {limits}" if pooled else "BEGIN"

    @event.listens_for(engine, "connect")
    def on_connect(connection: psycopg.Connection, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if not pooled:
            connection.execute(limits.encode())

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: psycopg.Connection, _record: Any, _proxy: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if not _is_alive(connection):
            # All connections from before are given up: whatever ended this one has ended the others.
            raise InvalidatePoolError

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        options = connection.get_execution_options()
        if pooled or (options.get(WRITES, True) and not options.get(ONE_STATEMENT, False)):
            connection.exec_driver_sql(begin, execution_options={"no_parameters": True})


def _limits(settings: Settings) -> str:
    statement = int(settings.database_statement_timeout_seconds * 1000)
    lock = int(settings.database_lock_timeout_seconds * 1000)
    local = str(settings.database_is_pooled).lower()
    values = {"statement_timeout": statement, "lock_timeout": lock, "TimeZone": "UTC"}
    calls = (f"set_config('{name}', '{value}', {local})" for name, value in values.items())
    return f"SELECT {', '.join(calls)}"


def _is_alive(connection: psycopg.Connection) -> bool:
    """Say whether the server is there, without asking it where nothing speaks against it.

    An idle connection is silent. One that can be read from has been closed, or has something to tell; then a question
    shows which. This finds what `pool_pre_ping` finds, and saves its round trip.
    """
    try:
        idle = select.poll()
        idle.register(connection.pgconn.socket, select.POLLIN)
        if idle.poll(0):
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def listen_to_sqlite(engine: Engine) -> None:
    """Make SQLite durable, concurrent and strict on every connection of the engine."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # The driver must not begin transactions by itself: on_begin does, with the right lock.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        # A deferred transaction that turns to writing fails at once when another has written: tried, 600 in 1,600.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
