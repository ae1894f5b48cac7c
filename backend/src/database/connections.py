"""How connections to SQLite and PostgreSQL are set up, and how their transactions begin."""

from __future__ import annotations

import select
import sqlite3
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

from config import Settings

CONNECT_TIMEOUT_SECONDS = 3
SQLITE_BUSY_TIMEOUT_SECONDS = 10
# The name of the engine's execution option with its BeginStatements.
BEGIN_STATEMENTS = "begin_statements"


class BeginStatements(NamedTuple):
    """The SQL that begins a transaction that only reads, that writes, or that writes by one statement.

    None means autocommit: no SQL is sent, and the database commits each statement by itself. The drivers are set to
    autocommit as well, so that they begin no transaction of their own.
    """

    reads: str | None
    writes: str
    writes_once: str | None


# IMMEDIATE takes the write lock at once. A deferred transaction takes it at its first write, and fails there if another
# transaction has written since its first read: 600 of 1,600 attempts failed in a trial.
SQLITE = BeginStatements("BEGIN", "BEGIN IMMEDIATE", "BEGIN IMMEDIATE")
POSTGRESQL = BeginStatements(None, "BEGIN", None)


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the engine's options for Flask-SQLAlchemy."""
    if settings.database_is_sqlite:
        return {
            "hide_parameters": True,
            "connect_args": {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            "pool_size": 16,
            "execution_options": {BEGIN_STATEMENTS: SQLITE},
        }
    # A transaction pooler may run each transaction on another server connection. That connection does not know our
    # prepared statements, and a session setting would stay on it and affect other clients. So no statement is prepared,
    # and every transaction sets its own limits, even if it only reads.
    pooled = settings.database_is_pooled
    begin = f"BEGIN; {_limits(settings)}"
    return {
        # Of a statement that fails, the log would have the names, hashes and texts that were to be written.
        "hide_parameters": True,
        "connect_args": {
            **connect_timeout(settings.database),
            "prepare_threshold": None if pooled else 5,
            "autocommit": True,
        },
        "pool_size": 8,
        "execution_options": {BEGIN_STATEMENTS: BeginStatements(begin, begin, begin) if pooled else POSTGRESQL},
    }


def connect_timeout(url: URL) -> dict[str, Any]:
    """Return our connect_timeout as a keyword of the driver, unless the URL has one of its own."""
    return {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}


def begin(connection: Connection, *, writes: bool, one_statement: bool) -> None:
    """Begin the transaction, unless the statements are to run in autocommit."""
    how: BeginStatements = connection.get_execution_options()[BEGIN_STATEMENTS]
    statement = (how.writes_once if one_statement else how.writes) if writes else how.reads
    if statement is not None:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def listen_to_postgresql(engine: Engine, settings: Settings) -> None:
    """Set timeouts and planner settings on every connection, and replace dead connections.

    The listeners are for events of the pool: even one listener for events of the engine would make SQLAlchemy look for
    listeners at every statement.
    """
    refuse_other_encodings(engine)

    @event.listens_for(engine, "connect")
    def on_connect(connection: psycopg.Connection, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if not settings.database_is_pooled:
            connection.execute(_limits(settings).encode())

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: psycopg.Connection, _record: Any, _proxy: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if not _is_alive(connection):
            # The pool discards all its connections: what closed this one, such as a restart, has closed the others too.
            raise InvalidatePoolError


def refuse_other_encodings(engine: Engine) -> None:
    """Refuse a PostgreSQL database that cannot store every name, before SQLAlchemy asks it anything.

    Behind SQL_ASCII, psycopg returns bytes instead of text.
    """

    @event.listens_for(engine, "connect", insert=True)
    def on_connect(connection: psycopg.Connection, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        encoding = connection.info.parameter_status("server_encoding")
        # A pooler may not report it.
        if encoding not in {None, "UTF8"}:
            connection.close()
            raise psycopg.OperationalError(
                f"its encoding is {encoding}; make one with CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"
            )


def _limits(settings: Settings) -> str:
    statement = int(settings.database_statement_timeout_seconds * 1000)
    lock = int(settings.database_lock_timeout_seconds * 1000)
    local = str(settings.database_is_pooled).lower()
    values = {
        "statement_timeout": statement,
        "lock_timeout": lock,
        "TimeZone": "UTC",
        # An index scan reads rows in order and stops at the limit of the page. A bitmap scan has no order: when the
        # planner underestimates a long history, PostgreSQL reads and sorts all of it.
        "enable_bitmapscan": "off",
        # Otherwise PostgreSQL plans the longer of our prepared statements anew at each execution, which takes longer
        # than the execution. tests/shape/test_plans.py watches both kinds of plans.
        "plan_cache_mode": "force_generic_plan",
    }
    calls = (f"set_config('{name}', '{value}', {local})" for name, value in values.items())
    return f"SELECT {', '.join(calls)}"


def _is_alive(connection: psycopg.Connection) -> bool:
    """Return whether the server still answers, without a round trip in the usual case.

    The socket of an idle connection has no data to read. If it has some, the server closed the connection or sent a
    message, and a query shows which. `pool_pre_ping` finds the same, but needs a query at each checkout.
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
        # The driver must begin no transaction by itself: `begin` does it and takes the right lock.
        connection.isolation_level = None
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
            # SQLite's own changes ASCII letters only.
            connection.create_function("lower", 1, _lower, deterministic=True)
        except sqlite3.Error:
            # Another connection has locked a new file. SQLAlchemy does not close a connection whose listener fails.
            connection.close()
            raise


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
