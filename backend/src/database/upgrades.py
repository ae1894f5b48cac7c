"""The transaction of `flask db upgrade` and `flask db downgrade`, of which a database runs one at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

from alembic import op
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from config import Settings
from src.database.connections import SQLITE, connect_timeout, listen_to_sqlite, refuse_other_encodings
from src.database.revisions import newest_revision

log = logging.getLogger("upgrade")

WAITING = "Another upgrade of this database is running; waiting for it."
# A server's writes are much shorter, so a connection that holds the lock for longer is probably another upgrade.
SQLITE_TRY_SECONDS = 1.0
# The key of the advisory lock; any number will do that no other program uses in this database.
UPGRADE_LOCK = 5_208_311_407
LOCK_TRIES, LOCK_PAUSE_SECONDS = 500, 0.02


@contextmanager
def upgrade_transaction(settings: Settings) -> Generator[Connection]:
    """Wait until no other upgrade of the database runs, then yield a connection in a transaction.

    Whatever the upgrade then reads, such as the revision, no other upgrade can change before it commits.
    """
    url = settings.migration_database_url or settings.database_url
    begin = _begin_on_sqlite if settings.database_is_sqlite else _begin_on_postgresql
    with begin(url) as connection:
        yield connection
        connection.commit()


@contextmanager
def _begin_on_postgresql(url: str) -> Generator[Connection]:
    # This also works through a transaction pooler: no statement is prepared, and the lock and the settings end with
    # the transaction.
    options = {**connect_timeout(make_url(url)), "prepare_threshold": None}
    engine = create_engine(url, poolclass=NullPool, connect_args=options)
    refuse_other_encodings(engine)
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
    """Return a connection that holds the write lock, or None if another connection holds it.

    Connecting to a new file needs the lock too, because that switches the file to WAL.
    """
    try:
        connection = engine.connect()
    except OperationalError as error:
        return _none_if_locked(error)
    try:
        # A table can be rebuilt only while foreign keys that refer to it are off; inside of a transaction the PRAGMA
        # has no effect.
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
    """Lock several PostgreSQL tables for a migration, all at once, at a moment when no transaction uses them.

    A migration that waits for one table while it has locked another would block requests, and could deadlock with
    requests that use the tables in another order. If no such moment comes after LOCK_TRIES tries, it waits anyway.
    """
    lock = f"LOCK TABLE {', '.join(tables)}"
    if not op.get_context().as_sql:
        for _ in range(LOCK_TRIES):
            with suppress(OperationalError), op.get_bind().begin_nested():
                op.get_bind().exec_driver_sql(f"{lock} NOWAIT")
                return
            time.sleep(LOCK_PAUSE_SECONDS)
    op.execute(lock)


def refuse_newer_database(migrations: MigrationContext) -> None:
    """Raise CommandError if the database has a migration that this release does not have."""
    for revision in migrations.get_current_heads():
        if revision > newest_revision():
            raise CommandError(
                f"The database is at migration {revision}, and this release ends at {newest_revision()}; "
                "use the release that made it, or a newer one."
            )


def refuse_dangling_rows(connection: Connection) -> None:
    """Raise CommandError if SQLite rows refer to missing rows: foreign keys were off during the upgrade."""
    if connection.dialect.name != "sqlite":
        return
    found = {(row.table, row.parent) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    if found:
        tables = ", ".join(f"{table} refer to {parent}" for table, parent in sorted(found))
        raise CommandError(
            f"Nothing was changed, because rows would refer to rows that are not there: rows of {tables}."
        )
