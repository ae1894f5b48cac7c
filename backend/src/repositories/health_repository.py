"""The version of the database's schema."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import Connection, text


def schema_revision(db: Connection) -> str | None:
    """Return the newest migration that the database has, or None when it has no tables."""
    if not sqlalchemy.inspect(db).has_table("alembic_version"):
        return None
    return db.scalars(text("SELECT version_num FROM alembic_version")).one_or_none()
