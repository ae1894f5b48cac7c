"""How the two databases are connected to."""

from __future__ import annotations

import select
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

from config import Settings

CONNECT_TIMEOUT_SECONDS = 3
SQLITE_BUSY_TIMEOUT_SECONDS = 10
# The engine's execution option that holds its Beginnings.
BEGINNINGS = "beginnings"


class Beginnings(NamedTuple):
    """What begins a transaction that reads, that writes, that writes by one statement.

    The drivers are told to begin none by themselves. None: each statement is a transaction by itself.
    """

    reads: str | None
    writes: str
    writes_once: str | None


# A deferred transaction that turns to writing fails at once when another has written: tried, 600 in 1,600.
SQLITE = Beginnings("BEGIN", "BEGIN IMMEDIATE", "BEGIN IMMEDIATE")
POSTGRESQL = Beginnings(None, "BEGIN", None)


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the engine's options for Flask-SQLAlchemy."""
    if settings.database_is_sqlite:
        return {
            "connect_args": {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            "pool_size": 16,
            "execution_options": {BEGINNINGS: SQLITE},
        }
    # Behind a transaction pooler a prepared statement may meet a server connection that does not know it, and a setting
    # of the session would land on somebody else's: every transaction is told its limits there, reading ones too.
    pooled = settings.database_is_pooled
    told = f"BEGIN; {_limits(settings)}"
    return {
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "prepare_threshold": None if pooled else 5,
            "autocommit": True,
        },
        "pool_size": 8,
        "execution_options": {BEGINNINGS: Beginnings(told, told, told) if pooled else POSTGRESQL},
    }


def begin(connection: Connection, *, writes: bool, one_statement: bool) -> None:
    """Begin a transaction in the database, where it takes a statement to."""
    how: Beginnings = connection.get_execution_options()[BEGINNINGS]
    statement = (how.writes_once if one_statement else how.writes) if writes else how.reads
    if statement is not None:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def listen_to_postgresql(engine: Engine, settings: Settings) -> None:
    """Bound how long statements run and wait and how they are planned, and notice dead connections.

    Only the pool is listened to: an event of the engine itself would cost every statement a search for listeners.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: psycopg.Connection, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if not settings.database_is_pooled:
            connection.execute(_limits(settings).encode())

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: psycopg.Connection, _record: Any, _proxy: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if not _is_alive(connection):
            # All connections from before are given up: whatever ended this one has ended the others.
            raise InvalidatePoolError


def _limits(settings: Settings) -> str:
    statement = int(settings.database_statement_timeout_seconds * 1000)
    lock = int(settings.database_lock_timeout_seconds * 1000)
    local = str(settings.database_is_pooled).lower()
    values = {
        "statement_timeout": statement,
        "lock_timeout": lock,
        "TimeZone": "UTC",
        # A page is read from its index in order, up to its limit. A bitmap has no order: it would read the whole of a
        # long history, and sort it, whenever the planner takes it for a short one.
        "enable_bitmapscan": "off",
    }
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
        # The driver must not begin transactions by itself: `begin` does, with the right lock.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
