"""How the two databases are connected to."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session

from config import Settings

CONNECT_TIMEOUT_SECONDS = 3
SQLITE_BUSY_TIMEOUT_SECONDS = 10
# The execution option by which `transaction(write=True)` asks SQLite for the write lock from the start.
WRITES = "writes"


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the engine's options for Flask-SQLAlchemy."""
    if settings.database_is_sqlite:
        return {"connect_args": {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}, "pool_size": 16}
    # Behind a transaction pooler a prepared statement may meet a server connection that does not know it.
    prepare = None if settings.database_is_pooled else 5
    return {
        "connect_args": {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "prepare_threshold": prepare},
        "pool_pre_ping": True,
        "pool_size": 8,
    }


def listen_to_postgresql(engine: Engine, settings: Settings) -> None:
    """Bound how long a statement runs and waits for locks.

    Direct connections are told once. Behind a transaction pooler a setting of the session would land on somebody else's
    connection, so `limit_times` tells each transaction there.
    """
    statement = int(settings.database_statement_timeout_seconds * 1000)
    lock = int(settings.database_lock_timeout_seconds * 1000)
    local = str(settings.database_is_pooled).lower()
    limits = (
        f"SELECT set_config('statement_timeout', '{statement}', {local}), set_config('lock_timeout', '{lock}', {local})"
    )
    if settings.database_is_pooled:
        _LIMITS[engine] = limits
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.execute(limits)
        connection.commit()


_LIMITS: WeakKeyDictionary[Engine, str] = WeakKeyDictionary()


def limit_times(session: Session) -> None:
    """Tell a pooled connection the limits of this transaction (`SET LOCAL`); others know them already."""
    limits = _LIMITS.get(session.connection().engine)
    if limits is not None:
        session.execute(text(limits))


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
