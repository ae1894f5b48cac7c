"""Rebuild SQLite tables in migrations, because SQLite cannot change a constraint of an existing table."""

from __future__ import annotations

import itertools
import logging
import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy
from alembic import op
from alembic.operations import BatchOperations
from sqlalchemy import Connection

log = logging.getLogger("upgrade")

COPIED = "copied before tables are made anew"


@contextmanager
def rebuilt(table: str) -> Generator[BatchOperations]:
    """Alter a table in a migration: with ALTER TABLE on PostgreSQL, and by rebuilding the table on SQLite.

    On SQLite, the table keeps its rows, triggers, indexes, AUTOINCREMENT and the largest id ever given, and other
    tables may refer to it. The rebuild also corrects names of CHECK constraints to which 0001 gave their prefix twice.
    A migration that changes a trigger must drop it before the rebuild and create it afterwards. Before the first
    rebuild of an upgrade, the database is copied to a new file in the same folder.
    """
    if op.get_context().dialect.name != "sqlite":
        with op.batch_alter_table(table) as batch:
            yield batch
        return
    db = op.get_bind()
    _copy_once(db)
    created = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ? ORDER BY rowid"
    [table_sql] = db.exec_driver_sql(created, ("table", table)).scalars()
    triggers = db.exec_driver_sql(created, ("trigger", table)).scalars().all()
    grows = "AUTOINCREMENT" in table_sql.upper()
    counter = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    largest = db.exec_driver_sql(counter, (table,)).scalar_one_or_none() if grows else None
    # Without this, renaming the new table fails if a trigger of another table names the old one, which is dropped.
    db.exec_driver_sql("PRAGMA legacy_alter_table=ON")
    with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": grows}) as batch:
        _correct_doubled_names(db, table, batch)
        yield batch
    db.exec_driver_sql("PRAGMA legacy_alter_table=OFF")
    for trigger in triggers:
        db.exec_driver_sql(trigger)
    if grows:
        db.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    if largest is not None:
        db.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, largest))


def _correct_doubled_names(db: Connection, table: str, batch: BatchOperations) -> None:
    """Rename CHECK constraints such as ck_users_ck_users_role to ck_users_role."""
    for check in sqlalchemy.inspect(db).get_check_constraints(table):
        name = check["name"] or ""
        corrected = re.sub(rf"^(ck_{table}_)\1", r"\1", name)
        if corrected != name:
            batch.drop_constraint(op.f(name), type_="check")
            batch.create_check_constraint(op.f(corrected), check["sqltext"])


def _copy_once(db: Connection) -> None:
    """Copy the database as it was before this transaction, once in an upgrade; do not copy a new database."""
    path = Path(db.exec_driver_sql("SELECT file FROM pragma_database_list WHERE name = 'main'").scalar_one())
    if db.info.get(COPIED) or not path.name:
        return
    db.info[COPIED] = True
    # A second connection reads the database as it was before this transaction. No other connection can write during the
    # copy, because this transaction holds the write lock.
    with closing(sqlite3.connect(path)) as unchanged:
        if not unchanged.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return
        revision = unchanged.execute("SELECT version_num FROM alembic_version").fetchone()
        if revision is None:
            return
        copy = _free_name(path.with_name(f"{path.name}.at-{revision[0]}"))
        unchanged.execute("VACUUM INTO ?", (str(copy),))
    log.warning("The database as it was before this upgrade is kept in %s.", copy)


def _free_name(path: Path) -> Path:
    names = itertools.chain([path], (path.with_name(f"{path.name}-{number}") for number in itertools.count(2)))
    return next(name for name in names if not name.exists())
