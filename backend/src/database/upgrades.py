"""The transaction of `flask db upgrade` and `downgrade`: one at a time, whole or not at all."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

from alembic import op
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from config import Settings
from src.database.connections import CONNECT_TIMEOUT_SECONDS, SQLITE, listen_to_sqlite

log = logging.getLogger("upgrade")

WAITING = "Another upgrade of this database is running; waiting for it."
# A server's own writes are much shorter, so whoever holds the lock for longer is probably another upgrade.
SQLITE_TRY_SECONDS = 1.0
# Any number that nothing else in the database uses for an advisory lock.
UPGRADE_LOCK = 5_208_311_407
LOCK_TRIES, LOCK_PAUSE_SECONDS = 500, 0.02


@contextmanager
def upgrade_transaction(settings: Settings) -> Generator[Connection]:
    """Yield a connection in a transaction that begins when no other upgrade of the database runs.

    No other upgrade changes the database until the commit: what is read here, such as the revision, stays true.
    """
    url = settings.migration_database_url or settings.database_url
    begin = _begin_on_sqlite if settings.database_is_sqlite else _begin_on_postgresql
    with begin(url) as connection:
        yield connection
        connection.commit()


@contextmanager
def _begin_on_postgresql(url: str) -> Generator[Connection]:
    # Behind a transaction pooler nothing may outlive the transaction: no prepared statement, no lock and no setting.
    options = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "prepare_threshold": None}
    engine = create_engine(url, poolclass=NullPool, connect_args=options)
    with engine.connect() as connection:
        connection.execute(
            text("SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)")
        )
        lock = {"lock": UPGRADE_LOCK}
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), lock).scalar_one():
            log.warning(WAITING)
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), lock)
        yield connection


@contextmanager
def _begin_on_sqlite(url: str, try_seconds: float = SQLITE_TRY_SECONDS) -> Generator[Connection]:
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": try_seconds})
    listen_to_sqlite(engine)
    connection = _try_to_begin(engine)
    if connection is None:
        log.warning(WAITING)
    while connection is None:
        connection = _try_to_begin(engine)
    with connection:
        yield connection


def _try_to_begin(engine: Engine) -> Connection | None:
    """Return a connection that holds the write lock, or None where somebody else holds it.

    Connecting to a new file takes the lock, too, because it switches the file to WAL.
    """
    try:
        connection = engine.connect()
    except OperationalError as error:
        return _none_if_locked(error)
    try:
        # A table that others refer to can be made anew only without foreign keys. The setting has no effect inside a
        # transaction.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql(SQLITE.writes)
    except OperationalError as error:
        connection.close()
        return _none_if_locked(error)
    return connection


def _none_if_locked(error: OperationalError) -> None:
    if "database is locked" not in str(error.orig):
        raise error


def lock_together(*tables: str) -> None:
    """Lock tables of PostgreSQL for a migration that alters several: all at once, in a moment when none is used.

    Waiting for one table while another is locked would delay requests, and deadlock with those that lock the tables in
    another order. Where no such moment comes within the tries, it waits for the locks after all.
    """
    lock = f"LOCK TABLE {', '.join(tables)}"
    if not op.get_context().as_sql:
        for _ in range(LOCK_TRIES):
            with suppress(OperationalError), op.get_bind().begin_nested():
                op.get_bind().exec_driver_sql(f"{lock} NOWAIT")
                return
            time.sleep(LOCK_PAUSE_SECONDS)
    op.execute(lock)


def refuse_dangling_rows(connection: Connection) -> None:
    """Raise CommandError where rows of SQLite refer to none: foreign keys were off during the upgrade."""
    if connection.dialect.name != "sqlite":
        return
    found = {(row.table, row.parent) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    if found:
        tables = ", ".join(f"{table} refer to {parent}" for table, parent in sorted(found))
        raise CommandError(
            f"Nothing was changed, because rows would refer to rows that are not there: rows of {tables}."
        )
