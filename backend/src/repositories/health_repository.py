"""Which migration the database is at."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import Connection, text


def schema_revision(db: Connection) -> str | None:
    """Return the migration that the database is at, or None for an empty one."""
    if not sqlalchemy.inspect(db).has_table("alembic_version"):
        return None
    return db.scalars(text("SELECT version_num FROM alembic_version")).one_or_none()
