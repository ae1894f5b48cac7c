"""URLs of databases (DATABASE_URL, MIGRATION_DATABASE_URL)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


def database_url(text: str, folder: Path) -> URL:
    """Set the driver of the database, and make a SQLite path absolute, below `folder`.

    Raises ValueError for a text that names no supported database.
    """
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        # The message does not repeat the value, which may contain a password.
        raise ValueError(
            "it is no database URL; use sqlite:///local.db or postgresql://user:password@host:5432/name"
        ) from None
    if backend in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(
            f"{backend} is not supported; use sqlite:///local.db or postgresql://user:password@host:5432/name"
        )
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file here, because several processes share it; use sqlite:///local.db")
    return url.set(drivername="sqlite", database=str(folder / url.database))
