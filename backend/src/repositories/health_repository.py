"""The version of the database's schema, and whether the database accepts changes."""

from __future__ import annotations

import os

import sqlalchemy
from sqlalchemy import Connection, text


def schema_revision(db: Connection) -> str | None:
    """Return the newest migration that the database has, or None when it has no tables."""
    if not sqlalchemy.inspect(db).has_table("alembic_version"):
        return None
    return db.scalars(text("SELECT version_num FROM alembic_version")).one_or_none()


def accepts_changes(db: Connection) -> bool:
    """Say whether a transaction may write; ask without writing, which would take SQLite's lock."""
    if db.dialect.name == "postgresql":
        return db.execute(text("SELECT current_setting('transaction_read_only') = 'off'")).scalar_one()
    return os.access(
        db.execute(text("SELECT file FROM pragma_database_list WHERE name = 'main'")).scalar_one(), os.W_OK
    )
